"""Sequences for what is dropped, as files: first so that both versions of the application run, later for good."""

from collections.abc import Iterator

from analyzer.model.catalog import Catalog, table_name
from analyzer.model.migration import ReadyFile
from analyzer.prisma.safe_steps import ready_file
from analyzer.prisma.words import quoted, quoted_table
from analyzer.sql.definitions import AlterTable, DropColumn, DropTable, Name, Step

_ENDING = "_dropped"
_LONGEST = 63  # bytes of a name
_WAIT = "SET LOCAL lock_timeout = '5s'; -- rather try again than have everybody wait behind this"


def drop_files(migration: str, step: Step | None, before: Catalog) -> tuple[ReadyFile, ...]:
    """Two migrations in place of a statement that drops columns or a table, and nothing else.

    None where one statement does more, or drops several tables, a key's column or a table that nobody knows.
    """
    if step is None or not step.definitions:
        return ()
    first = step.definitions[0]
    if isinstance(first, DropTable) and len(step.definitions) == 1:
        return _table(migration, step, first.name, before)
    return _columns(migration, step, before)


def _columns(migration: str, step: Step, before: Catalog) -> tuple[ReadyFile, ...]:
    """Values are no longer required, then the application without the fields goes out, then the columns go."""
    names = list(_dropped(step))
    table = names and before.table(table_name(*names[0][0]))
    if not table or len(names) != len(step.definitions):
        return ()
    columns = [column for _, column in names]
    if not set(columns).isdisjoint(table.primary_key):
        return ()
    last = f"{_WAIT}\n{step.text.rstrip('; ')};"
    required = [
        one
        for one in columns
        if (known := table.column(one)) and not known.nullable and not known.default
    ]
    if not required:
        note = "-- A release after the one whose schema.prisma has the field no more, when no old one runs.\n"
        return (ready_file(migration, 1, f"drop_{columns[0]}", note + last),)
    loose = "".join(
        f"\nALTER TABLE {quoted_table(names[0][0])} ALTER COLUMN {quoted(one)} DROP NOT NULL;"
        for one in required
    )
    return (
        ready_file(migration, 1, f"allow_no_{columns[0]}",
                   f"-- Before the release whose schema.prisma has the field no more: it writes rows without it.{loose}"),
        ready_file(migration, 2, f"drop_{columns[0]}", f"-- A release later, when no old one runs.\n{last}"),
    )  # fmt: skip


def _dropped(step: Step) -> Iterator[tuple[Name, str]]:
    """The columns that a statement drops, with their table."""
    for one in step.definitions:
        if isinstance(one, AlterTable) and isinstance(one.change, DropColumn):
            yield one.table, one.change.name


def _table(migration: str, step: Step, name: Name, before: Catalog) -> tuple[ReadyFile, ...]:
    """Another name, under which nothing asks for it, and which can be taken back; then it goes."""
    if before.table(table_name(*name)) is None:
        return ()
    kept = name.name.encode()[: _LONGEST - len(_ENDING)].decode(errors="ignore") + _ENDING
    other = Name(name.schema, kept)
    cascade = " CASCADE" if "CASCADE" in step.text.upper().split('"')[-1] else ""
    back = f"ALTER TABLE {quoted_table(other)} RENAME TO {quoted(name.name)};"
    return (
        ready_file(migration, 1, f"set_{name.name}_aside",
                   f"-- What still asks for the table fails from here on, and this mends it at once: {back}\n"
                   f"{_WAIT}\nALTER TABLE {quoted_table(name)} RENAME TO {quoted(kept)};"),
        ready_file(migration, 2, f"drop_{kept}",
                   f"-- A release later, when nothing asked for it.\n{_WAIT}\nDROP TABLE {quoted_table(other)}{cascade};"),
    )  # fmt: skip
