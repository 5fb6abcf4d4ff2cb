"""How plans reach a table, and what the catalog says of a column: facts that texts lack."""

import re
from dataclasses import dataclass

from analyzer.model.catalog import Catalog, Table
from analyzer.model.plan import Plan
from analyzer.model.statement import Arity, Obstacle, StatementFacts
from analyzer.model.workload import Workload
from analyzer.sql.expressions import same_expression

_SCANS = frozenset({"Seq Scan", "Index Scan", "Index Only Scan", "Bitmap Heap Scan"})


@dataclass(frozen=True, slots=True)
class Access:
    """How the plans of a statement read a table by a column: with an index on it, or without."""

    served: bool = False
    scanned: bool = False


def access(workload: Workload, shape_id: str, table: str, column: str) -> Access:
    """What the statement's plans show; neither where there is no plan that reads the table."""
    served = scanned = False
    for plan in workload.plans:
        if plan.shape_id == shape_id:
            by_index, without = _of_plan(plan, table, column)
            served, scanned = served or by_index, scanned or without
    return Access(served, scanned and not served)


def _of_plan(plan: Plan, table: str, column: str) -> tuple[bool, bool]:
    named = re.compile(rf"(?<!\w){re.escape(column)}(?!\w)")
    served = scanned = False
    for node in plan.root.walk():
        served |= bool(node.index_condition and named.search(node.index_condition))
        is_scan = node.type in _SCANS and node.relation in (table, table.rpartition(".")[2])
        scanned |= bool(is_scan and node.filter and named.search(node.filter))
    return served, scanned


def table_of(obstacle: Obstacle, facts: StatementFacts, catalog: Catalog | None) -> str | None:
    """The table of an obstacle's column; one that the text leaves open is looked up by name."""
    if obstacle.table is not None or catalog is None:
        return obstacle.table
    owners = [
        name for name in facts.tables if (t := catalog.table(name)) and t.column(obstacle.column)
    ]
    return owners[0] if len(owners) == 1 else None


def column_type(table: Table | None, column: str) -> str | None:
    """The column's type as PostgreSQL prints it, None where it is not known."""
    known = table.column(column) if table is not None else None
    return known.type if known is not None else None


def index_on_column(table: Table | None, column: str) -> str | None:
    """What to call a btree index that begins with the column, None where none is known."""
    if table is None:
        return None
    for index in table.indexes:
        if index.valid and index.method == "btree" and index.columns[:1] == (column,):
            return index.name or f"the index on {column}"
    keys = [table.primary_key, *table.unique_keys]
    return "its key" if any(key[:1] == (column,) for key in keys) else None


def index_on_expression(table: Table | None, expression: str) -> bool:
    """Whether an index begins with the expression (none with a bare column), as the catalog spells it."""
    if table is None:
        return False
    firsts = [index.columns[0] for index in table.indexes if index.valid and index.columns]
    return any(
        same_expression(first, expression) for first in firsts if table.column(first) is None
    )


def trigram_index(table: Table | None, subject: str) -> bool:
    """Whether a GIN or GiST index with trigrams is on the column or expression."""
    if table is None:
        return False
    for index in table.indexes:
        if index.method not in ("gin", "gist") or not index.valid:
            continue
        classes = [*index.operator_classes, *[None] * len(index.columns)]
        for column, used in zip(index.columns, classes, strict=False):
            if (used is None or "trgm" in used) and same_expression(column, subject):
                return True
    return False


def found_by_key(
    facts: StatementFacts, table: str, catalog: Catalog | None, but: str | None = None
) -> bool:
    """Whether equality on a unique key finds one row of the table, whatever else is asked.

    The column `but` does not count.
    """
    known = catalog.table(table) if catalog is not None else None
    columns = frozenset(equal_columns(facts, table)) - {but}
    if not columns:
        return False
    return known.is_unique(columns) if known is not None else bool(columns & {"id", "uuid"})


def equal_columns(facts: StatementFacts, table: str) -> list[str]:
    """Columns of the table that the statement compares with one value each."""
    return [
        predicate.column
        for predicate in facts.predicates
        if predicate.operator == "=" and predicate.arity is Arity.ONE
        if predicate.table == table and predicate.expression is None
    ]
