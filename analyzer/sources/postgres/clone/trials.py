"""Candidates on a clone: real indexes, empty, as large as they would be, seen by the planner or not.

An index is made once. Its table's file is emptied meanwhile (else the build would read all of its pages,
which hold nothing), then both are extended. The planner passes over an index that is being dropped
(indislive is false): that is how a set of them is shown and all others are hidden.
"""

import math
import re
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import field

import psycopg

from analyzer.errors import WhatIfError
from analyzer.model.blueprint import ColumnStatistics
from analyzer.model.catalog import Table
from analyzer.model.index_candidate import IndexCandidate
from analyzer.patterns import regex
from analyzer.records import changing, record
from analyzer.sources.postgres.clone.btree import height, plant
from analyzer.sources.postgres.clone.building import SchemaBuilder
from analyzer.sources.postgres.clone.catalog import (
    Leaf,
    give_files,
    key_bytes,
    leaves,
    relations,
    table_files,
)
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
_KEEPING = regex(r"\(*(?:lower|upper|btrim|ltrim|rtrim|trim)\(", re.IGNORECASE)
_KEPT = ("null_frac", "avg_width", "n_distinct")
_SHOW = (
    "UPDATE pg_index SET indisvalid = (indexrelid = ANY(%s::oid[])), indislive = (indexrelid = ANY(%s::oid[])) "
    "WHERE indexrelid = ANY(%s::oid[])"
)
_COUNT = (
    "SELECT pg_restore_relation_stats('schemaname', %s::text, 'relname', %s::text, "
    "'relpages', %s::integer, 'reltuples', %s::real)"
)
# What a session knows of a table's indexes it reads again when the table's own row was written.
_TOUCH = "UPDATE pg_class SET relhasindex = true WHERE oid = ANY(%s::oid[])"


@record
class Trial:
    """A candidate that was made: its relations and their names in plans, their tables, its size."""

    ids: tuple[int, ...]
    names: tuple[str, ...]
    tables: frozenset[int]
    bytes: int


@changing
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


