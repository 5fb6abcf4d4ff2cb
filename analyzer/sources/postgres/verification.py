"""Indexes tried on a scratch server that the user names: the only place where pg95 runs DDL.

Two sessions run the statements in turn. One has built the indexes in a transaction that is never committed,
so it alone sees them; the other runs without. At the end, and if anything breaks (an error, Ctrl-C, a lost
connection, the end of the process), that transaction is rolled back, by the server itself if need be, and
nothing was ever there. While it is open, tables with a new index cannot be written to.

Statements are run only if they provably only read, as for EXPLAIN ANALYZE, with timeouts, and in savepoints
that are read-only. What is measured is EXPLAIN ANALYZE's planning and execution time, without its timing of
nodes.
"""

import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import psycopg

from analyzer.errors import ServerError
from analyzer.model.explain import Sample
from analyzer.model.verification import BuiltIndex, Measured, Trial
from analyzer.records import record
from analyzer.sources.postgres.connection import Connection, connect, describe
from analyzer.sources.postgres.explain import told
from analyzer.sources.postgres.proof import why_not_read_only
from analyzer.sources.postgres.sqlfiles import query
from analyzer.sources.postgres.use import UseReader
from analyzer.sql.read_only import (
    NotExplainableError,
    NotReadOnlyError,
    names_if_read_only,
    parameter_count,
)
from analyzer.sql.trial_index import NotTriableError, TrialIndex, trial_index

if TYPE_CHECKING:
    from collections.abc import Iterator

ROUNDS = 7
MAX_SECONDS = 600.0
LONGEST_MS = 10_000  # of one execution
_BEGIN = "BEGIN READ WRITE /* pg95 */"
_ROLLBACK = "ROLLBACK /* pg95 */"
_SAVEPOINT = "pg95"
_LEAST_ROUNDS = 3


@record
class _Side:
    """A session with the search path of its role, which pg95's own queries do without."""

    connection: Connection
    path: str
    schemas: Sequence[str]

    @contextmanager
    def reading(self, timeout_ms: float) -> "Iterator[None]":
        """A savepoint that can only read, rolled back at its end."""
        with self.connection.transaction(_SAVEPOINT, force_rollback=True):
            limits = {"timeout": f"{max(1, int(timeout_ms))}ms"}
            self.connection.execute(query("trial_statement").encode(), limits)
            yield

    def take_path(self, path: str | None = None) -> None:
        """From here on names mean what they mean to the application, or by another path."""
        given = {"path": self.path if path is None else path}
        self.connection.execute(query("explain_search_path").encode(), given)


class ScratchBench:
    """A scratch server as a bench (model/verification.py)."""

    def __init__(
        self,
        dsn: str,
        looked_at: str | None,
        announce: Callable[[str], None],
        *,
        live: bool = False,
        max_seconds: float = MAX_SECONDS,
    ) -> None:
        """Look at the server, and refuse it unless it may be built on.

        Args:
            dsn: the scratch server.
            looked_at: --dsn, which must be another server.
            announce: is told what will be done where, before it is.
            live: the server that is looked at is the one of libpq's PG* variables.
            max_seconds: when trials end.

        Raises:
            ServerError: it cannot be reached, is the server that is looked at, or cannot be written to.
        """
        self._dsn = dsn
        self._ends = time.monotonic() + max_seconds
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
            "transaction that is rolled back; tables with a new index cannot be written to meanwhile"
        )

    def time_left(self) -> bool:
        """Whether there is time for another trial."""
        return time.monotonic() < self._ends

    def measure(self, indexes: Sequence[str], samples: Sequence[Sample]) -> Trial:
        """Build the indexes, run the samples by turns without and with them, and roll all back.

        Raises:
            ServerError: the server is gone.
        """
        with connect(self._dsn, own_path=True) as building:
            building.execute(_ROLLBACK)
            building.execute(_BEGIN)
            after = _side(building)
            built, names = self._build(after, indexes)
            # Not before that: a session must not wait long in a transaction.
            with connect(self._dsn, own_path=True) as plain:
                statements = _Statements(_side(plain), after, names, self._ends).measured(samples)
            building.execute(_ROLLBACK)
            return Trial(built, statements)

    def _build(
        self, side: _Side, indexes: Sequence[str]
    ) -> tuple[dict[str, BuiltIndex], dict[str, str]]:
        """Build what can be built: what came of each by its name, and advised names by those on trial."""
        built: dict[str, BuiltIndex] = {}
        names: dict[str, str] = {}
        for number, text in enumerate(indexes):
            try:
                trial = trial_index(text, f"pg95_trial_{number}")
            except NotTriableError as error:
                built[text] = BuiltIndex(text, why_not=str(error))
                continue
            built[trial.name] = self._built(side, trial, f"pg95_trial_{number}")
            names[f"pg95_trial_{number}"] = trial.name
        return built, names

    def _built(self, side: _Side, trial: TrialIndex, name: str) -> BuiltIndex:
        connection = side.connection
        nothing = BuiltIndex(trial.name)
        left_ms = (self._ends - time.monotonic()) * 1000
        if left_ms <= 0:
            return replace(nothing, why_not="there was no time left to build it")
        try:
            reason = _why_not(side, trial.probe)
            if reason is not None:
                return replace(nothing, why_not=f"it is not proved harmless: {reason}")
            with connection.transaction(_SAVEPOINT):
                limits = {"timeout": f"{int(left_ms)}ms"}
                connection.execute(query("trial_limits").encode(), limits)
                side.take_path()
                begun = time.monotonic()
                for extension in trial.extensions:
                    connection.execute(f"/* pg95 */ {extension}".encode())
                connection.execute(f"/* pg95 */ {trial.create}".encode())
                took_ms = (time.monotonic() - begun) * 1000
                if trial.computes:  # statistics of its expressions
                    connection.execute(f"/* pg95 */ ANALYZE {trial.table}".encode())
                side.take_path("pg_catalog")
                row: Any = connection.execute(
                    query("trial_index").encode(), {"name": name}
                ).fetchone()
        except psycopg.Error as error:
            if connection.closed:
                raise
            return replace(nothing, why_not=f"the server: {told(error)}")
        return replace(nothing, bytes=row[0], build_ms=took_ms)


