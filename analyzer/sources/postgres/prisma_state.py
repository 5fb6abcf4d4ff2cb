"""What a database holds of a Prisma project: its tables, and what became of migrations."""

import re
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any

import psycopg
from psycopg import sql
from psycopg.rows import dict_row

from analyzer.model.catalog import Catalog
from analyzer.model.migration import RecordedMigration
from analyzer.patterns import regex
from analyzer.records import record
from analyzer.sources.logs.error_texts import known_text
from analyzer.sources.postgres.catalog import read_catalog
from analyzer.sources.postgres.connection import Connection, attempt, connect, describe
from analyzer.sources.postgres.sqlfiles import query

_ERROR = regex(r"(?:ERROR|FATAL): *(.+)")
_CODE = regex(r"\b(?:code|SQLSTATE)\W{1,6}([0-9A-Z]{5})\b", re.IGNORECASE)


@record
class PrismaState:
    """The catalog, the recorded migrations (None: the database has no table of them), warnings."""

    catalog: Catalog
    migrations: tuple[RecordedMigration, ...] | None
    warnings: tuple[str, ...]
    address: str


def read_prisma_state(dsn: str | None) -> PrismaState:
    """Read the catalog and `_prisma_migrations`, read-only.

    Args:
        dsn: a libpq URI or key=value string; None leaves all to libpq's PG* variables.

    Raises:
        ServerError: the server cannot be reached or refuses.
    """
    with connect(dsn) as connection:
        reading = read_catalog(connection)
        warnings = list(reading.warnings)
        migrations = _migrations(connection, warnings)
        address = describe(connection)
    return PrismaState(reading.catalog, migrations, tuple(warnings), address)


def sampled_values(
    dsn: str | None, columns: Iterable[tuple[str, str]]
) -> dict[tuple[str, str], tuple[str, ...]]:
    """The values that statistics hold of some columns (table, column), for a check: they are data.

    A column without statistics, or whose statistics this role may not see, is left out.

    Raises:
        ServerError: the server cannot be reached or refuses.
    """
    found = {}
    with connect(dsn) as connection, connection.cursor(row_factory=dict_row) as cursor:
        text = query("column_values").encode()
        for table, column in columns:
            schema, _, name = table.rpartition(".")
            given = {"schema": schema or "public", "table": name, "column": column}
            row = cursor.execute(text, given).fetchone()
            if row is not None and row["known"]:
                found[table, column] = tuple(map(str, row["known"]))
    return found


def _migrations(
    connection: Connection, warnings: list[str]
) -> tuple[RecordedMigration, ...] | None:
    with connection.cursor(row_factory=dict_row) as cursor:
        found = cursor.execute(query("prisma_migrations_table").encode()).fetchone()
        if found is None:
            warnings.append(
                "the database has no _prisma_migrations: nothing is known of migrations (it was made "
                "by `prisma db push`, or by something else)"
            )
            return None
        schema = sql.Identifier(found["schema"])
        try:
            with attempt(connection):
                text = sql.SQL(query("prisma_migrations")).format(schema=schema)
                return tuple(_recorded(row) for row in cursor.execute(text).fetchall())
        except psycopg.errors.InsufficientPrivilege:
            table = f"{schema.as_string(connection)}._prisma_migrations"
            warnings.append(
                f"this role may not read _prisma_migrations: nothing is known of migrations. "
                f"GRANT SELECT ON {table} TO {sql.Identifier(connection.info.user).as_string(connection)};"
            )
        except (psycopg.errors.UndefinedColumn, psycopg.errors.LockNotAvailable) as error:
            warnings.append(
                f"_prisma_migrations cannot be read: {error.diag.message_primary}. Nothing is known of "
                "migrations."
            )
        return None


def _recorded(row: dict[str, Any]) -> RecordedMigration:
    return RecordedMigration(
        name=row["name"],
        checksum=row["checksum"],
        started=_utc(row["started"]),
        finished=_utc(row["finished"]) if row["finished"] else None,
        rolled_back=_utc(row["rolled_back"]) if row["rolled_back"] else None,
        steps=row["steps"],
        error=error_of(row["logs"]),
    )


def _utc(time: datetime) -> datetime:
    return time.astimezone(UTC)


def error_of(logs: str | None) -> str | None:
    """The server's message in a failed migration's log, without the values that it quotes.

    The log's other lines are the engine's own call stack. A text that is not known here may hold any
    value, as what a function raised does: of it only the SQLSTATE is told, and where it is read.
    """
    if not logs:
        return None
    found = _ERROR.search(logs)
    message = (found[1] if found else logs.strip().splitlines()[0]).strip()
    known = known_text(message)
    if known:
        return known.text
    code = _CODE.search(logs)
    named = f"SQLSTATE {code[1]}" if code else "an error"
    return f"{named}, whose text may quote data: the logs of _prisma_migrations have it"
