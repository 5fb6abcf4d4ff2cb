"""A BullMQ queue's stream of events as attempts at its jobs.

Each entry has `event` and `jobId`, and its id has Redis's time. An attempt begins with `active` and ends with the job's
next event; the stream keeps the last 10,000 or so, so that what it begins with may be cut.
"""

from collections.abc import Iterable, Mapping
from dataclasses import field

from analyzer.model.job import ACTIVE, COMPLETED, FAILED, RETRIED, WAITING, JobAttempt
from analyzer.records import changing

_ENDS = {
    "completed": COMPLETED,
    "failed": FAILED,
    "waiting": RETRIED,
    "delayed": RETRIED,
    "stalled": RETRIED,
    "waiting-children": RETRIED,
}
_LONGEST = 300
_LATEST_MS = 253_402_300_800_000  # the year 9999


@changing
class _Job:
    """What was said of a job so far; times are µs."""

    name: str = ""
    from_start: bool = False  # whether its adding was seen
    ready_us: int | None = None
    started_us: int | None = None
    attempts: list[JobAttempt] = field(default_factory=list)


def attempts_in(queue: str, entries: Iterable[tuple[str, Mapping[str, str]]]) -> list[JobAttempt]:
    """The attempts, and jobs that were added and not begun, of entries (id, fields), oldest first."""
    jobs: dict[str, _Job] = {}
    for number, fields in entries:
        at_us = _time_us(number)
        job, event = fields.get("jobId", "")[:_LONGEST], fields.get("event", "")
        if at_us is not None and job:
            _take(queue, job, jobs.setdefault(job, _Job()), at_us, event, fields)
    found = []
    for job, known in jobs.items():
        attempts = known.attempts
        if known.started_us is not None:
            attempts.append(_attempt(queue, job, known, None, ACTIVE))
        if not attempts and known.ready_us is not None:
            attempts = [
                JobAttempt(
                    queue,
                    job,
                    known.name,
                    ready_us=known.ready_us,
                    outcome=WAITING,
                    origin="events",
                )
            ]
        found += attempts
    return found


def _take(
    queue: str, job: str, known: _Job, at_us: int, event: str, fields: Mapping[str, str]
) -> None:
    if event == "added":
        known.name, known.from_start = fields.get("name", "")[:_LONGEST], True
        known.ready_us = at_us
        return
    if event == "active":
        known.started_us = at_us
        return
    if event not in _ENDS:
        return
    if known.started_us is not None:
        known.attempts.append(_attempt(queue, job, known, at_us, _ENDS[event]))
        known.started_us = None
    if event == "delayed":  # until then nobody waits for it
        known.ready_us = _delay_us(fields.get("delay", "")) or at_us
    elif event in ("waiting", "stalled"):
        known.ready_us = at_us if fields.get("prev") != "delayed" else known.ready_us or at_us


def _attempt(queue: str, job: str, known: _Job, ended_us: int | None, outcome: str) -> JobAttempt:
    number = len(known.attempts) + 1 if known.from_start else 0
    ready = known.ready_us
    if ready is not None and known.started_us is not None:
        ready = min(ready, known.started_us)  # promoted before its time
    return JobAttempt(
        queue,
        job,
        known.name,
        number,
        ready,
        known.started_us,
        ended_us,
        outcome,
        number,
        "events",
    )


def _time_us(number: str) -> int | None:
    """The time in an entry's id, "<ms>-<n>"."""
    return _delay_us(number.partition("-")[0])


def _delay_us(text: str) -> int | None:
    """A time in ms since 1970 as µs, None of what is no such time."""
    if not (text.isascii() and text.isdigit() and len(text) < 16):  # noqa: PLR2004 - before the year 9999
        return None
    ms = int(text)
    return ms * 1000 if 0 < ms < _LATEST_MS else None
