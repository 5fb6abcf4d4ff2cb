"""Snapshots as bytes: columns in compressed JSON, with statement texts by their numbers.

Texts are normalised before they are stored: pg_stat_statements shows literals of utility statements
(and what a server before PostgreSQL 14 could not take apart), and a history holds none.
"""

import json
import zlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, fields
from typing import Any, TypeVar

from analyzer.history.rows import storable
from analyzer.model.snapshot import DatabaseUse, IndexUse, ServerIdentity, Snapshot, TableUse
from analyzer.model.statement import StatementCounters
from analyzer.sql.redact import normalise

_LISTS: Mapping[str, type[Any]] = {
    "counters": StatementCounters,
    "databases": DatabaseUse,
    "tables": TableUse,
    "indexes": IndexUse,
}
Row = TypeVar("Row")


def texts_of(snapshot: Snapshot) -> dict[str, str]:
    """The normalised text of each statement text of a snapshot."""
    return {query: storable(normalise(query)) for query in {row.query for row in snapshot.counters}}


def encode(snapshot: Snapshot, numbers: Mapping[str, int]) -> bytes:
    """A snapshot without its texts: `numbers` has the one that stands for each.

    Also without its blueprint, which holds values of the data.
    """
    made: dict[str, Any] = {}
    for field in (one for one in fields(snapshot) if one.name != "blueprint"):
        value = getattr(snapshot, field.name)
        if field.name in _LISTS:
            made[field.name] = _columns(_LISTS[field.name], value)
        elif field.name == "server":
            made["server"] = asdict(value)
        else:
            made[field.name] = dict(value) if isinstance(value, Mapping) else value
    made["counters"]["columns"]["query"] = [numbers[row.query] for row in snapshot.counters]
    return zlib.compress(json.dumps(made, separators=(",", ":")).encode(), 6)


def numbers_in(content: bytes) -> list[int]:
    """The numbers of the texts of an encoded snapshot."""
    return list(_read(content)["counters"]["columns"]["query"])


def decode(content: bytes, text: Callable[[int], str]) -> Snapshot:
    """The snapshot that `encode` wrote; `text` gives the text of a number.

    Fields that a later pg95 added have their defaults in older snapshots.
    """
    made = _read(content)
    columns = made["counters"]["columns"]
    columns["query"] = [text(number) for number in columns["query"]]
    for name, kind in _LISTS.items():
        made[name] = _rows(kind, made[name])
    made["warnings"] = tuple(made["warnings"])
    made["own"] = tuple((database, query_id) for database, query_id in made.get("own", ()))
    made["server"] = ServerIdentity(**_known(ServerIdentity, made["server"]))
    return Snapshot(**_known(Snapshot, made))


def _read(content: bytes) -> dict[str, Any]:
    made: dict[str, Any] = json.loads(zlib.decompress(content))
    return made


def _columns(kind: type[Any], rows: Sequence[Any]) -> dict[str, Any]:
    """Rows by column; one that holds the same in all rows is in there once."""
    found = {}
    for field in fields(kind):
        values = [getattr(row, field.name) for row in rows]
        found[field.name] = values[:1] if len(set(values)) == 1 else values
    return {"count": len(rows), "columns": found}


def _rows(kind: type[Row], held: Mapping[str, Any]) -> tuple[Row, ...]:
    count = held["count"]
    columns = {
        name: values * count if len(values) == 1 else values
        for name, values in _known(kind, held["columns"]).items()
    }
    by_row = zip(*columns.values(), strict=True)
    return tuple(kind(**dict(zip(columns, values, strict=True))) for values in by_row)


def _known(kind: type[Any], made: Mapping[str, Any]) -> dict[str, Any]:
    """What this pg95 knows of: a later one may have stored more."""
    names = {field.name for field in fields(kind)}
    return {name: value for name, value in made.items() if name in names}
