"""Opening a store: an SQLite file or a PostgreSQL schema, made or brought up to date where needed.

A new SQLite file is made whole under another name and then given its own, so nobody ever sees half a
store. On PostgreSQL all tables live in the schema `pg95`, and migrations wait for each other.
"""

import os
import sqlite3
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import sqlalchemy as sa

from analyzer import __version__
from analyzer.errors import StoreError
from analyzer.history import tables
from analyzer.history.migrations import REVISIONS

SCHEMA = "pg95"
_APPLICATION_ID = 0x70673935  # "pg95", in the head of the file
_APPLICATION_ID_AT = slice(68, 72)
_HEAD = 100
_MAGIC = b"SQLite format 3\0"
_BUSY_MS = 60_000
_CACHE_KIB = 65_536  # with SQLite's own 2 MiB, a night's rows go to the file several times over
_MIGRATION_LOCK = 0x7067393501
_POSTGRES = ("postgresql://", "postgres://")
_FORMAT = "pg95 history"


def is_server(where: str) -> bool:
    """Whether a store's name is the address of a PostgreSQL server."""
    return where.startswith(_POSTGRES)


def default_path() -> Path:
    """Where the store is if nobody says: the user's data folder."""
    import platformdirs  # noqa: PLC0415 - only runs that are not told where need it

    return platformdirs.user_data_path("pg95") / "history.db"


def shown(where: str) -> str:
    """A store's name as it may be shown: without a password."""
    if not is_server(where):
        return where
    try:
        return sa.make_url(where).render_as_string(hide_password=True)
    except sa.exc.ArgumentError:
        return "the PostgreSQL address given"


def open_engine(where: str, *, make: bool = True) -> sa.Engine:
    """The engine of a store that is there and up to date.

    Raises:
        StoreError: what is there is no store, a newer one, or out of reach; or nothing is there,
            and `make` is False.
    """
    with telling(where):
        if not is_server(where):
            _provide_file(Path(where), make=make)
        engine = _postgres(where) if is_server(where) else _sqlite(Path(where))
        try:
            _bring_up_to_date(engine, where, make=make)
        except BaseException:
            engine.dispose()
            raise
        return engine


def _provide_file(path: Path, *, make: bool) -> None:
    try:
        if make and not path.exists():
            _make_file(path)
        _check_file(path)
    except OSError as error:
        raise StoreError(f"history {path}: {error.strerror or error}") from error


@contextmanager
def telling(where: str) -> Iterator[None]:
    """Tell what the database says in a sentence, as StoreError."""
    try:
        yield
    except (sa.exc.SQLAlchemyError, sqlite3.Error) as error:
        cause = getattr(error, "orig", None) or error
        said = " ".join(str(cause).split())
        if "locked" in said or "lock timeout" in said:
            said = f"another pg95 has been writing for {_BUSY_MS // 1000} s; try again later"
        elif "malformed" in said or "not a database" in said:
            said += "; the file is damaged: move it away, or give another --history"
        raise StoreError(f"history {shown(where)}: {said}") from error


