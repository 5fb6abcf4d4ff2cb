"""GROUP BY, DISTINCT, ORDER BY, LIMIT, and min() and max(): what an index's order is good for."""

from typing import Protocol

from analyzer.model.access import Compared, SortedColumn, Use
from analyzer.sql import tree
from analyzer.sql.access.scopes import Column, Mention, Output, Scope
from analyzer.sql.tree import Node

_DISTANCES = frozenset({"<->", "<=>", "<#>", "<+>", "<~>", "<%>"})
_AGGREGATES = frozenset({"count", "sum", "avg", "min", "max", "array_agg", "string_agg"})


class Queries(Protocol):
    """The reader of queries, as far as this needs it."""

    def visit(self, node: object, scope: Scope) -> None:
        """Note all columns and subqueries below a node."""


def read_ordering(fields: Node, scope: Scope, output: Output, queries: Queries) -> None:
    """Note for each table what one SELECT groups and sorts by."""
    targets = fields.get("targetList", [])
    groups = [_column(item, scope, output, queries) for item in _groups(fields)]
    for column in groups:
        if column is not None:
            column.mention.needed.add(column.name)
            column.mention.grouped_by.append(column.name)
    distinct = fields.get("distinctClause")
    if distinct is not None:
        _distinct(distinct, scope, output, queries)
    aggregated = bool(groups) or _aggregates(targets)
    limited = "limitCount" in fields and not aggregated
    _sorted(fields.get("sortClause", []), scope, output, queries, limited=limited)
    if aggregated and not groups:
        _extremes(targets, scope)


def _groups(fields: Node) -> list[Node]:
    found: list[Node] = []
    for item in fields.get("groupClause", ()):
        found += item["GroupingSet"].get("content", []) if "GroupingSet" in item else [item]
    return found


def _distinct(items: list[Node], scope: Scope, output: Output, queries: Queries) -> None:
    on = [item for item in items if item]
    columns = (
        [_column(item, scope, output, queries) for item in on] if on else list(output.values())
    )
    for column in columns:
        if column is not None:
            column.mention.needed.add(column.name)
            column.mention.grouped_by.append(column.name)


def _aggregates(targets: list[Node]) -> bool:
    for target in targets:
        for _, call in tree.collect(target, ("FuncCall",)):
            name = tree.strings(call.get("funcname"))[-1:]
            if "over" not in call and name and (name[0] in _AGGREGATES or call.get("agg_star")):
                return True
    return False


def _sorted(
    items: list[Node], scope: Scope, output: Output, queries: Queries, *, limited: bool
) -> None:
    """The leading columns of ORDER BY, as long as they are of one table."""
    owner: Mention | None = None
    leading = True
    for item in items:
        sort = item.get("SortBy", {})
        up = sort.get("sortby_dir") != "SORTBY_DESC"  # the farthest are served by no index
        if (
            up
            and leading
            and owner is None
            and _distance(sort.get("node", {}), scope, limited=limited)
        ):
            leading = False
        column = _column(sort.get("node", {}), scope, output, queries)
        if column is not None:
            column.mention.needed.add(column.name)
        leading = leading and column is not None and owner in (None, column.mention)
        if leading and column is not None:
            owner = column.mention
            descending = sort.get("sortby_dir") == "SORTBY_DESC"
            nulls = sort.get("sortby_nulls", "SORTBY_NULLS_DEFAULT")
            usual = nulls == "SORTBY_NULLS_DEFAULT" or (nulls == "SORTBY_NULLS_FIRST") == descending
            known = column.mention.table.column(column.name)
            leading = usual or (known is not None and not known.nullable)
            if leading:
                owner.sorted_by.append(SortedColumn(column.name, descending))
                owner.limited = owner.limited or limited


def _distance(node: Node, scope: Scope, *, limited: bool) -> bool:
    """`ORDER BY column <-> value LIMIT n`: the nearest rows."""
    fields = node.get("A_Expr", {})
    operator = (tree.strings(fields.get("name")) or [""])[-1]
    if operator not in _DISTANCES:
        return False
    for side in ("lexpr", "rexpr"):
        inner, _ = tree.without_casts(fields.get(side) or {})
        if "ColumnRef" in inner:
            column = scope.resolve(tree.strings(inner["ColumnRef"].get("fields"))).column
            if column is not None and limited:
                column.mention.compared.append(Compared(column.name, Use.DISTANCE, operator))
                return True
    return False


def _column(node: Node, scope: Scope, output: Output, queries: Queries) -> Column | None:
    """What is grouped or sorted by: a column, one of the target list by name or place."""
    place = node.get("A_Const", {}).get("ival", {}).get("ival")
    if isinstance(place, int):
        columns = list(output.values())
        return columns[place - 1] if 0 < place <= len(columns) else None
    names = tree.strings(node.get("ColumnRef", {}).get("fields"))
    if len(names) == 1 and names[0] in output:
        return output[names[0]]
    found = scope.resolve(names).column if names and names[-1] != "*" else None
    if found is None:
        queries.visit(node, scope)
    return found


def _extremes(targets: list[Node], scope: Scope) -> None:
    """min(x) or max(x) over all rows is the first of them in an index's order."""
    calls = [call for target in targets for _, call in tree.collect(target, ("FuncCall",))]
    if len(calls) != 1 or tree.strings(calls[0].get("funcname"))[-1:] not in (["min"], ["max"]):
        return
    arguments = calls[0].get("args", [])
    names = tree.strings(arguments[0].get("ColumnRef", {}).get("fields")) if arguments else []
    column = scope.resolve(names).column if names and names[-1] != "*" else None
    if column is not None and not column.mention.sorted_by:
        column.mention.sorted_by.append(SortedColumn(column.name))
        column.mention.limited = True
