"""Parts of a catalog written again: as SQL for a migration, and as lines of schema.prisma.

The SQL has the form of Prisma's own migrations. What Prisma's schema language cannot say (INCLUDE,
expressions, order of NULLs, index types such as hnsw) is in the SQL alone.
"""

import re

from analyzer.model.catalog import SEQUENCE, Column, ForeignKey, Index, Table
from analyzer.patterns import regex
from analyzer.sql.column_types import named_type
from analyzer.sql.definitions import Name
from analyzer.sql.prisma_index import escaped, index_line, is_column
from analyzer.sql.quoting import quote_table

_TYPES = {
    "text": "String",
    "integer": "Int",
    "bigint": "BigInt",
    "double precision": "Float",
    "numeric(65,30)": "Decimal",
    "timestamp(3) without time zone": "DateTime",
    "jsonb": "Json",
    "boolean": "Boolean",
    "bytea": "Bytes",
    "smallint": "Int @db.SmallInt",
    "oid": "Int @db.Oid",
    "real": "Float @db.Real",
    "money": "Decimal @db.Money",
    "json": "Json @db.Json",
    "uuid": "String @db.Uuid",
    "xml": "String @db.Xml",
    "inet": "String @db.Inet",
    "citext": "String @db.Citext",
    "date": "DateTime @db.Date",
}
_MODIFIED = (
    (r"character varying(\(\d+\))?", "String @db.VarChar"),
    (r"character(\(\d+\))?", "String @db.Char"),
    (r"bit varying(\(\d+\))?", "String @db.VarBit"),
    (r"bit(\(\d+\))?", "String @db.Bit"),
    (r"numeric(\(\d+,\d+\))?", "Decimal @db.Decimal"),
    (r"timestamp(\(\d\))? with time zone", "DateTime @db.Timestamptz"),
    (r"timestamp(\(\d\))? without time zone", "DateTime @db.Timestamp"),
    (r"time(\(\d\))? with time zone", "DateTime @db.Timetz"),
    (r"time(\(\d\))? without time zone", "DateTime @db.Time"),
)
_ACTIONS = {
    "NO ACTION": "NoAction",
    "RESTRICT": "Restrict",
    "CASCADE": "Cascade",
    "SET NULL": "SetNull",
    "SET DEFAULT": "SetDefault",
}
_NAME = regex(r"[A-Za-z][A-Za-z0-9_]*\Z")
_NUMBER = regex(r"-?\d+(?:\.\d+)?\Z")


def quoted(name: str) -> str:
    """A name in double quotes, as Prisma's migrations write every name."""
    return '"' + name.replace('"', '""') + '"'


def quoted_table(name: Name) -> str:
    """A table's name in double quotes, with its schema where that was written."""
    return ".".join(quoted(part) for part in name if part)


def column_sql(column: Column) -> str:
    """A column's definition: name, type, NOT NULL, default."""
    serial = {"integer": "SERIAL", "bigint": "BIGSERIAL", "smallint": "SMALLSERIAL"}
    fed = column.default == SEQUENCE
    written = serial.get(column.type, column.type) if fed else column.type
    parts = [quoted(column.name), written]
    parts += [] if column.nullable else ["NOT NULL"]
    parts += [f"DEFAULT {column.default}"] if column.default and not fed else []
    return " ".join(parts)


def table_sql(table: Table) -> str:
    """CREATE TABLE with its primary key, then its indexes and foreign keys."""
    lines = [f"    {column_sql(column)}" for column in table.columns]
    primary = next((index for index in table.indexes if index.primary), None)
    if primary is not None:
        name = f"CONSTRAINT {quoted(primary.name)} " if primary.name else ""
        lines.append(f"    {name}PRIMARY KEY ({', '.join(map(quoted, primary.columns))})")
    made = [f"CREATE TABLE {quote_table(table.name)} (\n" + ",\n".join(lines) + "\n);"]
    made += [index_sql(table.name, index) for index in table.indexes if not index.primary]
    made += [foreign_key_sql(table.name, key) for key in table.foreign_keys]
    return "\n\n".join(made)


def foreign_key_sql(table: str, key: ForeignKey) -> str:
    """ALTER TABLE … ADD CONSTRAINT … FOREIGN KEY."""
    name = f"CONSTRAINT {quoted(key.name)} " if key.name else ""
    target = f"{quote_table(key.target)}({', '.join(map(quoted, key.target_columns))})"
    return (
        f"ALTER TABLE {quote_table(table)} ADD {name}FOREIGN KEY ({', '.join(map(quoted, key.columns))}) "
        f"REFERENCES {target} ON DELETE {key.on_delete} ON UPDATE {key.on_update};"
    )


def index_sql(table: str, index: Index) -> str:
    """CREATE INDEX, or CREATE UNIQUE INDEX."""
    known = {"btree": ""}
    using = known.get(index.method, f" USING {index.method.upper()}")
    name = f" {quoted(index.name)}" if index.name else ""
    include = f" INCLUDE ({', '.join(map(quoted, index.include))})" if index.include else ""
    where = f" WHERE {index.predicate}" if index.predicate else ""
    return (
        f"CREATE {'UNIQUE ' if index.unique else ''}INDEX{name} ON {quote_table(table)}{using}"
        f"({', '.join(_key(index, place) for place in range(len(index.columns)))}){include}{where};"
    )


def _key(index: Index, place: int) -> str:
    text = index.columns[place]
    shown = quoted(text) if is_column(text) else f"({text})"
    ops = index.operator_classes[place] if index.operator_classes else None
    down = bool(index.descending) and index.descending[place]
    return shown + (f" {ops}" if ops else "") + (" DESC" if down else "")


