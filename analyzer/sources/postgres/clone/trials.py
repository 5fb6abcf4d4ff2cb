"""Candidates on a clone: real indexes, empty, as large as they would be, seen by the planner or not.

An index is made once. Its table's file is emptied meanwhile (else the build would read all of its pages,
which hold nothing), then both are extended. The planner passes over an index that is not valid: that is
how a set of them is shown and all others are hidden.
"""

import math
import re
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field

import psycopg

from analyzer.model.blueprint import ColumnStatistics
from analyzer.model.catalog import Table
from analyzer.model.index_candidate import IndexCandidate
from analyzer.sources.postgres.clone.building import SchemaBuilder
from analyzer.sources.postgres.clone.catalog import Leaf, leaves, table_files
from analyzer.sources.postgres.clone.files import PAGE_BYTES, empty, extend
from analyzer.sources.postgres.clone.restoring import restore_column
from analyzer.sources.postgres.clone.server import CloneServer
from analyzer.sources.postgres.connection import Connection
from analyzer.sql.index_parts import rows_statement, trial_statement
from analyzer.sql.quoting import quote_table
from analyzer.sql.restorable import NotRestorableError, restorable

SizeOf = Callable[[Table | None, IndexCandidate, float], int | None]
RowsOf = Callable[[str], float]
_NAME = "pg95_candidate_{}"
_ROW_BYTES = 32  # of an index for which there is no formula
_LIMIT_MS = 30_000
# Functions whose results differ where their arguments do, nearly: the column's statistics hold for them.
_KEEPING = re.compile(r"\(*(?:lower|upper|btrim|ltrim|rtrim|trim)\(", re.IGNORECASE)
_KEPT = ("null_frac", "avg_width", "n_distinct")
_SHOW = "UPDATE pg_index SET indisvalid = (indexrelid = ANY(%s::oid[])) WHERE indexrelid = ANY(%s::oid[])"


@dataclass(frozen=True, slots=True)
class Trial:
    """A candidate that was made: its relations and their names in plans, and its size."""

    ids: tuple[int, ...]
    names: tuple[str, ...]
    bytes: int


@dataclass(slots=True)
class Desk:
    """What trials are made with: the server and two sessions, and where statistics are looked up."""

    server: CloneServer
    owner: Connection
    admin: Connection
    builder: SchemaBuilder
    pages: Mapping[int, int]  # of tables, by relation
    tables: Mapping[str, Table]
    columns: Mapping[tuple[str, str, str], ColumnStatistics]
    size_of: SizeOf | None
    rows_of: RowsOf


