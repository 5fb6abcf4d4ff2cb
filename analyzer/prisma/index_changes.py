"""Index advice as a change of a Prisma project: `@@index` lines, and a migration for each statement.

What Prisma makes of each kind of index is in analyzer/sql/prisma_index.py. A migration has one statement:
Prisma sends a file as one text, which PostgreSQL runs as one transaction, and CONCURRENTLY cannot run in one.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from analyzer.model.catalog import Catalog, Index, Table
from analyzer.model.schema_change import LeftOut, NewMigration, ProjectChange, SchemaEdit
from analyzer.prisma.index_drift import same_index
from analyzer.prisma.migration_names import MigrationNames
from analyzer.records import record
from analyzer.sql.index_statement import index_made
from analyzer.sql.prisma_index import (
    PARTIAL_INDEXES,
    Declaration,
    as_prisma_reads,
    declaration,
    default_name,
)
from analyzer.sql.quoting import comment, quote_identifier

_ALONE = "-- One statement to a file: CONCURRENTLY cannot run in the transaction that several would share.\n"
_PARTITIONED = (
    "the table is partitioned, which a schema does not tell Prisma: run the statements by hand, or each in a "
    "migration of its own"
)
_FAILED = (
    "-- If it fails: DROP INDEX CONCURRENTLY IF EXISTS {name}; then\n"
    "-- npx prisma migrate resolve --rolled-back {migration}, and deploy again.\n"
)


@record
class _Made:
    """An index to create: its statement and those before it, and what the catalog would have of it."""

    entry: Mapping[str, Any]
    before: tuple[str, ...]
    statement: str
    index: Index


class IndexChanges:
    """Collects the change.

    Args:
        schema: what schema.prisma says.
        migrations: the names of the migrations that exist.
        now: when the first new one is made, UTC.
        taken: names of indexes in the database.
    """

    def __init__(
        self, schema: Catalog, migrations: Sequence[str], now: datetime, taken: Collection[str] = ()
    ) -> None:
        self._schema = schema
        self._names = MigrationNames(migrations, now)
        self._taken = {index.name for table in schema for index in table.indexes} | {*taken}
        self._partial = PARTIAL_INDEXES in (schema.previews or ())
        self._edits: list[SchemaEdit] = []
        self._migrations: list[NewMigration] = []
        self._left_out: list[LeftOut] = []
        self._notes: list[str] = []

    def of(self, advice: Mapping[str, Any]) -> ProjectChange:
        """The change that is a document's advice (`indexes` of report.json): what is created comes first."""
        for entry in advice["create"]:
            self._create(entry)
        for entry in advice["drop"]:
            reason = self._drop(entry)
            if reason:
                self._left_out.append(LeftOut(entry["sql"], reason))
        return ProjectChange(
            tuple(self._edits), tuple(self._migrations), tuple(self._left_out), tuple(self._notes)
        )

    def _create(self, entry: Mapping[str, Any]) -> None:
        if entry.get("fill_in"):
            self._left_out.append(LeftOut(entry["sql"], entry["fill_in"]))
            return
        if " ON ONLY " in entry["sql"]:
            self._left_out.append(LeftOut(entry["sql"], _PARTITIONED))
            return
        made = _read(entry)
        table = self._schema.table(entry["table"])
        why_not = (
            "pg95 does not read its own statement"
            if made is None
            else self._unmanaged(table, entry["table"])
        )
        if made is None or table is None or why_not:
            self._left_out.append(LeftOut(entry["sql"], why_not or ""))
            return
        unknown = [c for c in _columns(made.index) if table.column(c) is None]
        there = next((one for one in table.indexes if same_index(one, made.index)), None)
        if unknown:
            why_not = f"model {table.model} has no field for {', '.join(unknown)}: `pg95 schema` shows the drift"
        elif there is not None:
            why_not = f"the schema declares it already ({there.name}): let `npx prisma migrate deploy` make it"
        if why_not:
            self._left_out.append(LeftOut(entry["sql"], why_not))
            return
        self._declare(made, table)

    def _declare(self, made: _Made, table: Table) -> None:
        """The line for the schema, and the migrations."""
        fields = {column.name: column.field or column.name for column in table.columns}
        declared = declaration(made.index, fields, partial=self._partial)
        name = made.index.name or ""
        if declared.line is not None:
            usual = default_name(table.name.rpartition(".")[2], made.index.columns, "_idx")
            free = not declared.beyond and usual not in self._taken
            if free:  # as Prisma itself names it: the line needs no map
                name = usual
                declared = declaration(
                    replace(made.index, name=None), fields, partial=self._partial
                )
            self._edits.append(
                SchemaEdit(
                    table.model or "",
                    table.name,
                    declared.line,
                    replace(as_prisma_reads(made.index), name=name),
                )
            )
        self._taken.add(name)
        self._note(name, declared)
        for statement in made.before:
            self._migration(
                "add_extension", f"-- For the index {comment(name)}.\n{statement}\n", name
            )
        old = f"INDEX CONCURRENTLY {quote_identifier(made.index.name or '')} ON "
        new = f"INDEX CONCURRENTLY {quote_identifier(name)} ON "
        why = (
            f"-- {comment(made.entry['rule'])}; verified by {comment(made.entry['verified_by'])}.\n"
        )
        why += "".join(f"-- {comment(line)}\n" for line in made.entry.get("settings") or ())
        self._statement(f"add_{name}", why, made.statement.replace(old, new, 1), name, table)

    def _note(self, name: str, declared: Declaration) -> None:
        if declared.line is None:
            self._notes.append(f"{name}: {declared.why_not}")
        elif "where: raw(" in declared.line:
            self._notes.append(
                f"{name}: to `prisma migrate dev` of Prisma 7.4 to 7.10 every declared partial index is new again "
                "(its own, too): take the repeated CREATE INDEX out of what it writes"
            )
        elif declared.beyond:
            self._notes.append(
                f"{name}: of {' and '.join(declared.beyond)} the declaration says nothing; with its name and columns "
                "it keeps `prisma migrate` from dropping the index. A database made by `prisma db push`, which "
                "runs no migration, gets a plain index of these columns instead"
            )

    def _drop(self, entry: Mapping[str, Any]) -> str | None:
        """Take an index away; or why that is left out."""
        table, name = self._schema.table(entry["table"]), entry["index"]
        if entry.get("action", "drop") != "drop":
            return f"to be reviewed first: {entry['risk']}"
        why_not = self._unmanaged(table, entry["table"])
        if table is None or why_not:
            return why_not
        declared = next((one for one in table.indexes if one.name == name), None)
        if declared is not None and declared.unique:
            return "the schema declares it unique, which the client's findUnique and upsert go by: decide by hand"
        reason = f"-- {comment(entry['reason'])}\n"
        if (
            entry["kind"] == "invalid" and declared is not None
        ):  # it is wanted, and was never finished
            self._statement(f"drop_invalid_{name}", reason, entry["sql"], name, table)
            if entry.get("rollback"):
                self._statement(f"build_{name}", reason, entry["rollback"], name, table)
            return None
        if declared is None:  # made by hand: not every database has it
            sql = entry["sql"].replace("INDEX CONCURRENTLY ", "INDEX CONCURRENTLY IF EXISTS ", 1)
            self._statement(f"drop_{name}", reason, sql, name, table)
            return None
        self._edits.append(SchemaEdit(table.model or "", table.name, removed=name))
        self._statement(f"drop_{name}", reason, entry["sql"], name, table)
        return None

    def _unmanaged(self, table: Table | None, name: str) -> str | None:
        """Why a table's indexes are not Prisma's to migrate."""
        if table is None:
            return f"no model of the schema is {name}: Prisma's migrations do not know the table"
        if table.model is None:
            return (
                f"{name} is the table of an implicit many-to-many relation: its indexes cannot be declared, and the "
                "next migration would drop this one. Make the relation explicit (a model of its own) first"
            )
        return None if table.kind == "table" else f"{name} is a view"

    def _statement(self, what: str, why: str, sql: str, index: str, table: Table) -> None:
        name = self._names.next(what)
        failed = _FAILED.format(name=comment(_qualified(index, table)), migration=name)
        self._add(name, f"{why}{_ALONE}{failed}{sql}\n", index)

    def _migration(self, what: str, sql: str, index: str) -> None:
        self._add(self._names.next(what), sql, index)

    def _add(self, name: str, sql: str, index: str) -> None:
        self._migrations.append(NewMigration(name, sql, index))


