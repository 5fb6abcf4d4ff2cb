"""The catalog of a live server: tables with columns, keys, indexes, sizes and use.

Each query runs in a savepoint of its own: where a lock or a missing privilege hides one kind of
fact, the others are kept and a warning says what is missing.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import field
from typing import Any

import psycopg
from psycopg.rows import dict_row

from analyzer.model.catalog import (
    REFERENTIAL_ACTIONS,
    SEQUENCE,
    Catalog,
    Column,
    ForeignKey,
    Index,
    Table,
    table_name,
    unique_keys,
)
from analyzer.model.partitioned import with_figures_of_partitions
from analyzer.records import changing
from analyzer.sources.postgres.connection import Connection, attempt, describe
from analyzer.sources.postgres.sqlfiles import query

Row = Mapping[str, Any]

_UNKNOWN = "?"
_NO_TEXT: Row = {"predicate": _UNKNOWN, "expressions": ()}
_CONSTRAINTS = {"u": "unique", "x": "exclusion"}
_ROWS_NEED_NO_SIGN = 140000  # from 14 on, reltuples is -1 where it is not known


@changing
class CatalogReading:
    """The catalog, and warnings about parts that could not be read."""

    catalog: Catalog
    warnings: list[str] = field(default_factory=list)


def read_catalog(connection: Connection) -> CatalogReading:
    """Read all tables, partitioned tables and materialized views outside the system schemas."""
    warnings: list[str] = []

    def rows(name: str, what: str) -> list[dict[str, Any]]:
        return _rows(connection, name, what, warnings)

    tables = rows("tables", "the tables")
    sizes = {row["id"]: row["bytes"] for row in rows("sizes", "sizes (estimated instead)")}
    names = {row["id"]: table_name(row["schema"], row["name"]) for row in tables}
    columns = _by_table(rows("columns", "columns"))
    texts = _texts(
        rows("index_texts", "index expressions (shown as ?)"),
        rows("index_definitions", "index definitions (written anew instead)"),
    )
    defaults = {
        (row["id"], row["name"]): row["expression"]
        for row in rows("defaults", "defaults of columns")
    }
    enums = {
        table_name(row["schema"], row["name"]): tuple(row["labels"])
        for row in rows("enums", "enumerated types")
    }
    indexes = _by_table(_with_parts(rows("indexes", "indexes"), sizes))
    schemas = {row["id"]: row["schema"] for row in tables}
    index_names = {
        row["index_id"]: table_name(schemas.get(row["id"]), row["name"])
        for built in indexes.values()
        for row in built
    }
    keys = _by_table(rows("foreign_keys", "foreign keys"))
    totals = _totals(tables, sizes, connection.info.server_version)
    found = {}
    for row in tables:
        built = tuple(_index(index, texts, index_names) for index in indexes[row["id"]])
        built_columns = tuple(_column(column, defaults) for column in columns[row["id"]])
        found[names[row["id"]]] = Table(
            name=names[row["id"]],
            columns=built_columns,
            primary_key=next((index.columns for index in built if index.primary), ()),
            unique_keys=unique_keys(built_columns, built),
            foreign_keys=tuple(_foreign_keys(keys[row["id"]], names)),
            indexes=built,
            partition_of=names.get(row["parent"]),
            kind=_kind(row),
            **totals[row["id"]].figures(),
        )
    views = {
        table_name(row["schema"], row["name"]): row["definition"].strip().rstrip(";")
        for row in rows("views", "the queries of views")
        if row["definition"]
    }
    catalog = Catalog(
        with_figures_of_partitions(found),
        describe(connection),
        connection.info.server_version,
        enums,
        views=views,
    )
    return CatalogReading(catalog, warnings)


def _kind(row: Row) -> str:
    if row["kind"] == "m":
        return "materialized view"
    return "table" if row["parent"] is None else "partition"


def _rows(
    connection: Connection, name: str, what: str, warnings: list[str]
) -> list[dict[str, Any]]:
    try:
        with attempt(connection), connection.cursor(row_factory=dict_row) as cursor:
            return cursor.execute(query(name).encode()).fetchall()
    except (
        psycopg.errors.LockNotAvailable,
        psycopg.errors.QueryCanceled,
        psycopg.errors.InsufficientPrivilege,
    ) as error:
        warnings.append(
            f"The catalog query for {what} failed: {error.diag.message_primary}. A table that is "
            "locked exclusively (ALTER TABLE, VACUUM FULL) holds it up; run again later."
        )
        return []


def _by_table(rows: Iterable[dict[str, Any]]) -> defaultdict[int, list[dict[str, Any]]]:
    grouped: defaultdict[int, list[dict[str, Any]]] = defaultdict(list)
    for row in rows:
        grouped[row["id"]].append(row)
    return grouped


@changing
class _Totals:
    """A table's figures; a partitioned table has the sums of its partitions."""

    rows: int | None
    bytes: int
    reads: int
    writes: int
    updates: int
    hot_updates: int

    def add(self, part: "_Totals", *, rows: bool) -> None:
        if rows and part.rows is not None:
            self.rows = (self.rows or 0) + part.rows
        self.bytes += part.bytes
        self.reads += part.reads
        self.writes += part.writes
        self.updates += part.updates
        self.hot_updates += part.hot_updates

    def figures(self) -> dict[str, Any]:
        return {
            "rows": self.rows,
            "bytes": self.bytes,
            "reads": self.reads,
            "writes": self.writes,
            "hot_ratio": self.hot_updates / self.updates if self.updates else None,
        }


