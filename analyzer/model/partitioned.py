"""What a catalog knows of a partitioned table from its partitions, where nobody analyzed the table itself.

Autovacuum analyzes partitions, never the table that they are parts of.
"""

from collections.abc import Iterator, Mapping
from dataclasses import replace

from analyzer.model.catalog import Column, Table


def with_figures_of_partitions(tables: Mapping[str, Table]) -> dict[str, Table]:
    """The tables, those that are partitioned with rows, bytes and columns' statistics.

    Rows and bytes are sums where they are not known. A column's statistics are those of the partition with
    most rows: its shares of values and its order on disk are the best guess for the others.
    """
    parts: dict[str, list[Table]] = {}
    for table in tables.values():
        if table.partition_of is not None:
            parts.setdefault(table.partition_of, []).append(table)
    return {
        name: _figured(table, list(_leaves(name, parts, {name}))) if name in parts else table
        for name, table in tables.items()
    }


def _leaves(name: str, parts: Mapping[str, list[Table]], seen: set[str]) -> Iterator[Table]:
    for part in parts.get(name, ()):
        if part.name in parts and part.name not in seen:
            seen.add(part.name)
            yield from _leaves(part.name, parts, seen)
        elif part.name not in parts:
            yield part


def _figured(table: Table, leaves: list[Table]) -> Table:
    rows = [leaf.rows for leaf in leaves if leaf.rows is not None]
    sizes = [leaf.bytes for leaf in leaves if leaf.bytes is not None]
    largest = max(leaves, key=lambda leaf: leaf.rows or 0, default=None)
    columns = table.columns
    if largest is not None:
        columns = tuple(_described(column, largest.column(column.name)) for column in columns)
    return replace(
        table,
        columns=columns,
        rows=table.rows if table.rows is not None or not rows else sum(rows),
        bytes=table.bytes if table.bytes is not None or not sizes else sum(sizes),
    )


def _described(column: Column, other: Column | None) -> Column:
    if column.distinct is not None or other is None:
        return column
    return replace(
        column,
        distinct=other.distinct,
        null_fraction=other.null_fraction,
        width_bytes=other.width_bytes,
        common_frequencies=other.common_frequencies,
        correlation=other.correlation,
        elements=other.elements,
    )
