"""Sequences of migrations that do the same without the danger, as files to put into the project."""

import re

from analyzer.model.catalog import Column
from analyzer.model.migration import ReadyFile
from analyzer.patterns import regex
from analyzer.prisma.words import column_sql, quoted, quoted_table
from analyzer.sql.definitions import Name

_NAME = regex(r"(\d{14})_?(.*)")
_OTHER = regex(r"[^a-z0-9]+")
_BATCH = 10_000
_VALUE = "NULL /* instead of NULL, what rows are to have that were there before */"


class SafeSteps:
    """Files in place of a migration, for one of its tables. Their names sort after one another."""

    def __init__(self, migration: str, table: Name) -> None:
        self._migration = migration
        self._table = quoted_table(table)
        self._bare = table.name

    def required_column(self, column: Column) -> tuple[ReadyFile, ...]:
        """Nullable, filled, then NOT NULL."""
        loose = Column(column.name, column.type, nullable=True)
        return (
            self._file(1, f"add_{column.name}", f"ALTER TABLE {self._table} ADD COLUMN {column_sql(loose)};"),
            self._file(2, f"fill_{column.name}", self._fill(column.name, _VALUE)),
            *self._required(3, column.name),
        )  # fmt: skip

    def not_null(self, column: str) -> tuple[ReadyFile, ...]:
        """Filled, then NOT NULL by way of a check that is validated without blocking."""
        filled = self._file(1, f"fill_{column}", self._fill(column, _VALUE))
        return (filled, *self._required(2, column))

    def rename(self, old: Column, new: Column) -> tuple[ReadyFile, ...]:
        """One rename; the application's old version asks for the old name until it is gone."""
        sql = f"ALTER TABLE {self._table} RENAME COLUMN {quoted(old.name)} TO {quoted(new.name)};"
        note = (
            f'-- Without a moment in which the old application fails: keep the column, and write\n--   … @map("{old.name}")\n'
            "-- behind the field in schema.prisma; then there is nothing to migrate.\n"
        )
        return (self._file(1, f"rename_{old.name}", note + sql),)

    def new_type(self, column: str, new: str) -> tuple[ReadyFile, ...]:
        """A second column, filled in portions, then put in the first one's place."""
        other = f"{column}_new"
        swap = "\n".join(
            (
                f"ALTER TABLE {self._table} RENAME COLUMN {quoted(column)} TO {quoted(f'{column}_old')};",
                f"ALTER TABLE {self._table} RENAME COLUMN {quoted(other)} TO {quoted(column)};",
                f"-- later, when nothing needs it: ALTER TABLE {self._table} DROP COLUMN {quoted(f'{column}_old')};",
            )
        )
        return (
            self._file(1, f"add_{other}", f"ALTER TABLE {self._table} ADD COLUMN {quoted(other)} {new};\n"
                       "-- from here on the application writes both columns"),
            self._file(2, f"fill_{other}", self._fill(other, f"{quoted(column)}::{new}")),
            self._file(3, f"swap_{column}", swap),
        )  # fmt: skip

    def _required(self, number: int, column: str) -> tuple[ReadyFile, ...]:
        """NOT NULL without a long lock: a check that is not valid yet, validated, then taken over (12+)."""
        check = quoted(f"{self._bare}_{column}_not_null")
        return (
            self._file(number, f"check_{column}",
                       f"ALTER TABLE {self._table} ADD CONSTRAINT {check} CHECK ({quoted(column)} IS NOT NULL) NOT VALID;"),
            self._file(number + 1, f"validate_{column}", f"ALTER TABLE {self._table} VALIDATE CONSTRAINT {check};"),
            self._file(number + 2, f"require_{column}",
                       f"ALTER TABLE {self._table} ALTER COLUMN {quoted(column)} SET NOT NULL;\n"
                       f"ALTER TABLE {self._table} DROP CONSTRAINT {check};"),
        )  # fmt: skip

    def _fill(self, column: str, value: str) -> str:
        """An UPDATE in portions: a migration is one transaction, so the loop is run outside of it."""
        return (
            f"-- {_BATCH:,} rows at a time: run it again until it says UPDATE 0, outside of a migration where the\n"  # noqa: S608 - for people
            "-- table is large: each portion is a transaction of its own then, and vacuum keeps up.\n"
            f"UPDATE {self._table} SET {quoted(column)} = {value}\n"
            f"WHERE ctid = ANY(ARRAY(SELECT ctid FROM {self._table} WHERE {quoted(column)} IS NULL LIMIT {_BATCH}));"
        )

    def _file(self, number: int, what: str, sql: str) -> ReadyFile:
        return ready_file(self._migration, number, what, sql)

    @staticmethod
    def alone(migration: str, statement: str) -> tuple[ReadyFile, ...]:
        """The statement in a migration of its own."""
        return (ready_file(migration, 1, "concurrently", f"{statement.rstrip(';')};"),)

    @staticmethod
    def concurrent_index(migration: str, statement: str, name: str | None) -> tuple[ReadyFile, ...]:
        """CREATE INDEX CONCURRENTLY, alone in its migration."""
        made = re.sub(
            r"\bINDEX\b", "INDEX CONCURRENTLY", statement.rstrip(";"), count=1, flags=re.IGNORECASE
        )
        note = (
            "-- If it fails it leaves an invalid index, to be dropped before the next try:\n"
            f"-- DROP INDEX CONCURRENTLY IF EXISTS {quoted(name)};\n"
            if name
            else ""
        )
        return (ready_file(migration, 1, "index_concurrently", f"{note}{made};"),)


def ready_file(migration: str, number: int, what: str, sql: str) -> ReadyFile:
    """A migration's file whose name sorts after `migration`, `number` seconds later."""
    found = _NAME.match(migration)
    stamp = str(int(found[1]) + number) if found else f"{migration}_{number}"
    name = _OTHER.sub("_", what.lower()).strip("_")
    return ReadyFile(f"{stamp}_{name}/migration.sql", f"{sql}\n")
