"""A model of schema.prisma with what its parts are called in the database, and its keys and indexes."""

from collections.abc import Iterable, Iterator

from analyzer.model.catalog import Index, table_name
from analyzer.records import record
from analyzer.sources.schema import prisma_syntax as syntax
from analyzer.sources.schema.prisma_types import index_method, operator_class
from analyzer.sources.schema.prisma_values import mapped, plain, text_of
from analyzer.sql.prisma_index import default_name
from analyzer.sql.quoting import quote_identifier


@record
class Model:
    """A model or view with what its parts are called in the database."""

    block: syntax.Block
    origin: str

    @property
    def bare_table(self) -> str:
        """The table's name without its schema."""
        return mapped(self.block.attribute("map")) or self.block.name

    @property
    def schema(self) -> str | None:
        """The PostgreSQL schema that @@schema names."""
        return mapped(self.block.attribute("schema"))

    @property
    def table(self) -> str:
        """The table's name as the catalog has it."""
        return table_name(self.schema, self.bare_table)

    def columns(self, fields: Iterable[str]) -> tuple[str, ...]:
        """The columns of these fields."""
        return tuple(self.column(name) for name in fields)

    def column(self, name: str) -> str:
        """The column of a field."""
        field = self.block.field(name)
        return (mapped(field.attribute("map")) if field else None) or name

    def key(self) -> tuple[str, ...]:
        """The columns of the primary key, or of the first unique one where there is none."""
        keys = [*_keys(self.block, "id"), *_keys(self.block, "unique")]
        return self.columns(keys[0].fields) if keys else ()


@record
class _IndexField:
    name: str
    descending: bool = False
    operator_class: str | None = None


@record
class _Key:
    """An @id, @unique or @@index with its fields, wherever it is written."""

    attribute: syntax.Attribute
    parts: tuple[_IndexField, ...]

    @property
    def fields(self) -> tuple[str, ...]:
        return tuple(part.name for part in self.parts)


def indexes_of(model: Model) -> Iterator[tuple[syntax.Attribute, Index]]:
    """The keys and indexes of a model, each with the attribute that declares it."""
    for kind, suffix in (("id", "_pkey"), ("unique", "_key"), ("index", "_idx")):
        for key in _keys(model.block, kind):
            yield key.attribute, _index(model, key, kind, suffix)


def _index(model: Model, key: _Key, kind: str, suffix: str) -> Index:
    attribute = key.attribute
    columns = model.columns(key.fields)
    descending = tuple(part.descending for part in key.parts)
    classes = tuple(part.operator_class for part in key.parts)
    named = columns if kind != "id" else ()
    method = attribute.argument("type")
    return Index(
        name=text_of(attribute.argument("map")) or default_name(model.bare_table, named, suffix),
        columns=columns,
        unique=kind != "index",
        primary=kind == "id",
        method=index_method(plain(method)) if method else "btree",
        predicate=_predicate(model, attribute.argument("where")),
        descending=descending if any(descending) else (),
        operator_classes=classes if any(classes) else (),
    )


def _keys(block: syntax.Block, kind: str) -> Iterator[_Key]:
    """The keys of one kind: id, unique or index, of fields and of the block."""
    for field in block.fields:
        attribute = field.attribute(kind)
        if attribute:
            sort = plain(attribute.argument("sort"))
            yield _Key(attribute, (_IndexField(field.name, sort == "Desc"),))
    for attribute in block.attributes:
        if attribute.name == kind:
            value = attribute.argument("fields", "")
            items = value.items if isinstance(value, syntax.Array) else (value,) if value else ()
            yield _Key(attribute, tuple(_index_field(item) for item in items))


def _index_field(value: syntax.Value) -> _IndexField:
    if not isinstance(value, syntax.Call):
        return _IndexField(plain(value))
    options = {argument.name: argument.value for argument in value.arguments}
    ops = options.get("ops")
    if isinstance(ops, syntax.Call):  # raw("gin_trgm_ops")
        name = plain(ops.arguments[0].value) if ops.arguments else None
    else:
        name = operator_class(plain(ops)) if ops else None
    return _IndexField(value.name, plain(options.get("sort")) == "Desc", name)


def _predicate(model: Model, where: syntax.Value | None) -> str | None:
    """The condition of a partial index as SQL: raw("…"), or { field: value }."""
    if isinstance(where, syntax.Call):
        return plain(where.arguments[0].value) if where.arguments else None
    if isinstance(where, syntax.Record):
        return " AND ".join(_condition(model, name, value) for name, value in where.entries)
    return None


def _condition(model: Model, name: str, value: syntax.Value) -> str:
    column, negated = quote_identifier(model.column(name)), False
    if isinstance(value, syntax.Record) and len(value.entries) == 1:
        negated = value.entries[0][0] == "not"
        value = value.entries[0][1]
    if isinstance(value, syntax.Word) and value.value == "null":
        return f"{column} IS {'NOT ' if negated else ''}NULL"
    shown = plain(value)
    if isinstance(value, syntax.Text):
        shown = "'" + shown.replace("'", "''") + "'"
    return f"{column} {'<>' if negated else '='} {shown}"
