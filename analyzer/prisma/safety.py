"""What may go wrong with a migration: Prisma's own traps, and what is known of the data.

Beside squawk, which knows the locks of every statement, these need the tables as they were before, or
a server's statistics: whether a column holds NULLs, a table is large here, an index can be made again by
Prisma. Where both say the same thing of a statement, the one that knows the data stands.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import field

from analyzer.model.catalog import Catalog, Column, Table, table_name
from analyzer.model.migration import Danger, LintFinding, ReadyFile
from analyzer.prisma import words
from analyzer.prisma.safe_drops import drop_files
from analyzer.prisma.safe_rest import safe_form, unique_index, without
from analyzer.prisma.safe_steps import SafeSteps
from analyzer.prisma.type_changes import type_change, unfit
from analyzer.records import record
from analyzer.sql.definitions import (
    AddColumn,
    AlterTable,
    CreateIndex,
    CreateTable,
    DropColumn,
    DropIndex,
    Name,
    RenameColumn,
    SetNullable,
    SetType,
    Step,
)
from analyzer.sql.prisma_index import beyond, index_line, is_column
from analyzer.sql.quoting import quote_table

_LARGE_BYTES = 100 * 2**20
_LARGE_ROWS = 500_000
_SEVERITIES = {"high": 0, "medium": 1, "low": 2}


@record
class Situation:
    """A migration by name, with its statements, the tables before it, and what it makes itself.

    `values` are what a server's statistics hold of columns (table, column) whose types change; they are data, and only
    counted.
    """

    name: str
    steps: Sequence[Step]
    before: Catalog
    values: Mapping[tuple[str, str], Sequence[str]] = field(default_factory=dict)

    def table(self, name: Name) -> Table | None:
        """The table as it was before."""
        return self.before.table(table_name(name.schema, name.name))

    def made_here(self, name: Name) -> bool:
        """Whether the migration itself creates the table: nobody waits for it then."""
        return any(
            isinstance(definition, CreateTable) and definition.name.name == name.name
            for step in self.steps
            for definition in step.definitions
        )


def dangers(situation: Situation) -> list[Danger]:
    """What may go wrong, worst first."""
    found = [danger for check in _CHECKS for danger in check(situation)]
    return sorted(found, key=lambda one: (_SEVERITIES[one.severity], one.line))


def changed_types(steps: Sequence[Step]) -> list[tuple[str, str]]:
    """The columns (table, column) whose types some statements change."""
    return [
        (table_name(alter.table.schema, alter.table.name), alter.change.column)
        for step in steps
        for alter in step.definitions
        if isinstance(alter, AlterTable) and isinstance(alter.change, SetType)
    ]


def linted(found: Iterable[LintFinding], situation: Situation) -> list[Danger]:
    """What squawk found, in our words, with files that do the same safely where there are some."""
    steps = {step.line: step for step in situation.steps}
    return [
        Danger(
            situation.name,
            one.rule,
            "high" if one.rule in _BREAKS else "medium",
            one.line,
            None,
            one.message.partition(". ")[0].rstrip("."),
            one.help or _ADVICE.get(one.rule, one.message),
            safe=_files(one.rule, situation, steps.get(one.line)),
            source="squawk",
        )
        for one in found
    ]


def _files(rule: str, situation: Situation, step: Step | None) -> tuple[ReadyFile, ...]:
    if rule in _ADVICE:
        return drop_files(situation.name, step, situation.before)
    return safe_form(rule, situation.name, step)


def without_repeats(
    own: Sequence[Danger], others: Iterable[Danger], situation: Situation
) -> list[Danger]:
    """Both together: of squawk's what says the same of a line, or is of a table made here, is left out."""
    others = list(others)
    said = {(one.line, rule) for one in (*own, *others) for rule in _SAME.get(one.rule, ())}
    lines = {
        step.line
        for step in situation.steps
        for definition in step.definitions
        if isinstance(definition, AlterTable | CreateIndex)
        and situation.made_here(definition.table)
    }
    kept = [one for one in others if (one.line, one.rule) not in said and one.line not in lines]
    kept = [one for one in kept if not _is_small(one, situation)]
    return sorted([*own, *kept], key=lambda one: (_SEVERITIES[one.severity], one.line))


