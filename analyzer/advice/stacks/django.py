"""Django's ORM (Python): select_related, prefetch_related, in_bulk, bulk_create."""

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
    own_name,
    plural,
    reference,
    snake,
)
from analyzer.patterns import regex

_RELATED = f"{GUESSED}; the name of the way back is Django's default, or the field's related_name"


class Django:
    """Models and querysets."""

    id = "django"
    name = "Django"
    memo = "python"
    marks = Marks(
        formats=("django",),
        tags=regex(r"framework='django|db_driver='django"),
        tables=frozenset({"django_migrations", "django_session", "django_content_type", "auth_user"}),
        dialect=(
            Mark(
                regex(r'SELECT (?:DISTINCT )?("[^".]+")\."[^"]+"(?:, (?:"[^".]+"\."[^"]+"|\.\.\.))+ FROM \1(?! (?:AS )?")'),
                0.75,
                'every column spelled out as "table"."column", tables without aliases',
            ),
            Mark(regex(r'AS "__count"'), 0.95, 'counts named "__count"'),
            Mark(regex(r'INSERT INTO ("[^"]+") \(.{1,3000}? RETURNING \1\."', re.DOTALL), 0.8, 'INSERT … RETURNING "table"."column"', writes=True),
            Mark(regex(r'UPDATE ("[^"]+") SET "[^"]+" = .{1,3000}? WHERE \1\."', re.DOTALL), 0.3, 'UPDATE … WHERE "table"."column"', writes=True),
            Mark(regex(r' JOIN "[^"]+"(?: T\d+)? ON \("'), 0.7, "conditions of joins in brackets"),
            Mark(regex(r'SELECT (?:\$\d+|1) AS "a" FROM'), 0.9, 'EXISTS asked as SELECT 1 AS "a"'),
        ),
    )  # fmt: skip

    def load(self, loop: Loop) -> Code:
        """`select_related` to one row, `prefetch_related` to many, `annotate` for counts."""
        parent, child = model(loop.parent_table), model(loop.child_table)
        if loop.forward and loop.asks != COUNT:
            field = snake(reference(loop.parent_column))
            return Code(
                f"Load {field} with {parent}: select_related",
                f'rows = {parent}.objects.select_related("{field}")  # filter, order_by as before\n'
                f'# row.{field} is loaded; prefetch_related("{field}") where few rows are shared by many',
                "a join repeats the other row's columns: only() keeps wide ones out",
                GUESSED,
            )
        back = child.lower()
        field = reference(loop.child_column)
        if loop.asks == COUNT:
            text = (
                f"from django.db.models import Count\n\n"
                f'rows = {parent}.objects.annotate({back}_count=Count("{back}"))\n'
                f"# row.{back}_count replaces the query in the loop; distinct=True beside other joins"
            )
            return Code(
                f"Count {back} with {parent}: annotate",
                text,
                "groups the joined rows: a subquery is faster where most parents have many",
                _RELATED,
            )
        if loop.asks == EXISTS:
            text = (
                f"from django.db.models import Exists, OuterRef\n\n"
                f"rows = {parent}.objects.annotate(\n"
                f'    has_{back}=Exists({child}.objects.filter({field}=OuterRef("pk")))\n'
                f")  # row.has_{back} replaces the query in the loop"
            )
            return Code(
                f"Ask whether {back} exists with {parent}: Exists",
                text,
                "none beyond the subquery's own cost: it needs an index on the foreign key",
                _RELATED,
            )
        if loop.asks == FEW:
            text = (
                f"from django.db.models import Prefetch\n\n"
                f"wanted = {child}.objects.order_by(…)[:{loop.limit or 'n'}]  # sliced per parent from Django 4.2 on\n"
                f'rows = {parent}.objects.prefetch_related(Prefetch("{back}_set", queryset=wanted, to_attr="few"))\n'
                f"# row.few replaces the query in the loop"
            )
            return Code(
                f"Load the first {back} of each {parent}: Prefetch",
                text,
                "uses a window function over the children of all parents",
                _RELATED,
            )
        text = (
            f'rows = {parent}.objects.prefetch_related("{back}_set")  # filter, order_by as before\n'
            f"# row.{back}_set.all() is loaded; .filter() on it would ask again"
        )
        return Code(
            f"Load {back}_set with {parent}: prefetch_related",
            text,
            "all children of all rows are held in memory",
            _RELATED,
        )

    def lookup(self, lookup: Lookup) -> Code:
        """`in_bulk`, or `__in` and grouping."""
        name, column = model(lookup.table), identifier(lookup.column)
        if lookup.unique:
            by = "" if column in ("id", "pk") else f', field_name="{column}"'
            text = f"found = {name}.objects.in_bulk(keys{by})\n# found.get(key) replaces the query in the loop"
        else:
            text = (
                f"from collections import defaultdict\n\n"
                f"found = defaultdict(list)\n"
                f"for row in {name}.objects.filter({column}__in=keys):\n"
                f"    found[row.{column}].append(row)\n"
                f"# found[key] replaces the query in the loop"
            )
        return Code(
            f"Collect the keys and ask {name} once",
            text,
            IN_BATCHES,
            GUESSED,
        )

    def insert(self, inserts: Inserts) -> Code:
        """`bulk_create`."""
        name = model(inserts.table)
        fields = ", ".join(f"{column}=…" for column in columns_of(inserts.columns))
        return Code(
            f"Insert all rows of {name} at once: bulk_create",
            f"{name}.objects.bulk_create(\n    [{name}({fields}) for thing in things],\n    batch_size=1000,\n)",
            "save() and signals are not run; ignore_conflicts or update_conflicts say what a duplicate does",
            GUESSED,
        )

    def page(self, page: Page) -> Code:
        """A filter on the last row's key."""
        name, column = model(page.table), identifier(page.column)
        way, order = ("lt", f"-{column}") if page.descending else ("gt", column)
        return Code(
            f"Page through {name} from the last row on",
            f'rows = {name}.objects.filter({column}__{way}=last_{column}).order_by("{order}")[:page_size]\n'
            f"# the first page without the filter; hand rows[-1].{column} on",
            NO_NUMBERS,
            GUESSED,
        )

    def omit(self, columns: Columns) -> Code:
        """`defer`."""
        name, wide = model(columns.table), columns_of(columns.wide)
        named = ", ".join(f'"{column}"' for column in wide)
        return Code(
            f"Leave {', '.join(wide)} of {name} out: defer",
            f"rows = {name}.objects.defer({named})  # filter, order_by as before",
            NOT_LOADED,
            GUESSED,
        )

    def count(self, counted: Counted) -> Code:
        """`count`."""
        name = model(counted.table)
        asked = ", ".join(f"{column}={column}" for column in columns_of(counted.columns))
        return Code(
            f"Count {name} in the database",
            f"count = {name}.objects.filter({asked}).count()  # the conditions as they are, no len()",
            f"{NOT_FOR_ANY}: exists()",
            GUESSED,
        )


def model(table: str) -> str:
    """A model's name from Django's `app_model` tables; other tables as any ORM would."""
    name = own_name(table)
    app, line, rest = name.partition("_")
    if line and app and rest and plural(rest) != rest:
        return class_name(rest)
    return class_name(name)
