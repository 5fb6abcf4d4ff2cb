"""Reads what `pg95 doctor` looks at: one visit, read-only."""

from typing import Any

from analyzer.model.examination import Examination, ExtensionState, Override, RoleRights
from analyzer.model.snapshot import ServerIdentity, Snapshot
from analyzer.sources.postgres.connection import connect, describe
from analyzer.sources.postgres.statements import microseconds, read_statements
from analyzer.sources.postgres.use import UseReader


def examine(dsn: str | None) -> Examination:
    """Look at a server's settings, privileges and counters, in read-only transactions with timeouts.

    Args:
        dsn: a libpq URI or key=value string; None leaves all to libpq's PG* variables.

    Raises:
        ServerError: the server cannot be reached or refuses.
    """
    with connect(dsn) as connection:
        warnings: list[str] = []
        use = UseReader(connection, warnings)
        server = use.row("server")
        role = use.row("doctor_role")
        statements = read_statements(connection, every_database=True)
        settings, origins = use.settings()
        extension = use.row("doctor_extension")
        overrides = use.rows("doctor_overrides", "settings of roles and databases")
        marks = use.rows("doctor_provider", "what the provider is")
        snapshot = Snapshot(
            server=ServerIdentity(
                describe(connection),
                use.system_identifier(),
                server["version"],
                microseconds(server["started"]),
                server["in_recovery"],
            ),
            taken_us=microseconds(server["taken"]) or 0,
            counters=statements.counters,
            reset_us=statements.reset_us,
            evictions=statements.evictions,
            settings=settings,
            warnings=statements.warnings,
            own=statements.own,
            hidden=statements.hidden,
        )
    return Examination(
        snapshot=snapshot,
        database=role["database"],
        version_text=role["version_text"],
        role=_rights(role),
        extension=ExtensionState(
            schema=extension["schema"],
            version=extension["version"],
            default_version=extension["default_version"],
            readable=statements.found,
            why_not=None if statements.found else statements.warnings[0],
        ),
        sources=origins,
        overrides=[Override(**row) for row in overrides],
        marks=[row["mark"] for row in marks],
        warnings=warnings,
    )


def _rights(row: dict[str, Any]) -> RoleRights:
    return RoleRights(
        name=row["role"],
        superuser=row["superuser"],
        reads_statistics=row["reads_statistics"],
        may_read_statistics=row["may_read_statistics"],
        reads_settings=row["reads_settings"],
    )
