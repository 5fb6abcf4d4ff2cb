"""Lists of values that columns are held against: what a statement's rows can hold there.

`IN ($1, $2, …)`, `= ANY(…)` with an array or ARRAY[…], `IN (VALUES …)`, `IN (SELECT unnest(…))`, and joins
with VALUES or unnest.
"""

from collections.abc import Iterator, Sequence

from analyzer.model.statement import ValueList
from analyzer.sql import tree
from analyzer.sql.positions import ParameterCoder
from analyzer.sql.predicates import Scope
from analyzer.sql.survey import MANY, ROWS, Survey
from analyzer.sql.tree import Node


def value_lists(
    clauses: Sequence[Node | None],
    sources: Sequence[Node],
    scope: Scope,
    coder: ParameterCoder,
    met: Survey,
) -> tuple[ValueList, ...]:
    """The lists of ANDed `clauses` and of joins with those among `sources` (a FROM clause's items).

    None at all where several differ in length: then no place of a value can be told.
    """
    if not met.arity and "unnest" not in met.functions:
        return ()
    if met.arity.count(MANY) + met.arity.count(ROWS) > 1:
        return ()
    joined = dict(_listed_sources(sources))
    found = []
    for condition in _anded(clauses):
        for column, values in _held(condition, joined):
            table, name = scope.resolve(_names(column))
            made = _made(table, name, values, coder) if name else None
            if made is not None:
                found.append(made)
    return tuple(found)


def _made(
    table: str | None, column: str, values: Sequence[Node], coder: ParameterCoder
) -> ValueList | None:
    """The list of some values; None where they do not stand side by side."""
    array = len(values) == 1 and "A_ArrayExpr" not in values[0]
    if len(values) == 1 and not array:
        values = values[0]["A_ArrayExpr"].get("elements", [])
    codes = [coder.place(value) for value in values]
    if not codes or 0 in codes:
        return None
    step = 1 if codes[0] > 0 else -1
    if codes != list(range(codes[0], codes[0] + step * len(codes), step)):
        return None
    return ValueList(table, column, codes[0], 0 if array else coder.behind(codes[-1]), array)


def _anded(clauses: Sequence[Node | None]) -> Iterator[Node]:
    stack = [clause for clause in reversed(clauses) if clause]
    while stack:
        clause = stack.pop()
        fields = clause.get("BoolExpr", {})
        if fields.get("boolop") == "AND_EXPR":
            stack.extend(reversed(fields["args"]))
        else:
            yield clause


def _held(condition: Node, joined: dict[str, list[Node]]) -> Iterator[tuple[Node, list[Node]]]:
    """Columns that a condition holds against a list, each with the list's values (or its array)."""
    kind, fields = tree.kind_of(condition)
    if kind == "SubLink" and fields.get("subLinkType") == "ANY_SUBLINK":
        values = _values_of(fields.get("subselect", {}))
        if values and not fields.get("operName"):
            yield fields.get("testexpr", {}), values
    if kind != "A_Expr" or tree.strings(fields.get("name")) != ["="]:
        return
    left, right = fields.get("lexpr", {}), fields.get("rexpr", {})
    form = fields.get("kind", "AEXPR_OP")
    if form == "AEXPR_IN" and len(items := right.get("List", {}).get("items", [])) > 1:
        yield left, items
    elif form == "AEXPR_OP_ANY":
        yield left, [tree.without_casts(right)[0]]
    elif form == "AEXPR_OP":
        for mine, other in ((left, right), (right, left)):
            source = joined.get((_names(other) or [""])[0])
            if source:
                yield mine, source


def _listed_sources(sources: Sequence[Node]) -> Iterator[tuple[str, list[Node]]]:
    """The names of a FROM clause's VALUES and unnest, each with its values (or its array)."""
    stack = list(sources)
    while stack:
        kind, fields = tree.kind_of(stack.pop())
        name = fields.get("alias", {}).get("aliasname", "")
        if kind == "JoinExpr" and fields.get("jointype") == "JOIN_INNER":
            stack += [fields["larg"], fields["rarg"]]
        elif kind == "RangeSubselect" and (values := _values_of(fields.get("subquery", {}))):
            yield name, values
        elif kind == "RangeFunction":
            calls = fields.get("functions", [{}])
            first = calls[0].get("List", {}).get("items", [{}])[0]
            if len(calls) == 1 and (array := _unnested(first)):
                yield name, [array]


def _values_of(select: Node) -> list[Node]:
    """The values of `VALUES (…), (…)` with one column, or the array of `SELECT unnest(…)`."""
    fields = select.get("SelectStmt", {})
    rows = [row.get("List", {}).get("items", []) for row in fields.get("valuesLists", ())]
    if len(rows) > 1 and all(len(row) == 1 for row in rows):
        return [row[0] for row in rows]
    targets = fields.get("targetList", [])
    if len(targets) == 1 and not fields.get("fromClause") and not fields.get("whereClause"):
        array = _unnested(targets[0].get("ResTarget", {}).get("val", {}))
        return [array] if array else []
    return []


def _unnested(call: Node) -> Node | None:
    fields = call.get("FuncCall", {})
    arguments = fields.get("args", [])
    if tree.strings(fields.get("funcname"))[-1:] != ["unnest"] or len(arguments) != 1:
        return None
    return tree.without_casts(arguments[0])[0]


def _names(column: Node) -> list[str]:
    """The names of a bare column reference; none of anything else."""
    return tree.strings(column.get("ColumnRef", {}).get("fields"))
