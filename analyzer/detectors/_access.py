"""How plans reach a table, and what the catalog says of a column: facts that texts lack."""

import re
from collections.abc import Iterator

from analyzer.model.catalog import Catalog, Table
from analyzer.model.plan import Plan, PlanNode
from analyzer.model.statement import Arity, Obstacle, Statement, StatementFacts
from analyzer.model.workload import Workload
from analyzer.patterns import regex
from analyzer.records import record
from analyzer.sql.conditions import parse_condition
from analyzer.sql.expressions import same_expression

_SCANS = frozenset({"Seq Scan", "Index Scan", "Index Only Scan", "Bitmap Heap Scan"})
_LITERAL = regex(r"'(?:[^']|'')*'")


@record
class Access:
    """How the plans of a statement read a table by a column: with an index on it, or without."""

    served: bool = False
    scanned: bool = False


def access(workload: Workload, statement: Statement, table: str, column: str) -> Access:
    """What the statement's plans show; neither where there is no plan that reads the table."""
    others = _names(*statement.facts.tables) - _names(table)
    served = scanned = False
    for plan in workload.plans:
        if plan.shape_id == statement.shape_id:
            served |= any(
                _asks(node, condition, column)
                for node, condition in _index_conditions(plan.root, plan.root)
                # What the statement does not name is a partition, or below a view.
                if node.relation not in others
            )
            scanned |= _is_scanned(plan, table, column)
    return Access(served, scanned and not served)


def _names(*tables: str) -> set[str]:
    """What plans may call the tables: a schema is not always told."""
    return {*tables, *(table.rpartition(".")[2] for table in tables)}


def _index_conditions(node: PlanNode, reads: PlanNode) -> Iterator[tuple[PlanNode, str]]:
    """What indexes were asked below a node, with the node that reads the table.

    That of a Bitmap Index Scan is the Bitmap Heap Scan above it, and there `reads`.
    """
    reads = node if node.relation else reads
    if node.index_condition:
        yield reads, node.index_condition
    for child in node.children:
        yield from _index_conditions(child, reads)


def _asks(node: PlanNode, condition: str, column: str) -> bool:
    """Whether a condition compares the column of the node's own table, not one that is handed in."""
    alias = node.alias or node.relation
    parsed = parse_condition(condition, alias=alias)
    if parsed is not None and any(one.column == column for one in parsed.conditions):
        return True
    if parsed is not None and not parsed.opaque:
        return False
    # An index on several columns' expression, a comparison of rows: whatever is its own counts.
    own = rf"(?<![\w.])(?:{re.escape(alias or column)}\.)?\"?{re.escape(column)}(?!\w)"
    return re.search(own, _LITERAL.sub("", condition)) is not None


def _is_scanned(plan: Plan, table: str, column: str) -> bool:
    named = re.compile(rf"(?<!\w){re.escape(column)}(?!\w)")
    return any(
        node.filter and named.search(node.filter)
        for node in plan.root.walk()
        if node.type in _SCANS and node.relation in _names(table)
    )


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
