"""How a server's databases, tables and indexes are used, and what it writes, for a snapshot.

Each query runs in a savepoint of its own: where a lock or a missing privilege hides one kind of fact,
the others are kept and a warning says what is missing.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, cast

import psycopg
from psycopg.rows import dict_row

from analyzer.model.catalog import table_name
from analyzer.model.snapshot import DatabaseUse, IndexUse, TableUse
from analyzer.model.use import CountedUse
from analyzer.sources.postgres.connection import Connection, attempt
from analyzer.sources.postgres.sqlfiles import query, versions
from analyzer.sources.postgres.statements import microseconds

Row = Mapping[str, Any]
_AS_IT_IS = (
    *("modified", "xid_age", "freeze_max_age", "autovacuum", "fillfactor"),
    *("blocks_hit", "blocks_read"),
)
_MAJOR = 10_000
_ROWS_NEED_NO_SIGN = 14  # from that version on, reltuples is -1 where it is not known


@dataclass(frozen=True, slots=True)
class Sizes:
    """Bytes by the numbers of relations: in all, of the main fork alone, and of a table's indexes."""

    total: Mapping[int, int]
    main: Mapping[int, int]
    indexes: Mapping[int, int | None]


class UseReader:
    """Reads the use of things through one session; `warnings` collects what could not be read."""

    def __init__(self, connection: Connection, warnings: list[str]) -> None:
        self._connection = connection
        self._warnings = warnings
        self._major = connection.info.server_version // _MAJOR
        self._database = connection.info.dbname

    def rows(self, name: str, what: str) -> list[dict[str, Any]]:
        """The rows of queries/<name>.sql, none where the server refuses; a warning names `what` then."""
        try:
            with (
                attempt(self._connection),
                self._connection.cursor(row_factory=dict_row) as cursor,
            ):
                return cursor.execute(query(name).encode()).fetchall()
        except psycopg.errors.InsufficientPrivilege as error:
            self._warn(what, error, "GRANT pg_monitor to the role, or do without")
        except (psycopg.errors.LockNotAvailable, psycopg.errors.QueryCanceled) as error:
            self._warn(what, error, "something is locked exclusively; run again later")
        except (
            psycopg.errors.UndefinedTable,
            psycopg.errors.UndefinedColumn,
            psycopg.errors.UndefinedFunction,
            psycopg.errors.FeatureNotSupported,
        ) as error:
            self._warn(what, error, "this server is not quite a PostgreSQL; do without")
        return []

    def row(self, name: str) -> dict[str, Any]:
        """The only row of queries/<name>.sql, which everyone may run."""
        with self._connection.cursor(row_factory=dict_row) as cursor:
            cursor.execute(query(name).encode())
            return cast("dict[str, Any]", cursor.fetchone())

    def _warn(self, what: str, error: psycopg.Error, remedy: str) -> None:
        self._warnings.append(
            f"database {self._database}: {what} could not be read: "
            f"{error.diag.message_primary} ({remedy})"
        )

    def tables(self, sizes: Sizes) -> list[TableUse]:
        """The tables of the connected database."""
        return [
            TableUse(
                database=self._database,
                name=table_name(row["schema"], row["name"]),
                rows=self._row_estimate(row),
                bytes=sizes.total.get(row["id"]),
                seq_scans=row["seq_scans"],
                seq_rows=row["seq_rows"],
                index_scans=row["index_scans"],
                index_rows=row["index_rows"],
                inserted=row["inserted"],
                updated=row["updated"],
                deleted=row["deleted"],
                hot_updated=row["hot_updated"],
                dead_rows=row["dead_rows"],
                vacuumed_us=microseconds(row["vacuumed"]),
                analyzed_us=microseconds(row["analyzed"]),
                heap_bytes=sizes.main.get(row["id"]),
                index_bytes=sizes.indexes.get(row["id"]),
                **{name: row[name] for name in _AS_IT_IS},
            )
            for row in self.rows("table_use", "the use of tables")
        ]

    def indexes(self, sizes: Sizes) -> list[IndexUse]:
        """The indexes of the connected database."""
        return [
            IndexUse(
                database=self._database,
                table=table_name(row["schema"], row["table_name"]),
                name=row["name"],
                bytes=sizes.total.get(row["id"]),
                scans=row["scans"],
                rows_read=row["rows_read"],
                rows_fetched=row["rows_fetched"],
                last_scan_us=microseconds(row["last_scan"]),
            )
            for row in self.rows("index_use", "the use of indexes")
        ]

    def sizes(self) -> Sizes:
        """Sizes of tables (all of them) and indexes in bytes, by their numbers."""
        rows = self.rows("sizes", "sizes")
        return Sizes(
            total={row["id"]: row["bytes"] for row in rows},
            main={row["id"]: row["main_bytes"] for row in rows},
            indexes={row["id"]: row["index_bytes"] for row in rows},
        )

    def counted(self) -> CountedUse | None:
        """Since when the use is counted, and who reads copies; None where the server does not tell."""
        rows = self.rows("use_window", "since when use is counted")
        if not rows:
            return None
        row = rows[0]
        return CountedUse(
            from_us=microseconds(row["reset"]),
            to_us=cast("int", microseconds(row["taken"])),
            started_us=microseconds(row["started"]),
            in_recovery=row["in_recovery"],
            replicas=row["replicas"] or 0,
            counting=row["counted"],
        )

    def io(self) -> dict[str, int | float]:
        """Sums of what the server read and wrote, by name; queries/io-*.sql say which."""
        known = [version for version in versions("io") if version <= (self._major,)]
        rows = self.rows(f"io-{known[-1][0]}", "what the server wrote") if known else []
        figures = rows[0] if rows else {}
        return {
            name: float(value) if isinstance(value, Decimal) else value
            for name, value in figures.items()
            if value is not None
        }

    def settings(self) -> tuple[dict[str, str], dict[str, str]]:
        """Settings that matter, with their unit behind a space, and where each comes from."""
        rows = [row for row in self.rows("settings_kept", "settings") if row["setting"] is not None]
        values = {
            row["name"]: f"{row['setting']} {row['unit']}" if row["unit"] else row["setting"]
            for row in rows
        }
        return values, {row["name"]: row["source"] for row in rows}

    def system_identifier(self) -> str | None:
        """What initdb gave the cluster; None where the provider keeps it to itself."""
        rows = self.rows("system_identifier", "the identity of the server")
        return rows[0]["system_identifier"] if rows else None

    def databases(self) -> tuple[list[DatabaseUse], list[str]]:
        """All databases but templates, and the names of those that this role may connect to."""
        found = self.rows("databases", "the use of databases")
        sizes = {row["name"]: row["bytes"] for row in self.rows("database_sizes", "their sizes")}
        used = [_database(row, sizes) for row in found if not row["template"]]
        return used, [row["name"] for row in found if row["open"]]

    def _row_estimate(self, row: Row) -> int | None:
        if row["rows"] > 0 or (row["rows"] == 0 and self._major >= _ROWS_NEED_NO_SIGN):
            return int(row["rows"])
        return row["live_rows"] or None  # 0 may also say that its statistics were reset


