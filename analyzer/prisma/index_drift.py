"""Indexes of one table: those of schema.prisma against those of the database.

An index in the database that Prisma's schema cannot say in full (hnsw, INCLUDE, an expression) is in
order where a declaration of its name and columns keeps `prisma migrate` from dropping it.
"""

from collections.abc import Iterator

from analyzer.model.catalog import Index, Table
from analyzer.model.drift import Difference
from analyzer.prisma import words
from analyzer.sql.expressions import same_expression
from analyzer.sql.prisma_index import as_prisma_reads, beyond, declaration, index_line

_TRUTH = "the schema says so, and a migration brings it to every database alike"
_UNKNOWN = "?"


def index_differences(
    wanted: Table, there: Table, *, partial: bool, migrated: Table | None = None
) -> Iterator[Difference]:
    """Indexes missing, extra, different or named otherwise; primary keys are left out.

    `partial` tells whether the schema can declare partial indexes (preview feature `partialIndexes`),
    `migrated` is the table as the project's migrations make it: what Prisma cannot declare is in order where it is there.
    """
    mine = [index for index in wanted.indexes if not index.primary]
    left = [index for index in there.indexes if not index.primary]
    pairs, mine = _paired(mine, left)
    for index, found in pairs:
        yield from _between(wanted, index, found)
    for index in mine:
        yield Difference(
            "index", "missing", wanted.name, index.name, words.index_sql(wanted.name, index), None,
            "database", "sql", words.index_sql(wanted.name, index), _TRUTH,
            "it locks writers while it is built: on a large table CREATE INDEX CONCURRENTLY, alone in its migration",
        )  # fmt: skip
    for index in left:
        if not _by_migration(wanted, index, migrated, partial=partial):
            yield _extra(wanted, index, partial=partial)


def _paired(mine: list[Index], left: list[Index]) -> tuple[list[tuple[Index, Index]], list[Index]]:
    """Indexes of both sides that belong together: by name first, then by what they are.

    What is paired is taken out of `left`; also gives those of `mine` that found no partner.
    """
    pairs: list[tuple[Index, Index]] = []
    for agree in (_same_name, same_index):
        unpaired = []
        for index in mine:
            found = next((one for one in left if agree(index, one)), None)
            if found is None:
                unpaired.append(index)
            else:
                left.remove(found)
                pairs.append((index, found))
        mine = unpaired
    return pairs, mine


def _same_name(one: Index, other: Index) -> bool:
    return one.name is not None and one.name == other.name


def same_index(one: Index, other: Index) -> bool:
    """Whether two indexes are the same but for their names."""
    return (
        (one.unique, one.method, one.columns, one.include)
        == (other.unique, other.method, other.columns, other.include)
        and _filled(one.descending, one, fill=False) == _filled(other.descending, other, fill=False)
        and _same_classes(one, other)
        and _same_predicate(one.predicate, other.predicate)
    )


def _filled(flags: tuple[bool, ...], index: Index, *, fill: bool) -> tuple[bool, ...]:
    return flags or (fill,) * len(index.columns)


def _same_classes(one: Index, other: Index) -> bool:
    """Equal, or one is left out: the schema may write the default class that a server leaves out."""
    pairs = zip(
        one.operator_classes or (None,) * len(one.columns),
        other.operator_classes or (None,) * len(other.columns),
        strict=False,
    )
    return all(mine == theirs or (theirs is None and _is_default(mine)) for mine, theirs in pairs)


def _is_default(operator_class: str | None) -> bool:
    """Whether an operator class is its type's default by its name: inet_ops, not jsonb_path_ops."""
    name = (operator_class or "").removesuffix("_ops")
    return bool(name) and "_" not in name and name != "inet"


def _same_predicate(one: str | None, other: str | None) -> bool:
    if one is None or other is None:
        return one is other
    return _UNKNOWN in (one, other) or same_expression(one, other)


def _between(table: Table, wanted: Index, there: Index) -> Iterator[Difference]:
    """What differs in a pair; nothing where a declaration stands for what Prisma cannot say."""
    if not there.valid:
        yield _invalid(table, there)
    if same_index(wanted, there):
        if wanted.name and there.name and wanted.name != there.name:
            yield _renamed(table, wanted, there)
        return
    if beyond(there) and same_index(wanted, as_prisma_reads(there)):
        return
    drop = f"DROP INDEX {words.quoted(there.name or '?')};\n"
    yield Difference(
        "index", "different", table.name, there.name,
        words.index_sql(table.name, wanted), words.index_sql(table.name, there),
        "database", "sql", drop + words.index_sql(table.name, wanted), _TRUTH,
        "statements lack the index between the two: build the new one under another name first if that matters",
    )  # fmt: skip


def _renamed(table: Table, wanted: Index, there: Index) -> Difference:
    return Difference(
        "index", "different", table.name, there.name, f"named {wanted.name}", f"named {there.name}",
        "schema", "prisma",
        f"model {table.model or table.name}: {index_line(there, _fields(table))}",
        "only the name differs: the schema can say it with map, and nothing in the database changes",
    )  # fmt: skip


def _invalid(table: Table, index: Index) -> Difference:
    name = words.quoted(index.name or "?")
    return Difference(
        "index", "different", table.name, index.name, "valid", "invalid",
        "database", "sql", f"DROP INDEX CONCURRENTLY {name};\n{words.index_sql(table.name, index)}",
        "a CREATE INDEX CONCURRENTLY failed: the index costs every write and serves no statement",
        unseen="Prisma does not look whether an index is valid",
    )  # fmt: skip


def _extra(table: Table, index: Index, *, partial: bool) -> Difference:
    """An index that only the database has: declared, so that no migration drops it unasked."""
    sql = words.index_sql(table.name, index)
    declared = declaration(index, _fields(table), partial=partial)
    if declared.line is None:
        return Difference(
            "index", "extra", table.name, index.name, None, sql, "schema", "sql", sql,
            f"keep this statement in a migration (written by hand, marked as applied with `npx prisma migrate "
            f"resolve --applied`), so that every database has the index: {declared.why_not}",
            unseen=f"Prisma's own comparison passes over indexes with {declared.beyond[0]}",
        )  # fmt: skip
    line = f"model {table.model or table.name}: {declared.line}"
    why = "the schema does not know it, so the next migration would drop it"
    if declared.beyond:
        why += f"; of {' and '.join(declared.beyond)} the declaration says nothing, but it keeps the index"
    idle = "no scan of it was counted since the statistics began: " if index.scans == 0 else ""
    shown = "Prisma's own comparison shows it without INCLUDE" if index.include else None
    return Difference(
        "index", "extra", table.name, index.name, None, sql, "schema", "prisma", line, why,
        f"{idle}if nobody needs it, let a migration drop it instead",
        unseen=shown,
    )  # fmt: skip


def _by_migration(table: Table, index: Index, migrated: Table | None, *, partial: bool) -> bool:
    """Whether a migration makes an index that the schema cannot declare."""
    made = {one.name for one in migrated.indexes} if migrated is not None else set()
    named = index.name is not None and index.name in made
    return named and declaration(index, _fields(table), partial=partial).line is None


def _fields(table: Table) -> dict[str, str]:
    return {column.name: column.field or column.name for column in table.columns}