# Rules of squawk that say of a statement what one of ours says with more knowledge.
_SAME: Mapping[str, tuple[str, ...]] = {
    "required-column": ("adding-required-field", "adding-not-nullable-field"),
    "not-null-fails": ("adding-not-nullable-field",),
    # of squawk's own
    "adding-foreign-key-constraint": ("constraint-missing-not-valid",),
    "rename-as-drop": ("ban-drop-column", "adding-required-field"),
    "drops-handmade-index": ("require-concurrent-index-deletion",),
    "concurrently-in-transaction": ("ban-concurrent-index-creation-in-transaction",),
    "blocking-index": ("require-concurrent-index-creation",),
    "unique-over-duplicates": ("require-concurrent-index-creation",),
}
# What to do, of rules that do not say it.
_LATER = "deploy the application that no longer asks for it first, and drop it in a later release"
_ADVICE: Mapping[str, str] = {"ban-drop-column": _LATER, "ban-drop-table": _LATER}
# Rules of squawk about what loses data or fails.
_BREAKS = frozenset(
    {
        "ban-drop-column",
        "ban-drop-table",
        "ban-drop-database",
        "ban-truncate-cascade",
        "syntax-error",
    }
)
# Rules of squawk that matter on large tables only.
_BY_SIZE = frozenset(
    {
        "require-concurrent-index-creation",
        "require-concurrent-index-deletion",
        "adding-not-nullable-field",
        "adding-foreign-key-constraint",
        "constraint-missing-not-valid",
    }
)


def _is_small(one: Danger, situation: Situation) -> bool:
    """Whether a lock is held for no time worth a word, as the table is known to be small."""
    if one.rule not in _BY_SIZE:
        return False
    step = next((step for step in situation.steps if step.line == one.line), None)
    tables = [
        situation.table(definition.table)
        for definition in (step.definitions if step else ())
        if isinstance(definition, AlterTable | CreateIndex)
    ]
    known = [table for table in tables if table is not None and table.rows is not None]
    return bool(known) and not any(_is_large(table) for table in known)


def _is_large(table: Table) -> bool:
    return (table.bytes or 0) >= _LARGE_BYTES or (table.rows or 0) >= _LARGE_ROWS


def _size(table: Table | None) -> str:
    """What is known of a table's size, in words."""
    if table is None or table.rows is None:
        return ""
    size = f", {table.bytes / 2**20:,.0f} MB" if table.bytes is not None else ""
    return f"{table.name} has about {table.rows:,} rows{size}"


def _alterations(situation: Situation) -> Iterator[tuple[Step, AlterTable]]:
    for step in situation.steps:
        for definition in step.definitions:
            if isinstance(definition, AlterTable) and not situation.made_here(definition.table):
                yield step, definition


def _required_columns(situation: Situation) -> Iterator[Danger]:
    renamed = {(step.line, new.name) for step, _, _, new in _drop_and_add(situation)}
    for step, alter in _alterations(situation):
        change = alter.change
        if not isinstance(change, AddColumn) or (step.line, change.column.name) in renamed:
            continue
        column, table = change.column, situation.table(alter.table)
        if column.nullable or column.default or (table is not None and table.rows == 0):
            continue
        yield Danger(
            situation.name, "required-column", "high", step.line, alter.table.name,
            f"{column.name} is required and has no default",
            "the migration fails where the table has a row, and stays failed until it is resolved",
            _size(table),
            SafeSteps(situation.name, alter.table).required_column(column),
        )  # fmt: skip


