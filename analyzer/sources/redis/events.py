"""An application's own log of cache reads: JSON lines `{"ts", "route", "op", "key_prefix", "hit"}`."""

import json
from collections.abc import Iterable
from dataclasses import field

from analyzer.model.cache import CacheUse
from analyzer.model.names import plain_path
from analyzer.records import changing

_READS = frozenset({"get", "getex", "mget", "hget", "hgetall", "read", ""})
_NO_ROUTE = "(no route)"


@changing
class CacheEvents:
    """Reads and hits by route and by prefix; `unread` lines that are no such event."""

    by_route: dict[str, list[int]] = field(default_factory=dict)
    by_prefix: dict[str, list[int]] = field(default_factory=dict)
    unread: int = 0

    def routes(self) -> list[CacheUse]:
        """The uses by route, most read first."""
        found = [CacheUse(name, reads, hits) for name, (reads, hits) in self.by_route.items()]
        return sorted(found, key=lambda use: (-use.reads, use.name))


def looks_like_events(head: str) -> bool:
    """Whether a text begins with such an event."""
    first = next((line for line in head.splitlines() if line.strip()), "")
    return _event(first) is not None


def read_events(lines: Iterable[str]) -> CacheEvents:
    """Count reads and hits, in one pass."""
    events = CacheEvents()
    for line in lines:
        if not line.strip():
            continue
        event = _event(line)
        if event is None:
            events.unread += 1
            continue
        route, operation, prefix, hit = event
        if operation not in _READS:
            continue
        for counts, name in ((events.by_route, route), (events.by_prefix, prefix)):
            entry = counts.setdefault(name, [0, 0])
            entry[0] += 1
            entry[1] += hit
    return events


def _event(line: str) -> tuple[str, str, str, bool] | None:
    try:
        found = json.loads(line)
    except (ValueError, RecursionError):
        return None
    if not isinstance(found, dict) or "key_prefix" not in found or "op" not in found:
        return None
    hit = found.get("hit")
    operation = str(found["op"]).lower()
    if operation in _READS and not isinstance(hit, bool | int):
        return None
    route = plain_path(str(found.get("route") or _NO_ROUTE)[:300])
    return route, operation, str(found["key_prefix"])[:100], bool(hit)
