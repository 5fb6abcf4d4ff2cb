"""Connections: read-only with timeouts, and errors that help without showing a password."""

import select
import socket
import threading
from collections.abc import Iterator
from typing import Protocol

import psycopg
import pytest

from analyzer.errors import ServerError
from analyzer.sources.postgres.connection import connect, describe, dsn_has_password

SECRET = "s3cr3t-%41-word"  # noqa: S105 - of a scratch role


class Server(Protocol):
    """What these tests use of tests/conftest.py's server."""

    dsn: str
    host: str
    port: int

    def psql(self, sql: str, dsn: str | None = None) -> str: ...

    def create_database(self, name: str) -> str: ...


def refusal(dsn: str) -> str:
    """The message with which connecting fails."""
    with pytest.raises(ServerError) as caught, connect(dsn):
        pass
    return str(caught.value)


@pytest.fixture(scope="module")
def guarded(postgres15: Server) -> str:
    """A role that needs the password SECRET."""
    postgres15.psql(f"CREATE ROLE guarded LOGIN PASSWORD '{SECRET}' IN ROLE password_required")
    return "guarded"


def test_the_session_is_limited(postgres15: Server) -> None:
    shown = {}
    with connect(postgres15.dsn) as connection:
        for name in (
            "application_name",
            "transaction_read_only",
            "default_transaction_read_only",
            "statement_timeout",
            "lock_timeout",
            "idle_in_transaction_session_timeout",
            "search_path",
        ):
            row = connection.execute(f"SHOW {name}".encode()).fetchone()
            assert row is not None
            shown[name] = row[0]
    assert shown == {
        "application_name": "pg95",
        "transaction_read_only": "on",
        "default_transaction_read_only": "on",
        "statement_timeout": "30s",
        "lock_timeout": "2s",
        "idle_in_transaction_session_timeout": "1min",
        "search_path": "pg_catalog",
    }


def test_options_of_the_dsn_stay_and_ours_win(postgres15: Server) -> None:
    dsn = postgres15.dsn + "?options=-c%20work_mem%3D7MB%20-c%20statement_timeout%3D0"
    with connect(dsn) as connection:
        assert connection.execute("SHOW work_mem").fetchone() == ("7MB",)
        assert connection.execute("SHOW statement_timeout").fetchone() == ("30s",)


def test_nothing_can_be_written(postgres15: Server) -> None:
    with (
        pytest.raises(ServerError, match="read-only transaction"),
        connect(postgres15.dsn) as connection,
    ):
        connection.execute("CREATE TABLE public.written (id int)")