def _drop_and_add(situation: Situation) -> Iterator[tuple[Step, AlterTable, Column, Column]]:
    """Columns that are dropped while one of the same type is added: a rename, as Prisma writes it."""
    for _, alter in _alterations(situation):
        if not isinstance(alter.change, DropColumn):
            continue
        table = situation.table(alter.table)
        old = table.column(alter.change.name) if table is not None else None
        for added, other in _alterations(situation):
            new = other.change.column if isinstance(other.change, AddColumn) else None
            if old and new and other.table == alter.table and new.type == old.type:
                yield added, alter, old, new


def _renames(situation: Situation) -> Iterator[Danger]:
    for step, alter, old, new in _drop_and_add(situation):
        yield Danger(
            situation.name, "rename-as-drop", "high", step.line, alter.table.name,
            f"{old.name} is dropped and {new.name} of the same type is added",
            "if that is a rename, every value of the column is lost: Prisma cannot know it and writes both",
            _size(situation.table(alter.table)),
            SafeSteps(situation.name, alter.table).rename(old, new),
        )  # fmt: skip


def _nulls(situation: Situation) -> Iterator[Danger]:
    for step, alter in _alterations(situation):
        change = alter.change
        if not isinstance(change, SetNullable) or change.nullable:
            continue
        table = situation.table(alter.table)
        column = table.column(change.column) if table is not None else None
        share = column.null_fraction if column is not None else None
        if share == 0 and table is not None and not _is_large(table):
            continue
        known = f"{share:.1%} of its rows have NULL by the statistics" if share else ""
        yield Danger(
            situation.name, "not-null-fails", "high" if share else "medium", step.line, alter.table.name,
            f"{change.column} becomes NOT NULL",
            "it fails where a row has NULL" if share
            else "it fails where a row has NULL, and reads the whole table under an exclusive lock",
            "; ".join(part for part in (known, _size(table)) if part),
            SafeSteps(situation.name, alter.table).not_null(change.column),
        )  # fmt: skip


def _types(situation: Situation) -> Iterator[Danger]:
    for step, alter in _alterations(situation):
        if not isinstance(alter.change, SetType):
            continue
        table = situation.table(alter.table)
        column = table.column(alter.change.column) if table is not None else None
        change = type_change(column.type if column else None, alter.change.type)
        if change is None:
            continue
        small = table is not None and table.rows is not None and not _is_large(table)
        if small and not change.may_fail:
            continue
        old = column.type if column else "its type"
        told, fits = (
            _values_told(situation, table, alter.change) if change.may_fail else ("", False)
        )
        yield Danger(
            situation.name, "type-change", "high" if change.may_fail and not fits else "medium", step.line,
            alter.table.name, f"{alter.change.column} changes from {old} to {alter.change.type}",
            change.why, "; ".join(part for part in (told, _size(table)) if part),
            SafeSteps(situation.name, alter.table).new_type(alter.change.column, alter.change.type),
        )  # fmt: skip


def _values_told(situation: Situation, table: Table | None, change: SetType) -> tuple[str, bool]:
    """What the values in statistics say of a change of type, and whether all of them fit."""
    values = situation.values.get((table.name, change.column)) if table is not None else None
    labels = situation.before.enums.get(change.type.replace('"', ""), ())
    bad = unfit(values, change.type, labels) if values else None
    if values is None or bad is None:
        return "", False
    if bad:
        return f"{bad} of {len(values)} values that statistics hold do not fit", False
    return f"all {len(values)} values that statistics hold fit; they are a sample", True


def _renamed_columns(situation: Situation) -> Iterator[Danger]:
    for step, alter in _alterations(situation):
        if isinstance(alter.change, RenameColumn):
            yield Danger(
                situation.name, "renaming-column", "medium", step.line, alter.table.name,
                f"{alter.change.old} becomes {alter.change.new}",
                "the application that runs while it is deployed still asks for the old name: keep the name in the "
                f'database and write {alter.change.new} … @map("{alter.change.old}") in schema.prisma instead',
                safe=(without(situation.name, situation.steps, step,
                      f'in schema.prisma: {alter.change.new} … @map("{alter.change.old}"), and the column keeps its name'),),
            )  # fmt: skip


