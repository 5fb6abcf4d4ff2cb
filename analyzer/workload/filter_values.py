"""What searches by distance are filtered by: how often each value of their filters comes.

For index advice alone, as it keeps values of the data (`SlowestExecutions` does, too).
"""

from collections import Counter
from collections.abc import Sequence

import numpy as np

from analyzer.model.columns import Flags, grown
from analyzer.model.statement import Arity, Predicate, Statement
from analyzer.model.vectors import DISTANCES, FilterValues
from analyzer.model.work import WorkSlice
from analyzer.sql.parameters import values_in

_MOST_OF_SLICE = 500  # executions of a statement that are looked at, spread evenly
_MOST_VALUES = 1_000  # different ones of a filter; beyond, new ones are counted as one
_KEPT = 20
_OTHER = "\0"


class FilterSearches:
    """Looks at each slice; `by_filter` when all were seen."""

    def __init__(self) -> None:
        self._wanted: Flags = np.zeros(0, dtype=bool)  # by statement
        self._statements: Sequence[Statement] = ()
        self._seen: dict[tuple[int, str], Counter[str]] = {}

    def observe(self, work: WorkSlice) -> None:
        """Look at some executions of searches."""
        self._learn(work.statements)
        if not self._wanted.any():
            return
        for some in work.some_with_values(self._wanted, _MOST_OF_SLICE):
            for row in some.tolist():
                self._look_at(work, row)

    def by_filter(self) -> dict[tuple[str, str], FilterValues]:
        """By shape_id and column what its filter was called with."""
        found = {}
        for (number, column), counts in self._seen.items():
            more = counts.pop(_OTHER, 0)
            found[self._statements[number].shape_id, column] = FilterValues(
                counts.total() + more,
                counts.most_common(_KEPT),
                None if more else len(counts),
            )
        return found

    def _learn(self, statements: Sequence[Statement]) -> None:
        known = len(self._wanted)
        self._statements = statements
        if len(statements) > known:
            self._wanted = grown(self._wanted, len(statements))
            for number in range(known, len(statements)):
                one = statements[number]
                by_distance = any(operator in one.sql for operator in DISTANCES)
                self._wanted[number] = by_distance and any(map(_is_filter, one.facts.predicates))

    def _look_at(self, work: WorkSlice, row: int) -> None:
        number = int(work.statement[row])
        facts = work.key_facts[int(work.key[row])] or work.statements[number].facts
        values = values_in(work.texts[int(work.parameters[row])])
        for one in facts.predicates:
            value = values.at(one.parameter) if _is_filter(one) else None
            if value is not None:
                counts = self._seen.setdefault((number, one.column), Counter())
                full = len(counts) >= _MOST_VALUES and value not in counts
                counts[_OTHER if full else value] += 1


def _is_filter(one: Predicate) -> bool:
    return (
        one.operator == "=" and one.arity is Arity.ONE and one.parameter != 0 and not one.expression
    )
