"""How a statement gets at the rows of each table that it names, with every column resolved.

This is what index candidates are made of. One `TableAccess` is one mention of a table: a statement
that joins a table with itself has two.
"""

from dataclasses import dataclass
from enum import StrEnum


class Use(StrEnum):
    """What a condition lets an index do."""

    EQUALITY = "equality"  # = value, IN (…), = ANY(…), and = a column of another table
    RANGE = "range"  # <, <=, >, >=, BETWEEN, LIKE 'abc%'
    TEST = "test"  # IS NULL, IS NOT NULL, a boolean column alone
    SEARCH = "search"  # what no btree serves: LIKE '%x%', ~, @>, &&, @@, ?
    DISTANCE = "distance"  # ORDER BY column <-> value


@dataclass(frozen=True, slots=True)
class Compared:
    """A column, or an expression over it alone, that rows are found by.

    `operator` is spelled as in model.statement.Predicate. `expression` is complete SQL without
    qualifiers where something is computed from the column (`immutable`: it may be indexed).
    `joined` says that the other side is another table's column. `constant` is SQL of the literal
    that it is compared with, where the text holds just one. `prefix` says that LIKE's pattern begins
    with plain characters. `required` is False where the condition stands below an OR.
    """

    column: str
    use: Use
    operator: str
    expression: str | None = None
    immutable: bool = True
    joined: bool = False
    constant: str | None = None
    prefix: bool = False
    required: bool = True


@dataclass(frozen=True, slots=True)
class SortedColumn:
    """A column that rows are sorted by; `descending` has PostgreSQL's usual place for NULLs."""

    column: str
    descending: bool = False


@dataclass(frozen=True, slots=True)
class TableAccess:
    """One mention of the catalog's table `table`.

    `sorted_by` are the first columns of ORDER BY as far as they are this table's, `limited` says that
    only the first rows are wanted. `grouped_by` are its columns in GROUP BY or DISTINCT, in order.
    `needed` are all its columns that the statement reads anywhere, in the table's order (all of them
    for `*`). `target` says that the statement writes to this table through this mention.
    """

    table: str
    compared: tuple[Compared, ...] = ()
    sorted_by: tuple[SortedColumn, ...] = ()
    limited: bool = False
    grouped_by: tuple[str, ...] = ()
    needed: tuple[str, ...] = ()
    target: bool = False


@dataclass(frozen=True, slots=True)
class TableWrite:
    """What a statement writes: `kind` is insert, update or delete; `columns` those that UPDATE sets."""

    table: str
    kind: str
    columns: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class StatementAccess:
    """All of a statement. `unresolved` are columns and tables that the catalog does not have."""

    accesses: tuple[TableAccess, ...] = ()
    writes: tuple[TableWrite, ...] = ()
    unresolved: tuple[str, ...] = ()
