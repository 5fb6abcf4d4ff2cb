"""Values as evidence of a loop: whether what children look up is among what their parent can return.

Of the loops that are found some executions of each slice are looked at. What is kept are counts, never
a value. That values also choose parents is in _weighed.py.
"""

from collections.abc import Iterator

import numpy as np

from analyzer.detectors._allowed import Allowed, Drawn, Held, allowed, held, is_number, plain
from analyzer.detectors._drawn import ENOUGH, DrawnValues
from analyzer.detectors._found import Pair
from analyzer.detectors._links import lookups
from analyzer.detectors._watcher import values_of
from analyzer.model.columns import Rows, evenly, run_starts, stable_order
from analyzer.model.statement import Predicate, StatementFacts
from analyzer.model.work import WorkSlice

_PARENTS = 8  # executions of a parent in a slice whose children are looked at
_CHILDREN = 64  # of them


class ValueReader:
    """What executions of a slice look up and can return."""

    def __init__(self) -> None:
        self._held: dict[tuple[int, str, str], Held | None] = {}  # by key, table and column

    def allowed(self, work: WorkSlice, row: int, table: str, column: str) -> Allowed | None:
        """What the rows that an execution returns can have in a column; None where nothing tells."""
        asked = (int(work.key[row]), table, column)
        if asked not in self._held:
            facts = work.key_facts[asked[0]]
            self._held[asked] = held(facts, table, column) if facts is not None else None
        how = self._held[asked]
        return allowed(how, values_of(work, row)) if how is not None else None

    def value(self, work: WorkSlice, row: int, lookup: Predicate) -> str | None:
        """What an execution looks up by a predicate of its statement."""
        facts = work.key_facts[int(work.key[row])]
        for one in lookups(facts) if facts is not None else ():
            if (one.table, one.column) == (lookup.table, lookup.column):
                return plain(values_of(work, row).at(one.parameter))
        return None

    def look(self, work: WorkSlice, pair: Pair) -> DrawnValues:
        """Look at some children of a pair, and at their parents."""
        link, seen = pair.link, DrawnValues()
        if link.asks is None or link.told is None:
            return seen
        place = link.parent_table, link.told
        sorts = _sorts_by(work.statements[pair.parent].facts, *place)
        first = int(pair.parents.min())
        if not sorts and self.allowed(work, first, *place) is None:
            return seen
        for parent, children in _some_loops(pair):
            can = self.allowed(work, parent, *place)
            if can is None and not sorts:
                break  # as a rule nothing tells of the others, either
            read = [self.value(work, row, link.asks) for row in children.tolist()]
            values = [one for one in dict.fromkeys(read) if one is not None]
            if can is not None:
                _compare(can, values, seen)
            if sorts and len(values) >= ENOUGH and all(map(is_number, values)):
                seen.sortable += 1
                seen.sorted += _in_order([int(one) for one in values])
        return seen


def _compare(can: Allowed, values: list[str], seen: DrawnValues) -> None:
    drawn = [can.drawn(value) for value in values]
    seen.looked += len(drawn)
    seen.inside += drawn.count(Drawn.INSIDE)
    seen.outside += drawn.count(Drawn.OUTSIDE)
    seen.listed += drawn.count(Drawn.INSIDE) if can.listed else 0


def _some_loops(pair: Pair) -> Iterator[tuple[int, Rows]]:
    """Some parents of a pair, spread evenly, each with its first children in the order of time."""
    order = stable_order(pair.parents)
    starts = run_starts(pair.parents[order])
    sizes = np.diff(starts, append=len(order))
    count = min(len(starts), _PARENTS)
    for number in evenly(len(starts), count).tolist():
        first = int(starts[number])
        mine = order[first : first + min(int(sizes[number]), _CHILDREN // count)]
        yield int(pair.parents[mine[0]]), pair.children[mine]


def _sorts_by(facts: StatementFacts, table: str, column: str) -> bool:
    """Whether a column is the first that a statement sorts its rows by."""
    if not facts.order_by:
        return False
    sorted_table, sorted_column = facts.order_by[0]
    return sorted_column == column and sorted_table in (table, None)


def _in_order(values: list[int]) -> bool:
    """Whether different values rise, or fall, from one to the next."""
    return values in (sorted(values), sorted(values, reverse=True))
