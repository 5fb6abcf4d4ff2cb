"""Rails' Active Record (Ruby): includes, preload, group, insert_all."""

import re

from analyzer.advice.stacks._base import (
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
    class_name,
    columns_of,
    identifier,
    relation,
)
from analyzer.patterns import regex


class Rails:
    """Active Record models and relations."""

    id = "rails"
    name = "Rails"
    memo = "ruby"
    marks = Marks(
        formats=("rails",),
        tags=regex(r"framework='rails|\bcontroller[:=].*\baction[:=]|\baction[:=].*\bcontroller[:=]|\bapplication:\w"),
        applications=regex(r"^(?:puma\b|bin/rails|rails\b|sidekiq\b|unicorn\b|rake\b|\S+\.rb$)"),
        tables=frozenset({"ar_internal_metadata"}),
        dialect=(
            Mark(regex(r'SELECT (?:DISTINCT )?("[^"]+")\.\* FROM \1(?! (?:AS )?")'), 0.9, 'SELECT "table".* FROM "table"'),
            Mark(regex(r'INSERT INTO "[^"]+" \((?:"\w+", )*"\w+"\) VALUES \([^()]*\) RETURNING "\w+"$'), 0.7, 'INSERT … RETURNING "id"', writes=True),
            Mark(regex(r'UPDATE ("[^"]+") SET "[^"]+" = .{1,3000}? WHERE \1\."', re.DOTALL), 0.3, 'UPDATE … WHERE "table"."column"', writes=True),
            Mark(regex(r"SELECT (?:\$\d+|1) AS one FROM"), 0.95, "EXISTS asked as SELECT 1 AS one"),
        ),
    )  # fmt: skip

    def load(self, loop: Loop) -> Code:
        """`includes`; a grouped statement for counts."""
        parent, child, name = (
            class_name(loop.parent_table),
            class_name(loop.child_table),
            relation(loop),
        )
        key, column = identifier(loop.parent_column), identifier(loop.child_column)
        if loop.asks == COUNT:
            return Code(
                f"Count {name} of all {parent} at once",
                f"found = {child}.where({column}: rows.map(&:{key})).group(:{column}).count\n"
                f"# found.fetch(row.{key}, 0) replaces the query in the loop; or a counter_cache column",
                "keys without rows are missing from the result; .size uses what is loaded, .count never does",
                GUESSED,
            )
        if loop.asks == EXISTS:
            return Code(
                f"Ask for all {parent} at once which have {name}",
                f"found = {child}.where({column}: rows.map(&:{key})).distinct.pluck(:{column}).to_set\n"
                f"# found.include?(row.{key}) replaces exists? in the loop",
                "with includes(…) already there, .any? asks nothing",
                GUESSED,
            )
        if loop.asks == FEW:
            return Code(
                f"Load the first {name} of all {parent} with one statement",
                f"ranked = {child}.where({column}: rows.map(&:{key}))\n"
                f'  .select("*, row_number() OVER (PARTITION BY {column} ORDER BY …) AS place")\n'
                f'found = {child}.from(ranked, :{name}).where("place <= {loop.limit or "n"}").group_by(&:{column})',
                "preloading an association with a limit ignores the limit: this does not",
                GUESSED,
            )
        return Code(
            f"Load {name} with {parent}: includes",
            f"rows = {parent}.includes(:{name})  # where, order as before; preload(:{name}) never joins\n"
            f"# row.{name} is loaded; strict_loading on the association finds what is left",
            "all children of all rows are held in memory; where() on the association asks again",
            GUESSED,
        )

    def lookup(self, lookup: Lookup) -> Code:
        """`where` with all keys."""
        name, column = class_name(lookup.table), identifier(lookup.column)
        way = "index_by" if lookup.unique else "group_by"
        return Code(
            f"Collect the keys and ask {name} once",
            f"found = {name}.where({column}: keys).{way}(&:{column})\n"
            f"# found[key] replaces the query in the loop",
            "thousands of keys: keys.each_slice(1_000)",
            GUESSED,
        )

    def insert(self, inserts: Inserts) -> Code:
        """`insert_all`."""
        name = class_name(inserts.table)
        fields = ", ".join(f"{column}: …" for column in columns_of(inserts.columns))
        return Code(
            f"Insert all rows of {name} at once: insert_all!",
            f"{name}.insert_all!(things.map {{ |thing| {{ {fields} }} }})\n"
            f"# upsert_all(…, unique_by: …) where the loop updated what was there",
            "callbacks and validations are not run; timestamps are set from Rails 7 on",
            GUESSED,
        )

    def page(self, page: Page) -> Code:
        """A condition on the last row's key."""
        name, column = class_name(page.table), identifier(page.column)
        sign, order = ("<", f"{column}: :desc") if page.descending else (">", f":{column}")
        return Code(
            f"Page through {name} from the last row on",
            f'rows = {name}.where("{column} {sign} ?", last_{column}).order({order}).limit(page_size)\n'
            f"# the first page without where; find_each does so for whole tables, by id",
            NO_NUMBERS,
            GUESSED,
        )

    def omit(self, columns: Columns) -> Code:
        """`select`."""
        name, wide = class_name(columns.table), columns_of(columns.wide)
        return Code(
            f"Leave {', '.join(wide)} of {name} out: select",
            f"rows = {name}.select({name}.column_names - %w[{' '.join(wide)}])  # where, order as before",
            "reading what is left out raises ActiveModel::MissingAttributeError",
            GUESSED,
        )

    def count(self, counted: Counted) -> Code:
        """`count`."""
        name = class_name(counted.table)
        asked = ", ".join(f"{column}: {column}" for column in columns_of(counted.columns))
        return Code(
            f"Count {name} in the database",
            f"count = {name}.where({asked}).count # the conditions as they are, no length",
            f"{NOT_FOR_ANY}: exists?",
            GUESSED,
        )
