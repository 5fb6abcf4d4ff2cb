"""What a stack is: how it is recognised in an input, and how it writes what advice recommends."""

import re
from collections.abc import Sequence
from typing import Protocol

from analyzer.model.catalog import Catalog, Table
from analyzer.patterns import regex
from analyzer.records import record

ROWS, COUNT, EXISTS, FEW = "rows", "count", "exists", "few"  # what a child statement asks for


@record
class Mark:
    """A way of writing SQL that tells a stack. `weight` is how sure it makes alone (0..1).

    It is looked for in SELECTs, with `writes` in statements that write.
    """

    pattern: re.Pattern[str]
    weight: float
    words: str
    writes: bool = False


@record
class Marks:
    """What a stack leaves in an input.

    `tags` is looked for in the comments of statements, `applications` in application_name; `tables`
    are tables of its own; `formats` begin the names of its own query logs; `models` is the file that
    a schema's models come from.
    """

    tags: re.Pattern[str] | None = None
    applications: re.Pattern[str] | None = None
    tables: frozenset[str] = frozenset()
    formats: tuple[str, ...] = ()
    models: str = ""
    dialect: tuple[Mark, ...] = ()


@record
class Loop:
    """An N+1 as code has to undo it.

    `forward`: each child is the one row that the parent's `parent_column` refers to; else children
    are the rows whose `child_column` refers to the parent. `asks` is ROWS, COUNT, EXISTS or FEW (a
    LIMIT for each parent, `limit` where it is known). `also` are columns of the child on which it has
    further conditions. `parent_call` and `child_call` are an ORM's calls, where comments name them
    ("Project.findMany"). The texts are normalised.
    """

    parent_table: str
    child_table: str
    parent_column: str
    child_column: str
    forward: bool
    asks: str
    limit: int | None
    parent_sql: str
    child_sql: str
    catalog: Catalog | None = None
    also: tuple[str, ...] = ()
    parent_call: str | None = None
    child_call: str | None = None

    def parent(self) -> Table | None:
        """The parent's table, where a schema tells of it."""
        return self.catalog.table(self.parent_table) if self.catalog else None

    def child(self) -> Table | None:
        """The child's table, where a schema tells of it."""
        return self.catalog.table(self.child_table) if self.catalog else None


@record
class Lookup:
    """A lookup that is run for many keys, whose parent is not known. `unique`: one row a key.

    `call` is an ORM's, where comments name it.
    """

    table: str
    column: str
    unique: bool
    sql: str
    catalog: Catalog | None = None
    call: str | None = None


@record
class Inserts:
    """Rows that are inserted one by one."""

    table: str
    columns: tuple[str, ...]
    sql: str
    catalog: Catalog | None = None


@record
class Page:
    """A list read page by page with OFFSET, sorted by `column` (unique, or a unique one follows)."""

    table: str
    column: str
    descending: bool
    sql: str
    catalog: Catalog | None = None


@record
class Columns:
    """All columns of a table, asked for with each row: those that may stay, and the `wide` ones.

    `call` is an ORM's, where comments name it.
    """

    table: str
    kept: tuple[str, ...]
    wide: tuple[str, ...]
    sql: str
    catalog: Catalog | None = None
    call: str | None = None


@record
class Counted:
    """Rows that are fetched to be counted; `columns` are those that they are looked up by.

    `call` is an ORM's, where comments name it.
    """

    table: str
    columns: tuple[str, ...]
    sql: str
    catalog: Catalog | None = None
    call: str | None = None


@record
class Code:
    """What to write instead. `names` says where the names in it come from."""

    title: str
    text: str
    risk: str
    names: str


class Stack(Protocol):
    """An ORM, or a way of talking to PostgreSQL, in which a fix can be written.

    `id` is the recommendation's language in report.json, `name` as people write it, `memo` the
    programming language. A method gives None where the stack has no good way.
    """

    id: str
    name: str
    memo: str
    marks: Marks

    def load(self, loop: Loop) -> Code | None:
        """Load the children with the parents."""
        ...

    def lookup(self, lookup: Lookup) -> Code | None:
        """Ask once for all keys."""
        ...

    def insert(self, inserts: Inserts) -> Code | None:
        """Insert all rows at once."""
        ...

    def page(self, page: Page) -> Code | None:
        """Go on from the last row instead of counting rows off."""
        ...

    def omit(self, columns: Columns) -> Code | None:
        """Leave wide columns out."""
        ...

    def count(self, counted: Counted) -> Code | None:
        """Count in the database."""
        ...


