"""pg_stat_statements of a live server: counters per statement since the last reset.

The columns depend on the extension's version, which need not be the server's (an upgraded cluster
keeps the old one until ALTER EXTENSION … UPDATE), so the query is chosen by the former. Counters are
read without texts, which lie in a file that the server would read as a whole; texts are asked for
afterwards, and only where some are not known yet.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import field
from datetime import UTC, datetime
from typing import Any, cast

import psycopg
from psycopg import sql
from psycopg.rows import dict_row

from analyzer.model.snapshot import TextKey
from analyzer.model.statement import StatementCounters
from analyzer.records import changing, record
from analyzer.sources.postgres.connection import Connection, attempt
from analyzer.sources.postgres.sqlfiles import query, versions


@changing
class StatementReading:
    """What could be read, and warnings that name what could not with the command that helps.

    `found` is False where there are no counters at all (no extension, not loaded, no privilege).
    `own` are keys of pg95's statements, which are not among the counters; `hidden` is how many rows are not
    for want of their text. `evictions` and `reset_us`
    (UTC) are those of pg_stat_statements_info, None where it does not tell.
    """

    counters: list[StatementCounters] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    found: bool = False
    own: list[TextKey] = field(default_factory=list)
    hidden: int = 0
    evictions: int | None = None
    reset_us: int | None = None


@record
class _Extension:
    role: str
    database: str
    schema: str | None
    version: str | None
    preloaded: str | None  # shared_preload_libraries, None where this role may not see it


def read_statements(
    connection: Connection,
    source: int = -1,
    *,
    every_database: bool = False,
    known: Mapping[TextKey, str] | None = None,
) -> StatementReading:
    """Read the counters, by user, pg95's own left out.

    A missing extension, a missing privilege and rows without text are warnings, not errors.

    Args:
        connection: an open session; the reading is one of its transaction's savepoints.
        source: the input's number, for `StatementCounters.source`.
        every_database: read those of all databases of the server, not just the connected one.
        known: texts that need not be read (`Snapshot.texts` of an earlier one).
    """
    extension = _extension(connection)
    reading = StatementReading()
    if extension.schema is None or extension.version is None:
        reading.warnings.append(_not_installed(extension))
        return reading
    try:
        rows = _rows(connection, "counters", extension, {"every_database": every_database})
        reading.found = True
        texts = _texts(connection, extension, rows, known or {})
    except psycopg.errors.ObjectNotInPrerequisiteState:
        reading.warnings.append(_not_preloaded(extension))
    except psycopg.errors.InsufficientPrivilege:
        reading.warnings.append(_not_granted(extension))
    except (
        psycopg.errors.CharacterNotInRepertoire,
        psycopg.errors.UntranslatableCharacter,
    ) as error:
        reading.warnings.append(_not_translatable(extension, error))
    except (
        psycopg.errors.UndefinedColumn,
        psycopg.errors.UndefinedTable,
        psycopg.errors.UndefinedFunction,
    ) as error:
        reading.warnings.append(
            f"pg_stat_statements {extension.version} in database {extension.database} is not "
            f"known to pg95 ({error.diag.message_primary}): its counters are not read."
        )
    else:
        _sort(rows, texts, extension, source, reading)
        _read_info(connection, extension, reading)
    return reading


def _extension(connection: Connection) -> _Extension:
    with connection.cursor(row_factory=dict_row) as cursor:
        cursor.execute(query("extension").encode())
        row = cast("dict[str, Any]", cursor.fetchone())
    return _Extension(**row)


def _rows(
    connection: Connection,
    name: str,
    extension: _Extension,
    values: Mapping[str, object] | None = None,
) -> list[dict[str, Any]]:
    """Run queries/<name>-<version>.sql, the newest that is not newer than the extension."""
    file = query_file(name, extension.version or "") if versions(name) else name
    schema = _quoted(extension.schema or "")
    if values:
        schema = schema.replace("%", "%%")  # which stands for a value else
    text = query(file).replace("{schema}", schema).encode()
    with attempt(connection), connection.cursor(row_factory=dict_row) as cursor:
        return cursor.execute(text, values).fetchall()


def _texts(
    connection: Connection,
    extension: _Extension,
    rows: Iterable[Mapping[str, Any]],
    known: Mapping[TextKey, str],
) -> dict[TextKey, str]:
    """The texts of all rows, those that are not known read now; that of pg95's own is empty."""
    texts = {key: known[key] for row in rows if (key := _key(row)) in known}
    wanted = {str(row["query_id"]) for row in rows if row["query_id"] and _key(row) not in texts}
    if wanted:
        found = _rows(connection, "texts", extension, {"query_ids": sorted(wanted)})
        for row in found:
            texts.setdefault(_key(row), "" if row["own"] else row["query"])
    return texts


def _key(row: Mapping[str, Any]) -> TextKey:
    return row["database_id"], row["query_id"]


def query_file(name: str, version: str) -> str:
    """The name of the query for an extension's version, the oldest where all are newer."""
    known = versions(name)
    parts = tuple(int(part) if part.isdigit() else 0 for part in version.split("."))
    fitting = [candidate for candidate in known if candidate <= parts] or known[:1]
    return f"{name}-{'.'.join(map(str, fitting[-1]))}"


