"""Prisma (TypeScript): include, _count, in, createMany, cursor, omit, count."""

import re

from analyzer.advice.stacks._base import (
    COUNT,
    EXISTS,
    FEW,
    GUESSED,
    ROWS,
    Code,
    Columns,
    Counted,
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
from analyzer.advice.stacks._prisma_calls import TOLD, Call, asking, call_of, path
from analyzer.model.catalog import Catalog, Relation, Table
from analyzer.patterns import regex

_FROM_SCHEMA = "names from schema.prisma"
_JOINED = '  // relationLoadStrategy: "join",  // one statement instead of two (preview feature relationJoins)\n'


class Prisma:
    """The client generated from schema.prisma."""

    id = "prisma"
    name = "Prisma"
    memo = "typescript"
    marks = Marks(
        tags=regex(r"prismaQuery=|db_driver='prisma|framework='prisma"),
        applications=regex(r"prisma", re.IGNORECASE),
        tables=frozenset({"_prisma_migrations"}),
        formats=("prisma",),
        models="schema.prisma",
        dialect=(
            Mark(
                regex(r'"[^"]+"\."[^"]+"\."[^"]+".{0,4000}? OFFSET \$\d+', re.DOTALL),
                0.9,
                'columns written "schema"."table"."column" and an OFFSET in every SELECT',
            ),
            Mark(
                regex(r'FROM "[^"]+"\."[^"]+" AS "t\d+"'),
                0.9,
                'tables written "schema"."table" AS "t0"',
            ),
            Mark(regex(r'"[^"]+"\."[^"]+"\."[^"]+".{0,4000}? FROM "[^"]+"\."', re.DOTALL), 0.6, 'columns written "schema"."table"."column"'),
            Mark(regex(r'(?:INSERT INTO|UPDATE|DELETE FROM) "[^"]+"\."[^"]+" .{0,3000}?(?:1=1| RETURNING "[^"]+"\."[^"]+"\.")', re.DOTALL), 0.9, 'writes that return "schema"."table"."column"', writes=True),
            Mark(regex(r'INSERT INTO "[^"]+"\."[^"]+" \("\w+"(?:,"\w+")*\)'), 0.7, 'INSERT INTO "schema"."table" ("a","b")', writes=True),
            Mark(regex(r'"__prisma_data__"|"_count\$_all"|"_aggr_'), 0.95, "names that its query engine makes up"),
        ),
    )  # fmt: skip

    def load(self, loop: Loop) -> Code:
        """`include` (or `_count`) on the parent's query, with the action that its tags or spans name."""
        model, _, names = _model(loop.parent(), loop.parent_table)
        call = call_of(loop.parent_call) or Call(model, "findMany")
        child, told = call_of(loop.child_call), loop.parent_call is not None
        figures = child is not None and child.counts and loop.asks == ROWS
        if not call.includes or figures:
            return _apart(loop, self)
        way = _way(loop, call, model)
        if way is None:  # an include loads the parents, and nothing tells which
            call, way, told = Call(model, "findMany"), (), False
        relation = _relation(loop)
        if relation is None:
            many = plural(camel(class_name(loop.child_table)))
            name, names = (camel(reference(loop.parent_column)) if loop.forward else many), GUESSED
        else:
            name = relation.name
        text, rows = asking(call, _included(loop, name), way)
        used = {COUNT: f"_count.{name}", EXISTS: f"{name}.length > 0"}.get(loop.asks, name)
        return Code(
            f"Ask for {name} with the {call.model} query",
            f"{text}"
            f"{_JOINED if loop.asks != COUNT else ''}"
            f"}}); // {rows}.{used} replaces {child.written if child else 'the query'} in the loop",
            _risk(loop.asks),
            f"{names}; {TOLD}" if told else names,
        )

    def lookup(self, lookup: Lookup) -> Code:
        """`in` with all keys; what is awaited one by one but can stay findUnique, at once."""
        table = lookup.catalog.table(lookup.table) if lookup.catalog else None
        model, delegate, names = _model(table, lookup.table)
        field = _field(table, lookup.column)
        kept = "row" if lookup.unique else "[...(byKey.get(key) ?? []), row]"
        call = call_of(lookup.call)
        batched = ""
        if call and call.action.startswith("findUnique") and lookup.unique:
            batched = f"\n// or all at once, which Prisma sends as one statement:\n// await Promise.all(keys.map(({field}) => {call.written}({{ where: {{ {field} }} }})))"
        text = (
            f"const rows = await prisma.{delegate}.findMany({{\n"
            f"  where: {{ {field}: {{ in: keys }} }},\n"
            f"}});{f' // instead of {call.written} for each key' if call else ''}\n"
            f"const byKey = new Map();\n"
            f"for (const row of rows) {{ const key = row.{field}; byKey.set(key, {kept}); }}{batched}"
        )
        return Code(
            f"Collect the keys and ask {model} once",
            text,
            "PostgreSQL takes 32,767 parameters at most: Prisma splits longer lists into several statements",
            f"{names}; {TOLD}" if call else names,
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
        """`omit`, and the fields that stay for `select`; on the relation where an include loads the rows."""
        table = columns.catalog.table(columns.table) if columns.catalog else None
        model, delegate, names = _model(table, columns.table)
        wide = [_field(table, column) for column in columns.wide]
        kept = ", ".join(f"{_field(table, column)}: true" for column in columns.kept)
        omitted = f"omit: {{ {', '.join(f'{field}: true' for field in wide)} }}"
        call = call_of(columns.call)
        written = call.written if call and call.includes else f"prisma.{delegate}.findMany"
        way = (
            path(columns.catalog, call.model, columns.table)
            if call and call.model and call.model != model
            else ()
        )
        rows = f"const {'row' if call and call.one else 'rows'} = await {written}({{\n  // the other arguments as they are\n"
        if way:
            inner = f"{{ {omitted} }}"
            for relation in reversed(way[1:]):
                inner = f"{{ include: {{ {relation.name}: {inner} }} }}"
            text = f"{rows}  include: {{ {way[0].name}: {inner} }},\n}}); // {model}: or select: {{ {kept} }}"
        else:
            text = f"{rows}  {omitted},\n  // or name what is used: select: {{ {kept} }},\n}});"
        return Code(
            f"Omit {', '.join(wide)} from {model}",
            text,
            "omit needs Prisma 6.2 or later (a preview before); the fields are no longer on the result's type",
            f"{names}; {TOLD}" if call else names,
        )

    def count(self, counted: Counted) -> Code:
        """`count`, and `_count` on the relation where one parent's rows are counted."""
        table = counted.catalog.table(counted.table) if counted.catalog else None
        model, delegate, names = _model(table, counted.table)
        where = ", ".join(_field(table, column) for column in counted.columns)
        text = (
            f"const count = await prisma.{delegate}.count({{ where: {{ {where} }} }}); // the conditions as they are"
            if where
            else f"const count = await prisma.{delegate}.count();"
        )
        call = call_of(counted.call)
        if call:
            text += f"\n// instead of the length of what {call.written} gives"
        parent, relation = _counted_relation(table, counted)
        if parent is not None and relation is not None and parent.model:
            owner, key = _model(parent, parent.name)[1], _key(parent)
            text += (
                f"\n// or with the {parent.model} that they belong to:\n"
                f"// await prisma.{owner}.findUnique({{ where: {{ {key} }}, select: {{ _count: {{ select: {{ {relation}: true }} }} }} }})"
            )
        return Code(
            f"Count {model} in the database",
            text,
            "where only 'is there any' is asked, findFirst with select: { "
            + _key(table)
            + ": true } stops at the first row",
            f"{names}; {TOLD}" if call else names,
        )


def _way(loop: Loop, call: Call, model: str) -> tuple[Relation, ...] | None:
    """The relations from the call's model to the parents' rows, None where nothing tells which.

    Without a schema a list of keys tells rows that an include loads; the others are those of the call itself,
    whatever their table is called.
    """
    own = loop.parent_call is None or call.model == model
    if own or (loop.catalog is None and " IN (" not in loop.parent_sql):
        return ()
    return path(loop.catalog, call.model or "", loop.parent_table)


def _included(loop: Loop, name: str) -> str:
    """What is asked for with the parents: the relation's rows, how many, whether any, or a few."""
    also = ", ".join(_field(loop.child(), column) for column in loop.also)
    where = f"where: {{ {also} }}" if also else ""
    parts = {
        EXISTS: f"select: {{ {_key(loop.child())}: true }}, take: 1",
        FEW: f"take: {loop.limit or 'n'}, orderBy: {{ /* as in the loop */ }}",
    }.get(loop.asks, "")
    asked = ", ".join(part for part in (where, parts) if part)
    asked = f"{{ {asked} }}" if asked else "true"
    if loop.asks == COUNT:
        return f"{{ _count: {{ select: {{ {name}: {asked} }} }} }}"
    return f"{{ {name}: {asked} }}"


def _apart(loop: Loop, stack: Prisma) -> Code:
    """One call beside the parents' where they come from raw SQL, or the children are figures."""
    call = call_of(loop.child_call)
    if loop.asks != COUNT and not (call and call.counts):
        return stack.lookup(
            Lookup(
                loop.child_table,
                loop.child_column,
                loop.forward,
                loop.child_sql,
                loop.catalog,
                loop.child_call,
            )
        )
    model, delegate, names = _model(loop.child(), loop.child_table)
    field = _field(loop.child(), loop.child_column)
    also = "".join(f", {_field(loop.child(), column)}" for column in loop.also)
    asked = (
        "_count: true"
        if loop.asks == COUNT
        else "// _sum, _avg, _min, _max, _count: as in the loop"
    )
    return Code(
        f"Group {model} by {field} once for all keys",
        f"const groups = await prisma.{delegate}.groupBy({{\n"
        f'  by: ["{field}"],\n'
        f"  where: {{ {field}: {{ in: keys }}{also} }},\n"
        f"  {asked},\n"
        f"}}); // instead of {call.written if call else 'the query in the loop'} for each key",
        "a key without rows has no group",
        f"{names}; {TOLD}" if call or loop.parent_call else names,
    )


def _counted_relation(table: Table | None, counted: Counted) -> tuple[Table | None, str | None]:
    """The one parent by whose key rows are counted, and its relation field to them."""
    if table is None or counted.catalog is None or len(counted.columns) != 1:
        return None, None
    for relation in table.relations:
        parent = counted.catalog.table(relation.target)
        if relation.columns != counted.columns or parent is None:
            continue
        fields = [
            one.name
            for one in parent.relations
            if one.many
            and one.target_columns == counted.columns
            and _is(one.target, table, counted.catalog)
        ]
        return (parent, fields[0]) if len(fields) == 1 else (None, None)
    return None, None


def _is(name: str, table: Table, catalog: Catalog) -> bool:
    found = catalog.table(name)
    return found is not None and found.name == table.name


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
