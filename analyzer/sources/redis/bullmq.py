"""BullMQ's queues in a live Redis: attempts at jobs from their hashes and from the queues' events.

Nothing is written, and every question is bounded: SCAN goes so many steps, of each list, set and stream only the
newest entries are read, of a job's hash only a few short fields (never its data or result), and after a minute
what is not read yet is left out. A key that expires or is removed meanwhile is passed over.
"""

import json
import time
from collections.abc import Iterator, Sequence
from typing import Any

from analyzer.model.job import ACTIVE, COMPLETED, FAILED, RETRIED, WAITING, JobAttempt
from analyzer.records import record
from analyzer.sources.redis.bull_events import attempts_in
from analyzer.sources.redis.connection import connected, place_of

MOST_QUEUES = 100
MOST_JOBS = 10_000  # of each queue and state
MOST_EVENTS = 20_000  # of each queue
_STEPS = 2_000  # of SCAN, a thousand keys each
_SCANNED = 1_000
_AT_ONCE = 500
MOST_SECONDS = 60.0  # for all of it
_FIELDS = ("name", "timestamp", "processedOn", "finishedOn", "atm", "ats", "opts")
# Where jobs stand: the key's ending, its type, and what a job there is.
_PLACES = (
    ("completed", "zset", COMPLETED),
    ("failed", "zset", FAILED),
    ("delayed", "zset", WAITING),
    ("prioritized", "zset", WAITING),
    ("waiting-children", "zset", WAITING),
    ("active", "list", ACTIVE),
    ("wait", "list", WAITING),
    ("paused", "list", WAITING),
)
_LATEST_MS = 253_402_300_800_000


@record
class Queues:
    """What a Redis tells of its queues: attempts at their jobs, how many queues, and what was left out."""

    origin: str
    queues: Sequence[str]
    attempts: Sequence[JobAttempt]
    warnings: Sequence[str]


class _Clock:
    """How much of the time for a Redis is left."""

    def __init__(self, seconds: float) -> None:
        self._ends = time.monotonic() + seconds

    @property
    def over(self) -> bool:
        return time.monotonic() >= self._ends


def read_queues(
    url: str, names: Sequence[str] = (), prefix: str = "bull", seconds: float = MOST_SECONDS
) -> Queues:
    """All queues of a Redis, or those named.

    Args:
        url: redis://user@host:port/0; a password belongs into REDISCLI_AUTH.
        names: which queues; none: all that a bounded SCAN finds.
        prefix: what BullMQ's keys begin with.
        seconds: when what is not read yet is left out.

    Raises:
        ServerError: Redis cannot be reached or refuses. UsageError: redis-py is not installed.
    """
    warnings: list[str] = []
    clock = _Clock(seconds)
    with connected(url) as client:
        origin = place_of(client)
        queues = list(names) or _queues(client, prefix, clock, warnings)
        attempts: list[JobAttempt] = []
        for number, queue in enumerate(queues[:MOST_QUEUES]):
            if clock.over:
                left = len(queues[:MOST_QUEUES]) - number
                warnings.append(
                    f"{left} queues are left out: {seconds:.0f} s were over; name those to read by --queue"
                )
                break
            attempts += _of_queue(client, f"{prefix}:{queue}", queue, clock, warnings)
    if len(queues) > MOST_QUEUES:
        warnings.append(
            f"{len(queues) - MOST_QUEUES} queues beyond the first {MOST_QUEUES} are left out"
        )
    if not attempts:
        warnings.append(
            f"no job of BullMQ under {prefix}:*; name the database in the URL (redis://host:6379/1), the "
            "prefix by --bull-prefix, or the queue by --queue"
        )
    return Queues(origin, queues[:MOST_QUEUES], attempts, [f"{origin}: {one}" for one in warnings])


def _queues(client: Any, prefix: str, clock: _Clock, warnings: list[str]) -> list[str]:  # noqa: ANN401 - redis-py is imported late
    """The names of queues, by their meta keys."""
    found: set[str] = set()
    cursor = 0
    pattern = f"{_escaped(prefix)}:*:meta"
    for _ in range(_STEPS):
        cursor, keys = client.scan(cursor=cursor, match=pattern, count=_SCANNED)
        found.update(key[len(prefix) + 1 : -len(":meta")] for key in keys)
        if not cursor:
            break
        if clock.over:
            warnings.append("SCAN was ended for want of time; name the queues by --queue")
            break
    else:
        warnings.append(
            f"SCAN was ended after {_STEPS * _SCANNED:,} keys; name the queues by --queue"
        )
    return sorted(found)


