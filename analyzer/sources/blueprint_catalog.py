"""The catalog that a blueprint tells of: tables from its statements, figures from its statistics."""

from collections.abc import Mapping
from dataclasses import replace

from analyzer.model.blueprint import Blueprint, ColumnStatistics, RelationStatistics
from analyzer.model.catalog import Catalog, Column, Index, Table
from analyzer.model.partitioned import with_figures_of_partitions
from analyzer.sources.schema.builder import SchemaBuilder
from analyzer.sql.ddl import definitions

_PAGE_BYTES = 8192
_Relations = Mapping[tuple[str, str], RelationStatistics]
_Columns = Mapping[tuple[str, str, str], ColumnStatistics]


def catalog_of(blueprint: Blueprint) -> Catalog:
    """Tables with keys, indexes, rows, sizes and columns' statistics; how they are used is not known."""
    builder = SchemaBuilder()
    for statement in blueprint.statements:
        for definition in definitions(statement):
            builder.apply(definition)
    found = builder.catalog(blueprint.origin)
    relations = {(one.schema, one.name): one for one in blueprint.relations}
    # Of a partitioned table the statistics are those of all its partitions' rows.
    ordered = sorted(blueprint.columns, key=lambda one: not one.inherited)
    columns = {
        (one.schema, one.relation, one.column): one for one in ordered if one.column is not None
    }
    tables = {
        name: _with_figures(table, relations, columns) for name, table in found.tables.items()
    }
    return replace(
        found, tables=with_figures_of_partitions(tables), server_version=blueprint.server_version
    )


def _with_figures(table: Table, relations: _Relations, columns: _Columns) -> Table:
    schema, _, name = table.name.rpartition(".")
    schema = schema or "public"
    known = relations.get((schema, name))
    return replace(
        table,
        columns=tuple(
            _with_statistics(column, columns.get((schema, name, column.name)))
            for column in table.columns
        ),
        indexes=tuple(
            _with_size(index, relations.get((schema, index.name or ""))) for index in table.indexes
        ),
        rows=int(known.rows) if known is not None and known.rows >= 0 else table.rows,
        bytes=_bytes(known) or table.bytes,
    )


def _with_size(index: Index, known: RelationStatistics | None) -> Index:
    return replace(index, bytes=_bytes(known) or index.bytes)


def _bytes(known: RelationStatistics | None) -> int | None:
    if known is None:
        return None
    pages = known.pages if known.file_pages is None else known.file_pages
    return pages * _PAGE_BYTES or None


def _with_statistics(column: Column, known: ColumnStatistics | None) -> Column:
    if known is None:
        return column
    counts = _numbers(known.values.get("elem_count_histogram"))
    return replace(
        column,
        distinct=_number(known.values.get("n_distinct")),
        null_fraction=_number(known.values.get("null_frac")),
        width_bytes=_number(known.values.get("avg_width")),
        common_frequencies=_numbers(known.values.get("most_common_freqs")),
        correlation=_number(known.values.get("correlation")),
        elements=counts[-1] if counts else None,
    )


def _number(text: str | None) -> float | None:
    """A figure; what is none (a file may have been edited) is not known."""
    try:
        return float(text) if text is not None else None
    except ValueError:
        return None


def _numbers(text: str | None) -> tuple[float, ...]:
    """The figures of an array of numbers, as PostgreSQL prints one."""
    parts = (text or "").strip("{}").split(",")
    found = [_number(part) for part in parts if part]
    return tuple(one for one in found if one is not None)
