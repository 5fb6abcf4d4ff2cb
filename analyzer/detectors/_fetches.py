"""Whole results fetched beside a page of the same: what count-by-fetching judges."""

from dataclasses import field

import numpy as np

from analyzer.detectors._base import examples_of
from analyzer.detectors._figures import RowFigures
from analyzer.detectors._places import NONE
from analyzer.detectors._watcher import LearnedKeys, Watcher, values_of
from analyzer.model.columns import Rows
from analyzer.model.evidence_parts import ExampleExecution
from analyzer.model.statement import Kind, Role, StatementFacts
from analyzer.model.work import WorkSlice
from analyzer.records import changing

_NEAR = 8  # rows between the whole and its page
_WIDE = 2  # columns from which rows are fetched, not keys
_ACCOMPANIED = 0.5  # of the compared wholes have their page beside them
_OFTEN = 2
_READ = 32  # pairs of two statements in a slice whose values are compared

_Family = tuple[object, ...]


@changing
class FetchFigures:
    """Executions of `whole` with one of `page` beside it, asked with the same values.

    Both are positions in Workload.statements. `compared` counts the neighbours that were read,
    `same` those with equal values, `unlogged` those whose values are not known.
    """

    whole: int
    page: int
    compared: int = 0
    same: int = 0
    unlogged: int = 0
    rows: RowFigures = field(default_factory=RowFigures)
    examples: tuple[ExampleExecution, ...] = ()

    @property
    def accompanied(self) -> bool:
        """Whether the whole has its page beside it as a rule, not by chance."""
        return self.same >= max(_OFTEN, _ACCOMPANIED * self.compared)

    def compare(self, work: WorkSlice, row: int, page: int) -> None:
        """Take note of a whole and the page nearest to it."""
        mine, other = _asked(work, row), _asked(work, page)
        self.compared += 1
        if mine is None or other is None:
            self.unlogged += 1
        elif mine == other:
            self.same += 1
            chosen = np.array([row], dtype=np.int64)
            self.rows.add(work, chosen, work.request[chosen])
            self.rows.add_requests(work, work.request[chosen])
            if not self.examples:
                self.examples = examples_of(work, sorted([row, page]))


def family_of(facts: StatementFacts) -> _Family | None:
    """What a whole result and its page have in common; None for what is neither."""
    if facts.kind is not Kind.SELECT or facts.role is not Role.WORKLOAD or facts.cursor:
        return None
    if facts.one_row or facts.grouped or facts.disjunctive or facts.main_table is None:
        return None
    conditions = tuple(
        sorted(
            (str(one.table), one.column, one.operator, one.arity.value, str(one.expression))
            for one in facts.predicates
        )
    )
    return facts.main_table, facts.tables, facts.joins, conditions


class _Families(LearnedKeys):
    """By text: 2 f + 1 for the whole of family f, 2 f + 2 for a page of it, 0 for others."""

    def __init__(self) -> None:
        super().__init__()
        self._numbers: dict[_Family, int] = {}
        self.kinds: dict[int, set[int]] = {}

    def _judge(self, facts: StatementFacts) -> int:
        family = family_of(facts)
        if family is None or facts.limit in (0, 1):
            return 0
        page = facts.limit is not None or facts.offset is not None
        if not page and not facts.star and len(facts.columns) < _WIDE:
            return 0
        number = self._numbers.setdefault(family, len(self._numbers))
        code = 2 * number + 1 + int(page)
        self.kinds.setdefault(number, set()).add(code)
        return code


class Fetches(Watcher):
    """Finds whole results beside their page in one unit of work."""

    def __init__(self) -> None:
        super().__init__()
        self._families = _Families()
        self.found: dict[tuple[int, int], FetchFigures] = {}

    def _watch(self, work: WorkSlice, covered: Rows) -> Rows:
        del covered
        families = self._families.by_text(work)
        both = [sorted(kinds) for kinds in self._families.kinds.values() if len(kinds) > 1]
        if not both:
            return NONE
        codes = families[work.key]
        for whole, page in both:
            rows, pages = _neighbours(
                work, np.flatnonzero(codes == whole), np.flatnonzero(codes == page)
            )
            for row, beside in zip(rows.tolist(), pages.tolist(), strict=True):
                pair = int(work.statement[row]), int(work.statement[beside])
                self.found.setdefault(pair, FetchFigures(*pair)).compare(work, row, beside)
        return NONE


def _neighbours(work: WorkSlice, rows: Rows, pages: Rows) -> tuple[Rows, Rows]:
    """Rows with the nearest of `pages`, where both are close in one unit of work or side by side."""
    if len(rows) == 0 or len(pages) == 0:
        return NONE, NONE
    place = np.searchsorted(pages, rows)
    after = pages[np.minimum(place, len(pages) - 1)]
    before = pages[np.maximum(place - 1, 0)]
    nearest = np.where(abs(after - rows) <= abs(rows - before), after, before)
    apart = abs(nearest - rows)
    # Building many rows takes the application longer than a burst may pause.
    close = (apart == 1) & (work.session[nearest] == work.session[rows])
    close |= (apart <= _NEAR) & (work.request[nearest] == work.request[rows])
    return rows[close][:_READ], nearest[close][:_READ]


def _asked(work: WorkSlice, row: int) -> list[tuple[str, str, str | None]] | None:
    """The values of a row's conditions; None where they were not logged."""
    facts = work.key_facts[int(work.key[row])]
    if facts is None:
        return None
    given = [one for one in facts.predicates if one.parameter]
    values = values_of(work, row)
    if given and not values.items:
        return None
    asked = [(one.column, one.operator, values.at(one.parameter)) for one in given]
    return sorted(asked, key=lambda one: (*one[:2], one[2] or ""))
