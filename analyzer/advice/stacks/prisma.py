"""Prisma (TypeScript): include, _count, in, createMany, cursor."""

import re

from analyzer.advice.stacks._base import (
    COUNT,
    EXISTS,
    FEW,
    GUESSED,
    Code,
    Columns,
    Inserts,
    Lookup,
    Loop,
    Mark,
    Marks,
    Page,
    camel,
    class_name,
    columns_of,
    identifier,
    own_name,
    plural,
    reference,
)
from analyzer.model.catalog import Catalog, Relation, Table

_FROM_SCHEMA = "names from schema.prisma"
_JOINED = '  // relationLoadStrategy: "join",  // one statement instead of two (preview feature relationJoins)\n'


class Prisma:
    """The client generated from schema.prisma."""

    id = "prisma"
    name = "Prisma"
    memo = "typescript"
    marks = Marks(
        tags=re.compile(r"prismaQuery=|db_driver='prisma|framework='prisma"),
        applications=re.compile(r"prisma", re.IGNORECASE),
        tables=frozenset({"_prisma_migrations"}),
        formats=("prisma",),
        models="schema.prisma",
        dialect=(
            Mark(
                re.compile(r'"[^"]+"\."[^"]+"\."[^"]+".{0,4000}? OFFSET \$\d+', re.DOTALL),
                0.9,
                'columns written "schema"."table"."column" and an OFFSET in every SELECT',
            ),
            Mark(
                re.compile(r'FROM "[^"]+"\."[^"]+" AS "t\d+"'),
                0.9,
                'tables written "schema"."table" AS "t0"',
            ),
            Mark(re.compile(r'"[^"]+"\."[^"]+"\."[^"]+".{0,4000}? FROM "[^"]+"\."', re.DOTALL), 0.6, 'columns written "schema"."table"."column"'),
            Mark(re.compile(r'(?:INSERT INTO|UPDATE|DELETE FROM) "[^"]+"\."[^"]+" .{0,3000}?(?:1=1| RETURNING "[^"]+"\."[^"]+"\.")', re.DOTALL), 0.9, 'writes that return "schema"."table"."column"', writes=True),
            Mark(re.compile(r'INSERT INTO "[^"]+"\."[^"]+" \("\w+"(?:,"\w+")*\)'), 0.7, 'INSERT INTO "schema"."table" ("a","b")', writes=True),
            Mark(re.compile(r'"__prisma_data__"|"_count\$_all"|"_aggr_'), 0.95, "names that its query engine makes up"),
        ),
    )  # fmt: skip

    def load(self, loop: Loop) -> Code:
        """`include` (or `_count`) on the parent's query."""
        model, delegate, names = _model(loop.parent(), loop.parent_table)
        relation = _relation(loop)
        if relation is None:
            many = plural(camel(class_name(loop.child_table)))
            name, names = (camel(reference(loop.parent_column)) if loop.forward else many), GUESSED
        else:
            name = relation.name
        inner = {
            COUNT: f"{{ _count: {{ select: {{ {name}: true }} }} }}",
            EXISTS: f"{{ {name}: {{ select: {{ {_key(loop.child())}: true }}, take: 1 }} }}",
            FEW: f"{{ {name}: {{ take: {loop.limit or 'n'}, orderBy: {{ /* as in the loop */ }} }} }}",
        }.get(loop.asks, f"{{ {name}: true }}")
        used = {COUNT: f"_count.{name}", EXISTS: f"{name}.length > 0"}.get(loop.asks, name)
        return Code(
            f"Ask for {name} with the {model} query",
            f"const rows = await prisma.{delegate}.findMany({{\n"
            f"  // where, orderBy, take as in the parent's query\n"
            f"  include: {inner},\n"
            f"{_JOINED if loop.asks != COUNT else ''}"
            f"}}); // rows[i].{used} replaces the query in the loop",
            _risk(loop.asks),
            names,
        )

    def lookup(self, lookup: Lookup) -> Code:
        """`in` with all keys."""
        table = lookup.catalog.table(lookup.table) if lookup.catalog else None
        model, delegate, names = _model(table, lookup.table)
        field = _field(table, lookup.column)
        kept = "row" if lookup.unique else "[...(byKey.get(key) ?? []), row]"
        text = (
            f"const rows = await prisma.{delegate}.findMany({{\n"
            f"  where: {{ {field}: {{ in: keys }} }},\n"
            f"}});\n"
            f"const byKey = new Map();\n"
            f"for (const row of rows) {{ const key = row.{field}; byKey.set(key, {kept}); }}"
        )
        return Code(
            f"Collect the keys and ask {model} once",
            text,
            "PostgreSQL takes 32,767 parameters at most: Prisma splits longer lists into several statements",
            names,
        )

    def insert(self, inserts: Inserts) -> Code:
        """`createMany`."""
        table = inserts.catalog.table(inserts.table) if inserts.catalog else None
        model, delegate, names = _model(table, inserts.table)
        fields = ", ".join(_field(table, column) for column in inserts.columns)
        return Code(
            f"Create all rows of {model} at once",
            f"await prisma.{delegate}.createMany({{\n"
            f"  data: rows, // [{{ {fields} }}, …]\n"
            f"  // skipDuplicates: true,  // where the loop ignored conflicts\n"
            f"}});  // createManyAndReturn where the new ids are needed",
            "no nested writes: create the parents first, then the children with their ids; one failing row fails all",
            names,
        )

    def page(self, page: Page) -> Code:
        """`cursor`."""
        table = page.catalog.table(page.table) if page.catalog else None
        model, delegate, names = _model(table, page.table)
        field = _field(table, page.column)
        order = "desc" if page.descending else "asc"
        return Code(
            f"Page through {model} with a cursor",
            f"const rows = await prisma.{delegate}.findMany({{\n"
            f"  take: pageSize,\n"
            f"  ...(last ? {{ cursor: {{ {field}: last.{field} }}, skip: 1 }} : {{}}),\n"
            f'  orderBy: {{ {field}: "{order}" }},\n'
            f"}}); // hand rows.at(-1) on as `last`",
            "pages can no longer be asked for by number; the cursor's field must be unique",
            names,
        )

    def omit(self, columns: Columns) -> Code:
        """`omit`."""
        table = columns.catalog.table(columns.table) if columns.catalog else None
        model, delegate, names = _model(table, columns.table)
        fields = [_field(table, column) for column in columns.wide]
        return Code(
            f"Omit {', '.join(fields)} from {model}",
            f"const rows = await prisma.{delegate}.findMany({{\n"
            f"  // where, orderBy, take as they are\n"
            f"  omit: {{ {', '.join(f'{field}: true' for field in fields)} }},\n"
            f"}});",
            "omit needs Prisma 6.2 or later (a preview before); the fields are no longer on the result's type",
            names,
        )