def test_environment_variables_are_libpq_s(
    postgres15: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PGHOST", postgres15.host)
    monkeypatch.setenv("PGPORT", str(postgres15.port))
    monkeypatch.setenv("PGUSER", "postgres")
    monkeypatch.setenv("PGDATABASE", "template1")
    with connect(None) as connection:
        assert (
            describe(connection) == f"postgresql://postgres@127.0.0.1:{postgres15.port}/template1"
        )


def test_a_password_is_used_and_not_described(postgres15: Server, guarded: str) -> None:
    dsn = f"host={postgres15.host} port={postgres15.port} user={guarded} dbname=postgres password='{SECRET}'"
    with connect(dsn) as connection:
        assert SECRET not in describe(connection)
        assert describe(connection).endswith("/postgres")


@pytest.mark.parametrize("form", ["uri", "pairs", "variable"])
def test_a_wrong_password_is_never_shown(
    postgres15: Server, guarded: str, form: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    wrong = "wr0ng-p@ss/word"
    place = f"{postgres15.host}:{postgres15.port}"
    dsn = {
        "uri": f"postgresql://{guarded}:wr0ng-p%40ss%2Fword@{place}/postgres",
        "pairs": f"host={postgres15.host} port={postgres15.port} user={guarded} dbname=postgres password={wrong}",
        "variable": f"postgresql://{guarded}@{place}/postgres",
    }[form]
    if form == "variable":
        monkeypatch.setenv("PGPASSWORD", wrong)
    message = refusal(dsn)
    assert "wr0ng" not in message
    assert "p%40ss" not in message
    assert f"127.0.0.1, port {postgres15.port}, database postgres, user guarded" in message
    assert "PGPASSWORD" in message


def test_a_missing_database_is_named(postgres15: Server) -> None:
    message = refusal(postgres15.dsn.rpartition("/")[0] + "/no_such_database")
    assert "no_such_database" in message
    assert "PGDATABASE" in message


def test_a_missing_role_is_named(postgres15: Server) -> None:
    assert "PGUSER" in refusal(f"postgresql://nobody@{postgres15.host}:{postgres15.port}/postgres")


def test_an_unreachable_server_says_what_to_check() -> None:
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        port = closed.getsockname()[1]
        message = refusal(f"postgresql://someone:{SECRET}@127.0.0.1:{port}/shop")
    assert f"127.0.0.1, port {port}, database shop, user someone" in message
    assert "PGHOST" in message
    assert SECRET not in message
    assert "s3cr3t-A-word" not in message


@pytest.mark.parametrize(
    "dsn",
    [
        "postgresql://user:top@secret@host/db",
        "postgresql://user:topsecret@host:port:secret/db",
        "postgresql://user:12/secret@host/db",
        "host=h password=top secret",
        "postgresql://u@h/db?password=topsecret&nonsense=1",
        "postgresql://user:top%zzsecret@host/db",
    ],
)
def test_a_dsn_that_cannot_be_read_is_not_repeated(dsn: str) -> None:
    message = refusal(dsn)
    assert "top" not in message
    assert "secret" not in message
    assert "postgresql://user@host:port/database" in message


@pytest.mark.parametrize(
    ("dsn", "expected"),
    [
        ("postgresql://u:p@h/d", True),
        ("postgresql://u@h/d", False),
        ("host=h password=p", True),
        ("host=h user=u", False),
        ("postgresql://u@h/d?password=x", True),
        ("service=shop", False),
        ("postgresql://u:p@@h/d?nonsense=1", True),
        ("nonsense", False),
    ],
)
def test_passwords_in_dsns_are_noticed(dsn: str, expected: bool) -> None:  # noqa: FBT001 - a case's value
    assert dsn_has_password(dsn) is expected


def test_a_cut_connection_is_an_error_with_its_place(postgres15: Server) -> None:
    with pytest.raises(ServerError, match=rf"port {postgres15.port}.*terminat"):
        cut_off(postgres15)


def cut_off(server: Server) -> None:
    with connect(server.dsn) as connection:
        server.psql(f"SELECT pg_terminate_backend({connection.info.backend_pid}, 5000)")
        connection.execute("SELECT 1")


@pytest.fixture
def pooler(postgres15: Server) -> Iterator[int]:
    """A port that refuses sessions with `options`, as PgBouncer does, and passes others on."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        stop = threading.Event()
        thread = threading.Thread(
            target=serve, args=(listener, (postgres15.host, postgres15.port), stop)
        )
        thread.start()
        yield listener.getsockname()[1]
        stop.set()
        thread.join()


def serve(listener: socket.socket, server: tuple[str, int], stop: threading.Event) -> None:
    while not stop.is_set():
        if not select.select([listener], [], [], 0.05)[0]:
            continue
        client, _ = listener.accept()
        with client:
            startup = client.recv(65536)
            if b"options\0" in startup:
                fields = b"SFATAL\0C08P01\0Munsupported startup parameter: options\0\0"
                client.sendall(b"E" + (len(fields) + 4).to_bytes(4, "big") + fields)
                continue
            with socket.create_connection(server) as upstream:
                upstream.sendall(startup)
                forward(client, upstream)


def forward(client: socket.socket, upstream: socket.socket) -> None:
    while True:
        for ready in select.select([client, upstream], [], [])[0]:
            data = ready.recv(65536)
            if not data:
                return
            (upstream if ready is client else client).sendall(data)


def test_behind_a_pooler_the_transaction_is_limited(postgres15: Server, pooler: int) -> None:
    dsn = f"postgresql://postgres@127.0.0.1:{pooler}/postgres?sslmode=disable&gssencmode=disable"
    with connect(dsn) as connection:
        assert connection.execute("SHOW transaction_read_only").fetchone() == ("on",)
        assert connection.execute("SHOW statement_timeout").fetchone() == ("30s",)
        assert connection.execute("SHOW search_path").fetchone() == ("pg_catalog",)
        connection.rollback()
        assert connection.execute("SHOW statement_timeout").fetchone() == ("0",)
    assert postgres15.psql("SHOW statement_timeout") == "0"


def test_text_that_is_no_utf8_is_still_read(postgres15: Server) -> None:
    postgres15.psql(
        "DROP DATABASE IF EXISTS ascii_only;"
        "CREATE DATABASE ascii_only ENCODING 'SQL_ASCII' TEMPLATE template0 LC_COLLATE 'C' LC_CTYPE 'C'"
    )
    dsn = postgres15.dsn.rpartition("/")[0] + "/ascii_only"
    with psycopg.connect(dsn, autocommit=True) as writer:
        # Its text would keep others from reading pg_stat_statements, or the log.
        writer.execute("SET pg_stat_statements.track = 'none'")
        writer.execute("SET log_min_duration_statement = -1")
        writer.execute(b"CREATE TABLE caf\xe9 (id int)")
    with connect(dsn) as connection:
        row = connection.execute(
            "SELECT relname FROM pg_class WHERE relname LIKE 'caf%'"
        ).fetchone()
    assert row == ("caf\ufffd",)
