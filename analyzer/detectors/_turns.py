"""What is done in transactions of its own again and again: jobs that commit each item, attempts that fail.

A transaction is of one request, so units of work end with it and no search for loops sees more than one
turn. What tells that turns belong together:

- A job reads what there is to do, and then does the same in transaction after transaction, for another
  row of that list each time, one behind the other, on one connection or a pool's next. Or its
  statements name it, wherever the list is. It can be interrupted, and what was done stays done: no
  statement may do it all at once.
- An attempt is rolled back and made again, with the same values, until one is kept, which writes.
"""

from collections.abc import Callable, Iterator

import numpy as np

from analyzer.detectors._orders import run_sizes
from analyzer.detectors._rows import MINIMUM
from analyzer.detectors._search import Search
from analyzer.model.columns import Column, Flags, Rows, distinct, run_starts, sorted_distinct
from analyzer.model.statement import Effect, Statement
from analyzer.model.work import WorkSlice
from analyzer.native import compiled, twin_in
from analyzer.records import record

_twin = twin_in(compiled("analyzer.detectors.native._turns"))

_TURNS = 8
_ALIKE = 0.8  # share of a job's turns that run the very same statements
_DIFFERENT = 0.9  # share of turns that look for another row
_WAIT_US = 2_000_000  # from one turn to the next, and from the list to the first
_NEAR_LINK = 0.3  # strength of the link from a turn's first statement to the list
# Odd: sums of its multiples' hashes tell sets of statements apart.
_SPREAD = np.uint64(0x9E3779B97F4A7C15)
_HASHES = 1 << 14

Rowset = tuple[int, Rows]  # a statement, and its executions


@record
class Turns:
    """The transactions of a slice with the statements in them, as they stand in it, a row each.

    `first` and `last` are rows of the slice, `statement` what the first one runs, `form` stands for
    all that it runs, `session` for its connection.
    """

    first: Rows
    last: Rows
    statement: Rows
    form: Column
    session: Rows
    start_us: Rows
    end_us: Rows

    @classmethod
    def of(cls, work: WorkSlice) -> "Turns":
        first, last, form = told_apart(work.transaction, work.trace, work.session, work.statement)
        return cls(first, last, work.statement[first], form, work.session[first],
                   work.start_us[first], work.end_us[last])  # fmt: skip

    def some(self, at: Rows | slice) -> "Turns":
        """Some of them."""
        return Turns(self.first[at], self.last[at], self.statement[at], self.form[at],
                     self.session[at], self.start_us[at], self.end_us[at])  # fmt: skip

    def __len__(self) -> int:
        return len(self.first)


@_twin
def told_apart(
    transaction: Rows, trace: Rows, session: Column, statement: Rows
) -> tuple[Rows, Rows, Column]:
    """The transactions without a trace: their first and last rows, and what stands for all that each runs."""
    inside = np.flatnonzero((transaction >= 0) & (trace == 0))
    begins = run_starts(transaction[inside], session[inside])
    ends = np.append(begins, len(inside))[1:] - 1
    mixed = (statement[inside].astype(np.uint64) + np.uint64(1)) * _SPREAD
    mixed ^= mixed >> np.uint64(29)
    form = np.add.reduceat(mixed * _SPREAD, begins) if len(begins) else mixed
    return inside[begins], inside[ends], form


def jobs(search: Search, turns: Turns) -> list[Rowset]:
    """What jobs run that commit each turn: SELECTs with their executions in all turns of all jobs."""
    work = search.rows.work
    often = np.bincount(turns.statement, minlength=len(work.statements)) >= _TURNS
    likely = often[turns.statement] & search.shapes.looking_up[turns.statement]
    turns = turns.some(np.flatnonzero(likely))
    runs: dict[int, list[Turns]] = {}  # by the statement that turns begin with
    for pooled in (False, True):
        made: dict[int, list[Turns]] = {}
        for run in _runs(work, turns, pooled=pooled):
            number = int(run.statement[0])
            if number not in runs:
                made.setdefault(number, []).append(run)
        runs |= made
    found = [work.statement[:0]]
    for number, its in runs.items():
        found += [
            _rows_of(run) for run in its if _of_jobs(work, run) or _has_list(search, number, run)
        ]
    return _repeated(search, np.concatenate(found))


def _runs(work: WorkSlice, turns: Turns, *, pooled: bool) -> Iterator[Turns]:
    """Turns that begin alike and follow each other, on one connection with nothing between them, or on any of a pool's.

    Nearly all run the same statements, each for another row.
    """
    if pooled:
        turns = turns.some(np.lexsort((turns.start_us, turns.statement)))
    wait = turns.start_us[1:] - turns.end_us[:-1]
    follows = (wait <= _WAIT_US) & (turns.statement[1:] == turns.statement[:-1])
    if pooled:
        follows &= wait >= 0
    else:
        follows &= turns.first[1:] == turns.last[:-1] + 1
        follows &= turns.session[1:] == turns.session[:-1]
    ends = np.append(np.flatnonzero(~follows) + 1, len(turns))
    starts = np.append(0, ends[:-1])
    some = np.flatnonzero(ends - starts >= _TURNS)
    texts, shares = work.parameters_hash[turns.first], (_DIFFERENT, _ALIKE)
    some = some[same_for_others(texts, turns.form, starts[some], ends[some], shares)]
    for start, end in zip(starts[some].tolist(), ends[some].tolist(), strict=True):
        yield turns.some(slice(start, end))


