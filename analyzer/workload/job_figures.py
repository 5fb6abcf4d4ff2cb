"""Jobs by queue and name: how long they wait and run, what they cost the database, what retries repeat."""

from collections.abc import Mapping, Sequence

import numpy as np

from analyzer.model.columns import Floats, Rows
from analyzer.model.job import (
    ACTIVE,
    COMPLETED,
    FAILED,
    WAITING,
    JobAttempt,
    JobFigures,
    Repeated,
    Spread,
)
from analyzer.model.statement import Statement
from analyzer.sql.comments import trace_number
from analyzer.workload.job_attempts import JobHistory, histories
from analyzer.workload.jobs import JobRows
from analyzer.workload.quantiles import nearest_rank

_STATEMENTS = 5
_US = 1000.0  # in a millisecond
# A statement may seem to begin so long before its attempt: clocks differ, and hashes have milliseconds.
_EARLY_US = 50_000

Name = tuple[str, str]  # queue, name


def job_figures(
    told: Sequence[JobAttempt],
    rows: JobRows,
    names: Mapping[int, Name],
    statements: Sequence[Statement],
) -> list[JobFigures]:
    """Figures of all jobs, those with most time in the database first, then most running time.

    Args:
        told: attempts that queues and spans tell of.
        rows: executions that name their job.
        names: queue and name by the number of a route.
        statements: what `rows.statement` numbers.
    """
    known = histories(told)
    by_number = {trace_number(f"{one.queue}:{one.job}"): one for one in known}
    by_name: dict[Name, list[JobHistory]] = {}
    for one in known:
        by_name.setdefault((one.queue, one.name), []).append(one)
    starts = np.flatnonzero(np.diff(rows.job, prepend=rows.job[:1] - 1))
    ran: dict[Name, list[int]] = {}
    for place, start in enumerate(starts.tolist()):
        history = by_number.get(int(rows.job[start]))
        named = (history.queue, history.name) if history and history.name else None
        ran.setdefault(named or names[int(rows.route[start])], []).append(place)
    ends = np.append(starts[1:], len(rows.job))
    found = []
    for name in {*by_name, *ran}:
        mine = [slice(int(starts[n]), int(ends[n])) for n in ran.get(name, ())]
        found.append(_figures(name, by_name.get(name, []), rows, mine, by_number, statements))
    return sorted(found, key=lambda one: (-one.database_total_ms, -_running(one), one.route))


def _running(one: JobFigures) -> float:
    return one.run.count * one.run.p50 if one.run else 0.0


def _figures(
    name: Name,
    jobs: Sequence[JobHistory],
    rows: JobRows,
    ran: Sequence[slice],
    by_number: Mapping[int, JobHistory],
    statements: Sequence[Statement],
) -> JobFigures:
    begun = [one for one in jobs if one.made]
    attempts = [attempt for one in jobs for attempt in one.attempts]
    states = [one.state for one in jobs]
    repeated = _repeated(rows, ran, by_number, statements)
    places = _joined(ran)
    return JobFigures(
        queue=name[0],
        name=name[1],
        jobs=len(
            {
                *(trace_number(f"{one.queue}:{one.job}") for one in begun),
                *(int(rows.job[one.start]) for one in ran),
            }
        ),
        attempts=sum(one.made for one in begun),
        completed=states.count(COMPLETED),
        failed=states.count(FAILED),
        active=states.count(ACTIVE),
        waiting=states.count(WAITING),
        retried=sum(one.made > 1 for one in jobs),
        most_attempts=max((one.made for one in jobs), default=0),
        wait=_spread([_ms(one.ready_us, one.started_us) for one in attempts]),
        run=_spread([_ms(one.started_us, one.ended_us) for one in attempts]),
        with_statements=len(ran),
        database=_spread([float(rows.duration_ms[one].sum()) for one in ran]),
        database_total_ms=float(rows.duration_ms[places].sum()),
        round_trips=_spread([float(one.stop - one.start) for one in ran]),
        statements=_most(rows.statement[places], rows.duration_ms[places], statements),
        repeats=sum(one.executions for one in repeated),
        repeated=repeated[:_STATEMENTS],
        origins=sorted({origin for one in jobs for origin in one.origins}),
    )


def _joined(ran: Sequence[slice]) -> Rows:
    return np.concatenate([np.arange(one.start, one.stop) for one in ran] or [np.zeros(0, "i8")])


def _ms(start_us: int | None, end_us: int | None) -> float | None:
    """From one time to the other, None where one is not known or they are in no order."""
    if start_us is None or end_us is None or end_us < start_us:
        return None
    return (end_us - start_us) / _US


def _spread(values: Sequence[float | None]) -> Spread | None:
    known = np.array([one for one in values if one is not None], dtype="f8")
    p50, p95 = nearest_rank(known, 0.5), nearest_rank(known, 0.95)
    if p50 is None or p95 is None:
        return None
    return Spread(len(known), p50, p95, float(known.max()))


def _most(numbers: Rows, ms: Floats, statements: Sequence[Statement]) -> list[tuple[str, float]]:
    sums = np.bincount(numbers, weights=ms) if len(numbers) else np.zeros(0)
    order = np.argsort(-sums, kind="stable")[:_STATEMENTS]
    ran = set(numbers.tolist())
    return [(statements[n].shape_id, float(sums[n])) for n in order.tolist() if n in ran]


def _repeated(
    rows: JobRows,
    ran: Sequence[slice],
    by_number: Mapping[int, JobHistory],
    statements: Sequence[Statement],
) -> list[Repeated]:
    """What later attempts ran again of what an earlier one had run, by statement, most often first.

    The same statement with the same parameters; where these were not logged, the same statement.
    """
    counts: dict[int, list[float]] = {}
    for one in ran:
        history = by_number.get(int(rows.job[one.start]))
        if history is None or len(history.attempts) < 2:  # noqa: PLR2004 - one repeats nothing
            continue
        for place in _again(rows, one, history):
            entry = counts.setdefault(int(rows.statement[place]), [0, 0.0])
            entry[0] += 1
            entry[1] += float(rows.duration_ms[place])
    made = [
        Repeated(statements[number].shape_id, int(count), ms)
        for number, (count, ms) in counts.items()
    ]
    return sorted(made, key=lambda one: (-one.executions, -one.total_ms, one.shape_id))


def _again(rows: JobRows, mine: slice, history: JobHistory) -> list[int]:
    """Rows of one job that an earlier attempt at it had run, each repetition counted once an attempt."""
    begins = np.array(_begins(history.attempts), dtype="i8")
    attempt = np.searchsorted(begins, rows.start_us[mine], side="right") - 1
    keys = list(zip(rows.statement[mine].tolist(), rows.parameters[mine].tolist(), strict=True))
    first: dict[tuple[int, int], int] = {}
    found = []
    for place, (key, number) in enumerate(zip(keys, attempt.tolist(), strict=True)):
        if number > first.setdefault(key, number):
            found.append(mine.start + place)
    return found


def _begins(attempts: Sequence[JobAttempt]) -> list[int]:
    """From when on a statement is taken for one of each attempt: somewhat before it, but nearer to it than to the last.

    The last one's end is where it is known; where it is not, it is taken to have gone on until half way.
    """
    begins: list[int] = []
    for place, one in enumerate(attempts):
        start = one.started_us or 0
        early = _EARLY_US
        if place:
            last = attempts[place - 1]
            over = last.started_us if last.ended_us is None else last.ended_us
            early = min(early, max(0, start - (over or 0)) // 2)
        begins.append(start - early)
    return begins
