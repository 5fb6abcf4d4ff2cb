"""Sequelize (JavaScript, TypeScript): include, Op.in, bulkCreate."""

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
    class_name,
    columns_of,
    identifier,
)
from analyzer.patterns import regex


class Sequelize:
    """Models and finders."""

    id = "sequelize"
    name = "Sequelize"
    memo = "typescript"
    marks = Marks(
        formats=("sequelize",),
        tags=regex(r"db_driver='sequelize|framework='sequelize"),
        applications=regex(r"^sequelize$"),
        tables=frozenset({"SequelizeMeta"}),
        dialect=(
            Mark(regex(r'FROM (?:"[^"]+"\.)?"[^"]+" AS "[A-Z]\w*"'), 0.85, 'tables named after the model (FROM "authors" AS "Author")'),
            Mark(regex(r'INSERT INTO "[^".]+" \("\w+"(?:,"\w+")*\)'), 0.85, 'INSERT INTO "table" ("a","b") without spaces', writes=True),
            Mark(regex(r'UPDATE "[^".]+" SET "\w+"=\$'), 0.7, 'UPDATE … SET "a"=$1 without spaces', writes=True),
            Mark(regex(r'"([^"]+)"\."([^"]+)" AS "\1\.\2"'), 0.9, 'columns of joins named "Model.column"'),
            Mark(regex(r'FROM (?:"[^"]+"\.)?"([^"]+)" AS "\1" WHERE'), 0.5, "every table with an alias"),
        ),
    )  # fmt: skip

    def load(self, loop: Loop) -> Code:
        """`include`; a grouped query for counts."""
        parent, known = _model(loop.parent_sql, loop.parent_table)
        child, also = _model(loop.child_sql, loop.child_table)
        names = ALIASES if known == also == ALIASES else GUESSED
        key, column = identifier(loop.parent_column), _attribute(loop.child_sql, loop.child_column)
        if loop.asks in (COUNT, EXISTS):
            used = (
                f"Number(found.get(row.{key}) ?? 0)"
                if loop.asks == COUNT
                else f"found.has(row.{key})"
            )
            return Code(
                f"Ask for all {parent} at once",
                f"const counts = await {child}.findAll({{\n"
                f'  attributes: ["{column}", [fn("COUNT", col("*")), "n"]],\n'
                f"  where: {{ {column}: rows.map((row) => row.{key}) }},\n"
                f'  group: ["{column}"],\n'
                f"  raw: true,\n"
                f"}});\n"
                f"const found = new Map(counts.map((one) => [one.{column}, one.n]));\n"
                f"// {used} replaces the query in the loop",
                "keys without rows are missing; attribute names may differ from the columns'",
                names,
            )
        extra = ", separate: true" if not loop.forward else ""
        if loop.asks == FEW:
            extra = f", separate: true, limit: {loop.limit or 'n'}, order: [/* as in the loop */]"
        return Code(
            f"Load {child} with {parent}: include",
            f"const rows = await {parent}.findAll({{\n"
            f"  // where, order, limit as before\n"
            f"  include: [{{ model: {child}{extra} }}], // as: … if the association has an alias\n"
            f"}}); // row.{child if loop.forward else child + 's'} is loaded",
            "without separate: true a list is a join, which repeats the parent's columns"
            if not loop.forward
            else "a join: attributes keeps wide columns out",
            names,
        )

    def lookup(self, lookup: Lookup) -> Code:
        """A list of keys."""
        name, names = _model(lookup.sql, lookup.table)
        column = _attribute(lookup.sql, lookup.column)
        grouped = by_key(column, unique=lookup.unique)
        return Code(
            f"Collect the keys and ask {name} once",
            f"const rows = await {name}.findAll({{ where: {{ {column}: {{ [Op.in]: keys }} }} }});\n{grouped}",
            "long lists: ask in batches",
            names,
        )

    def insert(self, inserts: Inserts) -> Code:
        """`bulkCreate`."""
        name, names = _model(inserts.sql, inserts.table)
        fields = ", ".join(columns_of(inserts.columns))
        return Code(
            f"Insert all rows of {name} at once: bulkCreate",
            f"await {name}.bulkCreate(rows); // [{{ {fields} }}, …], in batches of 1,000\n"
            f"// ignoreDuplicates or updateOnDuplicate say what a duplicate does",
            "hooks of single rows and validations run only with individualHooks and validate",
            names,
        )

    def page(self, page: Page) -> Code:
        """A condition on the last row's key."""
        name, names = _model(page.sql, page.table)
        column = _attribute(page.sql, page.column)
        way, order = ("lt", "DESC") if page.descending else ("gt", "ASC")
        return Code(
            f"Page through {name} from the last row on",
            f"const rows = await {name}.findAll({{\n"
            f"  where: {{ {column}: {{ [Op.{way}]: last }} }}, // not for the first page\n"
            f'  order: [["{column}", "{order}"]],\n'
            f"  limit: pageSize,\n"
            f"}});",
            NO_NUMBERS,
            names,
        )

    def omit(self, columns: Columns) -> Code:
        """`attributes` with `exclude`."""
        name, names = _model(columns.sql, columns.table)
        wide = [_attribute(columns.sql, column) for column in columns.wide]
        named = ", ".join(f'"{column}"' for column in wide)
        return Code(
            f"Leave {', '.join(wide)} of {name} out: attributes",
            f"const rows = await {name}.findAll({{\n"
            f"  // where, order, limit as before\n"
            f"  attributes: {{ exclude: [{named}] }},\n"
            f"}});",
            "what is left out is undefined on the rows",
            names,
        )

    def count(self, counted: Counted) -> Code:
        """`count`."""
        name, names = _model(counted.sql, counted.table)
        asked = ", ".join(_attribute(counted.sql, column) for column in counted.columns)
        return Code(
            f"Count {name} in the database",
            f"const count = await {name}.count({{ where: {{ {asked} }} }}); // the conditions as they are",
            f"{NOT_FOR_ANY}: findOne",
            names,
        )


def _model(sql: str, table: str) -> tuple[str, str]:
    """The model's name: Sequelize takes it for the table's alias."""
    alias = alias_of(sql, table)
    return (alias, ALIASES) if alias is not None else (class_name(table), GUESSED)


def _attribute(sql: str, column: str) -> str:
    """The attribute's name: what a column is selected as."""
    found = re.search(rf'"{re.escape(column)}" AS "(\w+)"', sql)
    return found[1] if found else identifier(column)