def _escaped(text: str) -> str:
    r"""A text as a pattern that matches itself alone."""
    return "".join(f"\\{one}" if one in "*?[]\\^" else one for one in text)


def _of_queue(
    client: Any,  # noqa: ANN401 - as _queues
    key: str,
    queue: str,
    clock: _Clock,
    warnings: list[str],
) -> list[JobAttempt]:
    found = attempts_in(queue, _events(client, f"{key}:events", clock))
    for ending, kind, state in _PLACES:
        place = f"{key}:{ending}"
        size = client.zcard(place) if kind == "zset" else client.llen(place)
        if not size:
            continue
        if size > MOST_JOBS:
            warnings.append(f"{place}: the newest {MOST_JOBS:,} of {size:,} jobs are read")
        if kind == "zset":
            ids = client.zrevrange(place, 0, MOST_JOBS - 1)
        else:
            ids = client.lrange(place, 0, MOST_JOBS - 1)
        for start in range(0, len(ids), _AT_ONCE):
            if clock.over:
                warnings.append(f"{place}: {len(ids) - start:,} jobs are left out for want of time")
                break
            some = ids[start : start + _AT_ONCE]
            for job, fields in zip(some, _hashes(client, key, some), strict=True):
                told = _attempt(queue, job, state, fields)
                if told is not None:
                    found.append(told)
    return found


def _hashes(client: Any, key: str, ids: Sequence[str]) -> list[dict[str, str]]:  # noqa: ANN401 - as _queues
    """The fields of some jobs; none of one that is gone."""
    with client.pipeline(transaction=False) as pipe:
        for one in ids:
            pipe.hmget(f"{key}:{one}", _FIELDS)
        return [
            {name: value for name, value in zip(_FIELDS, values, strict=True) if value is not None}
            for values in pipe.execute()
        ]


def _events(client: Any, key: str, clock: _Clock) -> list[tuple[str, dict[str, str]]]:  # noqa: ANN401 - as _queues
    """The newest events, oldest first."""
    found = list(_backwards(client, key, clock))
    found.reverse()
    return found


def _backwards(client: Any, key: str, clock: _Clock) -> Iterator[tuple[str, dict[str, str]]]:  # noqa: ANN401 - as _queues
    until, left = "+", MOST_EVENTS
    while left > 0 and not clock.over:
        some = client.xrevrange(key, max=until, min="-", count=min(_AT_ONCE, left))
        for number, fields in some:
            kept = {
                name: fields[name]
                for name in ("event", "jobId", "name", "prev", "delay")
                if name in fields
            }
            yield number, kept
        if len(some) < min(_AT_ONCE, left):
            return
        left -= len(some)
        until = f"({some[-1][0]}"


def _attempt(queue: str, job: str, state: str, fields: dict[str, str]) -> JobAttempt | None:
    """A job's last attempt by its hash; None of one that is gone."""
    if "timestamp" not in fields:
        return None
    added, started, ended = (
        _us(fields.get(name)) for name in ("timestamp", "processedOn", "finishedOn")
    )
    begun = _whole(fields.get("ats")) or _whole(fields.get("atm")) or int(started is not None)
    ready = None if added is None else added + _delay_ms(fields.get("opts", "")) * 1000
    name = fields.get("name", "")[:300]
    if started is None:
        return JobAttempt(queue, job, name, ready_us=ready, outcome=state, origin="redis")
    outcome = RETRIED if state == WAITING else state
    return JobAttempt(
        queue,
        job,
        name,
        begun,
        ready if begun == 1 else None,  # of later attempts the hash does not tell it
        started,
        ended,
        outcome,
        begun,
        "redis",
    )


def _delay_ms(options: str) -> int:
    """How long the job was to be delayed: its `delay` is set to 0 when that is over."""
    try:
        found = json.loads(options)
    except (ValueError, RecursionError):
        return 0
    delay = found.get("delay") if isinstance(found, dict) else None
    good = isinstance(delay, int | float) and 0 < delay < _LATEST_MS
    return int(delay) if good and delay is not None else 0


def _whole(text: str | None) -> int | None:
    good = text is not None and text.isascii() and text.isdigit() and len(text) < 16  # noqa: PLR2004 - before the year 9999
    return int(text) if good and text is not None else None


def _us(text: str | None) -> int | None:
    ms = _whole(text)
    return ms * 1000 if ms is not None and 0 < ms < _LATEST_MS else None
