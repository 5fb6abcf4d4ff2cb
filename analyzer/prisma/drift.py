"""schema.prisma against a database: what differs, and which side is to be mended.

The schema is the team's source of truth, so what it has and the database lacks is mended by a
migration. What the database has beyond it is mended in the schema where dropping it would lose
something (data, or an index that is used); otherwise by a migration that drops it.
"""

from collections.abc import Iterator

from analyzer.model.catalog import Catalog, Column, ForeignKey, Table
from analyzer.model.drift import Difference
from analyzer.prisma import words
from analyzer.prisma.index_drift import index_differences
from analyzer.sql.defaults import same_default
from analyzer.sql.prisma_index import PARTIAL_INDEXES
from analyzer.sql.quoting import quote_table

_OWN = "_prisma_migrations"
_LOSES = "dropping it would lose its data; drop it by a migration only if nobody needs that"
_TRUTH = "the schema says so, and a migration brings it to every database alike"


def differences(
    schema: Catalog, database: Catalog, migrated: Catalog | None = None
) -> list[Difference]:
    """All differences, by table; nothing where both say the same.

    Args:
        schema: what schema.prisma says, with models and fields.
        database: what a server or a dump says. Tables outside the schemas that schema.prisma
            uses, partitions, views and Prisma's own table are passed over.
        migrated: the tables as the project's migrations make them, where it has some: an index that
            Prisma cannot declare is in order where a migration makes it.
    """
    comparison = _Comparison(schema, database, migrated)
    return list(comparison.run())


class _Comparison:
    def __init__(self, schema: Catalog, database: Catalog, migrated: Catalog | None) -> None:
        self._migrated = dict(migrated.tables) if migrated is not None else {}
        self._wanted = {table.name: table for table in schema if table.kind == "table"}
        schemas = {table.name.rpartition(".")[0] for table in schema}
        views = {table.name for table in schema if table.kind != "table"}
        self._there = {
            table.name: table
            for table in database
            if table.kind == "table"
            and table.name.rpartition(".")[0] in schemas
            and table.name.rpartition(".")[2] != _OWN
            and table.name not in views
        }
        self._partial = PARTIAL_INDEXES in (schema.previews or ())
        self._schema_enums = dict(schema.enums)
        self._database_enums = {
            name: labels
            for name, labels in database.enums.items()
            if name in schema.enums or name.rpartition(".")[0] in schemas
        }
        self._names = {
            name: schema.enum_names.get(name) or words.enum_name(name)
            for name in {*schema.enums, *database.enums}
        }
        # By the type's name as columns spell it.
        self._enums = {words.type_of_enum(name): called for name, called in self._names.items()}

    def run(self) -> Iterator[Difference]:
        yield from self._enum_differences()
        for name in sorted({*self._wanted, *self._there}):
            wanted, there = self._wanted.get(name), self._there.get(name)
            if there is None and wanted is not None:
                yield _table_missing(wanted)
            elif wanted is None and there is not None:
                yield self._table_extra(there)
            elif wanted is not None and there is not None:
                yield from self._columns(wanted, there)
                yield from _primary_key(wanted, there)
                yield from index_differences(
                    wanted, there, partial=self._partial, migrated=self._migrated.get(name)
                )
                yield from _foreign_keys(wanted, there)

    def _enum_differences(self) -> Iterator[Difference]:
        for name in sorted({*self._schema_enums, *self._database_enums}):
            wanted, there = self._schema_enums.get(name), self._database_enums.get(name)
            if wanted != there:
                yield _enum(name, self._names[name], wanted, there)

    def _table_extra(self, table: Table) -> Difference:
        return Difference(
            "table", "extra", table.name, None, None, f"{len(table.columns)} columns",
            "schema", "prisma", words.model_block(table, self._enums),
            _LOSES,
            "relations to other models are not written here: `npx prisma db pull` names both sides",
        )  # fmt: skip

    def _columns(self, wanted: Table, there: Table) -> Iterator[Difference]:
        mine = {column.name: column for column in wanted.columns}
        theirs = {column.name: column for column in there.columns}
        for name in [*mine, *(name for name in theirs if name not in mine)]:
            column, found = mine.get(name), theirs.get(name)
            if found is None and column is not None:
                yield _column_missing(wanted, column)
            elif column is None and found is not None:
                yield Difference(
                    "column", "extra", wanted.name, name, None, words.column_sql(found),
                    "schema", "prisma",
                    f"model {wanted.model or wanted.name}: {words.field_line(found, self._enums)}",
                    _LOSES,
                )  # fmt: skip
            elif column is not None and found is not None:
                yield from _column(wanted, column, found)