GUESSED = "names guessed from tables and columns: give --schema, or take those of your models"
IN_BATCHES = "thousands of keys: ask in batches"
NOT_LOADED = "code that reads what is left out loads it row by row"
NO_NUMBERS = "pages can no longer be asked for by number; where the column is not unique, add the key to both"
ALIASES = "model names are the aliases in the SQL"


def identifier(name: str) -> str:
    """A name for code: what is no letter, digit or underscore (it is input) becomes one."""
    made = re.sub(r"\W+", "_", name).strip("_") or "name"
    return f"_{made}" if made[0].isdigit() else made


def by_key(field: str, *, unique: bool) -> str:
    """JavaScript that finds `rows` by a field: the one row of a key, or its list."""
    if unique:
        return f"const found = new Map(rows.map((row) => [row.{field}, row]));"
    return f"const found = Map.groupBy(rows, (row) => row.{field});"


def own_name(table: str) -> str:
    """A table's name without its schema."""
    return table.rpartition(".")[2]


_SAME = regex(r"(?:ss|us|is|news|series|species)$")


def singular(word: str) -> str:
    """An English plural's singular, as ORMs form table names; other words stay."""
    lower = word.lower()
    if _SAME.search(lower) or not lower.endswith("s"):
        return word
    if lower.endswith("ies") and len(word) > 4:  # noqa: PLR2004 - not ties, dies
        return word[:-3] + "y"
    if lower.endswith(("sses", "xes", "ches", "shes", "zes")):
        return word[:-2]
    return word[:-1]


def plural(word: str) -> str:
    """An English plural, as ORMs form names of lists; what looks like one stays."""
    lower = word.lower()
    if lower.endswith("s") and not lower.endswith("ss"):
        return word
    if lower.endswith("y") and lower[-2:-1] not in "aeiou":
        return word[:-1] + "ies"
    return word + ("es" if lower.endswith(("ss", "x", "ch", "sh", "z")) else "s")


def class_name(table: str) -> str:
    """A model's name as most ORMs would form it: order_items → OrderItem."""
    parts = [part for part in identifier(own_name(table)).split("_") if part]
    if not parts:
        return "Model"
    parts[-1] = singular(parts[-1])
    return "".join(part[:1].upper() + part[1:] for part in parts)


def snake(name: str) -> str:
    """OrderItem → order_item."""
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", identifier(own_name(name))).lower()


def camel(name: str) -> str:
    """order_item → orderItem."""
    made = class_name_kept(name)
    return made[:1].lower() + made[1:]


def class_name_kept(name: str) -> str:
    """order_items → OrderItems."""
    parts = [part for part in identifier(own_name(name)).split("_") if part]
    return "".join(part[:1].upper() + part[1:] for part in parts) or "Name"


def reference(column: str) -> str:
    """What a foreign key's column refers to: author_id → author, authorId → author."""
    return re.sub(r"(?<=.)(?:_id|Id|_uuid|Uuid|_fk)$", "", identifier(column)) or identifier(column)


def relation(loop: Loop) -> str:
    """The relation from the parent's model, in snake case: author, or books."""
    if loop.forward:
        return snake(reference(loop.parent_column))
    return plural(snake(loop.child_table))


NOT_FOR_ANY = "where only 'is there any' is asked, counting reads more than it has to"


def columns_of(names: Sequence[str]) -> list[str]:
    """Column names for code."""
    return [identifier(name) for name in names]


_ALIAS = r'{}"{}"(?: AS)? "([^"]+)"'


def alias_of(sql: str, table: str, after: str = "FROM") -> str | None:
    """The alias that a statement gives a quoted table after FROM (or JOIN), None without one of its own."""
    found = re.search(_ALIAS.format(rf"{after} (?:\"[^\"]+\"\.)?", re.escape(own_name(table))), sql)
    return identifier(found[1]) if found else None