def field_line(column: Column, enums: dict[str, str]) -> str:
    """A column as a field of a model: `budget Int? @map("…")`; `enums` are types' names in the schema."""
    name = prisma_name(column.name)
    many = column.type.endswith("[]")
    base = column.type.removesuffix("[]")
    kind, native = _scalar(base, enums)
    mark = "[]" if many else "?" if column.nullable else ""
    parts = [f"{name} {kind}{mark}"]
    default = _default(column, kind, enums)
    parts += [f"@default({default})"] if default else []
    parts += [f'@map("{column.name}")'] if name != column.name else []
    parts += [native] if native else []
    return " ".join(parts)


def prisma_name(name: str) -> str:
    """A name that Prisma allows: the column's own if it may stay as it is, else in camel case."""
    words = [word for word in re.split(r"[^A-Za-z0-9]+", name) if word]
    if "_" not in name and _NAME.match(name):
        return name
    shown = words[0][:1].lower() + words[0][1:] if words else "field"
    shown += "".join(word[:1].upper() + word[1:] for word in words[1:])
    return shown if shown[:1].isalpha() else f"f{shown}"


def _scalar(base: str, enums: dict[str, str]) -> tuple[str, str]:
    """Prisma's type, and the @db attribute with it."""
    if base in enums:
        return enums[base], ""
    if base in _TYPES:
        kind, _, native = _TYPES[base].partition(" ")
        return kind, native
    for pattern, written in _MODIFIED:
        found = re.fullmatch(pattern, base)
        if found:
            kind, _, native = written.partition(" ")
            return kind, native + (found[1] or "")
    return f'Unsupported("{escaped(base)}")', ""


def _default(column: Column, kind: str, enums: dict[str, str]) -> str | None:
    text = column.default
    if text is None:
        return None
    if text == SEQUENCE:
        return "autoincrement()"
    literal = re.fullmatch(r"'((?:[^']|'')*)'(?:::.*)?", text)
    plain = re.fullmatch(r"\(?(-?[\d.]+)\)?(?:::.*)?", text)
    made = f'dbgenerated("{escaped(text)}")'
    if text.upper().startswith(("CURRENT_TIMESTAMP", "NOW()")):
        made = "now()"
    elif text in ("true", "false"):
        made = text
    elif literal and kind in enums.values():
        made = literal[1] if _NAME.match(literal[1]) else made
    elif literal and kind in ("String", "Json"):
        made = f'"{escaped(literal[1].replace(chr(39) * 2, chr(39)))}"'
    elif plain and kind in ("Int", "BigInt", "Float", "Decimal"):
        made = plain[1]
    return made


def relation_actions(key: ForeignKey) -> str:
    """The arguments of @relation that say a foreign key's actions."""
    return f"onDelete: {_ACTIONS[key.on_delete]}, onUpdate: {_ACTIONS[key.on_update]}"


def model_block(table: Table, enums: dict[str, str]) -> str:
    """A table as a model; relations are left to `npx prisma db pull`, which names both sides."""
    name = re.sub(r"[^A-Za-z0-9_]", "_", table.name.rpartition(".")[2])
    name = name if name[:1].isalpha() else f"Model{name}"
    fields = {column.name: prisma_name(column.name) for column in table.columns}
    key = table.primary_key
    lines = []
    for column in table.columns:
        line = field_line(column, enums)
        lines.append(f"{line} @id" if key == (column.name,) else line)
    attributes = []
    if len(key) > 1:
        attributes.append(f"@@id([{', '.join(fields[column] for column in key)}])")
    attributes += [
        index_line(index, fields)
        for index in table.indexes
        if not index.primary and all(is_column(column) for column in index.columns)
    ]
    attributes += [f'@@map("{table.name.rpartition(".")[2]}")'] if name != table.name else []
    body = "\n".join(f"  {line}" for line in lines)
    tail = "\n\n" + "\n".join(f"  {line}" for line in attributes) if attributes else ""
    return f"model {name} {{\n{body}{tail}\n}}"


def enum_block(name: str, labels: tuple[str, ...], prisma: str) -> str:
    """An enumerated type as an enum; labels that Prisma cannot name are mapped."""
    lines = [label_line(label) for label in labels]
    mapped = [] if prisma == name else ["", f'  @@map("{escaped(name)}")']
    return "\n".join([f"enum {prisma} {{", *lines, *mapped, "}"])


def label_line(label: str) -> str:
    """A value of an enum, mapped where Prisma cannot name it."""
    if _NAME.match(label):
        return f"  {label}"
    return f'  {prisma_name(label)} @map("{escaped(label)}")'


def literal(text: str) -> str:
    """A text as an SQL string."""
    return "'" + text.replace("'", "''") + "'"


def type_of_enum(name: str) -> str:
    """An enumerated type's name as columns spell it, from the catalog's name for it."""
    schema, _, bare = name.rpartition(".")
    return named_type(schema or None, bare)


def enum_name(name: str) -> str:
    """What an enum may be called in schema.prisma."""
    bare = re.sub(r"[^A-Za-z0-9_]", "_", name.rpartition(".")[2])
    return bare if bare[:1].isalpha() else f"Enum{bare}"


def foreign_key_text(key: ForeignKey) -> str:
    """A foreign key in a line."""
    own, target = ", ".join(key.columns), ", ".join(key.target_columns)
    return f"({own}) references {key.target} ({target}), ON DELETE {key.on_delete}, ON UPDATE {key.on_update}"
