"""What comments in statements tell: route or job (sqlcommenter, Marginalia).

Traces are taken out of comments before they get here (analyzer.sql.comments).
"""

import re
from urllib.parse import unquote

_PAIR = re.compile(r"([A-Za-z_][\w.\-]*)\s*[=:]\s*(?:'([^'\\]*+(?:\\.[^'\\]*+)*)'|([^\s,'*]+))")
_ROUTE_TAGS = ("route", "url", "path", "endpoint", "http_route")


def read_route(comment: str) -> str | None:
    """Where a statement comes from in words of the application, None where its comments don't tell."""
    pairs = {
        found[1].lower().replace("-", "_"): unquote(found[2] if found[2] is not None else found[3])
        for found in _PAIR.finditer(comment)
    }
    for tag in _ROUTE_TAGS:
        if pairs.get(tag):
            return pairs[tag]
    if pairs.get("controller") and pairs.get("action"):
        return f"{pairs['controller']}#{pairs['action']}"
    return pairs.get("job") or pairs.get("task") or pairs.get("controller")
