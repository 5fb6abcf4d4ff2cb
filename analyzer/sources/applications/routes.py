"""Routes from paths: what an access line has holds ids, of which a route has none."""

import re

_ID = re.compile(
    r"(?<=/)(?:\d+|[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}|[0-9a-f]{24,64})(?=/|$)",
    re.IGNORECASE,
)


def plain_path(path: str) -> str:
    """A path without its query, `{id}` for its numbers and UUIDs."""
    return _ID.sub("{id}", path.partition("?")[0].partition("#")[0])