def _sort(
    rows: Sequence[dict[str, Any]],
    texts: Mapping[TextKey, str],
    extension: _Extension,
    source: int,
    reading: StatementReading,
) -> None:
    """Keep the rows that have a text, and warn of the others by their share of the time."""
    hidden_ms, total_ms = 0.0, 0.0
    hidden, lost = 0, 0
    own: dict[TextKey, None] = {}
    for row in rows:
        total_ms += row["total_ms"]
        text = texts.get(_key(row))
        if row["query_id"] is None:  # so it is for those who may not see it
            hidden += 1
            hidden_ms += row["total_ms"]
        elif text is None:
            lost += 1
        elif not text:
            own[_key(row)] = None
        else:
            reading.counters.append(_counters(row, text, source))
    reading.own = list(own)
    reading.hidden = hidden + lost
    if hidden:
        share = 100 * hidden_ms / total_ms if total_ms else 0.0
        reading.warnings.append(
            f"pg_stat_statements hides the text of {hidden} of {len(rows)} rows ({share:.0f} % of "
            f"the time) from role {extension.role}; they are left out. As a superuser: GRANT "
            f"pg_read_all_stats TO {_quoted(extension.role)};"
        )
    if lost:
        reading.warnings.append(
            f"pg_stat_statements has lost the text of {lost} of {len(rows)} rows; they are left "
            "out. If it stays so, SELECT pg_stat_statements_reset(); starts anew."
        )


def _counters(row: dict[str, Any], text: str, source: int) -> StatementCounters:
    return StatementCounters(
        query=text,
        query_id=row["query_id"],
        calls=row["calls"],
        total_ms=row["total_ms"],
        min_ms=row["min_ms"],
        max_ms=row["max_ms"],
        mean_ms=row["mean_ms"],
        stddev_ms=row["stddev_ms"],
        rows=row["rows"],
        planning_ms=row["planning_ms"],
        database=row["database"],
        user=row["user_name"],
        toplevel=row["toplevel"],
        shared_blocks_hit=row["shared_blks_hit"],
        shared_blocks_read=row["shared_blks_read"],
        temp_blocks_written=row["temp_blks_written"],
        wal_bytes=row["wal_bytes"],
        source=source,
        read_ms=row["read_ms"],
        since_us=microseconds(row["since"]),
        database_id=row["database_id"],
        user_id=row["user_id"],
        minmax_since_us=microseconds(row["minmax_since"]),
        plans=row["plans"],
        write_ms=row["write_ms"],
        jit_ms=row["jit_ms"],
        shared_blocks_dirtied=row["shared_blks_dirtied"],
        shared_blocks_written=row["shared_blks_written"],
        temp_blocks_read=row["temp_blks_read"],
        wal_records=row["wal_records"],
    )


def microseconds(moment: object) -> int | None:
    """A server's time as µs since 1970 (UTC); None for what is no time."""
    return round(moment.timestamp() * 1e6) if isinstance(moment, datetime) else None


def _read_info(connection: Connection, extension: _Extension, reading: StatementReading) -> None:
    """When all was reset, and how often rows were pushed out since."""
    if not _at_least(extension.version or "", (1, 9)):
        return
    try:
        row = _rows(connection, "statements_info", extension)[0]
    except psycopg.errors.InsufficientPrivilege:
        return  # the counters themselves were granted alone; nothing is wrong with them
    reading.evictions = row["dealloc"]
    reading.reset_us = microseconds(row["stats_reset"])
    if row["dealloc"]:
        reading.warnings.append(
            f"pg_stat_statements ran out of room {row['dealloc']} times since "
            f"{row['stats_reset'].astimezone(UTC):%Y-%m-%d %H:%M} UTC: rare statements are missing. Raise "
            "pg_stat_statements.max (needs a restart)."
        )


def _at_least(version: str, wanted: tuple[int, ...]) -> bool:
    return tuple(int(part) if part.isdigit() else 0 for part in version.split(".")) >= wanted


def _not_installed(extension: _Extension) -> str:
    message = (
        f"pg_stat_statements is not installed in database {extension.database}: there are no "
        "counters. As a superuser, in that database: CREATE EXTENSION pg_stat_statements;"
    )
    if extension.preloaded is not None and "pg_stat_statements" not in extension.preloaded:
        message += f" First load it: {_preload(extension)}"
    return message


def _not_preloaded(extension: _Extension) -> str:
    return (
        "pg_stat_statements is installed but not loaded by the server: there are no counters. "
        f"As a superuser: {_preload(extension)}"
    )


def _preload(extension: _Extension) -> str:
    loaded = [name.strip() for name in (extension.preloaded or "").split(",") if name.strip()]
    names = ", ".join(f"'{name}'" for name in [*loaded, "pg_stat_statements"])
    kept = "" if extension.preloaded is not None else " (keep the libraries that are there)"
    return f"ALTER SYSTEM SET shared_preload_libraries = {names};{kept}, then restart the server."


def _not_granted(extension: _Extension) -> str:
    schema, role = _quoted(extension.schema or ""), _quoted(extension.role)
    return (
        f"Role {extension.role} may not read pg_stat_statements: there are no counters. As a "
        f"superuser: GRANT USAGE ON SCHEMA {schema} TO {role}; GRANT SELECT ON "
        f"{schema}.pg_stat_statements TO {role}; GRANT pg_read_all_stats TO {role};"
    )


def _not_translatable(extension: _Extension, error: psycopg.Error) -> str:
    """The extension converts the texts of all databases, and fails as a whole at one it cannot."""
    remedy = (
        f"SELECT {_quoted(extension.schema or '')}.pg_stat_statements_reset(0, d.oid, 0) "  # noqa: S608 - shown, not run
        "FROM pg_database AS d, pg_database AS c "
        "WHERE c.datname = current_database() AND d.encoding <> c.encoding;"
    )
    return (
        f"pg_stat_statements cannot be read in database {extension.database}, as it holds the "
        f"text of a database in another encoding ({error.diag.message_primary}): there are no "
        f"counters. To drop the counters of those databases, as a superuser: {remedy}"
    )


def _quoted(name: str) -> str:
    return sql.Identifier(name).as_string(None)
