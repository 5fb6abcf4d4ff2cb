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
from dataclasses import replace
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import psycopg
from psycopg import pq, sql

from analyzer.model.explain import Answers, Explained, ExplainRequest, Sample
from analyzer.records import record
from analyzer.sources.postgres.connection import SAVEPOINT, Connection, connect, describe
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


class LiveExplainer:
    """Explains on the server of a DSN (None leaves all to libpq's PG* variables)."""

    def __init__(self, dsn: str | None) -> None:
        self._dsn = dsn

    def explain(self, samples: Sequence[Sample], request: ExplainRequest) -> Answers:
        """Explain the samples one after the other, until the budget is used up.

        Raises:
            ServerError: the server cannot be reached, refuses, or the connection is lost.
        """
        ends = time.monotonic() + request.max_seconds
        with connect(self._dsn, own_path=True) as connection:
            visit = _Visit(connection, request.analyze, ends)
            answers = [visit.explained(sample) for sample in samples]
            return Answers(describe(connection), answers)


@record
class _Path:
    """The search path that statements run by: as the setting says it, and its schemas."""

    setting: str
    schemas: Sequence[str]


class _Visit:
    """One session: explains samples until `ends` (of time.monotonic())."""

    def __init__(self, connection: Connection, analyze: bool, ends: float) -> None:  # noqa: FBT001 - private
        connection.rollback()  # what set the limits behind a pooler; each transaction sets its own
        self._connection = connection
        self._analyze = analyze
        self._ends = ends
        self._raw = psycopg.RawCursor(connection)
        with connection.transaction(force_rollback=True):
            row: Any = connection.execute(query("explain_path").encode()).fetchone()
        self._path = _Path(row[0], row[1])

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
        except _STOPPED as error:
            return replace(nothing, why_not=f"the server: {_told(error)}", timed_out=True)
        except psycopg.Error as error:
            if self._connection.closed:
                raise
            return replace(nothing, why_not=f"the server: {_told(error)}")
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
        with self._bounded():
            self._take_path()
            return self._generic_of_prepared(sample.text, count)

    def _generic_of_prepared(self, text: str, count: int) -> dict[str, Any]:
        """Prepare the statement as it stands, and explain its generic plan."""
        connection = self._connection
        name = f"pg95_{uuid4().hex}"
        prepared = connection.pgconn.prepare(name.encode(), text.encode())
        if prepared.status != pq.ExecStatus.COMMAND_OK:
            raise psycopg.errors.error_from_result(prepared)
        execute = sql.SQL("EXECUTE {} ({})").format(
            sql.Identifier(name), sql.SQL(", ").join([sql.NULL] * count)
        )
        try:
            with connection.transaction(SAVEPOINT):
                connection.execute(query("explain_generic").encode())
                return self._explain("", execute.as_string(connection), None)
        finally:  # prepared statements outlive the transaction, and behind a pooler the session
            connection.execute(sql.SQL("DEALLOCATE {}").format(sql.Identifier(name)))

    def _explain(
        self, options: str, text: str, values: Sequence[str | None] | None
    ) -> dict[str, Any]:
        wanted = ", ".join(part for part in (options, "FORMAT JSON") if part)
        # Asking for a binary answer is what makes psycopg use the extended protocol without values, too.
        explain = f"EXPLAIN ({wanted}) /* pg95 */ {text}"
        row: Any = self._raw.execute(explain.encode(), values or None, binary=True).fetchone()
        found: dict[str, Any] = row[0][0]
        return found

    @contextmanager
    def _bounded(self) -> "Iterator[None]":
        """A read-only transaction with timeouts, rolled back at its end."""
        timeout = max(1, min(int(LONGEST_S * 1000), int(self._left_ms())))
        with self._connection.transaction(force_rollback=True):
            self._connection.execute(query("explain_limits").encode(), {"timeout": f"{timeout}ms"})
            yield

    def _take_path(self) -> None:
        """From here on names mean what they mean to the application."""
        self._connection.execute(
            query("explain_search_path").encode(), {"path": self._path.setting}
        )

    def _left_ms(self) -> float:
        return (self._ends - time.monotonic()) * 1000


def _told(error: psycopg.Error) -> str:
    """What the server says where that names things only; other messages may hold values of the data."""
    code = error.sqlstate or ""
    if code in _NAMING and error.diag.message_primary:
        return " ".join(error.diag.message_primary.split())
    return f"{type(error).__name__} ({code or 'no SQLSTATE'})"