def _table_missing(table: Table) -> Difference:
    return Difference(
        "table", "missing", table.name, None, f"model {table.model or table.name}", None,
        "database", "sql", words.table_sql(table), _TRUTH,
    )  # fmt: skip


def _column_missing(table: Table, column: Column) -> Difference:
    required = not column.nullable and column.default is None
    risk = (
        "the column is required and has no default: where the table has rows, add it nullable, fill it, "
        "then SET NOT NULL"
        if required
        else ""
    )
    sql = f"ALTER TABLE {quote_table(table.name)} ADD COLUMN {words.column_sql(column)};"
    return Difference(
        "column", "missing", table.name, column.name, words.column_sql(column), None,
        "database", "sql", sql, _TRUTH, risk,
    )  # fmt: skip


def _column(table: Table, wanted: Column, there: Column) -> Iterator[Difference]:
    alter = f"ALTER TABLE {quote_table(table.name)} ALTER COLUMN {words.quoted(wanted.name)}"
    if not _same_type(wanted.type, there.type):
        yield Difference(
            "type", "different", table.name, wanted.name, wanted.type, there.type,
            "database", "sql",
            f"{alter} SET DATA TYPE {wanted.type} USING {words.quoted(wanted.name)}::{wanted.type};",
            _TRUTH,
            "most changes of a type rewrite the table under an exclusive lock, and fail where a value does not fit",
        )  # fmt: skip
    if wanted.nullable and not there.nullable and not wanted.type.endswith("[]"):
        field = wanted.field or wanted.name
        yield Difference(
            "nullability", "different", table.name, wanted.name, "NULL allowed", "NOT NULL",
            "schema", "prisma", f"model {table.model or table.name}: make {field} required (remove the ?)",
            "the database refuses NULL already, so no row has one: the stricter side can stand",
            f"code that writes NULL fails now; if it should not: {alter} DROP NOT NULL; in a migration",
        )  # fmt: skip
    elif not wanted.nullable and there.nullable:
        yield Difference(
            "nullability", "different", table.name, wanted.name, "NOT NULL", "NULL allowed",
            "database", "sql", f"{alter} SET NOT NULL;", _TRUTH,
            "fails where a row has NULL: fill those first; the whole table is read under an exclusive lock",
        )  # fmt: skip
    if not same_default(wanted.default, there.default):
        change = f"SET DEFAULT {wanted.default}" if wanted.default else "DROP DEFAULT"
        yield Difference(
            "default", "different", table.name, wanted.name, wanted.default, there.default,
            "database", "sql", f"{alter} {change};", _TRUTH,
            "rows that are written without the column get another value from then on",
        )  # fmt: skip


def _same_type(wanted: str, there: str) -> bool:
    """Equal, or the schema leaves the modifier open: `Unsupported("vector")` for vector(1536)."""
    return wanted == there or (
        "(" not in wanted
        and there.partition("(")[0] == wanted
        and wanted not in ("character varying", "numeric")
    )


def _primary_key(wanted: Table, there: Table) -> Iterator[Difference]:
    if wanted.primary_key == there.primary_key:
        return
    new = f"ADD PRIMARY KEY ({', '.join(map(words.quoted, wanted.primary_key))})"
    old = next((index.name for index in there.indexes if index.primary and index.name), None)
    steps = [f"DROP CONSTRAINT {words.quoted(old)}"] if old else []
    steps += [new] if wanted.primary_key else []
    yield Difference(
        "primary-key",
        "different" if wanted.primary_key and there.primary_key
        else "missing" if wanted.primary_key else "extra",
        wanted.name, old, ", ".join(wanted.primary_key) or None, ", ".join(there.primary_key) or None,
        "database", "sql", f"ALTER TABLE {quote_table(wanted.name)} {', '.join(steps)};", _TRUTH,
        "foreign keys that refer to it go with it: build the new index CONCURRENTLY first on a large table",
    )  # fmt: skip


