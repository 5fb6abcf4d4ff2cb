"""What a clone of a database is built from: its schema and its planner's statistics, without rows.

The most common values and the bounds of histograms in statistics are values of the data: personal, where
the data are.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class RelationStatistics:
    """How large a table, materialized view or index is, as pg_class has it.

    `pages` (of 8,192 bytes) and `rows` are what ANALYZE saw last, rows -1 where it never did.
    `file_pages` is how large its file was when it was looked at, None where nobody looked.
    """

    schema: str
    name: str
    pages: int
    rows: float
    all_visible: int = 0
    file_pages: int | None = None


@dataclass(frozen=True, slots=True)
class ColumnStatistics:
    """Statistics of one column, or of an index's expression, as pg_stats has them.

    `column` is its name, or for an expression None, and `number` its place in the index.
    `inherited`: of the rows of all children (a partitioned table's). `values` are texts by the names
    of pg_stats' columns (null_frac, most_common_vals …).
    """

    schema: str
    relation: str
    column: str | None
    inherited: bool
    values: Mapping[str, str]
    number: int | None = None


@dataclass(frozen=True, slots=True)
class Blueprint:
    """A database without its rows.

    `statements` make the schema, in order. `settings` are those of the planner, as texts;
    `search_path` the schemas that names are looked up in, `collation` how the database sorts texts
    ("C", "en_US.UTF-8"), None where that is not known. `origin` says where it comes from, and
    `server_version` (like 150004) which server; `warnings` what is missing.
    """

    origin: str
    statements: tuple[str, ...] = ()
    relations: tuple[RelationStatistics, ...] = ()
    columns: tuple[ColumnStatistics, ...] = ()
    settings: Mapping[str, str] = field(default_factory=dict)
    search_path: tuple[str, ...] = ()
    collation: str | None = None
    server_version: int | None = None
    warnings: tuple[str, ...] = ()