@dataclass(slots=True)
class Trials:
    """All candidates that were made so far, by their CREATE INDEX."""

    desk: Desk
    made: dict[str, Trial] = field(default_factory=dict)
    refusals: dict[str, str] = field(default_factory=dict)
    _shown: frozenset[int] = frozenset()
    _number: int = 0

    def refused(self, candidate: IndexCandidate) -> str | None:
        """Why a candidate cannot be tried, None if it can (it is made then)."""
        self.make([candidate])
        return self.refusals.get(candidate.sql)

    def make(self, candidates: Collection[IndexCandidate]) -> None:
        """Make those that are not there yet, hidden; what the server refuses is remembered."""
        by_table: dict[str, list[IndexCandidate]] = {}
        for one in candidates:
            if one.sql not in self.made and one.sql not in self.refusals:
                by_table.setdefault(one.table, []).append(one)
        for table, group in by_table.items():
            files = table_files(self.desk.owner, quote_table(table))
            for path in files.values():
                empty(self.desk.server, path)
            try:
                found = {one.sql: self._created(one) for one in group}
            finally:
                for relation, path in files.items():
                    extend(self.desk.server, path, self.desk.pages.get(relation, 0))
            for one in group:
                if parts := found[one.sql]:
                    self.made[one.sql] = self._finished(one, parts)

    def show(self, candidates: Collection[IndexCandidate]) -> None:
        """Let the planner see exactly these candidates, beside what exists."""
        ids = frozenset(number for one in candidates for number in self.made[one.sql].ids)
        changed = ids ^ self._shown
        if changed:
            self.desk.admin.execute(_SHOW, [sorted(ids), sorted(changed)])
            self._shown = ids

    def _created(self, candidate: IndexCandidate) -> list[Leaf]:
        """Make the index on its emptied table; nothing where that is refused."""
        self._number += 1
        name = _NAME.format(self._number)
        try:
            self._prerequisites(candidate)
            text = trial_statement(candidate.sql, name)
            schema = candidate.table.rpartition(".")[0] or "public"
            self.desk.owner.execute(text.encode("utf-8", "surrogateescape"))
            row = self.desk.owner.execute(
                "SELECT c.oid::bigint FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace "
                "WHERE c.relname = %s AND n.nspname = %s",
                [name, schema],
            ).fetchone()
        except NotRestorableError as error:
            self.refusals[candidate.sql] = str(error)
            return []
        except psycopg.Error as error:
            if self.desk.owner.closed:
                raise
            said = " ".join((error.diag.message_primary or str(error)).split())
            self.refusals[candidate.sql] = f"the clone's server: {said}"
            return []
        number = int(row[0]) if row is not None else 0  # type: ignore[call-overload] # bigint
        found = leaves(self.desk.owner, number)
        self.desk.admin.execute(_SHOW, [[], [leaf.id for leaf in found]])
        return found

    def _prerequisites(self, candidate: IndexCandidate) -> None:
        for statement in candidate.prerequisites:
            piece = restorable(statement)
            if piece is None or piece.extension is None:
                raise NotRestorableError("it needs something that a clone does not run")
            if not self.desk.builder.extension(piece.extension, piece.schema):
                raise NotRestorableError(f"the clone's server has no extension {piece.extension}")

    def _finished(self, candidate: IndexCandidate, parts: list[Leaf]) -> Trial:
        """Give an index its size, rows and statistics."""
        predicate = rows_statement(candidate.sql)
        rows = sum(leaf.rows for leaf in parts if leaf.path)
        held = min(rows, self.desk.rows_of(predicate)) if predicate else rows
        size = self._size(candidate, held)
        for leaf in parts:
            if leaf.path is None:
                continue
            share = leaf.rows / rows if rows else 1.0
            pages = math.ceil(size * share / PAGE_BYTES)
            extend(self.desk.server, leaf.path, pages)
            if predicate:  # the planner takes a whole index's rows from its table
                self._count(leaf, pages, held * share)
        self._describe(candidate, parts)
        return Trial(tuple(p.id for p in parts), tuple(p.name for p in parts), size)

    def _size(self, candidate: IndexCandidate, rows: float) -> int:
        size = candidate.bytes
        if size is None and self.desk.size_of is not None:
            size = self.desk.size_of(self.desk.tables.get(candidate.table), candidate, rows)
        return size if size is not None else int(rows * _ROW_BYTES)

    def _count(self, leaf: Leaf, pages: int, rows: float) -> None:
        self.desk.owner.execute(
            "SELECT pg_restore_relation_stats('schemaname', %s::text, 'relname', %s::text, "
            "'relpages', %s::integer, 'reltuples', %s::real)",
            [leaf.schema, leaf.name, pages, rows],
        )

    def _describe(self, candidate: IndexCandidate, parts: list[Leaf]) -> None:
        """An expression's statistics, where its column's hold for it; else the planner guesses."""
        schema, _, table = candidate.table.rpartition(".")
        for number, key in enumerate(candidate.keys, 1):
            if key.expression is None or not _KEEPING.match(key.expression):
                continue
            known = self.desk.columns.get((schema or "public", table, key.column))
            if known is None:
                continue
            values = {name: text for name, text in known.values.items() if name in _KEPT}
            for leaf in parts:
                if leaf.path is not None:
                    statistics = ColumnStatistics(
                        leaf.schema, leaf.name, None, inherited=False, values=values, number=number
                    )
                    restore_column(self.desk.owner, statistics)
