"""The server's half of the proof that a statement only reads (analyzer.sql.read_only has the other)."""

from collections.abc import Sequence
from typing import cast

from analyzer.sources.postgres.connection import Connection
from analyzer.sources.postgres.sqlfiles import query
from analyzer.sql.read_only import Names


def why_not_read_only(connection: Connection, names: Names, path: Sequence[str]) -> str | None:
    """Why a statement's names may mean something that does more than read; None if they cannot.

    Args:
        connection: a session whose search_path is pg_catalog alone.
        names: what the statement names.
        path: the schemas of the search path that the statement would run by.

    Raises:
        psycopg.Error: the server refuses, or a limit ends the query.
    """
    relations = sorted(names.relations, key=lambda one: (one[0] or "", one[1]))
    given = {
        "path": list(path),
        "functions": sorted(names.functions),
        "fields": sorted(names.fields),
        "operators": sorted(names.operators),
        "types": sorted(names.types),
        "schemas": [schema for schema, _ in relations],
        "relations": [name for _, name in relations],
    }
    row = connection.execute(query("read_only").encode(), given).fetchone()
    return None if row is None else cast("str", row[0])
