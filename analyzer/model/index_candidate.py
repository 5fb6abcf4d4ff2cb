"""An index that might help, before anyone has tried it: made by rules, judged elsewhere."""

from analyzer.model.catalog import Index
from analyzer.records import record


@record
class IndexKey:
    """One key of an index: a column, or an expression over it as complete SQL.

    `role` is why it is there: equality, sort, range, or contains (GIN, GiST). `descending` says
    that it is sorted the other way (NULLs first, as PostgreSQL's DESC has it).
    """

    column: str
    role: str
    expression: str | None = None
    operator_class: str | None = None
    descending: bool = False


@record
class Constant:
    """The value that all rows of a partial index have in a column, because statements always ask for it.

    `secret` says that it is a value of the data (no label of the schema, nothing of the team's own files): it is
    shown on request only, and `number` is what stands for it in the index's name (0: no value of a log).
    """

    column: str
    secret: bool = False
    number: int = 0


@record
class IndexCandidate:
    """An index to consider.

    `sql` is one runnable CREATE INDEX CONCURRENTLY, `prerequisites` statements to run before it
    (an extension). `rule` says in a sentence what led to it, `trade_off` what it costs. `bytes`
    is the estimated size, None where the table's rows are not known. `predicate` is the WHERE of
    a partial index, `include` the columns that it carries beside its keys. `parameters` are what
    its WITH sets, as (name, value): m of hnsw, pages_per_range of brin. `constant` tells of a predicate
    that compares a column with a value, `share` which part of the table's rows a predicate leaves, where the
    planner told. `recipe` are the statements in place of `sql` where its table is partitioned.
    """

    table: str
    keys: tuple[IndexKey, ...]
    method: str
    name: str
    sql: str
    rule: str
    trade_off: str
    predicate: str | None = None
    bytes: int | None = None
    prerequisites: tuple[str, ...] = ()
    include: tuple[str, ...] = ()
    parameters: tuple[tuple[str, str], ...] = ()
    constant: Constant | None = None
    share: float | None = None
    recipe: tuple[str, ...] = ()

    @property
    def statements(self) -> tuple[str, ...]:
        """What is to be run, in order."""
        return (*self.prerequisites, *(self.recipe or (self.sql,)))

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns of the keys, in order."""
        return tuple(key.column for key in self.keys)

    def as_index(self) -> Index:
        """The index as a catalog has those that exist."""
        return Index(
            name=self.name,
            columns=tuple(
                f"({key.expression})" if key.expression else key.column for key in self.keys
            ),
            method=self.method,
            include=self.include,
            predicate=self.predicate,
            descending=tuple(key.descending for key in self.keys),
            operator_classes=tuple(key.operator_class for key in self.keys),
        )

    @property
    def plain(self) -> bool:
        """Whether it is columns alone: no expression, operator class or predicate."""
        special = any(key.expression or key.operator_class or key.descending for key in self.keys)
        return not special and self.predicate is None


@record
class NoCandidate:
    """Why no index is suggested. `existing` is the index that should serve already, if one does."""

    reason: str
    existing: str | None = None