def _handmade(situation: Situation) -> Iterator[Danger]:
    known = {index.name: (table, index) for table in situation.before for index in table.indexes}
    for step in situation.steps:
        for definition in step.definitions:
            if not isinstance(definition, DropIndex) or definition.name.name not in known:
                continue
            table, index = known[definition.name.name]
            made = [*beyond(index), *(["a condition"] if index.predicate else [])]
            if not made:
                continue
            fields = {column.name: column.field or column.name for column in table.columns}
            keep = f"declare it in schema.prisma, and no migration drops it: {index_line(index, fields)}"
            if not all(map(is_column, index.columns)):
                keep = "Prisma cannot declare an expression: take the line out of the migration"
            yield Danger(
                situation.name, "drops-handmade-index", "high", step.line, table.name,
                f"{index.name} is dropped, and it was made by hand ({' and '.join(made)})",
                f"Prisma drops what its schema does not say. To keep it, take the line out, and {keep}",
                words.index_sql(table.name, index),
                (without(situation.name, situation.steps, step, keep),),
            )  # fmt: skip


def _concurrently(situation: Situation) -> Iterator[Danger]:
    several = len(situation.steps) > 1
    for step in situation.steps:
        if step.concurrently and several:
            yield Danger(
                situation.name, "concurrently-in-transaction", "high", step.line, None,
                "CONCURRENTLY beside other statements",
                "Prisma sends a file as one text, which PostgreSQL runs as one transaction: CONCURRENTLY is refused "
                "there. Alone in its migration it works",
                safe=(
                    without(situation.name, situation.steps, step, "the statement with CONCURRENTLY has a migration of its own"),
                    *SafeSteps.alone(situation.name, step.text),
                ),
            )  # fmt: skip


def _indexes(situation: Situation) -> Iterator[Danger]:
    for step in situation.steps:
        for definition in step.definitions:
            if not isinstance(definition, CreateIndex) or situation.made_here(definition.table):
                continue
            table, index = situation.table(definition.table), definition.index
            if index.unique:
                yield from _unique(situation, step, definition, table)
            if step.concurrently or table is None or table.rows is None or not _is_large(table):
                continue
            yield Danger(
                situation.name, "blocking-index", "medium", step.line, table.name,
                f"{index.name or 'an index'} is built while nobody can write to {table.name}",
                "CREATE INDEX holds off every write until it is done; CONCURRENTLY does not, alone in its migration",
                _size(table),
                SafeSteps.concurrent_index(situation.name, step.text, index.name),
            )  # fmt: skip


def _unique(
    situation: Situation, step: Step, definition: CreateIndex, table: Table | None
) -> Iterator[Danger]:
    """A unique index over what is known to have duplicates, or may have."""
    columns = definition.index.columns
    column = table.column(columns[0]) if table is not None and len(columns) == 1 else None
    if table is None or column is None or column.distinct is None or not table.rows:
        return
    values = column.distinct if column.distinct > 0 else -column.distinct * table.rows
    rows = table.rows * (1 - (column.null_fraction or 0.0))
    if values >= rows * 0.99:  # n_distinct is an estimate from a sample
        return
    name = words.quoted(column.name)
    yield Danger(
        situation.name, "unique-over-duplicates", "high", step.line, table.name,
        f"{column.name} is to be unique and has duplicates by the statistics",
        f"the index cannot be built. They are: SELECT {name}, count(*) FROM {quote_table(table.name)} "  # noqa: S608 - for people
        f"GROUP BY {name} HAVING count(*) > 1;",
        f"about {values:,.0f} values in {rows:,.0f} rows",
        unique_index(situation.name, step, quote_table(table.name), column.name),
    )  # fmt: skip


_CHECKS: Sequence[Callable[[Situation], Iterator[Danger]]] = (
    _required_columns,
    _renames,
    _nulls,
    _types,
    _renamed_columns,
    _handmade,
    _concurrently,
    _indexes,
)
