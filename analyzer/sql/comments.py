"""Ids of requests in comments of statements, taken out so that comments stay few.

An application that tags its statements writes another trace, request or job id into each; the
rest of the comment (route, controller, job's name) is one of a few. So the id becomes a number of
its own, the execution's `trace`, and the comment is kept without it.
"""

import functools
import hashlib
import re

from analyzer.patterns import regex

# sqlcommenter: traceparent='version-traceid-spanid-flags' (W3C Trace Context, section 3.2).
_TRACEPARENT = regex(r"traceparent='([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})'")
# Also unquoted, with a colon (Marginalia), and ids of requests and jobs, in any case. Jobs: BullMQ
# (jobId), Sidekiq and Active Job (jid, job_id), Celery (task_id, celery_task_id).
_ID = regex(
    r"\b(traceparent|request[_-]?id|req_id|x[_-]request[_-]id|job_?id|jid|(?:celery_)?task_?id)"
    r"\s*([=:])\s*(?:'([^'\\]*+(?:\\.[^'\\]*+)*)'|([^\s,'*]+))",
    re.IGNORECASE,
)
_QUEUE = regex(r"\b(?:queue|queue_name)\s*[=:]\s*'?([^\s,'*]{1,200})", re.IGNORECASE)
_TRACE = regex(r"[0-9a-f]{32}")
_HINTS = ("traceparent", "req", "job", "jid", "task")
_JOBS = ("job", "jid", "task", "celery")
_TRACE_PARTS = 4
_CACHED = 1024
_LONGEST_CACHED = 1024  # characters: with _CACHED, bounds the memory
_MASK = (1 << 63) - 1


def split_trace(comment: str) -> tuple[str, int]:
    """A comment without its ids, and the number of what it belongs to (63 bits; 0 none).

    A job's id wins over a traceparent (jobs of one trace are units of their own), and that over a
    request id. Job ids count within their queue. Of a W3C traceparent the number is the low 63
    bits of the trace id, else a hash of the id.
    """
    found = _TRACEPARENT.search(comment)
    if found:
        rest = comment[: found.start(1)] + comment[found.end(4) :]
        kept = (_known_kept if len(rest) <= _LONGEST_CACHED else _kept)(rest)
        if kept is not None:
            return kept, int(found[2][16:], 16) & _MASK or 1  # as trace_number
    elif not _may_hold(comment):
        return comment, 0
    ids = [one for match in _ID.finditer(comment) if (one := _identity(match, comment))]
    if not ids:
        return comment, 0
    return _ID.sub(r"\1\2", comment), trace_number(min(ids, key=lambda one: one[0])[1])


def _identity(match: re.Match[str], comment: str) -> tuple[int, str] | None:
    """What an id's place among ids is (the lowest wins), and its name; None of none."""
    value = match[3] if match[3] is not None else match[4]
    name = match[1].lower()
    if name == "traceparent":
        parts = value.split("-")
        return (1, parts[1]) if len(parts) == _TRACE_PARTS else None
    if not value:
        return None
    if name.startswith(_JOBS):
        queue = _QUEUE.search(comment)
        return 0, f"{queue[1]}:{value}" if queue else value
    return 2, value


def _kept(rest: str) -> str | None:
    """A comment whose trace id is gone already, as it is kept; None if it has other ids."""
    if not _may_hold(rest):
        return rest
    if any(_identity(match, rest) for match in _ID.finditer(rest)):
        return None
    return _ID.sub(r"\1\2", rest)


# There are few of those without other ids.
_known_kept = functools.lru_cache(maxsize=_CACHED)(_kept)


def _may_hold(comment: str) -> bool:
    lower = comment.lower().replace("traceparent=''", "")
    return any(hint in lower for hint in _HINTS)


def trace_number(name: str) -> int:
    """The number of a trace, request or job id: 63 bits, never 0."""
    if _TRACE.fullmatch(name):
        return int(name[16:], 16) & _MASK or 1
    digest = hashlib.blake2b(name.encode("utf-8", "surrogatepass"), digest_size=8).digest()
    return int.from_bytes(digest, "big") & _MASK or 1