def _database(row: Row, sizes: Mapping[str, int]) -> DatabaseUse:
    return DatabaseUse(
        name=row["name"],
        bytes=sizes.get(row["name"]),
        commits=row["commits"] or 0,
        rollbacks=row["rollbacks"] or 0,
        blocks_hit=row["blocks_hit"] or 0,
        blocks_read=row["blocks_read"] or 0,
        temp_bytes=row["temp_bytes"] or 0,
        deadlocks=row["deadlocks"] or 0,
        reset_us=microseconds(row["reset"]),
    )


def chosen(
    open_ones: Sequence[str], wanted: Iterable[str] | None, connected: str, most: int
) -> tuple[list[str], list[str]]:
    """The databases to look at beside the connected one, and warnings about the others.

    Args:
        open_ones: names of those that may be connected to, busiest first.
        wanted: the names that the user gave; None: all that are open.
        connected: the one that is looked at anyway.
        most: how many are looked at where no names are given.
    """
    if wanted is not None:
        return [name for name in dict.fromkeys(wanted) if name != connected], []
    others = [name for name in open_ones if name != connected and name not in _PROVIDERS_OWN]
    if len(others) <= most:
        return others, []
    note = (
        f"tables and indexes of the {most} busiest of {len(others)} other databases are looked at; "
        "name those that matter with --database"
    )
    return others[:most], [note]


# Databases that cloud providers keep for themselves: their customers cannot connect to them.
_PROVIDERS_OWN = frozenset(
    (
        "rdsadmin",
        "cloudsqladmin",
        "alloydbadmin",
        "alloydbmetadata",
        "azure_maintenance",
        "azure_sys",
    )
)
