"""SQLAlchemy's ORM (Python): joinedload, selectinload, in_, insert."""

import re

from analyzer.advice.stacks._base import (
    COUNT,
    EXISTS,
    FEW,
    GUESSED,
    IN_BATCHES,
    NO_NUMBERS,
    NOT_FOR_ANY,
    NOT_LOADED,
    Code,
    Columns,
    Counted,
    Inserts,
    Lookup,
    Loop,
    Mark,
    Marks,
    Page,
    class_name,
    columns_of,
    identifier,
    relation,
)
from analyzer.patterns import regex


class SqlAlchemy:
    """Mapped classes and select()."""

    id = "sqlalchemy"
    name = "SQLAlchemy"
    memo = "python"
    marks = Marks(
        formats=("sqlalchemy",),
        tags=regex(r"db_driver='(?:psycopg2|psycopg|asyncpg)?[^']*sqlalchemy|framework='sqlalchemy"),
        tables=frozenset({"alembic_version"}),
        dialect=(
            Mark(regex(r"\$\d+::(?:INTEGER|BIGINT|VARCHAR|UUID|TEXT|BOOLEAN|DATE|NUMERIC|FLOAT|TIMESTAMP|SMALLINT)"), 0.9, "parameters cast to types in capitals ($1::INTEGER)"),
            Mark(regex(r"\$\d+::(?:INTEGER|BIGINT|VARCHAR|UUID|TEXT|BOOLEAN|DATE|NUMERIC|FLOAT|TIMESTAMP|SMALLINT)"), 0.9, "parameters cast to types in capitals ($1::INTEGER)", writes=True),
            Mark(regex(r"INSERT INTO (\w+) \(.{1,3000}? RETURNING \1\.\w", re.DOTALL), 0.5, "INSERT … RETURNING table.column, without quotes", writes=True),
            Mark(regex(r"\b(\w+)\.(\w+) AS \1_\2\b"), 0.9, "columns named table_column (users.id AS users_id)"),
            Mark(regex(r" AS (?:anon_\d+|count_\d+|[a-z]\w*_\d+)\b"), 0.7, "names that it makes up (anon_1, count_1)"),
            Mark(regex(r"SELECT ([a-z_]\w*)\.\w+(?:, [a-z_]\w*\.\w+)* FROM \1\b(?! AS)(?! [a-z]+\.)"), 0.35, "every column spelled out as table.column, without quotes"),
        ),
    )  # fmt: skip

    def load(self, loop: Loop) -> Code:
        """`joinedload` to one row, `selectinload` to many; a grouped statement for counts."""
        parent, child, name = (
            class_name(loop.parent_table),
            class_name(loop.child_table),
            relation(loop),
        )
        key, column = identifier(loop.parent_column), identifier(loop.child_column)
        if loop.asks in (COUNT, EXISTS):
            what = "func.count()" if loop.asks == COUNT else "True"
            wanted = f"{child}.{column}, {what}" if loop.asks == COUNT else f"{child}.{column}"
            made = "dict(session.execute(" if loop.asks == COUNT else "set(session.scalars("
            grouped = f".group_by({child}.{column})" if loop.asks == COUNT else ".distinct()"
            end = ").all())"
            used = "found.get(key, 0)" if loop.asks == COUNT else "key in found"
            return Code(
                f"Ask for all {parent} at once: {'group_by' if loop.asks == COUNT else 'distinct'}",
                f"keys = [row.{key} for row in rows]\n"
                f"found = {made}\n"
                f"    select({wanted}).where({child}.{column}.in_(keys)){grouped}\n"
                f"{end}  # {used} replaces the query in the loop",
                "keys without rows are missing from the result",
                GUESSED,
            )
        if loop.asks == FEW:
            return Code(
                f"Load the first {name} of each {parent} with one statement",
                f"keys = [row.{key} for row in rows]\n"
                f'place = func.row_number().over(partition_by={child}.{column}, order_by=…).label("place")\n'
                f"ranked = select({child}.id, place).where({child}.{column}.in_(keys)).subquery()\n"
                f"found = session.scalars(\n"
                f"    select({child}).join(ranked, ranked.c.id == {child}.id).where(ranked.c.place <= {loop.limit or 'n'})\n"
                f").all()  # group by {column}",
                "a window function over the children of all parents",
                GUESSED,
            )
        way = "joinedload" if loop.forward else "selectinload"
        return Code(
            f"Load {name} with {parent}: {way}",
            f"from sqlalchemy.orm import {way}\n\n"
            f"rows = session.scalars(\n"
            f"    select({parent}).options({way}({parent}.{name}))  # where, order_by as before\n"
            f').all()  # row.{name} is loaded; lazy="raise" on the relationship finds what is left',
            "joinedload repeats the parent's columns for each child: selectinload for lists"
            if loop.forward
            else "all children of all rows are held in memory",
            GUESSED,
        )

    def lookup(self, lookup: Lookup) -> Code:
        """`in_` and a dictionary."""
        name, column = class_name(lookup.table), identifier(lookup.column)
        select = f"session.scalars(select({name}).where({name}.{column}.in_(keys)))"
        if lookup.unique:
            text = f"found = {{row.{column}: row for row in {select}}}\n# found.get(key) replaces the query in the loop"
        else:
            text = f"found = defaultdict(list)  # from collections\nfor row in {select}:\n    found[row.{column}].append(row)"
        return Code(
            f"Collect the keys and ask {name} once",
            text,
            IN_BATCHES,
            GUESSED,
        )

    def insert(self, inserts: Inserts) -> Code:
        """`insert` with a list of dictionaries."""
        name = class_name(inserts.table)
        fields = ", ".join(f'"{column}": …' for column in columns_of(inserts.columns))
        return Code(
            f"Insert all rows of {name} at once",
            f"session.execute(insert({name}), [{{{fields}}} for thing in things])\n"
            f"# insert({name}).returning({name}.id) where the new ids are needed",
            "no cascades, no events of single objects; one failing row fails all",
            GUESSED,
        )

    def page(self, page: Page) -> Code:
        """A condition on the last row's key."""
        name, column = class_name(page.table), identifier(page.column)
        sign, order = (
            ("<", f"{name}.{column}.desc()") if page.descending else (">", f"{name}.{column}")
        )
        return Code(
            f"Page through {name} from the last row on",
            f"rows = session.scalars(\n"
            f"    select({name}).where({name}.{column} {sign} last_{column}).order_by({order}).limit(page_size)\n"
            f").all()  # the first page without where()",
            NO_NUMBERS,
            GUESSED,
        )

    def omit(self, columns: Columns) -> Code:
        """`defer`."""
        name, wide = class_name(columns.table), columns_of(columns.wide)
        ways = ", ".join(f"defer({name}.{column})" for column in wide)
        return Code(
            f"Leave {', '.join(wide)} of {name} out: defer",
            f"from sqlalchemy.orm import defer\n\n"
            f"rows = session.scalars(select({name}).options({ways})).all()  # where, order_by as before",
            f"{NOT_LOADED}: raiseload=True in defer() finds it",
            GUESSED,
        )

    def count(self, counted: Counted) -> Code:
        """`func.count`."""
        name = class_name(counted.table)
        asked = ", ".join(f"{name}.{column} == {column}" for column in columns_of(counted.columns))
        return Code(
            f"Count {name} in the database",
            f"count = session.scalar(select(func.count()).select_from({name}).where({asked}))  # the conditions as they are",
            f"{NOT_FOR_ANY}: select(exists())",
            GUESSED,
        )
