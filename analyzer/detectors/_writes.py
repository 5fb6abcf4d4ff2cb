"""Writes of one row each that follow each other: what write-loop judges, slice by slice."""

from dataclasses import field

import numpy as np

from analyzer.detectors._base import examples_of
from analyzer.detectors._figures import RowFigures, Sample, Sizes
from analyzer.detectors._orders import run_sizes
from analyzer.detectors._places import NONE
from analyzer.detectors._rows import MINIMUM
from analyzer.detectors._watcher import Learned, Watcher, values_of
from analyzer.model.columns import (
    Column,
    Flags,
    Rows,
    run_starts,
    sorted_distinct,
    spread,
    stable_order,
    starts_of_runs,
)
from analyzer.model.evidence_parts import ExampleExecution
from analyzer.model.statement import Arity, Kind, Predicate, Role, Statement, StatementFacts
from analyzer.model.work import WorkSlice
from analyzer.native import compiled, twin_in
from analyzer.records import changing

_twin = twin_in(compiled("analyzer.detectors.native._orders"))

_GAP_US = 100_000  # a loop in autocommit does not rest longer between two rows
_ROUNDED_US = 1_500  # by which two executions may overlap in a log of whole milliseconds
_BETWEEN = 10  # other statements that one turn of a loop in a transaction may hold
_BUSY = 1.5  # times as many by other sessions meanwhile: requests side by side, no loop
_HASHES = 1 << 17
_SPREAD = 0x9E3779B1  # odd: neighbours' hashes lie far apart
_READ_RUNS = 16  # runs of a statement in a slice whose values are read
_READ_TEXTS = 16
_ROWS_APART = frozenset({Role.HEALTH_CHECK, Role.SESSION})  # a pool hands the connection on
_SHOWN = 3


def keys_of(facts: StatementFacts) -> tuple[Predicate, ...]:
    """The equalities with one value by which an UPDATE or DELETE finds its row."""
    return tuple(
        one
        for one in facts.predicates
        if one.operator == "=" and one.arity is Arity.ONE and one.parameter and not one.expression
    )


