"""How deep OFFSETs go, and walks from page to page: what offset-pagination judges."""

from collections.abc import Iterator
from dataclasses import field
from itertools import islice

import numpy as np

from analyzer.detectors._base import examples_of
from analyzer.detectors._figures import RowFigures, Sizes
from analyzer.detectors._numbers import numbers_at
from analyzer.detectors._orders import ordered, run_sizes
from analyzer.detectors._places import NONE
from analyzer.detectors._rows import MINIMUM
from analyzer.detectors._watcher import LearnedKeys, Watcher, values_of
from analyzer.model.columns import Rows, distinct, evenly, run_starts, sorted_distinct, stable_order
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
        rows = np.flatnonzero((self._skips.by_text(work) > 0)[work.key])
        if len(rows) == 0:
            return NONE
        rows = rows[stable_order(work.statement[rows])]
        starts = run_starts(work.statement[rows])
        some = [self._sample(work, mine) for mine in np.split(rows, starts[1:])]
        pages = iter(pages_of(work, np.concatenate(some)))
        skipping = np.zeros(len(work.statements), dtype=bool)
        for mine in some:
            number = int(work.statement[mine[0]])
            figures = self.found.setdefault(number, PageFigures(number))
            figures.add(work, mine, list(islice(pages, len(mine))))
            skipping[number] = not figures.never_skips
        self._find_walks(work, rows[skipping[work.statement[rows]]])
        return NONE

    def _sample(self, work: WorkSlice, rows: Rows) -> Rows:
        """The slowest executions of a statement, and as many spread evenly."""
        figures = self.found.get(int(work.statement[rows[0]]))
        size = _FEWER if figures is not None and figures.read >= _KNOWN_FROM else _SAMPLE
        if len(rows) <= 2 * size:
            return rows
        slowest = np.argpartition(work.duration_ms[rows], -size)[-size:]
        return rows[sorted_distinct(np.concatenate([slowest, evenly(len(rows), size)]))]

    def _find_walks(self, work: WorkSlice, rows: Rows) -> None:
        """Find runs of pages one behind the other, among rows by statement and time."""
        units = _long_enough(work, rows)
        pages = iter(pages_of(work, np.concatenate([NONE, *units])))
        for mine in units:
            figures = self.found[int(work.statement[mine[0]])]
            for walk in _walks(list(islice(pages, len(mine)))):
                figures.add_walk(work, mine[walk])


def pages_of(work: WorkSlice, rows: Rows) -> list[Page | None]:
    """The page that each row asks for, None where its OFFSET was not logged."""
    keys = work.key[rows]
    codes = np.zeros((2, len(rows)), dtype=np.int64)  # the parameters of offsets and limits
    for key in distinct(keys).tolist():
        facts = work.key_facts[key]
        if facts is not None and facts.offset_parameter and facts.limit_parameter:
            codes[:, keys == key] = [[facts.offset_parameter], [facts.limit_parameter]]
    texts = np.where(codes == 0, -1, work.parameters[rows])
    asked = numbers_at(work.texts, texts.ravel(), codes.ravel()).reshape(codes.shape)
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


def _long_enough(work: WorkSlice, rows: Rows) -> list[Rows]:
    """The rows of the units of work that ask for most pages of a statement, of MINIMUM and more each.

    `rows` are by statement and time.
    """
    unit = work.request[rows] - work.first_request
    rows = rows[(np.bincount(unit) >= MINIMUM)[unit]]
    rows = ordered(rows, work.statement, work.request, np.arange(len(work)))
    statement = work.statement[rows]
    starts = run_starts(statement, work.request[rows])
    sizes = run_sizes(starts, len(rows))
    long = np.flatnonzero(sizes >= MINIMUM)
    long = long[np.argsort(-sizes[long], kind="stable")]
    found: dict[int, list[Rows]] = {}
    for start, size in zip(starts[long].tolist(), sizes[long].tolist(), strict=True):
        units = found.setdefault(int(statement[start]), [])
        if len(units) < _READ_UNITS:
            units.append(rows[start : start + min(size, _READ_PAGES)])
    return [unit for units in found.values() for unit in units]


def _walks(pages: list[Page | None]) -> Iterator[Rows]:
    """Which of a unit's pages are walks: runs of pages one behind the other."""
    offsets = np.array([-1 if page is None else page.offset for page in pages])
    steps = np.array([page.limit or 0 if page else 0 for page in pages])
    follows = (steps[1:] > 0) & (offsets[:-1] >= 0) & (np.diff(offsets) == steps[:-1])
    for walk in np.split(np.arange(len(pages)), np.flatnonzero(~follows) + 1):
        if len(walk) >= MINIMUM:
            yield walk