def _risk(asks: str) -> str:
    if asks == COUNT:
        return (
            "_count groups the whole child table unless the parent's rows are few: look at its plan"
        )
    if asks in (EXISTS, FEW):
        return "Prisma sends no LIMIT for take inside include (it cuts in memory) without relationJoins: take the SQL below for long lists"
    return "include loads every column of the relation: use select for wide tables, and take for long lists"


def _model(table: Table | None, name: str) -> tuple[str, str, str]:
    """The model's name, the client's property for it, and where they come from."""
    known = table is not None and table.model is not None
    model = identifier(table.model) if table and table.model else _guessed(name)
    return model, model[:1].lower() + model[1:], _FROM_SCHEMA if known else GUESSED


def _guessed(table: str) -> str:
    name = own_name(table)
    return identifier(name) if name[:1].isupper() else class_name(table)


def _field(table: Table | None, column: str) -> str:
    known = table.column(column) if table else None
    return identifier(known.field or column) if known else columns_of([column])[0]


def _key(table: Table | None) -> str:
    return _field(table, table.primary_key[0]) if table and table.primary_key else "id"


def _relation(loop: Loop) -> Relation | None:
    """The parent model's relation field that leads to the child's table over the lookup."""
    table = loop.parent()
    if table is None:
        return None
    targets = _same(loop.catalog, loop.child_table)
    matching = [one for one in table.relations if one.target in targets]
    exact = [
        one
        for one in matching
        if (loop.forward and loop.parent_column in one.columns)
        or (not loop.forward and loop.child_column in one.target_columns and not one.columns)
    ]
    if exact:
        return exact[0]
    return matching[0] if len(matching) == 1 else None


def _same(catalog: Catalog | None, name: str) -> frozenset[str]:
    table = catalog.table(name) if catalog else None
    return frozenset({name, table.name if table else name})
