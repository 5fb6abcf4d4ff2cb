"""A catalog from schema.prisma: the tables, keys and indexes that Prisma makes of the models.

Names and types are those of Prisma's migrations (checked against one in the tests); what a schema
does not say (views' keys, CHECKs, hand-written SQL migrations) is not known here either.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace

from analyzer.errors import InputError
from analyzer.model.catalog import (
    Catalog,
    Column,
    ForeignKey,
    Index,
    Relation,
    Table,
    table_name,
    unique_keys,
)
from analyzer.sources.schema import prisma_syntax as syntax
from analyzer.sources.schema.prisma_models import Model, indexes_of
from analyzer.sources.schema.prisma_types import SCALARS, native_type
from analyzer.sources.schema.prisma_values import (
    action_of,
    default_of,
    mapped,
    names_of,
    plain,
    text_of,
)
from analyzer.sql.column_types import named_type
from analyzer.sql.prisma_index import default_name


def read_schema(text: str, origin: str) -> Catalog:
    """Read a schema.prisma.

    Args:
        text: the file's text.
        origin: what to call it in messages and evidence.

    Raises:
        InputError: broken syntax, or a type that is nowhere defined; the message has the line.
    """
    return read_schemas({origin: text}, origin)


def read_schemas(texts: Mapping[str, str], origin: str) -> Catalog:
    """Read a schema that is spread over several files, given as text by file name."""
    schema = _Schema({name: syntax.parse(text, name) for name, text in texts.items()})
    tables = [_table(schema, model) for model in schema.models.values()]
    tables += schema.link_tables()
    return Catalog(
        {table.name: table for table in tables},
        origin,
        enums=schema.enum_types(),
        enum_names=schema.enum_names(),
        previews=frozenset(schema.previews),
    )


class _Schema:
    """All blocks of a schema, by name."""

    def __init__(self, files: Mapping[str, tuple[syntax.Block, ...]]) -> None:
        self.models: dict[str, Model] = {}
        self.enums: dict[str, syntax.Block] = {}
        self.composites: set[str] = set()
        self.previews: set[str] = set()
        for origin, blocks in files.items():
            for block in blocks:
                if block.kind in ("model", "view"):
                    self.models[block.name] = Model(block, origin)
                elif block.kind == "enum":
                    self.enums[block.name] = block
                elif block.kind == "generator":
                    named = (
                        each.value for each in block.properties if each.name == "previewFeatures"
                    )
                    self.previews.update(name for value in named for name in names_of(value))
                elif block.kind == "type":
                    self.composites.add(block.name)

    def column_type(self, model: Model, field: syntax.Field) -> str | None:
        """The type of a field's column, None for a relation.

        Raises InputError for a type that nothing defines.
        """
        base: str | None = None
        native = next((a for a in field.attributes if a.name.startswith("db.")), None)
        if field.unsupported is not None:
            base = field.unsupported
        elif native:
            arguments = tuple(plain(argument.value) for argument in native.arguments)
            base = native_type(native.name.removeprefix("db."), arguments)
        elif field.type in SCALARS:
            base = SCALARS[field.type]
        elif field.type in self.enums:
            base = _enum_name(self.enums[field.type])
        elif field.type not in self.models and field.type not in self.composites:
            raise InputError(
                f"{model.origin}:{field.span.line}: type {field.type} of field {field.name} is "
                "not defined. Give the folder where a schema is spread over several files."
            )
        return f"{base}[]" if base and field.many else base

    def labels(self, enum: str) -> Mapping[str, str]:
        """What the values of an enum are called in the database; empty for another type."""
        block = self.enums.get(enum)
        values = block.fields if block else ()
        return {value.name: mapped(value.attribute("map")) or value.name for value in values}

    def enum_names(self) -> dict[str, str]:
        """What each enum is called here, by its name in the database."""
        return {
            table_name(
                mapped(block.attribute("schema")), mapped(block.attribute("map")) or name
            ): name
            for name, block in self.enums.items()
        }

    def enum_types(self) -> dict[str, tuple[str, ...]]:
        """All enumerated types by their names in the database, with their labels."""
        return {
            type_: tuple(self.labels(name).values()) for type_, name in self.enum_names().items()
        }

    def counterpart(self, model: Model, field: syntax.Field) -> syntax.Field | None:
        """The field on the other side of a relation."""
        other = self.models[field.type].block
        name = _relation_name(field)
        return next(
            (
                candidate
                for candidate in other.fields
                if candidate.type == model.block.name
                and _relation_name(candidate) == name
                and not (other is model.block and candidate.name == field.name)
            ),
            None,
        )

    def relation_fields(self, model: Model) -> Iterator[syntax.Field]:
        return (field for field in model.block.fields if field.type in self.models)

    def is_link(self, model: Model, field: syntax.Field) -> bool:
        """Whether a field is one side of an implicit many-to-many relation."""
        if not field.many:
            return False
        other = self.counterpart(model, field)
        if other is None:  # a model linked with itself may have one list for both sides
            return field.type == model.block.name
        return other.many

    def link_tables(self) -> list[Table]:
        """The tables of implicit many-to-many relations: `_Name` with the columns A and B."""
        sides: dict[str, tuple[Model, Model]] = {}
        for model in self.models.values():
            for field in self.relation_fields(model):
                if self.is_link(model, field):
                    pair = sorted((model.block.name, field.type))
                    name = _relation_name(field) or f"{pair[0]}To{pair[1]}"
                    sides[f"_{name}"] = (self.models[pair[0]], self.models[pair[1]])
        return [self._link_table(name, a, b) for name, (a, b) in sides.items()]

    def _link_table(self, name: str, a: Model, b: Model) -> Table:
        columns, keys = [], []
        for letter, model in (("A", a), ("B", b)):
            target = model.key()
            key = next((f for f in model.block.fields if (model.column(f.name),) == target), None)
            column_type = self.column_type(model, key) if key else None
            columns.append(Column(letter, column_type or "unknown", nullable=False))
            keys.append(
                ForeignKey(
                    (letter,), model.table, target, f"{name}_{letter}_fkey", "CASCADE", "CASCADE"
                )
            )
        return Table(
            name=table_name(a.schema, name),
            columns=tuple(columns),
            primary_key=("A", "B"),
            foreign_keys=tuple(keys),
            indexes=(
                Index(f"{name}_AB_pkey", ("A", "B"), unique=True, primary=True),
                Index(f"{name}_B_index", ("B",)),
            ),
        )


def _table(schema: _Schema, model: Model) -> Table:
    columns = tuple(_columns(schema, model))
    indexes = tuple(index for _, index in indexes_of(model))
    primary = next((index.columns for index in indexes if index.primary), ())
    return Table(
        name=model.table,
        columns=tuple(
            replace(column, nullable=column.nullable and column.name not in primary)
            for column in columns
        ),
        primary_key=primary,
        unique_keys=unique_keys(columns, indexes),
        foreign_keys=tuple(_foreign_keys(schema, model)),
        indexes=indexes if model.block.kind == "model" else (),  # a view has keys without any
        model=model.block.name,
        kind="table" if model.block.kind == "model" else "view",
        relations=tuple(_relations(schema, model)),
    )


def _columns(schema: _Schema, model: Model) -> Iterator[Column]:
    for field in model.block.fields:
        column_type = schema.column_type(model, field)
        if column_type is not None:
            # A list has no NOT NULL: Prisma reads NULL as the empty list.
            nullable = field.optional or field.many
            yield Column(
                model.column(field.name),
                column_type,
                nullable,
                field.name,
                default=default_of(field, schema.labels(field.type)),
            )


def _foreign_keys(schema: _Schema, model: Model) -> Iterator[ForeignKey]:
    for field in schema.relation_fields(model):
        relation = field.attribute("relation")
        own = names_of(relation.argument("fields")) if relation else ()
        if relation and own:
            target = schema.models[field.type]
            columns = model.columns(own)
            name = text_of(relation.argument("map"))
            yield ForeignKey(
                columns=columns,
                target=target.table,
                target_columns=target.columns(names_of(relation.argument("references"))),
                name=name or default_name(model.bare_table, columns, "_fkey"),
                on_delete=action_of(relation.argument("onDelete"), _if_gone(model, own)),
                on_update=action_of(relation.argument("onUpdate"), "CASCADE"),
            )


def _if_gone(model: Model, fields: Iterable[str]) -> str:
    """What Prisma does with rows whose parent is deleted, where the schema does not say."""
    known = [model.block.field(name) for name in fields]
    return "SET NULL" if all(field and field.optional for field in known) else "RESTRICT"


def _relations(schema: _Schema, model: Model) -> Iterator[Relation]:
    for field in schema.relation_fields(model):
        target = schema.models[field.type]
        relation = field.attribute("relation")
        own = names_of(relation.argument("fields")) if relation else ()
        columns: tuple[str, ...] = ()
        if relation and own:
            columns = model.columns(own)
            target_columns = target.columns(names_of(relation.argument("references")))
        elif schema.is_link(model, field):
            target_columns = target.key()
        else:
            other = schema.counterpart(model, field)
            mark = other.attribute("relation") if other else None
            target_columns = target.columns(names_of(mark.argument("fields")) if mark else ())
        yield Relation(field.name, target.table, field.many, columns, target_columns)


def _enum_name(enum: syntax.Block) -> str:
    return named_type(mapped(enum.attribute("schema")), mapped(enum.attribute("map")) or enum.name)


def _relation_name(field: syntax.Field) -> str | None:
    relation = field.attribute("relation")
    return text_of(relation.argument("name", "")) if relation else None