def _make_file(path: Path) -> None:
    """A new store at `path`, mode 0600, in a folder that is made with 0700 if it is not there."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(prefix=f".{path.name}-", dir=path.parent)  # mode 0600
    os.close(handle)
    made = Path(name)
    try:
        raw = sqlite3.connect(made)
        raw.execute("PRAGMA auto_vacuum = INCREMENTAL")
        raw.execute(f"PRAGMA application_id = {_APPLICATION_ID}")
        raw.execute("PRAGMA journal_mode = WAL")
        raw.close()
        engine = _sqlite(made)
        _bring_up_to_date(engine, str(path))
        engine.dispose()
        _give_name(made, path)
    finally:
        made.unlink(missing_ok=True)


def _give_name(made: Path, path: Path) -> None:
    """Name a finished file `path`, unless another process was faster."""
    try:
        os.link(made, path)
    except FileExistsError:
        return
    except OSError:  # a file system without links
        made.rename(path)


def _check_file(path: Path) -> None:
    remedy = "give another --history (pg95 makes the file itself)"
    if not path.exists():
        raise _absent(str(path))
    if not path.is_file():
        raise StoreError(f"history {path}: is no file; {remedy}")
    with path.open("rb") as file:
        head = file.read(_HEAD)
    number = int.from_bytes(head[_APPLICATION_ID_AT], "big")
    if head[: len(_MAGIC)] != _MAGIC or number != _APPLICATION_ID:
        raise StoreError(f"history {path}: is not a history of pg95; {remedy}")


def _sqlite(path: Path) -> sa.Engine:
    engine = sa.create_engine(
        sa.URL.create("sqlite+pysqlite", database=str(path)),
        connect_args={"timeout": _BUSY_MS / 1000},
    )

    @sa.event.listens_for(engine, "connect")
    def connected(raw: sqlite3.Connection, _record: object) -> None:
        raw.isolation_level = None  # the driver begins nothing: `begun` does
        raw.execute(f"PRAGMA cache_size = -{_CACHE_KIB}")
        raw.execute("PRAGMA synchronous = FULL")  # what was committed survives a power cut

    @sa.event.listens_for(engine, "begin")
    def begun(connection: sa.Connection) -> None:
        writes = connection.get_execution_options().get("writes")
        connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")

    return engine


def _postgres(where: str) -> sa.Engine:
    try:
        url = sa.make_url(where).set(drivername="postgresql+psycopg")
    except sa.exc.ArgumentError as error:
        raise StoreError(
            "history: the PostgreSQL address cannot be read; write postgresql://user@host:5432/database"
        ) from error
    query = {"application_name": "pg95", "connect_timeout": "15"} | dict(url.query)
    engine = sa.create_engine(url.set(query=query))

    @sa.event.listens_for(engine, "connect")
    def connected(raw: sa.engine.interfaces.DBAPIConnection, _record: object) -> None:
        cursor = raw.cursor()
        cursor.execute(f"SET search_path TO {SCHEMA}")
        cursor.execute(f"SET lock_timeout TO {_BUSY_MS}")
        cursor.close()
        raw.commit()

    return engine


def _absent(where: str) -> StoreError:
    return StoreError(
        f"history {shown(where)}: there is none yet; pg95 nightly and pg95 report --save-history write one"
    )


def _bring_up_to_date(engine: sa.Engine, where: str, *, make: bool = True) -> None:
    """Run the migrations that a store lacks, all or none.

    Raises:
        StoreError: a newer pg95 wrote it, or the tables there are not a store's.
    """
    with engine.connect() as connection:
        revision = _revision(connection, where)
    if revision == REVISIONS[-1]:
        return
    if revision is None and not make:
        raise _absent(where)
    with engine.connect().execution_options(writes=True) as connection, connection.begin():
        if engine.dialect.name == "postgresql":
            connection.execute(sa.select(sa.func.pg_advisory_xact_lock(_MIGRATION_LOCK)))
            _make_schema(connection, where)
        if _revision(connection, where) == REVISIONS[-1]:
            return  # another process did it while this one waited
        _migrate(connection)
        _sign(connection)


def _make_schema(connection: sa.Connection, where: str) -> None:
    if connection.scalar(sa.select(sa.func.to_regnamespace(SCHEMA))) is not None:
        return
    try:
        connection.execute(sa.schema.CreateSchema(SCHEMA))
    except sa.exc.ProgrammingError as error:
        raise StoreError(
            f"history {shown(where)}: the role may not make the schema {SCHEMA}. Let the database's owner run: "
            f"CREATE SCHEMA {SCHEMA} AUTHORIZATION <the role>"
        ) from error


def _revision(connection: sa.Connection, where: str) -> str | None:
    """Which step the store is at, None for an empty one."""
    found = set(sa.inspect(connection).get_table_names())
    if not found:
        return None
    if not {"alembic_version", "about"} <= found:
        raise StoreError(
            f"history {shown(where)}: has tables, but not those of a history of pg95; give another --history"
        )
    revision = connection.scalar(sa.text("SELECT version_num FROM alembic_version"))
    if revision not in REVISIONS:
        query = sa.select(tables.about.c.value).where(tables.about.c.name == "pg95")
        raise StoreError(
            f"history {shown(where)}: was written by pg95 {connection.scalar(query)} (store {revision}), and this is "
            f"pg95 {__version__} (store {REVISIONS[-1]}): update pg95, or give another --history"
        )
    return str(revision)


def _migrate(connection: sa.Connection) -> None:
    from alembic import command  # noqa: PLC0415 - a store that is up to date does not need it
    from alembic.config import Config  # noqa: PLC0415 - as above

    config = Config()
    config.set_main_option("script_location", "analyzer.history:migrations")
    config.set_main_option("path_separator", "os")
    config.attributes["connection"] = connection
    command.upgrade(config, "head")


def _sign(connection: sa.Connection) -> None:
    """Note who brought the store to where it is."""
    connection.execute(sa.delete(tables.about))
    signed = {"format": _FORMAT, "pg95": __version__}
    rows = [{"name": name, "value": value} for name, value in signed.items()]
    connection.execute(sa.insert(tables.about), rows)
