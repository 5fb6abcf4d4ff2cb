"""Connections to the server that is looked at: read-only, short-lived, and never showing a password.

Everything pg95 does on a server goes through `connect`. Its limits (read-only, timeouts) are asked
for at session start; behind a pooler that refuses such options they are set per transaction.
"""

import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TypeAlias
from urllib.parse import quote, unquote

import psycopg
from psycopg import conninfo
from psycopg.abc import Buffer
from psycopg.adapt import Loader

from analyzer.errors import ServerError
from analyzer.sources.postgres.sqlfiles import query

Connection: TypeAlias = "psycopg.Connection[tuple[object, ...]]"

APPLICATION_NAME = "pg95"
# Marked as all that pg95 sends. pg_stat_statements tells these from the application's by their text up
# to version 15, and from 16 on by their options alone, so they have some that nobody else writes. There
# are no savepoints: from 17 on their names are not kept.
BEGIN = "BEGIN READ ONLY, NOT DEFERRABLE, ISOLATION LEVEL READ COMMITTED /* pg95 */"
RESTART = "ROLLBACK AND CHAIN /* pg95 */"
CONNECT_TIMEOUT_S = 10
_LIMITS = {
    "default_transaction_read_only": "on",
    "statement_timeout": "30s",
    "lock_timeout": "2s",
    "idle_in_transaction_session_timeout": "60s",
    "search_path": "pg_catalog",  # so that no one's function is called in place of a built-in one
}
_TEXT_TYPES = ("text", "name", "varchar", "bpchar")

_REMEDIES = (
    (
        r"password authentication failed|no password supplied|authentication failed|fe_sendauth",
        "Check the user and the password (PGPASSWORD, ~/.pgpass or a service file; better not in the DSN).",
    ),
    (
        r'role ".*" does not exist|not permitted to log in',
        "Check the user name (PGUSER, or user@ in the DSN).",
    ),
    (
        r'database ".*" does not exist',
        "Check the database name (PGDATABASE, or /database in the DSN); psql -l lists them.",
    ),
    (
        r"pg_hba\.conf",
        "Ask for a line in the server's pg_hba.conf that lets this user and address in.",
    ),
    (
        r"too many clients|connection slots",
        "All connections are taken; try again when some are free.",
    ),
    (
        r"starting up|shutting down|recovery mode",
        "The server is not ready yet; try again in a moment.",
    ),
    (r"SSL|certificate", "Check sslmode and the certificates (PGSSLMODE, PGSSLROOTCERT)."),
)
_UNREACHABLE = (
    "Check that the server runs, and its host and port (PGHOST, PGPORT, or host:port in the DSN), "
    "listen_addresses and any firewall between."
)
_UNREADABLE_DSN = (
    "The connection string cannot be read (not shown, as it may hold a password). Expected "
    "postgresql://user@host:port/database or host=… port=… user=… dbname=…; special characters in "
    "a URI are written in percent notation (@ as %40)."
)


class _TolerantText(Loader):
    """Text whose bytes need not be UTF-8: in an SQL_ASCII database anything may be stored."""

    def load(self, data: Buffer) -> str:
        return bytes(data).decode("utf-8", "replace")


@contextmanager
def connect(
    dsn: str | None, *, database: str | None = None, own_path: bool = False
) -> Iterator[Connection]:
    """Open a read-only session and close it, rolled back, at the end.

    Args:
        dsn: a libpq URI or key=value string; None leaves all to libpq's PG* variables.
        database: another database than the DSN's.
        own_path: keep the search_path of role and database; whoever asks for that has to set one for
            each of pg95's own queries.

    Raises:
        ServerError: the server is unreachable or refuses, or something fails in the `with` body.
            The message names host, port, database and user, the cause and the remedy; a password
            is never part of it.
    """
    parameters = _parameters(dsn)
    if database is not None:
        parameters["dbname"] = database
    connection = _open(parameters, own_path=own_path)
    try:
        for name in _TEXT_TYPES:
            connection.adapters.register_loader(name, _TolerantText)
        if connection.info.parameter_status("server_encoding") == "SQL_ASCII":
            connection.execute(query("any_bytes").encode())
        yield connection
    except psycopg.Error as error:
        raise ServerError(_failure("failed", parameters, error)) from None
    finally:
        connection.close()  # an open transaction is rolled back by the server


@contextmanager
def attempt(connection: Connection) -> Iterator[None]:
    """Ask for what the server may refuse: then the session goes on in a new transaction.

    That has the limits of every session, and nothing else that was set in the one before.
    """
    try:
        yield
    except psycopg.Error:
        if not connection.closed:
            restart(connection)
        raise


