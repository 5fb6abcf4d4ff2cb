"""Predicates of partial indexes: what a statement always asks of the rows that it wants.

`IS NULL` and booleans are the same at every execution. A value is where the team's own files of queries say
so, or where a log shows that: then it makes a predicate if the column has few values, and the planner's
statistics (the most common values and their shares) say that few rows have this one.
"""

from collections.abc import Collection, Iterator
from dataclasses import replace

from analyzer.errors import WhatIfError
from analyzer.indexes.sizes import index_bytes
from analyzer.model.access import Compared, TableAccess, Use
from analyzer.model.catalog import Catalog, Column, Table
from analyzer.model.index_candidate import Constant, IndexCandidate
from analyzer.model.index_request import FixedValue
from analyzer.model.what_if import PlannedStatement, WhatIf
from analyzer.records import record
from analyzer.sql.index_parts import rows_statement
from analyzer.sql.quoting import quote_identifier
from analyzer.sql.restorable import NotRestorableError

_FEW_VALUES = 12  # of a status, a kind, a flag: a literal of a file may be another one next time
_COMMON_VALUES = 100  # default_statistics_target: so many values have a share in the statistics
_RARE = 0.25  # of the rows, where a log says what is asked for: of a team's own files all is tried
_TESTS = {
    "is null": "{} IS NULL",
    "is not null": "{} IS NOT NULL",
    "is true": "{}",
    "is false": "NOT {}",
}
_NUMBERS = ("integer", "bigint", "smallint", "numeric")


@record
class Asked:
    """What is known of the values in a statement: as in AdvisedStatement."""

    constants: bool = False
    fixed: Collection[FixedValue] = ()


def partial_accesses(
    access: TableAccess, table: Table, catalog: Catalog, asked: Asked
) -> Iterator[tuple[str, Constant | None, TableAccess]]:
    """Predicates of partial indexes, each with what is left to be asked of the rows that it keeps."""
    for one in access.compared:
        found = _predicate(one, table, catalog, asked)
        if found is None:
            continue
        rest = replace(
            access,
            compared=tuple(other for other in access.compared if other.column != one.column),
            needed=tuple(name for name in access.needed if name != one.column),
            sorted_by=tuple(other for other in access.sorted_by if other.column != one.column),
            grouped_by=tuple(name for name in access.grouped_by if name != one.column),
        )
        if not (rest.compared or rest.sorted_by or rest.grouped_by):  # the tested column itself
            rest = replace(rest, grouped_by=(one.column,), needed=(one.column,))
        yield (*found, rest)


def _predicate(
    one: Compared, table: Table, catalog: Catalog, asked: Asked
) -> tuple[str, Constant | None] | None:
    if not one.required or one.expression is not None:
        return None
    quoted = quote_identifier(one.column)
    if one.use is Use.TEST and one.operator in _TESTS:
        return _TESTS[one.operator].format(quoted), None
    column = table.column(one.column)
    if one.use is not Use.EQUALITY or one.constant is None or column is None:
        return None
    text = _literal(one.constant, column)
    if asked.constants and has_few_values(column, _FEW_VALUES):
        return f"{quoted} = {text}", Constant(one.column)
    fixed = _fixed(one.column, table, catalog, asked.fixed)
    if fixed is None or not has_few_values(column):
        return None
    secret = not _is_label(text, column, catalog)
    return f"{quoted} = {text}", Constant(one.column, secret, fixed.number)


def has_few_values(column: Column, most: int = _COMMON_VALUES) -> bool:
    """Whether a column has more than one value, and not many, by statistics."""
    return column.distinct is not None and 1 < column.distinct <= most


def _fixed(
    column: str, table: Table, catalog: Catalog, known: Collection[FixedValue]
) -> FixedValue | None:
    for one in known:
        own = catalog.table(one.table) if one.table is not None else table
        if one.column == column and own is not None and own.name == table.name:
            return one
    return None


def _literal(text: str, column: Column) -> str:
    """A literal as it stands in the predicate: one way for the number that a log quotes or not."""
    inside = text[1:-1] if text[:1] == "'" else text
    plain = inside.removeprefix("-").isdecimal() and column.type.lower().startswith(_NUMBERS)
    return inside if plain else text


def _is_label(text: str, column: Column, catalog: Catalog) -> bool:
    """Whether a literal is a boolean, or a label of the column's enumerated type: a name of the schema."""
    kind = column.type.replace('"', "")
    label = text[1:-1].replace("''", "'") if text[:1] == "'" else None
    return kind == "boolean" or label in catalog.enums.get(kind, ())


class HeldRows:
    """How many rows the predicates of partial indexes leave, as the planner expects."""

    def __init__(self, what_if: WhatIf) -> None:
        self._what_if = what_if
        self._known: dict[tuple[str, str], float | None] = {}

    def measured(self, candidate: IndexCandidate, table: Table | None) -> IndexCandidate | None:
        """A partial candidate with its size; None where it keeps a value that many rows have."""
        rows = self._of(candidate) if candidate.predicate is not None else None
        if rows is None or table is None or not table.rows:
            return candidate if candidate.constant is None else None
        of_log = candidate.constant is not None and candidate.constant.number
        if of_log and rows > _RARE * table.rows:
            return None
        share = min(1.0, rows / table.rows)
        told = f"{candidate.rule} ({100 * share:.2g} % of the rows, by statistics)"
        return replace(candidate, bytes=index_bytes(table, candidate, rows), rule=told, share=share)

    def _of(self, candidate: IndexCandidate) -> float | None:
        key = (candidate.table, candidate.predicate or "")
        if key not in self._known:
            self._known[key] = self._asked(candidate)
        return self._known[key]

    def _asked(self, candidate: IndexCandidate) -> float | None:
        try:
            text = rows_statement(candidate.sql)
            estimate = self._what_if.estimate(PlannedStatement("", text or ""), ())
        except (NotRestorableError, WhatIfError):  # the index is refused, then, with the reason
            return None
        return estimate.plan.root.rows_estimated if estimate.plan is not None else None