@changing
class Trials:
    """All candidates that were made so far, by their CREATE INDEX."""

    desk: Desk
    made: dict[str, Trial] = field(default_factory=dict)
    refusals: dict[str, str] = field(default_factory=dict)
    _shown: dict[str, Trial] = field(default_factory=dict)
    _number: int = 0
    _there: frozenset[int] | None = None  # relations before the first candidate

    def refused(self, candidate: IndexCandidate) -> str | None:
        """Why a candidate cannot be tried, None if it can (it is made then)."""
        self.make([candidate])
        return self.refusals.get(candidate.sql)

    def make(self, candidates: Collection[IndexCandidate]) -> None:
        """Make those that are not there yet, hidden; what the server refuses is remembered."""
        by_table: dict[str, list[IndexCandidate]] = {}
        for one in {one.sql: one for one in candidates}.values():
            if one.sql not in self.made and one.sql not in self.refusals:
                by_table.setdefault(one.table, []).append(one)
        for table, group in by_table.items():
            self._make(table, group)

    def show(self, candidates: Collection[IndexCandidate]) -> None:
        """Let the planner see exactly these candidates, beside what exists."""
        wanted = {one.sql: self.made[one.sql] for one in candidates}
        changed = [
            trial
            for one, other in ((wanted, self._shown), (self._shown, wanted))
            for text, trial in one.items()
            if text not in other
        ]
        if changed:
            self._set_shown([trial for trial in changed if trial in wanted.values()], changed)
            self._shown = wanted

    def _set_shown(self, shown: Sequence[Trial], changed: Sequence[Trial]) -> None:
        visible = [number for trial in shown for number in trial.ids]
        every = [number for trial in changed for number in trial.ids]
        tables = sorted({table for trial in changed for table in trial.tables})
        with self.desk.admin.transaction():
            self.desk.admin.execute(_SHOW, [visible, visible, every])
            self.desk.admin.execute(_TOUCH, [tables])

    def _make(self, table: str, group: Sequence[IndexCandidate]) -> None:
        """Make candidates of one table."""
        if self._there is None:
            self._there = frozenset(one.id for one in relations(self.desk.owner))
        held = self._held(group)
        files = table_files(self.desk.owner, quote_table(table))
        for path in files.values():
            empty(self.desk.server, path)
        try:
            names = {
                name: one
                for one in group
                if one.sql in held and (name := self._created(one)) is not None
            }
        finally:
            for relation, path in files.items():
                extend(self.desk.server, path, self.desk.pages.get(relation, 0))
        if not names:
            return
        found = self._leaves(list(names))
        keys = key_bytes(self.desk.admin, [leaf.id for parts in found.values() for leaf in parts])
        trials, planted = {}, {}
        for name, parts in found.items():
            one = names[name]
            trials[one.sql] = trial = self._measured(one, parts, held[one.sql])
            planted.update(self._sized(one, parts, trial.bytes, keys))
            self._describe(one, parts, held[one.sql], trial.bytes)
        give_files(self.desk.admin, planted)
        self._set_shown([], list(trials.values()))
        self.made.update(trials)

    def _leaves(self, names: Sequence[str]) -> dict[str, list[Leaf]]:
        """The relations that were made for candidates.

        A partition that has such an index already gives it to the partitioned one: that index is real and stays.
        """
        real = self._there or frozenset()
        return {
            name: [leaf for leaf in parts if leaf.id not in real]
            for name, parts in leaves(self.desk.owner, names).items()
        }

    def _held(self, group: Sequence[IndexCandidate]) -> dict[str, float | None]:
        """How many rows partial indexes will hold, None for others; asked while the table has its size.

        One whose predicate cannot be planned is refused, and not among them.
        """
        found: dict[str, float | None] = {}
        for one in group:
            try:
                rows = rows_statement(one.sql)
                found[one.sql] = self.desk.rows_of(rows) if rows is not None else None
            except (NotRestorableError, WhatIfError) as error:
                self.refusals[one.sql] = str(error)
        return found

    def _created(self, candidate: IndexCandidate) -> str | None:
        """Make the index on its emptied table; its name, None where that is refused."""
        self._number += 1
        name = _NAME.format(self._number)
        try:
            self._prerequisites(candidate)
            text = trial_statement(candidate.sql, name)
            self.desk.owner.execute(text.encode("utf-8", "surrogateescape"))
        except NotRestorableError as error:
            self.refusals[candidate.sql] = str(error)
        except psycopg.Error as error:
            if self.desk.owner.closed:
                raise
            said = " ".join((error.diag.message_primary or str(error)).split())
            self.refusals[candidate.sql] = f"the clone's server: {said}"
        else:
            return name
        return None

    def _prerequisites(self, candidate: IndexCandidate) -> None:
        for statement in candidate.prerequisites:
            piece = restorable(statement)
            if piece is None or piece.extension is None:
                raise NotRestorableError("it needs something that a clone does not run")
            if not self.desk.builder.extension(piece.extension, piece.schema):
                raise NotRestorableError(f"the clone's server has no extension {piece.extension}")

    def _measured(
        self, candidate: IndexCandidate, parts: Sequence[Leaf], held: float | None
    ) -> Trial:
        """Reckon an index's size; `held` are the rows that its predicate leaves."""
        rows = sum(leaf.rows for leaf in parts if leaf.path)
        return Trial(
            ids=tuple(leaf.id for leaf in parts),
            names=tuple(leaf.name for leaf in parts),
            tables=frozenset(leaf.table for leaf in parts),
            bytes=self._size(candidate, rows if held is None else min(rows, held)),
        )

    def _sized(
        self,
        candidate: IndexCandidate,
        parts: Sequence[Leaf],
        size: int,
        keys: Mapping[int, float],
    ) -> dict[int, int]:
        """Make an index's files as large as it would be; gives the other files of btrees."""
        planted = {}
        for leaf, share in _shares(parts):
            pages = math.ceil(size * share / PAGE_BYTES)
            if candidate.method == "btree":
                levels = height(pages, keys.get(leaf.id, 0.0))
                planted[leaf.id] = plant(self.desk.server, leaf.path or "", levels, pages)
            else:
                extend(self.desk.server, leaf.path or "", pages)
        return planted

    def _size(self, candidate: IndexCandidate, rows: float) -> int:
        size = candidate.bytes
        if size is None and self.desk.size_of is not None:
            size = self.desk.size_of(self.desk.tables.get(candidate.table), candidate, rows)
        return size if size is not None else int(rows * _ROW_BYTES)

    def _describe(
        self, candidate: IndexCandidate, parts: Sequence[Leaf], held: float | None, size: int
    ) -> None:
        """Tell the planner the rows of a partial index, and what is known of an expression's values.

        A whole index's rows it takes from the table. Where a column's statistics do not hold for an
        expression over it, it guesses.
        """
        schema, _, table = candidate.table.rpartition(".")
        known = {
            number: statistics
            for number, key in enumerate(candidate.keys, 1)
            if key.expression is not None
            and _KEEPING.match(key.expression)
            and (statistics := self.desk.columns.get((schema or "public", table, key.column)))
        }
        for leaf, share in _shares(parts):
            if held is not None:
                pages = math.ceil(size * share / PAGE_BYTES)
                self.desk.owner.execute(_COUNT, [leaf.schema, leaf.name, pages, held * share])
            for number, one in known.items():
                values = {name: text for name, text in one.values.items() if name in _KEPT}
                statistics = ColumnStatistics(
                    leaf.schema, leaf.name, None, inherited=False, values=values, number=number
                )
                restore_column(self.desk.owner, statistics)


def _shares(parts: Sequence[Leaf]) -> list[tuple[Leaf, float]]:
    """Indexes that have files, each with its share of the rows."""
    own = [leaf for leaf in parts if leaf.path is not None]
    rows = sum(leaf.rows for leaf in own)
    return [(leaf, leaf.rows / rows if rows else 1.0 / len(own)) for leaf in own]