def _foreign_keys(wanted: Table, there: Table) -> Iterator[Difference]:
    left = list(there.foreign_keys)
    for key in wanted.foreign_keys:
        found = next((one for one in left if _same_reference(one, key)), None)
        if found is None:
            yield Difference(
                "foreign-key", "missing", wanted.name, key.name, words.foreign_key_text(key), None,
                "database", "sql", words.foreign_key_sql(wanted.name, key), _TRUTH,
                "fails where a row refers to nothing; on a large table add it NOT VALID, then VALIDATE CONSTRAINT",
            )  # fmt: skip
            continue
        left.remove(found)
        yield from _actions(wanted, key, found)
    for key in left:
        yield Difference(
            "foreign-key", "extra", wanted.name, key.name, None, words.foreign_key_text(key),
            "schema", "prisma",
            f"model {wanted.model or wanted.name}: @relation(fields: [{', '.join(key.columns)}], "
            f"references: [{', '.join(key.target_columns)}], {words.relation_actions(key)})",
            "the database keeps a rule that the schema does not know; dropping it would allow orphans",
        )  # fmt: skip


def _same_reference(one: ForeignKey, other: ForeignKey) -> bool:
    return (one.columns, one.target, one.target_columns) == (
        other.columns,
        other.target,
        other.target_columns,
    )


def _actions(table: Table, wanted: ForeignKey, there: ForeignKey) -> Iterator[Difference]:
    if (wanted.on_delete, wanted.on_update) != (there.on_delete, there.on_update):
        drop = f"DROP CONSTRAINT {words.quoted(there.name)}" if there.name else "DROP CONSTRAINT …"
        sql = f"ALTER TABLE {quote_table(table.name)} {drop};\n"
        yield Difference(
            "foreign-key", "different", table.name, there.name,
            words.foreign_key_text(wanted), words.foreign_key_text(there),
            "database", "sql", sql + words.foreign_key_sql(table.name, wanted), _TRUTH,
            "until it is added again nothing checks it: both statements belong into one migration",
        )  # fmt: skip
    elif wanted.name and there.name and wanted.name != there.name:
        yield Difference(
            "foreign-key", "different", table.name, there.name, f"named {wanted.name}", f"named {there.name}",
            "schema", "prisma",
            f'model {table.model or table.name}: @relation(…, map: "{there.name}")',
            "only the name differs: the schema can say it, and nothing in the database changes",
        )  # fmt: skip


def _enum(
    name: str, called: str, wanted: tuple[str, ...] | None, there: tuple[str, ...] | None
) -> Difference:
    shown = words.type_of_enum(name)
    if there is None and wanted is not None:
        literals = ", ".join(words.literal(label) for label in wanted)
        return Difference(
            "enum", "missing", None, name, ", ".join(wanted), None,
            "database", "sql", f"CREATE TYPE {shown} AS ENUM ({literals});", _TRUTH,
        )  # fmt: skip
    if wanted is None:
        labels = there or ()
        return Difference(
            "enum", "extra", None, name, None, ", ".join(labels),
            "schema", "prisma", words.enum_block(name, labels, called),
            "columns may still have the type; DROP TYPE in a migration once none has",
        )  # fmt: skip
    return _enum_labels(name, called, wanted, there or ())


def _enum_labels(
    name: str, called: str, wanted: tuple[str, ...], there: tuple[str, ...]
) -> Difference:
    missing = [label for label in wanted if label not in there]
    extra = [label for label in there if label not in wanted]
    said = (", ".join(wanted), ", ".join(there))
    if extra:
        lines = "\n".join(words.label_line(label) for label in extra)
        return Difference(
            "enum", "different", None, name, *said, "schema", "prisma",
            f"enum {called}:\n{lines}",
            "rows may hold these labels, and PostgreSQL cannot drop one from a type",
        )  # fmt: skip
    adds = "\n".join(
        f"ALTER TYPE {words.type_of_enum(name)} ADD VALUE {words.literal(label)};"
        for label in missing
    )
    if not missing:
        return Difference(
            "enum", "different", None, name, *said, "schema", "prisma",
            f"enum {called}: list the values in the order {', '.join(there)}",
            "only the order differs: it decides how rows sort, and changing it in the database means a new type",
            unseen="Prisma's own comparison ignores the order of an enum's values",
        )  # fmt: skip
    return Difference(
        "enum", "different", None, name, *said, "database", "sql", adds, _TRUTH,
        "a new label cannot be used in the transaction that adds it: use it in a later migration",
    )  # fmt: skip