def _qualified(index: str, table: Table) -> str:
    """An index's name in the schema of its table, where it always is."""
    schema = table.name.rpartition(".")[0]
    name = quote_identifier(index)
    return f"{quote_identifier(schema)}.{name}" if schema else name


def _columns(index: Index) -> Iterator[str]:
    """The keys and carried columns that are columns by name."""
    yield from (key for key in as_prisma_reads(index).columns)


def _read(entry: Mapping[str, Any]) -> _Made | None:
    *before, statement = str(entry["sql"]).splitlines() or [""]
    index = index_made(statement)
    return _Made(entry, tuple(before), statement, index) if index is not None else None


def misread(before: Catalog, after: Catalog, edits: Sequence[SchemaEdit]) -> str | None:
    """What the edited schema says beside the intended change, None where it says exactly that."""
    if set(before.tables) != set(after.tables):
        return "other tables"
    for name, table in before.tables.items():
        mine = [edit for edit in edits if edit.table == name]
        gone = {edit.removed for edit in mine if edit.removed}
        wanted = [index for index in table.indexes if index.name not in gone]
        wanted += [edit.index for edit in mine if edit.index is not None]
        read = after.tables[name]
        if sorted(map(repr, wanted)) != sorted(map(repr, read.indexes)):
            return f"other indexes of {name}"
        if replace(read, indexes=()) != replace(table, indexes=()):
            return f"something else of {name}"
    return None
