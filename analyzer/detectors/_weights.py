"""What the detectors beside the loops' share: severity by round trips and time, rows per call."""

from collections.abc import Iterable, Iterator

from analyzer.model.finding import Severity
from analyzer.model.workload import Workload
from analyzer.records import record

_TRIPS = 15  # round trips in one go that a reader should know of
_NOTICED_MS = 100.0  # the default target: elapsed time that a user notices
_SHARES = (0.05, 0.25)  # of the workload's database time
_LEVELS = (Severity.INFO, Severity.LOW, Severity.MEDIUM, Severity.HIGH)


@record
class RowsPerCall:
    """How many rows a statement returns: the mean, and who says so."""

    rows: float
    known_by: str


def share_of_time(workload: Workload, total_ms: float) -> float:
    """The part (0..1) of the time of all the team's statements."""
    return total_ms / workload.team_ms if workload.team_ms > 0 else 0.0


def weighed(*, trips: float, elapsed_ms: float, share: float, total_ms: float) -> Severity:
    """By round trips in one go, the elapsed time they take, and their share of database time.

    A share counts from a tenth of a second in all: of a small input everything is a large share.
    """
    points = int(trips >= _TRIPS) + int(elapsed_ms >= _NOTICED_MS)
    points += sum(share >= step for step in _SHARES) if total_ms >= _NOTICED_MS else 0
    return _LEVELS[min(points, len(_LEVELS) - 1)]


def rows_per_call(workload: Workload, at_least: float) -> dict[int, RowsPerCall]:
    """By position in Workload.statements: rows that its SELECTs without LIMIT return.

    From counters, else from analysed plans; where it is fewer than `at_least` nothing is said. Texts
    with and without LIMIT are one statement, so each row of the counters is looked at.
    """
    numbers = {one.shape_id: number for number, one in enumerate(workload.statements)}
    found = _by_shape(_counted(workload, at_least), "pg_stat_statements")
    planned = _by_shape(_planned(workload), "plan")
    both = {**planned, **found}
    return {
        numbers[shape]: told
        for shape, told in both.items()
        if shape in numbers and told.rows >= at_least
    }


def _counted(workload: Workload, at_least: float) -> Iterator[tuple[str, float, int]]:
    """Of counters: (shape, rows, calls) of SELECTs without LIMIT with many rows."""
    for row in workload.counters:
        if row.rows is None or row.calls <= 0 or row.rows < at_least * row.calls:
            continue
        if row.toplevel and row.shape_id and not row.limited:
            yield row.shape_id, float(row.rows), row.calls


def _planned(workload: Workload) -> Iterator[tuple[str, float, int]]:
    for plan in workload.plans:
        rows = plan.root.rows_actual
        if plan.shape_id and plan.analyzed and rows is not None and plan.root.type != "Limit":
            yield plan.shape_id, rows * plan.root.loops, 1


def _by_shape(told: Iterable[tuple[str, float, int]], known_by: str) -> dict[str, RowsPerCall]:
    rows: dict[str, float] = {}
    calls: dict[str, int] = {}
    for shape, some, times in told:
        rows[shape] = rows.get(shape, 0.0) + some
        calls[shape] = calls.get(shape, 0) + times
    return {shape: RowsPerCall(rows[shape] / calls[shape], known_by) for shape in rows}
