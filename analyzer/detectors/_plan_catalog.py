"""What a catalog says of the table and columns that trouble in a plan is about: names and figures, no values."""

from collections.abc import Iterator

from analyzer.detectors._plan_rule import Spot
from analyzer.detectors._plan_view import PlanView
from analyzer.model.catalog import Column, Index, Table

_MOST_COLUMNS = 3
_FREQUENT = 0.05  # of all rows: for such a value an index spares little


def known_of(spot: Spot, view: PlanView) -> tuple[str, ...]:
    """Size, distinct values and indexes, as far as the catalog has the table and `subject` names columns of it."""
    table = view.catalog.table(spot.table) if view.catalog is not None else None
    if table is None:
        return ()
    columns = [column for name in spot.subject if (column := table.column(name)) is not None]
    told = [*_size(table)] if columns else []
    for column in columns[:_MOST_COLUMNS]:
        told += _values(column, table)
    used = {node.index for node in view.nodes}
    for index in table.indexes:
        told += _unused(index, {column.name for column in columns}, used)
    return tuple(told)


def _size(table: Table) -> Iterator[str]:
    if table.rows:
        size = f" in {table.bytes / 2**20:,.0f} MB with its indexes" if table.bytes else ""
        yield f"{table.name} has about {table.rows:,} rows{size}"


def _values(column: Column, table: Table) -> Iterator[str]:
    """How many rows a value has: the mean by n_distinct, and the most frequent one's."""
    rows, distinct = table.rows or 0, column.distinct or 0.0
    values = distinct if distinct > 0 else -distinct * rows
    if values < 1:
        return
    each = f", {rows / values:,.0f} rows each" if rows else ""
    most = max(column.common_frequencies, default=0.0)
    frequent = f"; {most:.0%} of the rows have the most frequent" if most >= _FREQUENT else ""
    yield f"{column.name} has about {values:,.0f} different values{each}{frequent} (pg_stats)"


def _unused(index: Index, columns: set[str], used: set[str | None]) -> Iterator[str]:
    """An index that begins with one of the columns, and is not in the plan."""
    if (
        not index.valid
        or not index.columns
        or index.name in used
        or index.columns[0] not in columns
    ):
        return
    part = ", for a part of the rows" if index.predicate else ""
    yield f"{index.name} ({', '.join(index.columns)}{part}) is there, and this plan does not use it"