def restart(connection: Connection) -> None:
    """Roll back, and begin a new transaction with the limits of every session."""
    connection.execute(RESTART)
    connection.execute(query("transaction_limits").encode())


def describe(connection: Connection) -> str:
    """Where a session leads, as `postgresql://user@host:port/database`, without the password."""
    info = connection.info
    host = quote(info.host, safe=":.,-[]")
    return f"postgresql://{quote(info.user)}@{host}:{info.port}/{quote(info.dbname)}"


def dsn_has_password(dsn: str) -> bool:
    """Whether a DSN holds a password, and so shows it to everyone who can list processes."""
    try:
        return bool(conninfo.conninfo_to_dict(dsn).get("password"))
    except psycopg.ProgrammingError:
        return bool(re.search(r"password|//[^/@:]*:[^/@]*@", dsn))


def _parameters(dsn: str | None) -> dict[str, str]:
    try:
        given = conninfo.conninfo_to_dict(dsn or "")
    except psycopg.ProgrammingError:  # its text repeats the part that was not understood
        raise ServerError(_UNREADABLE_DSN) from None
    parameters = {name: str(value) for name, value in given.items() if value is not None}
    # Where a URI's password was not written in percent notation, its end is somewhere else.
    ports = parameters.get("port", "").replace(",", "")
    strayed = "@" in parameters.get("host", "") + parameters.get("dbname", "")
    if strayed or (ports and not ports.isdecimal()):
        raise ServerError(_UNREADABLE_DSN)
    return parameters


def _open(parameters: dict[str, str], *, own_path: bool) -> Connection:
    limits = {
        name: value for name, value in _LIMITS.items() if name != "search_path" or not own_path
    }
    options = " ".join(f"-c {name}={value}" for name, value in limits.items())
    given = parameters.get("options") or os.environ.get("PGOPTIONS", "")
    try:
        return _attempt(parameters, f"{given} {options}".strip())
    except psycopg.OperationalError as error:
        if "unsupported startup parameter" not in str(error):
            raise ServerError(_failure("cannot connect", parameters, error)) from None
    try:  # a pooler: it knows no options, and a session setting would reach its other clients
        connection = _attempt(parameters, "")
        connection.execute(query("transaction_limits").encode())
    except psycopg.OperationalError as error:
        raise ServerError(_failure("cannot connect", parameters, error)) from None
    return connection


def _attempt(parameters: dict[str, str], options: str) -> Connection:
    wanted = {key: value for key, value in parameters.items() if key != "options"}
    wanted.setdefault("connect_timeout", str(CONNECT_TIMEOUT_S))
    wanted |= {"application_name": APPLICATION_NAME, "client_encoding": "UTF8"}
    if options:
        wanted["options"] = options
    # No server-side prepared statements: they do not survive a transaction pooler.
    connection = psycopg.Connection.connect(
        conninfo.make_conninfo("", **wanted), prepare_threshold=None, autocommit=True
    )
    connection.execute(BEGIN)  # psycopg would begin by a text of its own
    return connection


def _failure(what: str, parameters: dict[str, str], error: psycopg.Error) -> str:
    text = " ".join(str(error).split())
    for secret in _secrets(parameters):
        text = text.replace(secret, "***")
    remedy = next((r for pattern, r in _REMEDIES if re.search(pattern, text)), None)
    if remedy is None:
        remedy = _UNREACHABLE if isinstance(error, psycopg.OperationalError) else ""
    return f"PostgreSQL at {_place(parameters)}: {what}: {text} {remedy}".strip()


def _place(parameters: dict[str, str]) -> str:
    sources = (
        ("host", "PGHOST", "the default host"),
        ("port", "PGPORT", "5432"),
        ("dbname", "PGDATABASE", "the default"),
        ("user", "PGUSER", "the default"),
    )
    shown = [parameters.get(key) or os.environ.get(name, default) for key, name, default in sources]
    service = parameters.get("service") or os.environ.get("PGSERVICE")
    place = f"{shown[0]}, port {shown[1]}, database {shown[2]}, user {shown[3]}"
    return f"service {service} ({place})" if service else place


def _secrets(parameters: dict[str, str]) -> list[str]:
    values = [parameters.get(key) for key in ("password", "sslpassword")]
    values.append(os.environ.get("PGPASSWORD"))
    known = {
        form for value in values if value for form in (value, quote(value, safe=""), unquote(value))
    }
    return sorted(known, key=len, reverse=True)
