"""Values that never change: what statements compare a column with at every execution.

Of each statement some executions of every slice are looked at while they pass by. Values of the data are
kept meanwhile, so this runs where index advice is asked for, and only for columns with few values.
"""

from collections.abc import Sequence
from dataclasses import field

import numpy as np

from analyzer.model.catalog import Catalog
from analyzer.model.columns import Flags, Rows, grown
from analyzer.model.index_request import FixedValue
from analyzer.model.statement import Arity, Predicate, StatementFacts
from analyzer.model.work import WorkSlice
from analyzer.records import changing
from analyzer.sql.parameters import Values, values_in

MOST_OF_SLICE = 64  # executions of a statement: all of it would take as long as reading the log
_MOST_VALUES = 100  # of a column: beyond, a whole index finds a value's rows as well
_Place = tuple[str | None, str]  # table and column


@changing
class _Seen:
    """Of one statement: the value of each column, None where it differed or was not known."""

    values: dict[_Place, str | None] = field(default_factory=dict)

    def note(self, place: _Place, value: str | None) -> None:
        """Take in what an execution compared."""
        if self.values.setdefault(place, value) != value:
            self.values[place] = None


class ConstantValues:
    """Looks at each slice; `of` tells afterwards which values of a statement never changed."""

    def __init__(self, catalog: Catalog | None) -> None:
        self._catalog = catalog
        self._wanted: Flags = np.zeros(0, dtype=bool)  # by statement
        self._known = 0  # statements
        self._seen: dict[int, _Seen] = {}
        self._numbers: dict[tuple[_Place, str], int] = {}

    def observe(self, work: WorkSlice) -> None:
        """Look at some executions of a slice."""
        self._learn(work)
        if not len(work) or not self._wanted.any():
            return
        for some in work.some_with_values(self._wanted, MOST_OF_SLICE):
            self._look_at(work, some)

    def of(self, number: int) -> tuple[FixedValue, ...]:
        """The fixed values of the statement at a position of Workload.statements."""
        seen = self._seen.get(number, _Seen())
        return tuple(
            FixedValue(*place, self._numbers.setdefault((place, value), len(self._numbers) + 1))
            for place, value in seen.values.items()
            if value is not None
        )

    def _learn(self, work: WorkSlice) -> None:
        if len(work.statements) > self._known:
            self._wanted = grown(self._wanted, len(work.statements))
            for number in range(self._known, len(work.statements)):
                facts = work.statements[number].facts
                self._wanted[number] = bool(self._predicates(facts))
            self._known = len(work.statements)

    def _predicates(self, facts: StatementFacts) -> Sequence[Predicate]:
        """Equalities with one value on columns that have few."""
        if self._catalog is None:
            return ()
        return [
            one
            for one in facts.predicates
            if one.operator == "=" and one.parameter and one.expression is None and self._few(one)
        ]

    def _few(self, one: Predicate) -> bool:
        if one.table is None:  # which table's it is the candidates will tell
            return True
        table = self._catalog.table(one.table) if self._catalog is not None else None
        column = table.column(one.column) if table is not None else None
        return column is not None and 1 < (column.distinct or 0.0) <= _MOST_VALUES

    def _look_at(self, work: WorkSlice, some: Rows) -> None:
        """Look at rows of one statement; where all has differed, none of it is looked at again."""
        number = int(work.statement[some[0]])
        seen = self._seen.setdefault(number, _Seen())
        for row in some.tolist():
            facts = work.key_facts[int(work.key[row])] or work.statements[number].facts
            values = values_in(work.texts[int(work.parameters[row])])
            for one in self._predicates(facts):
                seen.note((one.table, one.column), _value(values, one))
        self._wanted[number] = any(value is not None for value in seen.values.values())


def _value(values: Values, one: Predicate) -> str | None:
    """A value without its quotes; None for NULL, for one that the log cut off, and for a list."""
    value = values.at(one.parameter)
    if value is None or one.arity is not Arity.ONE or value.endswith("...") or value == "NULL":
        return None
    return value[1:-1] if len(value) > 1 and value[0] == value[-1] == "'" else value
