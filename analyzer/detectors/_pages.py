"""How deep OFFSETs go, and walks from page to page: what offset-pagination judges."""

from collections.abc import Iterable
from dataclasses import field
from itertools import islice

import numpy as np

from analyzer.detectors._base import examples_of
from analyzer.detectors._figures import RowFigures, Sizes
from analyzer.detectors._numbers import NO_NUMBER, numbers_at
from analyzer.detectors._orders import ordered, run_sizes
from analyzer.detectors._places import NONE
from analyzer.detectors._rows import MINIMUM
from analyzer.detectors._watcher import LearnedKeys, Watcher, values_of
from analyzer.model.columns import Rows, run_starts, sorted_distinct, stable_order
from analyzer.model.evidence_parts import ExampleExecution
from analyzer.model.statement import Kind, StatementFacts
from analyzer.model.work import WorkSlice
from analyzer.records import changing, record
from analyzer.sql.parameters import Values

DEEP = 1_000  # rows skipped from which a page is deep
_SAMPLE = 16  # slowest executions of a statement in a slice that are read: deep pages are there
_FEWER = 4  # once the statement is known
_KNOWN_FROM = 64  # executions read
_READ_UNITS = 8  # units of work in a slice that are looked at for walks
_READ_PAGES = 128
_SETTLED_FROM = 128  # executions that all had OFFSET 0: this is how an ORM writes "no offset"
_KEPT = 256  # pages behind DEEP, and as many before it
_SHOWN = 3
_DIGITS = 18  # what an int64 holds


@record
class Page:
    """One execution that was read: the rows it skipped, the rows it asked for (None: all)."""

    offset: int
    limit: int | None
    duration_ms: float


@changing
class PageFigures:
    """What is known of the pages of one statement (position in Workload.statements).

    `deep` and `shallow` are pages that were read, `unread` counts executions whose OFFSET was not logged. A walk
    is a run of at least MINIMUM pages, one behind the other, in one unit of work; `walks` has their
    lengths and `walked` their executions.
    """

    statement: int
    deep: list[Page] = field(default_factory=list)
    shallow: list[Page] = field(default_factory=list)
    read: int = 0
    deepest: int = 0
    unread: int = 0
    walks: Sizes = field(default_factory=Sizes)
    walked: RowFigures = field(default_factory=RowFigures)
    examples: tuple[ExampleExecution, ...] = ()

    @property
    def never_skips(self) -> bool:
        """Whether every one of many executions had OFFSET 0."""
        return self.read >= _SETTLED_FROM and self.deepest == 0

    def add(self, work: WorkSlice, rows: Rows, read: list[Page | None]) -> None:
        """Add executions that were read, in any order."""
        for row, page in zip(rows.tolist(), read, strict=True):
            if page is None:
                self.unread += 1
                continue
            self.read += 1
            pages = self.deep if page.offset >= DEEP else self.shallow
            if len(pages) < _KEPT:
                pages.append(page)
            if page.offset > self.deepest:
                self.deepest = page.offset
                self.examples = examples_of(work, [row])

    def add_walk(self, work: WorkSlice, rows: Rows) -> None:
        """Add a walk."""
        if len(rows) > self.walks.largest:
            self.examples = examples_of(work, [*rows[:_SHOWN].tolist(), int(rows[-1])])
        self.walks.add(np.array([len(rows)]))
        self.walked.add(work, rows, work.request[rows])
        self.walked.add_requests(work, sorted_distinct(work.request[rows]))


class _Skips(LearnedKeys):
    """By text: 1 for a SELECT with an OFFSET."""

    def _judge(self, facts: StatementFacts) -> int:
        return int(facts.kind is Kind.SELECT and facts.offset is not None)


class Pages(Watcher):
    """Reads OFFSETs from parameters and literals, of a bounded share of executions."""

    def __init__(self) -> None:
        super().__init__()
        self._skips = _Skips()
        self.found: dict[int, PageFigures] = {}

    def _watch(self, work: WorkSlice, covered: Rows) -> Rows:
        del covered
        if not self._skips.learn(work).any():
            return NONE
        rows = np.flatnonzero(self._skips.of(work))
        rows = rows[stable_order(work.statement[rows])]
        walked = _long_enough(work, rows)
        starts = run_starts(work.statement[rows])
        some = []
        for mine in np.split(rows, starts[1:]):
            number = int(work.statement[mine[0]])
            figures = self.found.setdefault(number, PageFigures(number))
            some.append(_sample(work, mine, _FEWER if figures.read >= _KNOWN_FROM else _SAMPLE))
        pages = iter(pages_of(work, np.concatenate(some)))
        for mine in some:
            number = int(work.statement[mine[0]])
            figures = self.found[number]
            figures.add(work, mine, list(islice(pages, len(mine))))
            if not figures.never_skips:
                _find_walks(work, walked.get(number, ()), figures)
        return NONE


