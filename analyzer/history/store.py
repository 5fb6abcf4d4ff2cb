"""A store that is open: read it, write it in one transaction, lock it, tidy it up."""

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from types import TracebackType
from typing import Self

import sqlalchemy as sa

from analyzer.history import opening
from analyzer.history.locks import file_lock, server_lock
from analyzer.history.night import Night
from analyzer.history.reading import Reader

_WRITING = 0x7067393502  # an advisory lock of the database
_FREED_PAGES = 100_000  # given back to the file system at a time


class Store:
    """An open history; close it, or use it as a context manager."""

    def __init__(self, where: str, *, make: bool = True) -> None:
        """`where` is a path, or the address of a server (postgresql://user@host/database).

        With `make` one that is not there is made, else it is an error.
        """
        self._where = where
        self._engine = opening.open_engine(where, make=make)

    @property
    def name(self) -> str:
        """Where the store is, as it may be shown."""
        return opening.shown(self._where)

    @contextmanager
    def transaction(self) -> Iterator[Night]:
        """Everything that is written within it is there when it ends well, and nothing of it else.

        Raises:
            StoreError: the database refuses, or another process has been writing for a minute.
        """
        with (
            opening.telling(self._where),
            self._engine.connect().execution_options(writes=True) as connection,
            connection.begin(),
        ):
            if connection.dialect.name == "postgresql":  # as BEGIN IMMEDIATE: one writer at a time
                connection.execute(sa.select(sa.func.pg_advisory_xact_lock(_WRITING)))
            yield Night(connection)

    @contextmanager
    def reading(self) -> Iterator[Reader]:
        """The store as it is at one time: what others write meanwhile is not seen."""
        with opening.telling(self._where), self._engine.connect() as connection:
            if connection.dialect.name == "postgresql":
                connection.execution_options(isolation_level="REPEATABLE READ")
            with connection.begin():
                yield Reader(connection)

    def lock(self) -> AbstractContextManager[None]:
        """Hold the store's lock, so that two nightly jobs never run at once.

        Raises:
            StoreError: another process has it; the message says who.
        """
        if opening.is_server(self._where):
            return server_lock(self._engine, self._where)
        return file_lock(Path(self._where))

    def vacuum(self) -> None:
        """Give what retention freed back to the file system (PostgreSQL does so by itself)."""
        if opening.is_server(self._where):
            return
        with opening.telling(self._where), self._engine.connect() as connection:
            raw = connection.connection.driver_connection
            assert raw is not None  # noqa: S101 - a connection that is open has one
            raw.execute(f"PRAGMA incremental_vacuum({_FREED_PAGES})").fetchall()
            raw.execute("PRAGMA optimize").fetchall()
            raw.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()

    def close(self) -> None:
        """Let go of the database."""
        self._engine.dispose()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()
