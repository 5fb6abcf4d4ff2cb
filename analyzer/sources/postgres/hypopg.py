"""What-if questions answered by HypoPG: indexes that stand in one session's memory and nowhere else.

The session is read-only. `hypopg_create_index` is a function that notes an index for the planner of
this session; it locks, writes and creates nothing. Statements are explained, never run, each in a
transaction of its own with timeouts.
"""

import json
from collections.abc import Collection, Sequence
from contextlib import ExitStack
from typing import Any
from uuid import uuid4

import psycopg
from psycopg import pq, sql

from analyzer.errors import InputError, ServerError, WhatIfError
from analyzer.model.index_candidate import IndexCandidate
from analyzer.model.plan import Plan, RecordedPlan
from analyzer.model.what_if import PlanEstimate, PlannedStatement
from analyzer.plans.reader import read_plans
from analyzer.records import record
from analyzer.sources.postgres.connection import connect, describe
from analyzer.sources.postgres.explain import told
from analyzer.sources.postgres.planned import ParameterCounts
from analyzer.sources.postgres.sqlfiles import query

_GENERIC_SETTING = 120000  # plan_cache_mode
_OF_HYPOPG = frozenset(["XX000", "0A000", "42704"])  # unsupported method, option, operator class
_PACKAGE = (
    "install it (package postgresql-N-hypopg, then CREATE EXTENSION hypopg in that database, or on "
    "a replica's primary), or use --what-if clone or none"
)


@record
class _Tried:
    """What came of trying an index alone: its size in bytes, or why HypoPG refuses it."""

    bytes: int | None = None
    why_not: str | None = None


@record
class _Made:
    """A hypothetical index of this session: HypoPG's number and name for it."""

    oid: int
    name: str