def _totals(tables: Sequence[Row], sizes: Mapping[int, int], version: int) -> dict[int, _Totals]:
    totals = {
        row["id"]: _Totals(
            rows=_row_estimate(row, version),
            bytes=sizes.get(row["id"], row["pages"] * row["block_bytes"]),
            reads=row["reads"],
            writes=row["writes"],
            updates=row["updates"],
            hot_updates=row["hot_updates"],
        )
        for row in tables
    }
    parents = {row["id"]: row["parent"] for row in tables}
    unknown = {row["id"] for row in tables if totals[row["id"]].rows is None}
    for row in tables:
        if row["kind"] == "p":
            continue
        ancestor = parents[row["id"]]
        while ancestor in totals:
            totals[ancestor].add(totals[row["id"]], rows=ancestor in unknown)
            ancestor = parents[ancestor]
    return totals


def _row_estimate(row: Row, version: int) -> int | None:
    known = row["rows"] >= 0 and (version >= _ROWS_NEED_NO_SIGN or row["pages"] > 0)
    if known:
        return int(row["rows"])
    return row["live_rows"] or None  # 0 may also say that its statistics were reset


def _column(row: Row, defaults: Mapping[tuple[int, str], str | None]) -> Column:
    place = (row["id"], row["name"])
    expression = defaults.get(place)
    sequence = place in defaults and (expression is None or expression.startswith("nextval("))
    return Column(
        name=row["name"],
        type=row["type"].removeprefix("public."),
        nullable=row["nullable"],
        distinct=row["distinct_values"],
        null_fraction=row["null_fraction"],
        width_bytes=row["width_bytes"],
        common_frequencies=tuple(row["common_frequencies"] or ()),
        correlation=row["correlation"],
        elements=row["elements"],
        default=SEQUENCE if sequence else expression,
    )


def _with_parts(rows: list[dict[str, Any]], sizes: Mapping[int, int]) -> list[dict[str, Any]]:
    """Fill in `bytes`, and give a partitioned table's index the sums over its partitions'."""
    known = {row["index_id"]: row for row in rows}
    for row in rows:
        row["bytes"] = sizes.get(row["index_id"], row["estimated_bytes"])
    leaves = [row for row in rows if row["kind"] == "i"]
    for row in leaves:
        ancestor = known.get(row["parent"])
        while ancestor is not None:
            ancestor["bytes"] += row["bytes"]
            ancestor["scans"] += row["scans"]
            ancestor = known.get(ancestor["parent"])
    return rows


def _texts(texts: Iterable[Row], definitions: Iterable[Row]) -> dict[int, Row]:
    """Conditions, expressions and definitions by the numbers of their indexes."""
    found: dict[int, Row] = {row["id"]: {**_NO_TEXT, **row} for row in definitions}
    for row in texts:
        found[row["id"]] = {**found.get(row["id"], {}), **row}
    return found


def _index(row: Row, texts: Mapping[int, Row], names: Mapping[int, str]) -> Index:
    width = row["key_columns"]
    descending = tuple(row["descending"])
    nulls_first = tuple(row["nulls_first"])
    classes = tuple(row["operator_classes"])
    collations = tuple(row["collations"])[:width]
    text = texts.get(row["index_id"], _NO_TEXT)
    expressions = iter(text["expressions"])
    columns = tuple(name or next(expressions, _UNKNOWN) for name in row["columns"])
    return Index(
        name=row["name"],
        columns=columns[:width],
        unique=row["is_unique"],
        primary=row["is_primary"],
        method=row["method"],
        include=columns[width:],
        predicate=text["predicate"] if row["is_partial"] else None,
        bytes=row["bytes"],
        scans=row["scans"],
        valid=row["is_valid"],
        descending=descending if any(descending) else (),
        operator_classes=classes if any(classes) else (),
        nulls_first=nulls_first if nulls_first != descending else (),
        collations=collations if any(collations) else (),
        nulls_distinct=row["nulls_distinct"],
        constraint=_CONSTRAINTS.get(row["constraint_type"] or ""),
        referenced_by=tuple(row["referenced_by"]),
        replica_identity=row["is_replica_identity"],
        partitioned=row["kind"] == "I",
        part_of=names.get(row["parent"]),
        building=row["is_building"],
        definition=text.get("definition"),
    )


def _foreign_keys(rows: Iterable[Row], names: Mapping[int, str]) -> Iterable[ForeignKey]:
    for row in rows:
        if row["target"] in names:
            yield ForeignKey(
                columns=tuple(row["columns"]),
                target=names[row["target"]],
                target_columns=tuple(row["target_columns"]),
                name=row["name"],
                on_delete=REFERENTIAL_ACTIONS.get(row["on_delete"], "NO ACTION"),
                on_update=REFERENTIAL_ACTIONS.get(row["on_update"], "NO ACTION"),
            )