class _Statements:
    """Runs statements by turns in both sessions."""

    def __init__(self, before: _Side, after: _Side, names: Mapping[str, str], ends: float) -> None:
        self._before = before
        self._after = after
        self._names = names
        self._ends = ends

    def measured(self, samples: Sequence[Sample]) -> list[Measured]:
        """The times of each, in the samples' order; those that cannot be run say why."""
        found = {sample.shape_id: Measured(sample.shape_id) for sample in samples}
        ready = []
        for sample in samples:
            why_not = self._refused(sample)
            if why_not is None:
                why_not, used = self._warm(sample)
                found[sample.shape_id] = replace(found[sample.shape_id], used=used)
            if why_not is None:
                ready.append(sample)
            else:
                found[sample.shape_id] = Measured(sample.shape_id, why_not=why_not)
        for number in range(ROUNDS):
            for sample in ready:
                if number >= _LEAST_ROUNDS and time.monotonic() > self._ends:
                    break
                self._pair(sample, found, after_first=number % 2 == 1)
        return list(found.values())

    def _refused(self, sample: Sample) -> str | None:
        try:
            if parameter_count(sample.text) and sample.values is None:
                return "the values of its parameters are not known"
            return _why_not(self._before, sample.text)
        except (NotExplainableError, UnicodeError) as error:
            return str(error)
        except psycopg.Error as error:
            if self._before.connection.closed:
                raise
            return f"the server: {told(error)}"

    def _warm(self, sample: Sample) -> tuple[str | None, frozenset[str]]:
        """Run it once on each side, so that both find the same in memory; gives the new indexes it uses."""
        try:
            self._run(self._before, sample)
            plan = self._plan_after(sample)
        except psycopg.Error as error:
            if self._before.connection.closed or self._after.connection.closed:
                raise
            return f"the server: {told(error)}", frozenset()
        used = {self._names[name] for name in _index_names(plan) if name in self._names}
        return None, frozenset(used)

    def _plan_after(self, sample: Sample) -> dict[str, Any]:
        """The plan with the indexes; where it takes longer than is allowed, which it did not without, unrun."""
        try:
            return self._run(self._after, sample)[1]
        except psycopg.errors.QueryCanceled:
            return self._explained(self._after, sample, "FORMAT JSON")["Plan"]  # type: ignore[no-any-return] # JSON

    def _pair(self, sample: Sample, found: dict[str, Measured], *, after_first: bool) -> None:
        """One more execution on each side; one that a limit ended counts as that long."""
        known = found[sample.shape_id]
        if after_first:
            after, before = self._time(self._after, sample), self._time(self._before, sample)
        else:
            before, after = self._time(self._before, sample), self._time(self._after, sample)
        found[sample.shape_id] = replace(
            known, before_ms=(*known.before_ms, before), after_ms=(*known.after_ms, after)
        )

    def _time(self, side: _Side, sample: Sample) -> float:
        try:
            return self._run(side, sample)[0]
        except psycopg.errors.QueryCanceled:
            return float(LONGEST_MS)

    def _run(self, side: _Side, sample: Sample) -> tuple[float, dict[str, Any]]:
        """Planning and execution time in ms, and the plan."""
        document = self._explained(side, sample, "ANALYZE, TIMING OFF, FORMAT JSON")
        return document["Planning Time"] + document["Execution Time"], document["Plan"]

    def _explained(self, side: _Side, sample: Sample, how: str) -> dict[str, Any]:
        values = sample.values if parameter_count(sample.text) else None
        with side.reading(LONGEST_MS):
            side.take_path()
            explain = f"EXPLAIN ({how}) /* pg95 */ {sample.text}"
            cursor = psycopg.RawCursor(side.connection)
            # As in explain.py: a binary answer makes it the extended protocol, of one statement.
            row: Any = cursor.execute(explain.encode(), values or None, binary=True).fetchone()
        document: dict[str, Any] = row[0][0]
        return document


def _why_not(side: _Side, text: str) -> str | None:
    """Why a statement is not proved to only read; None where it is."""
    try:
        names = names_if_read_only(text)
    except NotReadOnlyError as error:
        return str(error)
    with side.reading(LONGEST_MS):
        side.take_path("pg_catalog")
        return why_not_read_only(side.connection, names, side.schemas)


def _side(connection: Connection) -> _Side:
    row: Any = connection.execute(query("explain_path").encode()).fetchone()
    return _Side(connection, row[0], row[1])


def _identity(connection: Connection) -> tuple[str | None, int | None, bool]:
    """The cluster, when it was started, and whether it is in recovery: the first two tell servers apart."""
    reader = UseReader(connection, [])
    row = reader.row("server")
    return reader.system_identifier(), row["started"], row["in_recovery"]


def _index_names(plan: Mapping[str, Any]) -> set[str]:
    names = {plan["Index Name"]} if "Index Name" in plan else set()
    for child in plan.get("Plans", ()):
        names |= _index_names(child)
    return names
