"""Indexes tried on a scratch server that the user names: the only place where pg95 runs DDL.

Two sessions run the statements in turn. One has built the indexes in a transaction that is never committed,
so it alone sees them; the other runs without (scratch_stage.py). At the end, and if anything breaks (an error, Ctrl-C,
a lost connection, the end of the process), that transaction is rolled back, by the server itself if need be, and
nothing was ever there. While it is open, tables with a new index cannot be written to.

Statements are run only if they provably only read, as for EXPLAIN ANALYZE, with timeouts, and in savepoints
that are read-only. What is measured is EXPLAIN ANALYZE's planning and execution time, without its timing of
nodes.
"""

import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from analyzer.errors import ServerError
from analyzer.model.explain import VERIFY_SECONDS
from analyzer.sources.postgres.connection import Connection, connect, describe
from analyzer.sources.postgres.scratch_change import ScratchChange
from analyzer.sources.postgres.scratch_side import Side
from analyzer.sources.postgres.scratch_stage import Memory, ScratchStage
from analyzer.sources.postgres.sqlfiles import query
from analyzer.sources.postgres.use import UseReader
from analyzer.sql.quoting import quote_table

if TYPE_CHECKING:
    from collections.abc import Iterator

_GRACE_S = 60.0  # beyond the time for all of it, that one session may wait for the other
_BEGIN = "BEGIN READ WRITE /* pg95 */"
_ROLLBACK = "ROLLBACK /* pg95 */"


class ScratchBench:
    """A scratch server as a bench (model/verification.py)."""

    def __init__(
        self,
        dsn: str,
        looked_at: str | None,
        announce: Callable[[str], None],
        *,
        live: bool = False,
        max_seconds: float = VERIFY_SECONDS,
        progress: Callable[[str, int, int | None], None] | None = None,
    ) -> None:
        """Look at the server, and refuse it unless it may be built on.

        Args:
            dsn: the scratch server.
            looked_at: --dsn, which must be another server.
            announce: is told what will be done where, before it is.
            live: the server that is looked at is the one of libpq's PG* variables.
            max_seconds: how long may be worked on all stages, from the first on, building included.
            progress: is told what is being done.

        Raises:
            ServerError: it cannot be reached, is the server that is looked at, or cannot be written to.
        """
        self._dsn = dsn
        self._max_seconds = max_seconds
        self._ends: float | None = None  # of time.monotonic(), once there is a stage
        self._memory = Memory()
        self._progress = (lambda text: progress(text, 0, None)) if progress else _quiet
        with connect(dsn) as connection:
            self.origin = describe(connection)
            mine = _identity(connection)
            role: Any = connection.execute(query("role").encode()).fetchone()
        if mine[2]:
            raise ServerError(
                f"--verify {self.origin}: is in recovery (a replica), where nothing can be built; name a "
                "scratch server with data that may be written to"
            )
        if looked_at is not None or live:
            with connect(looked_at) as connection:
                if _identity(connection)[:2] == mine[:2]:
                    raise ServerError(
                        f"--verify {self.origin}: is the server of --dsn, on which nothing is ever built; "
                        "restore a backup of it elsewhere and name that"
                    )
        announce(
            f"--verify: builds indexes in database {role[1]} as role {role[0]} on {self.origin}, in a "
            f"transaction that is rolled back; tables with a new index cannot be written to meanwhile ({max_seconds:.0f} s "
            "at most)"
        )

    def rows(self, tables: Sequence[str]) -> Mapping[str, float | None]:
        """How many rows its tables have by its statistics; None where it has none, missing where there is no such table.

        Raises:
            ServerError: the server is gone.
        """
        named = {quote_table(name): name for name in tables}
        with connect(self._dsn, own_path=True) as connection:
            meant: Any = connection.execute(
                query("trial_names").encode(), {"names": list(named)}
            ).fetchall()
            oids = {oid: named[name] for name, oid in meant if oid is not None}
            Side(connection, _GRACE_S * 1000).take_path("pg_catalog")
            found: Any = connection.execute(
                query("trial_rows").encode(), {"oids": list(oids)}
            ).fetchall()
        return {oids[oid]: rows for oid, rows in found}

    @contextmanager
    def stage(self, indexes: Sequence[str], drops: Sequence[str]) -> "Iterator[ScratchStage]":
        """Build the indexes, and roll all back when the stage is left.

        Raises:
            ServerError: the server is gone.
        """
        if self._ends is None:
            self._ends = time.monotonic() + self._max_seconds
        idle_ms = (self._max_seconds + _GRACE_S) * 1000
        with connect(self._dsn, own_path=True) as building:
            building.execute(_ROLLBACK)
            building.execute(_BEGIN)
            change = ScratchChange(Side(building, idle_ms), self._ends, self._progress)
            change.build(indexes)
            change.try_drops(drops)
            # Not before that: a session must not wait long in a transaction.
            with connect(self._dsn, own_path=True) as plain:
                yield ScratchStage(Side(plain, idle_ms), change, self._memory, self._progress)
            building.execute(_ROLLBACK)


def _identity(connection: Connection) -> tuple[str | None, int | None, bool]:
    """The cluster, when it was started, and whether it is in recovery: the first two tell servers apart."""
    reader = UseReader(connection, [])
    row = reader.row("server")
    return reader.system_identifier(), row["started"], row["in_recovery"]


def _quiet(_text: str) -> None:
    """Tells nobody."""
