"""What comments in statements tell: trace, request, route, job (sqlcommenter, Marginalia)."""

import re
from dataclasses import dataclass
from urllib.parse import unquote

_PAIR = re.compile(r"([A-Za-z_][\w.\-]*)\s*[=:]\s*(?:'([^'\\]*+(?:\\.[^'\\]*+)*)'|([^\s,'*]+))")
_TRACE_PARTS = 4  # version-traceid-spanid-flags
_ROUTE_TAGS = ("route", "url", "path", "endpoint", "http_route")
_REQUEST_TAGS = ("request_id", "requestid", "req_id", "x_request_id")


@dataclass(frozen=True, slots=True)
class Tags:
    """`trace` names the unit of work; `route` is where it comes from, in words of the application."""

    trace: str | None = None
    route: str | None = None


def read_tags(comment: str) -> Tags:
    """The tags of a statement's comments; unknown ones are passed over."""
    pairs = {
        found[1].lower().replace("-", "_"): unquote(found[2] if found[2] is not None else found[3])
        for found in _PAIR.finditer(comment)
    }
    parts = pairs.get("traceparent", "").split("-")
    trace = parts[1] if len(parts) == _TRACE_PARTS else None
    trace = trace or next((pairs[tag] for tag in _REQUEST_TAGS if pairs.get(tag)), None)
    return Tags(trace, _route(pairs))


def _route(pairs: dict[str, str]) -> str | None:
    for tag in _ROUTE_TAGS:
        if pairs.get(tag):
            return pairs[tag]
    if pairs.get("controller") and pairs.get("action"):
        return f"{pairs['controller']}#{pairs['action']}"
    return pairs.get("job") or pairs.get("task") or pairs.get("controller")