class HypoPG:
    """A `WhatIf` on the server of a DSN (None leaves all to libpq's PG* variables).

    Hypothetical indexes are kept from one question to the next, and only the difference is made.

    Raises:
        ServerError: the server cannot be used, or HypoPG is not installed in that database.
    """

    method = "hypopg"

    def __init__(self, dsn: str | None) -> None:
        self.calls = 0
        self._stack = ExitStack()
        self._connection = self._stack.enter_context(connect(dsn, own_path=True))
        self._raw = psycopg.RawCursor(self._connection)
        self._tried: dict[str, _Tried] = {}
        self._made: dict[str, _Made] = {}  # by CREATE INDEX
        self._counts = ParameterCounts()
        try:
            self._begin()
            self._schema = self._extension()
        except BaseException:
            self.close()
            raise
        schema = self._schema
        self._create = sql.SQL(
            "SELECT /* pg95 */ made.indexrelid, made.indexname::pg_catalog.text FROM pg_catalog.unnest"
            "(%s::pg_catalog.text[]) WITH ORDINALITY AS q (text, n), {}.hypopg_create_index(q.text) AS made ORDER BY q.n"
        ).format(sql.Identifier(schema))
        self._drop = sql.SQL(
            "SELECT /* pg95 */ {}.hypopg_drop_index(oid) FROM pg_catalog.unnest(%s::pg_catalog.oid[]) AS oid"
        ).format(sql.Identifier(schema))
        self._size = sql.SQL("SELECT /* pg95 */ {}.hypopg_relation_size(%s)").format(
            sql.Identifier(schema)
        )
        self.origin = describe(self._connection)

    def _begin(self) -> None:
        """Bound the session. No transaction stays open between questions: nobody has to wait for it."""
        path = str(self._row(query("explain_path"))[0])
        self._connection.rollback()
        self._connection.autocommit = True
        row = self._connection.execute(query("hypopg_limits").encode(), {"path": path}).fetchone()
        if row is None or row[0] != "on":
            raise ServerError(
                "HypoPG needs a read-only session of its own: name the server itself, not a pooler"
            )

    def _extension(self) -> str:
        row = self._row(query("hypopg"))
        if row[1] is None:
            raise ServerError(f"HypoPG is not installed in database {row[0]}: {_PACKAGE}")
        return str(row[1])

    def _row(self, text: str) -> tuple[Any, ...]:
        found: Any = self._connection.execute(text.encode()).fetchone()
        return tuple(found)

    def close(self) -> None:
        """End the session, and with it every hypothetical index."""
        self._stack.close()

    def refused(self, index: IndexCandidate) -> str | None:
        """Why HypoPG cannot try the index: its method, or what the server says."""
        return self._try(index).why_not

    def size_bytes(self, index: IndexCandidate) -> int | None:
        """HypoPG's estimate (a btree's has no deduplication in it, and so is 2 to 4 times too large)."""
        return self._try(index).bytes

    def estimate(
        self, statement: PlannedStatement, indexes: Collection[IndexCandidate]
    ) -> PlanEstimate:
        """Explain the statement with these indexes, and no other hypothetical ones.

        Raises:
            WhatIfError: the server refuses the statement, or it is none that has a plan.
            ServerError: the connection is lost.
        """
        count = self._parameters(statement)
        names = self._sync(indexes)
        self.calls += 1
        try:
            found = (self._generic if count else self._explain)(statement.sql, count)
        except psycopg.Error as error:
            self._failed(error)
            raise WhatIfError(f"the server: {told(error)}") from None
        except UnicodeError:
            raise WhatIfError("its text is not UTF-8") from None
        root = found["Plan"]
        used = frozenset(names.get(name, name) for name in _index_names(root))
        return PlanEstimate(float(root["Total Cost"]), used, self._plan(found, names))

    def _parameters(self, statement: PlannedStatement) -> int:
        known = self._counts.of(statement)
        version = self._connection.info.server_version
        if known and version < _GENERIC_SETTING:
            raise WhatIfError(
                "the values of its parameters are not known, and before version 12 there is no plan without"
            )
        return known

    def _plan(self, found: dict[str, Any], names: dict[str, str]) -> Plan | None:
        """The tree, its hypothetical indexes under the names of their candidates."""
        _rename(found["Plan"], names)
        recorded = RecordedPlan(json.dumps([found]), "json", self.origin, source=-1)
        try:
            return read_plans(recorded)[0]
        except InputError:  # a node that is not understood: the cost is known all the same
            return None

    def _failed(self, error: psycopg.Error) -> None:
        """After an error: a lost connection is the end, anything else concerns one question."""
        if self._connection.closed:
            raise ServerError(f"{self.origin}: the connection was lost ({told(error)})") from None

    def _try(self, index: IndexCandidate) -> _Tried:
        """Make the index once, alone, to see whether that works and how large it would be."""
        known = self._tried.get(index.sql)
        if known is None:
            try:
                known = self._probe(index)
            except psycopg.Error as error:
                self._failed(error)
                known = _Tried(why_not=f"HypoPG: {_refusal(error)}")
            self._tried[index.sql] = known
        return known

    def _probe(self, index: IndexCandidate) -> _Tried:
        if index.sql in self._made:
            return _Tried(self._measure(self._made[index.sql].oid))
        if index.prerequisites:
            return _Tried(why_not="HypoPG: it needs an extension that is not there yet")
        made = self._make([index.sql])[0]
        self._made[index.sql] = made
        return _Tried(self._measure(made.oid))

    def _measure(self, oid: int) -> int:
        row: Any = self._connection.execute(self._size, [oid]).fetchone()
        return int(row[0])

    def _make(self, texts: Sequence[str]) -> list[_Made]:
        rows: Any = self._connection.execute(self._create, [list(texts)]).fetchall()
        return [_Made(int(oid), name) for oid, name in rows]

    def _sync(self, indexes: Collection[IndexCandidate]) -> dict[str, str]:
        """Make and drop until exactly these stand; their names in plans, with the candidates'.

        Raises:
            WhatIfError: HypoPG refuses one of them.
        """
        wanted = {index.sql: index.name for index in indexes}
        try:
            gone = [text for text in self._made if text not in wanted]
            if gone:
                self._connection.execute(self._drop, [[self._made[text].oid for text in gone]])
                for text in gone:
                    del self._made[text]
            missing = [text for text in wanted if text not in self._made]
            if missing:
                self._made.update(zip(missing, self._make(missing), strict=True))
        except psycopg.Error as error:
            self._failed(error)
            self._forget()
            raise WhatIfError(f"HypoPG: {told(error)}") from None
        return {self._made[text].name: name for text, name in wanted.items()}

    def _forget(self) -> None:
        """Drop whatever HypoPG still has after an error, known here or not."""
        drop = sql.SQL("SELECT /* pg95 */ {}.hypopg_reset()").format(sql.Identifier(self._schema))
        self._connection.execute(drop)
        self._made.clear()

    def _explain(self, text: str, _count: int) -> dict[str, Any]:
        # Asking for a binary answer makes psycopg use the extended protocol, which takes one statement.
        explain = f"EXPLAIN (FORMAT JSON) /* pg95 */ {text}"
        row: Any = self._raw.execute(explain.encode(), None, binary=True).fetchone()
        found: dict[str, Any] = row[0][0]
        return found

    def _generic(self, text: str, count: int) -> dict[str, Any]:
        """The plan for any values: the statement is prepared, its generic plan explained."""
        connection = self._connection
        name = f"pg95_{uuid4().hex}"
        prepared = connection.pgconn.prepare(name.encode(), text.encode())
        if prepared.status != pq.ExecStatus.COMMAND_OK:
            raise psycopg.errors.error_from_result(prepared)
        execute = sql.SQL("EXECUTE {} ({})").format(
            sql.Identifier(name), sql.SQL(", ").join([sql.NULL] * count)
        )
        try:
            return self._explain(execute.as_string(connection), 0)
        finally:
            if not connection.closed:
                connection.execute(sql.SQL("DEALLOCATE {}").format(sql.Identifier(name)))


def _index_names(node: dict[str, Any]) -> list[str]:
    found = [str(node["Index Name"])] if "Index Name" in node else []
    for below in node.get("Plans", ()):
        found += _index_names(below)
    return found


def _rename(node: dict[str, Any], names: dict[str, str]) -> None:
    if "Index Name" in node:
        node["Index Name"] = names.get(node["Index Name"], node["Index Name"])
    for below in node.get("Plans", ()):
        _rename(below, names)


def _refusal(error: psycopg.Error) -> str:
    """Why HypoPG refuses an index; what it says of methods and options names no values."""
    if error.sqlstate in _OF_HYPOPG and error.diag.message_primary:
        said = " ".join(error.diag.message_primary.split())
        return said.removeprefix("hypopg: ")
    return told(error)
