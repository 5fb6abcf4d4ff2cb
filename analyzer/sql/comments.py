"""Trace ids in comments of statements, taken out so that comments stay few.

An application that tags its statements writes another trace or request id into each; the rest of
the comment (route, controller, framework) is one of a few. So the id becomes a number of its own
and the comment is kept without it.
"""

import functools
import hashlib
import re

# sqlcommenter: traceparent='version-traceid-spanid-flags' (W3C Trace Context, section 3.2).
_TRACEPARENT = re.compile(
    r"traceparent='([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})'"
)
# Also unquoted, with a colon (Marginalia), and request ids, in any case.
_ID = re.compile(
    r"\b(traceparent|request[_-]?id|req_id|x[_-]request[_-]id)\s*([=:])\s*"
    r"(?:'([^'\\]*+(?:\\.[^'\\]*+)*)'|([^\s,'*]+))",
    re.IGNORECASE,
)
_TRACE_PARTS = 4
_CACHED = 1024
_LONGEST_CACHED = 1024  # characters: with _CACHED, bounds the memory
_MASK = (1 << 63) - 1


def split_trace(comment: str) -> tuple[str, int]:
    """A comment without its trace or request id, and the id's number (63 bits; 0 none).

    Of a W3C traceparent the number is the low 63 bits of the trace id, else a hash of the id.
    A traceparent wins over a request id beside it.
    """
    found = _TRACEPARENT.search(comment)
    if found:
        rest = comment[: found.start(1)] + comment[found.end(4) :]
        cached = _known_without_ids if len(rest) <= _LONGEST_CACHED else _without_ids
        return cached(rest), int(found[2][16:], 16) & _MASK
    if not _may_hold(comment):
        return comment, 0
    ids: list[tuple[bool, str]] = []
    for match in _ID.finditer(comment):
        value = match[3] if match[3] is not None else match[4]
        if match[1].lower() == "traceparent":
            parts = value.split("-")
            if len(parts) == _TRACE_PARTS:
                ids.append((False, parts[1]))
        elif value:
            ids.append((True, value))
    if not ids:
        return comment, 0
    name = min(ids, key=lambda one: one[0])[1]
    return _ID.sub(r"\1\2", comment), _number(name)


def _without_ids(comment: str) -> str:
    return _ID.sub(r"\1\2", comment) if _may_hold(comment) else comment


# Comments whose trace id is gone already are few.
_known_without_ids = functools.lru_cache(maxsize=_CACHED)(_without_ids)


def _may_hold(comment: str) -> bool:
    lower = comment.lower()
    return "traceparent" in lower or "req" in lower


def _number(name: str) -> int:
    if re.fullmatch(r"[0-9a-f]{32}", name):
        return int(name[16:], 16) & _MASK
    digest = hashlib.blake2b(name.encode("utf-8", "surrogatepass"), digest_size=8).digest()
    return int.from_bytes(digest, "big") & _MASK or 1