@_twin
def same_for_others(
    texts: Column, forms: Column, starts: Rows, ends: Rows, shares: tuple[float, float]
) -> Flags:
    """Marks the runs of turns (from a start to an end) nearly all of which look for another row, and run the same.

    `shares` are those of them that have a text (not 0) of their own, and the most frequent form.
    """
    found = np.zeros(len(starts), dtype=bool)
    for number, run in enumerate(map(slice, starts.tolist(), ends.tolist())):
        its, ordered = texts[run], np.sort(forms[run])
        most = int(run_sizes(run_starts(ordered), len(ordered)).max())
        own = len(sorted_distinct(its[its != 0]))
        found[number] = own >= shares[0] * len(its) and most >= shares[1] * len(its)
    return found


def _of_jobs(work: WorkSlice, run: Turns) -> bool:
    """Whether the statements of all turns name a job."""
    if not work.jobs:
        return False
    routes = distinct(work.routes[work.request[run.first] - work.first_request] + 1)  # 0: none
    return all(route - 1 in work.jobs for route in routes.tolist())


def _has_list(search: Search, number: int, run: Turns) -> bool:
    """Whether what a run's turns look for was read in a list just before the first of them."""
    rows, work = search.rows, search.rows.work
    varying = search.shapes.varying(number, rows, run.first)
    if not varying:
        return False
    strengths = search.shapes.strengths(number, varying)
    for parent in np.flatnonzero(strengths >= _NEAR_LINK).tolist():
        if parent == number:
            continue
        waited = run.start_us[0] - work.end_us[rows.of_statement(parent)]
        if ((waited >= 0) & (waited <= _WAIT_US)).any():
            return True
    return False


def _rows_of(run: Turns) -> Rows:
    """The rows of all turns."""
    return np.concatenate(
        [
            np.arange(first, last + 1)
            for first, last in zip(run.first.tolist(), run.last.tolist(), strict=True)
        ]
    )


def _repeated(search: Search, rows: Rows) -> list[Rowset]:
    """Of some rows those of SELECTs that repeat, by statement."""
    rows = rows[search.shapes.repeatable[search.rows.statement[rows]]]
    numbers = search.rows.statement[rows]
    return [
        (number, rows[numbers == number])
        for number in sorted_distinct(numbers).tolist()
        if np.count_nonzero(numbers == number) >= MINIMUM
    ]


def attempts(search: Search, turns: Turns) -> list[Rowset]:
    """What is rolled back and tried again until it is kept: SELECTs with the executions of all attempts."""
    work = search.rows.work
    back = _rolled_back(work, turns)
    if np.count_nonzero(back) < MINIMUM - 1:
        return []
    alike = _begun_like(work, turns, back)
    if len(alike) == 0:
        return []
    writes = np.array([one.facts.kind.writes for one in work.statements], dtype=bool)
    written = np.concatenate(([0], np.cumsum(writes[work.statement])))
    alike = alike[back[alike] | (written[turns.last[alike] + 1] > written[turns.first[alike]])]
    found = [work.statement[:0]]
    for group in _begun_alike(work, turns, alike, back):
        found += [_rows_of(turns.some(run)) for run in _tried(turns, group, back)]
    return _repeated(search, np.concatenate(found))


def rolls_back(statement: Statement) -> bool:
    """Whether a statement undoes a transaction, or part of it."""
    return statement.facts.effect is Effect.ROLLS_BACK


def asides_of(work: WorkSlice, wanted: Callable[[Statement], bool]) -> Rows:
    """Which of the slice's asides are such statements."""
    those = np.zeros(len(work.statements), dtype=bool)
    for number in distinct(work.asides.statement).tolist():
        those[number] = wanted(work.statements[number])
    return np.flatnonzero(those[work.asides.statement])


def _rolled_back(work: WorkSlice, turns: Turns) -> Flags:
    """Marks the transactions that end with a ROLLBACK."""
    asides = work.asides
    at = asides_of(work, rolls_back)
    before = asides.place[at] - 1  # the row before each
    good = (before >= 0) & (work.session[before] == asides.session[at])
    ended = np.zeros(len(work), dtype=bool)
    ended[before[good]] = True
    flags: Flags = ended[turns.last]
    return flags


def _begun_like(work: WorkSlice, turns: Turns, back: Flags) -> Rows:
    """Which transactions begin with the values (or such of the same hash) of several that are rolled back."""
    texts = work.parameters_hash[turns.first]
    code = texts % _HASHES
    often = np.bincount(code[back], minlength=_HASHES) >= MINIMUM - 1
    return np.flatnonzero(often[code] & (texts != 0))


def _begun_alike(work: WorkSlice, turns: Turns, some: Rows, back: Flags) -> list[Rows]:
    """Some transactions by what they begin with and its values, each by time, where several are rolled back."""
    texts = work.parameters_hash[turns.first]
    some = some[np.lexsort((turns.start_us[some], texts[some], turns.statement[some]))]
    begins = run_starts(turns.statement[some], texts[some])
    often = np.add.reduceat(back[some], begins, dtype=np.int64) >= MINIMUM - 1
    some = some[np.repeat(often, np.diff(begins, append=len(some)))]
    return np.split(some, run_starts(turns.statement[some], texts[some])[1:])


def _tried(turns: Turns, group: Rows, back: Flags) -> Iterator[Rows]:
    """Of transactions that begin alike (by time) those rolled back one after the other, and then kept."""
    waits = turns.start_us[group[1:]] - turns.end_us[group[:-1]]
    ends = np.flatnonzero((waits > _WAIT_US) | ~back[group[:-1]]) + 1
    for run in np.split(group, ends):
        if len(run) >= MINIMUM and not back[run[-1]]:
            yield run
