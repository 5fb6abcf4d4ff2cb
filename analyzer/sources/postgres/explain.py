"""EXPLAIN on a live server, of statements that somebody else wrote.

A statement's text is untrusted. It is sent by the extended protocol, in which the server takes a single
statement only, and after pglast found exactly one that has a plan; nothing but EXPLAIN is put before it.
Each is explained in a read-only transaction of its own, with timeouts, which is rolled back. It is run
(ANALYZE) only where its syntax tree and the server's catalog prove that it reads and does nothing else.
"""

import json
import time
from collections.abc import Callable, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import psycopg
from psycopg import sql

from analyzer.model.explain import Answers, Explained, ExplainRequest, Sample
from analyzer.sources.postgres.connection import RESTART, Connection, connect, describe
from analyzer.sources.postgres.proof import why_not_read_only
from analyzer.sources.postgres.sqlfiles import query
from analyzer.sql.read_only import (
    NotExplainableError,
    NotReadOnlyError,
    names_if_read_only,
    parameter_count,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

_Way = Callable[[Sample, int], dict[str, Any]]
LONGEST_S = 10.0  # of one statement, however much of the budget is left
_LEAST_MS = 10  # with less left of the budget there is no use to begin
_GENERIC_SETTING = 120000  # plan_cache_mode
_OVER = "the budget (--max-seconds) was used up before"
# undefined table, column, function, schema; no privilege; read-only transaction; timeouts
_NAMING = frozenset(["42P01", "42703", "42883", "3F000", "42501", "25006", "57014", "55P03"])
_STOPPED = (psycopg.errors.QueryCanceled, psycopg.errors.LockNotAvailable)
_CONFLICT = (
    "the replica cancelled it, as it stood in the way of what the primary sent (a vacuum, a lock): try again "
    "at a quieter time, or set hot_standby_feedback = on or a longer max_standby_streaming_delay there"
)
_LOST = "the connection was lost before: "


class LiveExplainer:
    """Explains on the server of a DSN (None leaves all to libpq's PG* variables)."""

    def __init__(self, dsn: str | None) -> None:
        self._dsn = dsn

    def explain(self, samples: Sequence[Sample], request: ExplainRequest) -> Answers:
        """Explain the samples one after the other, until the budget is used up or the connection is lost.

        Raises:
            ServerError: the server cannot be reached, or refuses.
        """
        ends = time.monotonic() + request.max_seconds
        with connect(self._dsn, own_path=True) as connection:
            origin = describe(connection)
            visit = _Visit(connection, request.analyze, ends)
            answers: list[Explained] = []
            lost: str | None = None
            for sample in samples:
                if lost is None:
                    try:
                        answers.append(visit.explained(sample))
                        continue
                    except psycopg.OperationalError as error:
                        if not connection.closed:
                            raise
                        lost = _LOST + told(error)
                answers.append(Explained(sample.shape_id, why_not=lost))
            return Answers(origin, answers)


@dataclass(frozen=True, slots=True)
class _Path:
    """The search path that statements run by: as the setting says it, and its schemas."""

    setting: str
    schemas: Sequence[str]


class _Visit:
    """One session: explains samples until `ends` (of time.monotonic())."""

    def __init__(self, connection: Connection, analyze: bool, ends: float) -> None:  # noqa: FBT001 - private
        self._connection = connection
        self._analyze = analyze
        self._ends = ends
        self._raw = psycopg.RawCursor(connection)
        connection.execute(RESTART)  # behind a pooler a limit of every session is another path
        row: Any = connection.execute(query("explain_path").encode()).fetchone()
        self._path = _Path(row[0], row[1])
        self._standby = bool(row[2])

    def explained(self, sample: Sample) -> Explained:
        """What comes of one sample; what the server refuses is an answer as well."""
        nothing = Explained(sample.shape_id)
        try:
            count = parameter_count(sample.text)
        except NotExplainableError as error:
            return replace(nothing, why_not=str(error))
        why_not, timed_out = None, False
        if self._analyze:
            done = self._attempt(sample, self._run_read_only, count)
            if done.document is not None:
                return done
            why_not, timed_out = done.why_not, done.timed_out
        generic = count > 0 and sample.values is None
        done = self._attempt(sample, self._generic if generic else self._plain, count)
        if done.document is None:
            return done
        return replace(done, why_not=why_not, timed_out=timed_out)

    def _attempt(self, sample: Sample, way: _Way, count: int) -> Explained:
        """Take one way to a plan; gives why there is none where that fails."""
        nothing = Explained(sample.shape_id)
        if self._left_ms() < _LEAST_MS:
            return replace(nothing, why_not=_OVER, timed_out=True)
        try:
            found = way(sample, count)
        except (NotExplainableError, NotReadOnlyError) as error:
            return replace(nothing, why_not=str(error))
        except psycopg.Error as error:
            if self._connection.closed:
                raise
            stopped = isinstance(error, _STOPPED)
            return replace(nothing, why_not=self._why_not(error), timed_out=stopped)
        except UnicodeError:
            return replace(nothing, why_not="its text is not UTF-8")
        document = json.dumps([{"Query Text": sample.text, **found}])
        return replace(nothing, document=document, analyzed=way == self._run_read_only)

    def _run_read_only(self, sample: Sample, count: int) -> dict[str, Any]:
        """EXPLAIN ANALYZE, if it is proved that the statement only reads."""
        names = names_if_read_only(sample.text)
        if count and sample.values is None:
            raise NotReadOnlyError("the values of its parameters are not known")
        with self._bounded():
            reason = why_not_read_only(self._connection, names, self._path.schemas)
            if reason is not None:
                raise NotReadOnlyError(reason)
            self._take_path()
            return self._explain("ANALYZE, BUFFERS", sample.text, sample.values)

    def _plain(self, sample: Sample, count: int) -> dict[str, Any]:
        with self._bounded():
            self._take_path()
            return self._explain("", sample.text, sample.values if count else None)

    def _generic(self, sample: Sample, count: int) -> dict[str, Any]:
        """The plan for values that are not known.

        EXPLAIN (GENERIC_PLAN) of version 16 would need the simple protocol, which takes several
        statements: the extended one asks for the values.
        """
        if self._connection.info.server_version < _GENERIC_SETTING:
            raise NotExplainableError(
                "the values of its parameters are not known, and before version 12 there is no plan without"
            )
        name = sql.Identifier(f"pg95_{uuid4().hex}")
        prepared = False
        try:
            with self._bounded():
                self._take_path()
                self._prepare(name, sample.text)
                prepared = True
                self._connection.execute(query("explain_generic").encode())
                values = sql.SQL(", ").join([sql.NULL] * count)
                execute = sql.SQL("EXECUTE {} ({})").format(name, values)
                return self._explain("", execute.as_string(self._connection), None)
        finally:
            # Prepared statements outlive the transaction, and behind a pooler the session; the
            # transaction that _bounded chained on keeps the pooler at the same server.
            if prepared and not self._connection.closed:
                self._connection.execute(sql.SQL("DEALLOCATE {} /* pg95 */").format(name))

    def _prepare(self, name: sql.Identifier, text: str) -> None:
        """Prepare a statement as it stands: its generic plan can be asked for then.

        By SQL's PREPARE: a pooler may give the protocol's prepared statements names of its own.
        """
        named = name.as_string(self._connection)
        self._raw.execute(f"PREPARE {named} AS /* pg95 */ {text}".encode(), binary=True)

    def _explain(
        self, options: str, text: str, values: Sequence[str | None] | None
    ) -> dict[str, Any]:
        wanted = ", ".join(part for part in (options, "FORMAT JSON") if part)
        # Asking for a binary answer is what makes psycopg use the extended protocol without values, too.
        explain = f"EXPLAIN ({wanted}) /* pg95 */ {text}"
        row: Any = self._raw.execute(explain.encode(), values or None, binary=True).fetchone()
        found: dict[str, Any] = row[0][0]
        return found

    def _why_not(self, error: psycopg.Error) -> str:
        """What the server answered instead of a plan."""
        if self._standby and isinstance(error, psycopg.errors.SerializationFailure):
            return _CONFLICT
        return f"the server: {told(error)}"

    @contextmanager
    def _bounded(self) -> "Iterator[None]":
        """A read-only transaction with timeouts, rolled back at its end."""
        timeout = max(1, min(int(LONGEST_S * 1000), int(self._left_ms())))
        try:
            self._connection.execute(query("explain_limits").encode(), {"timeout": f"{timeout}ms"})
            yield
        finally:
            if not self._connection.closed:
                self._connection.execute(RESTART)

    def _take_path(self) -> None:
        """From here on names mean what they mean to the application."""
        self._connection.execute(
            query("explain_search_path").encode(), {"path": self._path.setting}
        )

    def _left_ms(self) -> float:
        return (self._ends - time.monotonic()) * 1000


def told(error: psycopg.Error) -> str:
    """What the server says where that names things only; other messages may hold values of the data."""
    code = error.sqlstate or ""
    if code in _NAMING and error.diag.message_primary:
        return " ".join(error.diag.message_primary.split())
    return f"{type(error).__name__} ({code or 'no SQLSTATE'})"
