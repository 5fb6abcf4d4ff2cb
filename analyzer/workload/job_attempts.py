"""Attempts at jobs from several sources as one history of each job."""

from collections.abc import Iterable, Sequence
from dataclasses import replace

from analyzer.model.job import ACTIVE, RETRIED, WAITING, JobAttempt
from analyzer.records import record

# The worker's own times are in the job's hash; events and spans are written a little later.
_ORIGINS = ("redis", "spans", "events")


@record
class JobHistory:
    """One job: its attempts, first one first, and how many there were in all (one at least if any began)."""

    queue: str
    job: str
    name: str
    attempts: Sequence[JobAttempt]
    made: int
    state: str
    origins: frozenset[str]


def histories(told: Iterable[JobAttempt]) -> list[JobHistory]:
    """The jobs that sources tell of.

    Where several tell of one job, its attempts are those of the source that shows most of them; equal
    ones are of the job's hash before spans before events. What one does not know (the name, when it was
    added) another may tell.
    """
    jobs: dict[tuple[str, str], list[JobAttempt]] = {}
    for one in told:
        jobs.setdefault((one.queue, one.job), []).append(one)
    return [_history(queue, job, some) for (queue, job), some in jobs.items()]


def _history(queue: str, job: str, told: Sequence[JobAttempt]) -> JobHistory:
    by_origin: dict[str, list[JobAttempt]] = {}
    for one in told:
        if one.started_us is not None:
            by_origin.setdefault(one.origin, []).append(one)
    best = max(
        by_origin.values(),
        key=lambda some: (len(_distinct(some)), -_ORIGINS.index(some[0].origin)),
        default=[],
    )
    attempts = _distinct(best)
    made = max([len(attempts), *(one.attempts for one in told)])
    added = [one.ready_us for one in told if one.started_us is None and one.ready_us is not None]
    if attempts and attempts[0].ready_us is None and added and attempts[0].number in (0, 1):
        attempts[0] = replace(attempts[0], ready_us=min(added))
    return JobHistory(
        queue,
        job,
        next((one.name for one in told if one.name), ""),
        tuple(attempts),
        made,
        _state(attempts, told),
        frozenset(one.origin for one in told),
    )


def _distinct(some: Sequence[JobAttempt]) -> list[JobAttempt]:
    """Attempts by time, each once: a file that is given twice tells of them twice."""
    known = {one.started_us: one for one in some}
    return sorted(known.values(), key=lambda one: one.started_us or 0)


def _state(attempts: Sequence[JobAttempt], told: Sequence[JobAttempt]) -> str:
    """Where the job stands: what was last said of it."""
    outcomes = [one.outcome for one in attempts] + [one.outcome for one in told]
    final = next((one for one in outcomes if one not in ("", RETRIED, WAITING, ACTIVE)), "")
    if final:
        return final
    if attempts:
        return WAITING if attempts[-1].outcome == RETRIED else attempts[-1].outcome
    return WAITING
