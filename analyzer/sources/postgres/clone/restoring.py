"""Statistics into a clone: by PostgreSQL 18's own functions, which take them without ANALYZE."""

from collections.abc import Iterable, Sequence

import psycopg

from analyzer.model.blueprint import Blueprint, ColumnStatistics, RelationStatistics
from analyzer.sources.postgres.connection import Connection

_SHOWN = 5  # of what was refused, by name
_REALS = ("null_frac", "n_distinct", "correlation", "range_empty_frac")
_LISTS = ("most_common_freqs", "most_common_elem_freqs", "elem_count_histogram")
_TEXTS = (
    *("most_common_vals", "histogram_bounds", "most_common_elems"),
    *("range_length_histogram", "range_bounds_histogram"),
)
_CASTS = {
    **dict.fromkeys(_REALS, "real"),
    **dict.fromkeys(_LISTS, "real[]"),
    **dict.fromkeys(_TEXTS, "text"),
    "avg_width": "integer",
}


def restore(connection: Connection, blueprint: Blueprint) -> list[str]:
    """Give tables, indexes and columns their statistics; what cannot be is told in words.

    A refused one (a value that its column's type does not take) leaves the planner's default guess.
    """
    connection.execute("SET client_min_messages = error")
    refused = [
        *_relations(connection, blueprint.relations),
        *_columns(connection, blueprint.columns),
    ]
    if not refused:
        return []
    shown = ", ".join(refused[:_SHOWN])
    more = f" and {len(refused) - _SHOWN} more" if len(refused) > _SHOWN else ""
    return [f"statistics could not be restored for {shown}{more}: their plans rest on defaults"]


def restore_column(connection: Connection, statistics: ColumnStatistics) -> bool:
    """Give one column its statistics; whether all were taken."""
    names = [name for name in statistics.values if name in _CASTS]
    target = "'attnum', %s::smallint" if statistics.column is None else "'attname', %s::text"
    pairs = "".join(f", '{name}', %s::{_CASTS[name]}" for name in names)
    text = (
        "SELECT pg_restore_attribute_stats('schemaname', %s::text, 'relname', %s::text, "
        f"{target}, 'inherited', %s::boolean{pairs})"
    )
    given = [
        statistics.schema,
        statistics.relation,
        statistics.number if statistics.column is None else statistics.column,
        statistics.inherited,
        *(statistics.values[name] for name in names),
    ]
    return _taken(connection, text, given)


def _relations(connection: Connection, relations: Iterable[RelationStatistics]) -> Iterable[str]:
    text = (
        "SELECT pg_restore_relation_stats('schemaname', %s::text, 'relname', %s::text, "
        "'relpages', %s::integer, 'reltuples', %s::real, 'relallvisible', %s::integer)"
    )
    for one in relations:
        pages = min(one.pages, 2**31 - 1)
        given = [one.schema, one.name, pages, one.rows, min(one.all_visible, 2**31 - 1)]
        if not _taken(connection, text, given):
            yield f"{one.schema}.{one.name}"


def _columns(connection: Connection, columns: Iterable[ColumnStatistics]) -> Iterable[str]:
    for one in columns:
        if not restore_column(connection, one):
            place = one.column if one.column is not None else f"column {one.number}"
            yield f"{one.relation}.{place}"


def _taken(connection: Connection, text: str, given: Sequence[object]) -> bool:
    try:
        row = connection.execute(text.encode(), given).fetchone()
    except (psycopg.Error, UnicodeError):
        if connection.closed:
            raise
        return False
    return row is not None and row[0] is True