@changing
class WriteFigures:
    """Loops of one statement (position in Workload.statements).

    `sizes` has the rows written in each run, `wall_ms` the times from a run's first statement to
    its last. `varying` are positions of values that differ, `values` how many there are (0 not
    logged). `moments` counts the different milliseconds in which rows were written. `together`: every run was in one transaction or trace.
    """

    statement: int
    rows: RowFigures = field(default_factory=RowFigures)
    sizes: Sizes = field(default_factory=Sizes)
    wall_ms: Sample = field(default_factory=Sample)
    varying: set[int] = field(default_factory=set)
    values: int = 0
    moments: int = 0
    together: bool = True
    examples: tuple[ExampleExecution, ...] = ()

    def add(self, work: WorkSlice, rows: Rows, starts: Rows) -> None:
        """Add the runs of a slice: `rows` in order, run by run, and where each begins."""
        sizes = run_sizes(starts, len(rows))
        run = np.repeat(np.arange(len(starts)), sizes)
        self.rows.add(work, rows, run)
        self.rows.add_requests(work, sorted_distinct(work.request[rows]))
        self.sizes.add(sizes)
        ends = np.maximum.reduceat(work.end_us[rows], starts)
        self.wall_ms.add((ends - work.start_us[rows[starts]]) / 1000)
        self.moments += int(np.count_nonzero(starts_of_runs(run, work.end_us[rows] // 1000)))
        held = _held(work, rows)
        self.together &= bool((held[1:] | (run[1:] != run[:-1])).all())
        largest = int(np.argmax(sizes))
        mine = rows[starts[largest] : starts[largest] + sizes[largest]]
        self._compare(work, mine)
        if len(self.examples) == 0:
            self.examples = examples_of(work, mine[:_SHOWN].tolist())

    def _compare(self, work: WorkSlice, rows: Rows) -> None:
        """Which values differ between executions."""
        texts = [values_of(work, row).items for row in rows[:_READ_TEXTS].tolist()]
        self.values = max(self.values, len(texts[0]))
        for place, values in enumerate(zip(*texts, strict=False)):
            if len(set(values)) > 1:
                self.varying.add(place)


class _OneRow(Learned):
    """By statement: 1 for an INSERT of one row of values, 2 for a write that is found by a key."""

    def _judge(self, statement: Statement) -> int:
        facts = statement.facts
        if facts.role is not Role.WORKLOAD:
            return 0
        if facts.kind is Kind.INSERT:
            return 1 if facts.rows_written == 1 else 0
        keyed = facts.kind in (Kind.UPDATE, Kind.DELETE) and not facts.disjunctive
        return 2 if keyed and len(facts.tables) == 1 and keys_of(facts) else 0


class _Tables(Learned):
    """By statement: a number for its main table."""

    def __init__(self) -> None:
        super().__init__()
        self._numbers: dict[str | None, int] = {}

    def _judge(self, statement: Statement) -> int:
        return self._numbers.setdefault(statement.facts.main_table, len(self._numbers))


class _Apart(Learned):
    """By statement: 1 for what a pool runs between two requests."""

    def _judge(self, statement: Statement) -> int:
        return int(statement.facts.role in _ROWS_APART)


class Writes(Watcher):
    """Finds runs of single-row writes."""

    def __init__(self) -> None:
        super().__init__()
        self._one_row = _OneRow()
        self._tables = _Tables()
        self._apart = _Apart()
        self.found: dict[int, WriteFigures] = {}

    def _watch(self, work: WorkSlice, covered: Rows) -> Rows:
        one_row, tables = self._one_row.of(work.statements), self._tables.of(work.statements)
        rows = _often(work, one_row > 0)
        if len(rows) == 0:
            return NONE
        learned = tables, self._apart.of(work.statements)
        run = np.cumsum(~_continues(work, rows, learned, covered)) - 1
        long = np.bincount(run) >= MINIMUM
        rows, run = rows[long[run]], run[long[run]]
        loops = [NONE]
        for number in sorted_distinct(work.statement[rows]).tolist():
            mine = work.statement[rows] == number
            loops.append(self._loops(work, number, rows[mine], run[mine]))
        return np.concatenate(loops)

    def _loops(self, work: WorkSlice, number: int, rows: Rows, run: Rows) -> Rows:
        """Keep the runs of one statement that write different rows; gives their rows."""
        new = starts_of_runs(run)
        group, count = np.cumsum(new) - 1, int(np.count_nonzero(new))
        kept = _different_texts(work, rows, group, count)
        kept &= ~_side_by_side(work, number, rows, new)
        if kept.any() and work.statements[number].facts.kind is not Kind.INSERT:
            kept &= _different_keys(work, rows, group, kept)
        rows, group = rows[kept[group]], group[kept[group]]
        if len(rows):
            starts = run_starts(group)
            self.found.setdefault(number, WriteFigures(number)).add(work, rows, starts)
        return rows


def _often(work: WorkSlice, wanted: Flags) -> Rows:
    """The rows of some statements (by number) that run at least MINIMUM times in their place, in the order of time."""
    columns = work.statement, work.trace, work.request
    hashing = _HASHES, _SPREAD
    rows = busy(wanted, work.session, columns, work.first_request, MINIMUM, hashing)
    if len(rows) < MINIMUM:
        return NONE
    traced = work.trace[rows] != 0
    if traced.any():
        at = np.where(traced, work.at_us[rows], 0)
        rows = rows[np.lexsort((rows, at, _place(work, rows), work.statement[rows]))]
    else:  # by session and time already
        rows = rows[stable_order(work.statement[rows])]
    group = np.cumsum(starts_of_runs(work.statement[rows], _place(work, rows))) - 1
    found: Rows = rows[(np.bincount(group) >= MINIMUM)[group]]
    return found


@_twin
def busy(
    wanted: Flags,
    session: Column,
    columns: tuple[Rows, Rows, Rows],
    first_request: int,
    least: int,
    hashing: tuple[int, int],
) -> Rows:
    """Rows of `wanted` statements in whose place (nearly: by a hash of it) some run at least so many times.

    `columns` are statement, trace and request, by row; `hashing` is how many hashes there are and by what they are spread.
    """
    statement, trace, request = columns
    rows = np.flatnonzero(wanted[statement])
    traced = trace[rows] != 0
    place = np.where(traced, request[rows] - first_request, -1 - session[rows])
    code = (place * hashing[1] + statement[rows]) & (hashing[0] - 1)
    found: Rows = rows[(np.bincount(code, minlength=hashing[0]) >= least)[code]]
    return found


def _place(work: WorkSlice, rows: Rows) -> Rows:
    """Where a loop goes on: in a trace, else in a session, for each turn may have a transaction."""
    traced = work.trace[rows] != 0
    found: Rows = np.where(traced, work.request[rows] - work.first_request, -1 - work.session[rows])
    return found


def _held(work: WorkSlice, rows: Rows) -> Flags:
    """Marks rows that share an explicit transaction or a trace with the row before."""
    transaction, trace = work.transaction[rows], work.trace[rows]
    flags = np.zeros(len(rows), dtype=bool)
    same = (transaction[1:] >= 0) & (transaction[1:] == transaction[:-1])
    flags[1:] = same | ((trace[1:] != 0) & (trace[1:] == trace[:-1]))
    return flags


def _continues(
    work: WorkSlice, rows: Rows, learned: tuple[Column, Column], children: Rows
) -> Flags:
    """Marks the rows that are the next turn of the loop that the row before belongs to.

    In one transaction or trace a few other statements may stand between; elsewhere only such of
    the same table (read, then write) and `children` of a loop of reads, for requests may follow
    each other without a gap.
    """
    flags = np.zeros(len(rows), dtype=bool)
    before, here = rows[:-1], rows[1:]
    same = ~starts_of_runs(work.statement[rows], _place(work, rows))[1:]
    here_too = work.session[here] == work.session[before]
    between = np.where(here_too, here - before - 1, 0)
    tables, apart = learned
    ranks = rank(work.statement, tables)
    own = ranks[here] - ranks[before] - 1
    read = np.zeros(len(work) + 1, dtype=np.int64)
    read[children + 1] = 1
    read = np.cumsum(read)
    alone = (
        (between <= own + read[here] - read[before])
        & here_too
        & ~_handed_on(work, apart, before, here)
    )
    gap_us = work.start_us[here] - work.end_us[before]
    alone &= (gap_us <= _GAP_US) & (gap_us >= -_ROUNDED_US)  # calls at once are no loop
    # A transaction is of one request, but a request may have one for each turn.
    transacted = (work.transaction[here] >= 0) & (work.transaction[before] >= 0)
    known = work.whole[here] & work.whole[before] & ~transacted
    alone &= ~known | (work.request[here] == work.request[before])
    held = _held(work, rows)[1:] & (between <= _BETWEEN)
    flags[1:] = same & (held | alone)
    return flags


@_twin
def rank(values: Rows, numbers: Column) -> Rows:
    """By row: how many rows before it are alike in `numbers[value]`, for numbers ≥ 0."""
    found = np.zeros(len(values), dtype=np.int64)
    numbered = numbers[values]
    order = stable_order(numbered)
    starts = run_starts(numbered[order])
    first = spread(starts, starts, len(order))
    found[order] = np.arange(len(order)) - first
    return found


def _handed_on(work: WorkSlice, apart: Column, before: Rows, here: Rows) -> Flags:
    """Where a health check or a setting stands between two rows: another request begins."""
    asides = work.asides
    places = asides.place[apart[asides.statement] == 1] if len(asides) else NONE
    found: Flags = np.searchsorted(places, here, "right") > np.searchsorted(places, before, "right")
    return found


def _different_texts(work: WorkSlice, rows: Rows, group: Rows, count: int) -> Flags:
    """The groups with at least MINIMUM different parameter texts; those not logged are different."""
    hashes = work.parameters_hash[rows].astype(np.int64)
    logged = hashes != 0
    texts = sorted_distinct(group[logged] << 32 | hashes[logged])
    flags: Flags = (
        np.bincount(texts >> 32, minlength=count) + np.bincount(group[~logged], minlength=count)
    ) >= MINIMUM
    return flags


def _side_by_side(work: WorkSlice, number: int, rows: Rows, new: Flags) -> Flags:
    """The runs beside which other sessions are busy with the same: traffic of many requests."""
    starts = np.flatnonzero(new)
    sizes = run_sizes(starts, len(rows))
    ends = np.sort(work.end_us[work.statement == number])
    first, last = rows[starts], rows[starts + sizes - 1]
    meanwhile = np.searchsorted(ends, work.end_us[last], "right") - np.searchsorted(
        ends, work.start_us[first]
    )
    loose = (work.transaction[first] < 0) | (work.transaction[first] != work.transaction[last])
    flags: Flags = loose & (work.trace[first] == 0) & (meanwhile - sizes >= _BUSY * sizes)
    return flags


def _different_keys(work: WorkSlice, rows: Rows, group: Rows, wanted: Flags) -> Flags:
    """The groups that write to at least MINIMUM different keys, as far as values were logged.

    Of many groups the first are read, and speak for the others.
    """
    flags = wanted.copy()
    read = np.flatnonzero(wanted)[:_READ_RUNS]
    for number in read.tolist():
        flags[number] = _keys(work, rows[group == number][:_READ_TEXTS]) >= MINIMUM
    if not flags[read].any():
        flags[:] = False
    return flags


def _keys(work: WorkSlice, rows: Rows) -> int:
    seen: set[object] = set()
    for row in rows.tolist():
        facts = work.key_facts[int(work.key[row])]
        values = values_of(work, row)
        if facts is None or not values.items:
            seen.add(row)  # not logged: may be any
        else:
            seen.add(tuple(values.at(one.parameter) for one in keys_of(facts)))
    return len(seen)
