"""TypeORM (TypeScript): relations, leftJoinAndSelect, In, insert."""

import re

from analyzer.advice.stacks._base import (
    ALIASES,
    COUNT,
    EXISTS,
    FEW,
    GUESSED,
    NO_NUMBERS,
    NOT_FOR_ANY,
    Code,
    Columns,
    Counted,
    Inserts,
    Lookup,
    Loop,
    Mark,
    Marks,
    Page,
    alias_of,
    by_key,
    camel,
    class_name,
    columns_of,
    identifier,
    relation,
)
from analyzer.patterns import regex


class TypeOrm:
    """Entities, repositories and query builders."""

    id = "typeorm"
    name = "TypeORM"
    memo = "typescript"
    marks = Marks(
        formats=("typeorm",),
        tags=regex(r"db_driver='typeorm|framework='typeorm"),
        dialect=(
            Mark(regex(r'"([^"]+)"\."([^"]+)" AS "\1_\2"'), 0.95, 'columns named "Entity_column"'),
            Mark(regex(r'"(\w+)__\1_\w+"|"distinctAlias"'), 0.95, 'joins named "Entity__Entity_relation"'),
            Mark(regex(r'INSERT INTO "[^"]+"\("'), 0.9, 'INSERT INTO "table"("column") without a space', writes=True),
            Mark(regex(r'UPDATE "[^"]+" SET .{1,3000}? WHERE "\w+" IN \(\$\d+\)', re.DOTALL), 0.6, 'UPDATE … WHERE "id" IN ($n)', writes=True),
            Mark(regex(r'WHERE \({2,}"'), 0.3, "conditions in double brackets"),
        ),
    )  # fmt: skip

    def load(self, loop: Loop) -> Code:
        """`relations`; a grouped query for counts."""
        parent, child, names = _models(loop)
        name = _relation(loop)
        key, column = identifier(loop.parent_column), identifier(loop.child_column)
        if loop.asks in (COUNT, EXISTS, FEW):
            return self._each(loop, parent, child, names)
        joined = f"{camel(parent)}.{name}"
        return Code(
            f"Load {name} with {parent}: relations",
            f"const rows = await dataSource.getRepository({parent}).find({{\n"
            f"  // where, order, take as before\n"
            f"  relations: {{ {name}: true }},\n"
            f'}}); // row.{name} is loaded; in a query builder: .leftJoinAndSelect("{joined}", "{name}")\n'
            f"// joined over {key} and {column}",
            'a join: with take it asks for the ids first, and lists multiply rows (relationLoadStrategy: "query" does not)',
            names,
        )

    def _each(self, loop: Loop, parent: str, child: str, names: str) -> Code:
        key, column = camel(loop.parent_column), identifier(loop.child_column)
        wanted, way = "count(*)", f"found.get(row.{key}) ?? 0"
        if loop.asks == EXISTS:
            wanted, way = "true", f"found.has(row.{key})"
        head = (
            f'const found = new Map((await dataSource.createQueryBuilder({child}, "c")\n'
            f'  .select("c.{column}", "key").addSelect("{wanted}", "value")\n'
            f'  .where("c.{column} IN (:...keys)", {{ keys: rows.map((row) => row.{key}) }})\n'
            f'  .groupBy("c.{column}").getRawMany()).map(({{ key, value }}) => [key, value]));\n'
            f"// {way} replaces the query in the loop"
        )  # fmt: skip
        if loop.asks == FEW:
            return Code(
                f"Load the first {child} of all {parent} with the SQL below",
                f"const rows = await dataSource.query(sql, [keys]); // sql: the statement below, group by {column}",
                "relations have no limit for each parent: raw rows instead of entities",
                names,
            )
        return Code(
            f"Ask for all {parent} at once",
            head,
            "keys without rows are missing; count(*) comes as text from node-postgres: Number(value)",
            names,
        )

    def lookup(self, lookup: Lookup) -> Code:
        """`In`."""
        name, names = _model(lookup.sql, lookup.table)
        field = camel(lookup.column)
        grouped = by_key(field, unique=lookup.unique)
        return Code(
            f"Collect the keys and ask {name} once",
            f"const rows = await dataSource.getRepository({name}).findBy({{ {field}: In(keys) }});\n{grouped}",
            "PostgreSQL takes 32,767 parameters at most: ask in batches",
            names,
        )

    def insert(self, inserts: Inserts) -> Code:
        """`insert` with all rows."""
        name, names = _model(inserts.sql, inserts.table)
        fields = ", ".join(camel(column) for column in columns_of(inserts.columns))
        return Code(
            f"Insert all rows of {name} at once",
            f"await dataSource.getRepository({name}).insert(rows); // [{{ {fields} }}, …], in batches of 1,000",
            "no cascades and no subscribers of single entities; save(rows) keeps them and asks for each first",
            names,
        )

    def page(self, page: Page) -> Code:
        """A condition on the last row's key."""
        name, names = _model(page.sql, page.table)
        field = camel(page.column)
        way, order = ("LessThan", "DESC") if page.descending else ("MoreThan", "ASC")
        return Code(
            f"Page through {name} from the last row on",
            f"const rows = await dataSource.getRepository({name}).find({{\n"
            f"  where: {{ {field}: {way}(last) }}, // not for the first page\n"
            f'  order: {{ {field}: "{order}" }},\n'
            f"  take: pageSize,\n"
            f"}});",
            NO_NUMBERS,
            names,
        )

    def omit(self, columns: Columns) -> Code:
        """`select`."""
        name, names = _model(columns.sql, columns.table)
        kept = ", ".join(f"{camel(column)}: true" for column in columns_of(columns.kept))
        wide = ", ".join(camel(column) for column in columns_of(columns.wide))
        return Code(
            f"Leave {wide} of {name} out: select",
            f"const rows = await dataSource.getRepository({name}).find({{\n"
            f"  // where, order, take as before\n"
            f"  select: {{ {kept} }},\n"
            f"}}); // or @Column({{ select: false }}) on {wide}",
            "what is left out is undefined on the rows",
            names,
        )

    def count(self, counted: Counted) -> Code:
        """`countBy`."""
        name, names = _model(counted.sql, counted.table)
        asked = ", ".join(camel(column) for column in columns_of(counted.columns))
        return Code(
            f"Count {name} in the database",
            f"const count = await dataSource.getRepository({name}).countBy({{ {asked} }}); // the conditions as they are",
            f"{NOT_FOR_ANY}: existsBy",
            names,
        )


def _model(sql: str, table: str) -> tuple[str, str]:
    """The entity's name: TypeORM takes it for the alias of a repository's own table."""
    alias = alias_of(sql, table)
    if alias is not None and alias[:1].isupper() and "__" not in alias:
        return alias, ALIASES
    return class_name(table), GUESSED


def _relation(loop: Loop) -> str:
    """The relation's name: TypeORM loads a lazy one with a join of its owner, under its name as alias."""
    alias = alias_of(loop.child_sql, loop.child_table)
    lazy = alias_of(loop.child_sql, loop.parent_table, "JOIN") is not None
    if lazy and alias is not None and alias[:1].islower() and "_" not in alias:
        return alias
    return camel(relation(loop))


def _models(loop: Loop) -> tuple[str, str, str]:
    parent, known = _model(loop.parent_sql, loop.parent_table)
    child, also = _model(loop.child_sql, loop.child_table)
    names = f"{ALIASES}, the relation's is guessed" if known == also == ALIASES else GUESSED
    return parent, child, names
