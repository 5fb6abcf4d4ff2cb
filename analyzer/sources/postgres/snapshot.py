"""A snapshot of a live server: everything that it counts, read at one time and never changed.

The counters of pg_stat_statements are the server's, whatever database they are read in; how tables
and indexes are used each database tells itself, so each is connected to, one after the other.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from typing import TypeAlias, cast

from analyzer.errors import ServerError
from analyzer.model.snapshot import ServerIdentity, Snapshot, TextKey
from analyzer.sources.postgres.connection import connect, describe
from analyzer.sources.postgres.statements import StatementReading, microseconds, read_statements
from analyzer.sources.postgres.use import UseReader, chosen

MOST_DATABASES = 50
Texts: TypeAlias = Mapping[TextKey, str]
KnownTexts: TypeAlias = Texts | Callable[[ServerIdentity], Texts]


def take_snapshot(
    dsn: str | None,
    *,
    databases: Iterable[str] | None = None,
    known: KnownTexts | None = None,
) -> Snapshot:
    """Read a server's counters, use and settings, in read-only transactions with timeouts.

    What is missing for want of an extension, a privilege or a connection to one of several databases
    is a warning of the snapshot, with what to run.

    Args:
        dsn: a libpq URI or key=value string; None leaves all to libpq's PG* variables.
        databases: those whose tables and indexes are looked at beside the connected one; None: all that
            the role may connect to, the busiest 50 of them.
        known: texts of statements that need not be read again (`Snapshot.texts` of the last one), or what
            gives them when it is known which server this is.

    Raises:
        ServerError: the server cannot be reached or refuses.
    """
    with connect(dsn) as connection:
        warnings: list[str] = []
        use = UseReader(connection, warnings)
        started = use.row("server")
        server = ServerIdentity(
            address=describe(connection),
            system_identifier=use.system_identifier(),
            version=started["version"],
            started_us=microseconds(started["started"]),
            in_recovery=started["in_recovery"],
        )
        texts = known(server) if callable(known) else known
        taken_us = cast("int", microseconds(use.row("server")["taken"]))
        statements = read_statements(connection, every_database=True, known=texts)
        databases_used, open_ones = use.databases()
        others, notes = chosen(open_ones, databases, started["database"], MOST_DATABASES)
        sizes, counted = use.sizes(), use.counted()
        snapshot = Snapshot(
            server=server,
            taken_us=taken_us,
            counters=(),
            settings=use.settings()[0],
            databases=databases_used,
            tables=use.tables(sizes),
            indexes=use.indexes(sizes),
            io=use.io(),
            replicas=counted.replicas if counted is not None else 0,
            warnings=[*warnings, *notes],
        )
    for name in others:
        snapshot, statements = _also(dsn, name, snapshot, statements, texts)
    return replace(
        snapshot,
        counters=statements.counters,
        reset_us=statements.reset_us,
        evictions=statements.evictions,
        own=statements.own,
        hidden=statements.hidden,
        warnings=[*statements.warnings, *snapshot.warnings],
    )


def _also(
    dsn: str | None,
    name: str,
    snapshot: Snapshot,
    statements: StatementReading,
    known: Texts | None,
) -> tuple[Snapshot, StatementReading]:
    """The snapshot with another database's tables and indexes.

    The extension may be installed there alone: then it is there that the counters are read, and
    the snapshot is of that time.
    """
    try:
        with connect(dsn, database=name) as connection:
            warnings: list[str] = []
            use = UseReader(connection, warnings)
            if not statements.found:
                taken = use.row("server")["taken"]
                found = read_statements(connection, every_database=True, known=known)
                if found.found:
                    statements = found
                    snapshot = replace(snapshot, taken_us=cast("int", microseconds(taken)))
            sizes = use.sizes()
            tables, indexes = use.tables(sizes), use.indexes(sizes)
    except ServerError as error:
        told = f"the tables of database {name} are not looked at: {error}"
        return replace(snapshot, warnings=[*snapshot.warnings, told]), statements
    return replace(
        snapshot,
        tables=[*snapshot.tables, *tables],
        indexes=[*snapshot.indexes, *indexes],
        warnings=[*snapshot.warnings, *warnings],
    ), statements
