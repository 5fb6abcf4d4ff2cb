"""A blueprint of a live database: its schema as statements, its statistics as they are.

Everything is read in one read-only transaction, with what every role may call: it needs no pg_dump and no
superuser, only SELECT on the tables whose statistics it is to see. The statements are those that a clone
can run; defaults, sequences, functions, triggers, policies and comments are not among them.
"""

from dataclasses import replace
from typing import Any

from analyzer.model.blueprint import Blueprint, ColumnStatistics, RelationStatistics
from analyzer.sources.postgres.connection import connect, describe
from analyzer.sources.postgres.sqlfiles import query
from analyzer.sources.postgres.use import UseReader

_STATEMENTS = (
    ("extensions", "extensions"),
    ("schemas", "schemas"),
    ("types", "types"),
    ("tables", "tables"),
    ("partitions", "partitions"),
    ("constraints", "constraints"),
    ("indexes", "indexes"),
    ("attached_indexes", "indexes of partitions"),
    ("views", "views"),
)
_WITH_RANGES = 170000  # from 17 on, pg_stats has the statistics of ranges
_PAGE_BYTES = 8192
_SHOWN = 5
_NOWHERE = {"number": None}
_BUILT_IN = "b"


def read_blueprint(dsn: str | None) -> Blueprint:
    """Read schema, statistics, sizes and planner settings of the database of a DSN.

    What cannot be read for want of a privilege, or is locked, is a warning.

    Raises:
        ServerError: the server cannot be reached or refuses.
    """
    with connect(dsn, own_path=True) as connection:
        path: Any = connection.execute(query("explain_path").encode()).fetchone()
        warnings: list[str] = []
        reader = UseReader(connection, warnings)
        settings = {
            row["name"]: row["value"] for row in reader.rows("blueprint_settings", "settings")
        }
        connection.execute(query("blueprint_forms").encode())
        database = reader.row("blueprint_database")
        version = connection.info.server_version
        columns = _columns(reader, version, has_ranges=database["has_ranges"])
        return Blueprint(
            origin=describe(connection),
            statements=tuple(
                row["statement"]
                for name, what in _STATEMENTS
                for row in reader.rows(f"blueprint_{name}", f"the {what} of the schema")
            ),
            relations=tuple(
                RelationStatistics(**row)
                for row in reader.rows("blueprint_relations", "sizes of tables and indexes")
            ),
            columns=tuple(columns),
            settings=settings,
            search_path=tuple(name for name in path[1] if not name.startswith("pg_")),
            collation="C" if database["provider"] == _BUILT_IN else database["collation"],
            server_version=version,
            warnings=(*warnings, *_unseen(reader), *_other_pages(database["block_bytes"])),
        )


def _columns(reader: UseReader, version: int, *, has_ranges: bool) -> list[ColumnStatistics]:
    """Statistics of all columns, those of ranges as far as they are to be seen."""
    name = f"blueprint_statistics-{'17' if version >= _WITH_RANGES else '13'}"
    found = [_column(row) for row in reader.rows(name, "the planner's statistics")]
    if version >= _WITH_RANGES or not has_ranges:
        return found
    what = "statistics of ranges (before 17 only superusers see them)"
    extra = {
        (row["schema"], row["relation"], row["column"], row["inherited"]): _column(row | _NOWHERE)
        for row in reader.rows("blueprint_ranges-13", what)
    }
    return [
        replace(one, values={**one.values, **more.values}) if more is not None else one
        for one in found
        for more in (extra.get((one.schema, one.relation, one.column or "", one.inherited)),)
    ]


def _column(row: dict[str, Any]) -> ColumnStatistics:
    named = ("schema", "relation", "column", "number", "inherited")
    values = {name: text for name, text in row.items() if name not in named and text is not None}
    return ColumnStatistics(
        schema=row["schema"],
        relation=row["relation"],
        column=row["column"],
        inherited=row["inherited"],
        values=values,
        number=row["number"],
    )


def _unseen(reader: UseReader) -> list[str]:
    """A warning where statistics are not to be seen: then the planner of a clone only guesses."""
    tables = [f"{row['schema']}.{row['name']}" for row in reader.rows("blueprint_unseen", "tables")]
    if not tables:
        return []
    shown = ", ".join(tables[:_SHOWN])
    more = f" and {len(tables) - _SHOWN} more" if len(tables) > _SHOWN else ""
    told = (
        f"no statistics are to be seen of {shown}{more}: the role needs SELECT on them (GRANT "
        "pg_read_all_data, 14 and later), or they were never analyzed (ANALYZE)"
    )
    return [told]


def _other_pages(block_bytes: int) -> list[str]:
    if block_bytes == _PAGE_BYTES:
        return []
    return [
        f"the server has pages of {block_bytes:,} bytes, a clone of {_PAGE_BYTES:,}: costs differ"
    ]