def _sample(work: WorkSlice, rows: Rows, size: int) -> Rows:
    """The `size` slowest executions of a statement, and as many spread evenly."""
    if len(rows) <= 2 * size:
        return rows
    slowest = np.argpartition(work.duration_ms[rows], -size)[-size:]
    spread = np.linspace(0, len(rows) - 1, size).astype(np.int64)
    return rows[sorted_distinct(np.concatenate([slowest, spread]))]


def pages_of(work: WorkSlice, rows: Rows) -> list[Page | None]:
    """The page that each row asks for, None where its OFFSET was not logged."""
    keys = work.key[rows]
    asked = np.full((2, len(rows)), NO_NUMBER)  # offsets and limits
    for key in sorted_distinct(keys).tolist():
        facts = work.key_facts[key]
        if facts is not None and facts.offset_parameter and facts.limit_parameter:
            mine = np.flatnonzero(keys == key)
            texts = work.parameters[rows[mine]]
            asked[0, mine] = numbers_at(work.texts, texts, facts.offset_parameter)
            asked[1, mine] = numbers_at(work.texts, texts, facts.limit_parameter)
    columns = rows.tolist(), *asked.tolist(), work.duration_ms[rows].tolist()
    return [
        Page(offset, limit, took_ms) if offset >= 0 and limit >= 0 else _page_of(work, row)
        for row, offset, limit, took_ms in zip(*columns, strict=True)
    ]


def _page_of(work: WorkSlice, row: int) -> Page | None:
    facts = work.key_facts[int(work.key[row])]
    if facts is None or facts.offset is None:
        return None
    values = values_of(work, row)
    offset = _number(values, facts.offset_parameter, facts.offset)
    limit = _number(values, facts.limit_parameter, facts.limit)
    return None if offset is None else Page(offset, limit, float(work.duration_ms[row]))


def _number(values: Values, parameter: int, literal: int | None) -> int | None:
    """A LIMIT's or OFFSET's value; where no literals are known that of the first text seen."""
    text = (values.at(parameter) or "").strip("'")
    if text.isdecimal() and text.isascii() and len(text) <= _DIGITS:
        return int(text)
    told = (
        literal is not None
        and literal >= 0
        and (values.bound == len(values.items) > 0 or parameter == 0)
    )
    return literal if told else None


def _long_enough(work: WorkSlice, rows: Rows) -> dict[int, list[Rows]]:
    """By statement: the rows of the units of work that ask for most pages, of MINIMUM and more each.

    `rows` are by statement and time.
    """
    rows = ordered(rows, work.statement, work.request, np.arange(len(work)))
    statement, request = work.statement[rows], work.request[rows]
    starts = run_starts(statement, request)
    sizes = run_sizes(starts, len(rows))
    found: dict[int, list[Rows]] = {}
    for unit in np.argsort(-sizes, kind="stable").tolist():
        if sizes[unit] < MINIMUM:
            break
        units = found.setdefault(int(statement[starts[unit]]), [])
        if len(units) < _READ_UNITS:
            units.append(rows[starts[unit] : starts[unit] + min(sizes[unit], _READ_PAGES)])
    return found


def _find_walks(work: WorkSlice, units: Iterable[Rows], figures: PageFigures) -> None:
    """Runs of pages one behind the other, in the rows of some units of work."""
    for mine in units:
        pages = pages_of(work, mine)
        offsets = np.array([-1 if page is None else page.offset for page in pages])
        steps = np.array([page.limit or 0 if page else 0 for page in pages])
        follows = (steps[1:] > 0) & (offsets[:-1] >= 0) & (np.diff(offsets) == steps[:-1])
        for walk in np.split(np.arange(len(mine)), np.flatnonzero(~follows) + 1):
            if len(walk) >= MINIMUM:
                figures.add_walk(work, mine[walk])
