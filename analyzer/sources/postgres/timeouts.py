"""What statement_timeout a server gives to new sessions, by role and database."""

from analyzer.model.cancelled import StatementTimeouts
from analyzer.sources.postgres.connection import Connection
from analyzer.sources.postgres.sqlfiles import query
from analyzer.sql.timeouts import timeout_ms


def read_timeouts(connection: Connection) -> StatementTimeouts:
    """statement_timeout of the server (where this role may read its files), of roles and of databases.

    One that the server was given on its command line is not seen.
    """
    own: list[tuple[str | None, str | None, float]] = []
    server_ms = None
    for role, database, value, readable in connection.execute(query("statement_timeouts").encode()):
        if value is None:
            if readable:
                row = connection.execute(query("server_timeout").encode()).fetchone()
                server_ms = None if row is None else timeout_ms(str(row[0]))
            continue
        ms = timeout_ms(str(value))
        if ms is not None:
            own.append((_name(role), _name(database), ms))
    return StatementTimeouts(server_ms, own)


def _name(value: object) -> str | None:
    return None if value is None else str(value)
