"""Conditions: which columns they compare, and what an index could do with that.

Walks WHERE, ON and the like. Every part that is no plain comparison is handed to the reader of
queries, which notes the columns and subqueries in it.
"""

from dataclasses import replace
from typing import Protocol

from analyzer.model.access import Compared, Use
from analyzer.records import record
from analyzer.sql import tree
from analyzer.sql.access.scopes import Column, Output, Scope
from analyzer.sql.expressions import describe, relabels, type_name, without_places
from analyzer.sql.tree import Node

_FORMS = {
    "AEXPR_LIKE": "like",
    "AEXPR_ILIKE": "ilike",
    "AEXPR_SIMILAR": "similar",
    "AEXPR_BETWEEN": "between",
    "AEXPR_BETWEEN_SYM": "between",
    "AEXPR_NOT_DISTINCT": "is not distinct",
}
_NAMED = {"~~": "like", "~~*": "ilike"}
_FLIPPED = {
    "<": ">", ">": "<", "<=": ">=", ">=": "<=", "@>": "<@", "<@": "@>",
    "<<": ">>", ">>": "<<", "<<=": ">>=", ">>=": "<<=",
}  # fmt: skip
_PLAIN = frozenset({"AEXPR_OP", "AEXPR_OP_ANY", "AEXPR_IN"} | set(_FORMS))
_RANGES = frozenset({"<", "<=", ">", ">=", "between"})
_SEARCHES = frozenset(
    {"ilike", "similar", "~", "~*", "@>", "<@", "&&", "@@", "@?", "?", "?|", "?&", "-|-", "%"}
    | {"<<", ">>", "<<=", ">>="}  # of ranges and networks; of numbers they shift
)


class Queries(Protocol):
    """The reader of queries, as far as conditions need it."""

    def visit(self, node: object, scope: Scope) -> None:
        """Note all columns and subqueries below a node."""

    def query(self, node: Node, parent: Scope | None) -> Output:
        """Read a subquery; its columns are not noted as needed."""


@record
class _Side:
    """One side of a comparison. `column` is None where it is none (or several); `foreign` tells of others.

    `others` says whether columns stand in it, whosever they are.
    """

    column: Column | None = None
    expression: str | None = None
    immutable: bool = True
    others: bool = False


def read_conditions(node: Node | None, scope: Scope, queries: Queries) -> None:
    """Note what the conditions of a clause compare, and every column in it as needed."""
    waiting = [(node, True)] if node else []
    while waiting:
        current, required = waiting.pop()
        kind, fields = tree.kind_of(current)
        if kind == "BoolExpr" and fields.get("boolop") == "AND_EXPR":
            waiting += [(part, required) for part in reversed(fields["args"])]
        elif kind == "BoolExpr" and fields.get("boolop") == "OR_EXPR":
            waiting += [(part, required and common) for part, common in _alternatives(fields)]
        elif kind == "A_Expr":
            _comparison(fields, scope, queries, required=required)
        elif kind == "SubLink":
            _membership(fields, scope, queries, required=required)
        else:
            _test(kind, fields, scope, required=required)
            queries.visit(current, scope)


def _alternatives(fields: Node) -> list[tuple[Node, bool]]:
    """The conditions of an OR's arms, and whether each stands in all of them (the planner sees that)."""
    arms = [_conjuncts(arm) for arm in fields["args"]]
    texts = [{repr(without_places(part)) for part in arm} for arm in arms]
    everywhere = set.intersection(*texts)
    return [
        (part, repr(without_places(part)) in everywhere) for arm in reversed(arms) for part in arm
    ]


def _conjuncts(node: Node) -> list[Node]:
    kind, fields = tree.kind_of(node)
    if kind == "BoolExpr" and fields.get("boolop") == "AND_EXPR":
        return [part for argument in fields["args"] for part in _conjuncts(argument)]
    return [node]


def _comparison(fields: Node, scope: Scope, queries: Queries, *, required: bool) -> None:
    queries.visit(fields.get("lexpr"), scope)
    queries.visit(fields.get("rexpr"), scope)
    form = fields.get("kind", "AEXPR_OP")
    left, right = fields.get("lexpr") or {}, fields.get("rexpr") or {}
    if form not in _PLAIN or not left or not right:
        return
    name = (tree.strings(fields.get("name")) or ["?"])[-1]
    operator = _FORMS.get(form) or _NAMED.get(name, name)
    if (form == "AEXPR_LIKE" and name != "~~") or (form == "AEXPR_ILIKE" and name != "~~*"):
        return  # NOT LIKE
    if "RowExpr" in left:
        _rows(left, right, operator, scope, required=required)
        return
    _pair(left, right, operator, scope, required=required)


def _rows(left: Node, right: Node, operator: str, scope: Scope, *, required: bool) -> None:
    """`(a, b) = (1, 2)`: a comparison each. Of `(a, b) > (1, 2)` only the first finds rows."""
    columns = left["RowExpr"].get("args", [])
    rows = right.get("List", {}).get("items", [right])
    values = rows[0].get("RowExpr", {}).get("args", []) if rows else []
    pairs = list(zip(columns, values, strict=False))
    for one, other in pairs if operator == "=" else pairs[:1]:
        _pair(one, other, operator, scope, required=required)


def _pair(left: Node, right: Node, operator: str, scope: Scope, *, required: bool) -> None:
    first, second = _side(left, scope), _side(right, scope)
    own = first.column.mention if first.column else None
    other = second.column.mention if second.column else None
    if own is not None and own is other:
        return  # two columns of one row: no index finds that
    if first.column is not None:
        _note(first, right, operator, joined=second.others, required=required)
    if second.column is not None:
        flipped = _FLIPPED.get(operator, operator)
        if operator in ("=", "is not distinct") or flipped != operator:
            _note(second, left, flipped, joined=first.others, required=required)


def _note(side: _Side, value: Node, operator: str, *, joined: bool, required: bool) -> None:
    column = side.column
    if column is None:
        return
    constant, text = _constant(value)
    prefix = operator == "like" and text is not None and text[:1] not in ("", "%", "_")
    use = _use(operator, prefix=prefix)
    if use is None:
        return
    column.mention.compared.append(
        Compared(
            column.name,
            use,
            operator,
            side.expression,
            side.immutable,
            joined,
            constant if operator == "=" else None,
            prefix,
            required,
        )
    )


def _use(operator: str, *, prefix: bool) -> Use | None:
    if operator in ("=", "is not distinct"):
        return Use.EQUALITY
    if operator in _RANGES or prefix:
        return Use.RANGE
    if operator in _SEARCHES or operator == "like":
        return Use.SEARCH
    return None


def _side(node: Node, scope: Scope) -> _Side:
    """What stands on a side: a column, an expression over one column, or something else."""
    inner = _without_relabelling(node, scope)
    if "ColumnRef" in inner:
        return _Side(_column(inner, scope), others=True)
    references = [
        {kind: fields} for kind, fields in tree.walk(node) if kind in ("ColumnRef", "SubLink")
    ]
    if not references:
        return _Side()
    columns = [_column(one, scope) if "ColumnRef" in one else None for one in references]
    first = columns[0]
    alone = first is not None and all(
        one is not None and one.mention is first.mention and one.name == first.name
        for one in columns
    )
    named = all(
        tree.strings(one["ColumnRef"].get("fields"))[-1:] == [first.name if first else None]
        for one in references
        if "ColumnRef" in one
    )
    if first is None or not alone or not named:
        return _Side(others=True)
    told = describe(inner, first.type)
    return _Side(first, told.text, told.immutable, others=True)


def _column(reference: Node, scope: Scope) -> Column | None:
    names = tree.strings(reference["ColumnRef"].get("fields"))
    return scope.resolve(names).column if names and names[-1] != "*" else None


def _without_relabelling(node: Node, scope: Scope) -> Node:
    """The column inside casts that leave its value as it is, else the node."""
    inner, casts = tree.without_casts(node)
    if not casts or "ColumnRef" not in inner:
        return node
    column = _column(inner, scope)
    kind = column.type if column is not None else None
    if kind is not None and len(casts) == 1 and relabels(kind, type_name(node["TypeCast"])):
        return inner
    return node


def _constant(node: Node) -> tuple[str | None, str | None]:
    """A literal as SQL without its casts, and its text if it is a string."""
    inner, _ = tree.without_casts(node)
    if "List" in inner and len(inner["List"].get("items", ())) == 1:
        inner, _ = tree.without_casts(inner["List"]["items"][0])
    fields = inner.get("A_Const", {})
    if "sval" in fields:
        text = str(fields["sval"].get("sval", ""))
        plain = "\\" not in text and "\0" not in text
        return ("'" + text.replace("'", "''") + "'" if plain else None), text
    if "boolval" in fields:
        return ("true" if fields["boolval"].get("boolval") else "false"), None
    if "ival" in fields:
        return str(fields["ival"].get("ival", 0)), None
    return None, None


def _test(kind: str, fields: Node, scope: Scope, *, required: bool) -> None:
    """IS NULL, IS TRUE, and booleans that stand alone, or below NOT."""
    operator, side = "", fields.get("arg", {})
    if kind == "NullTest":
        operator = (
            "is null" if fields.get("nulltesttype", "IS_NULL") == "IS_NULL" else "is not null"
        )
    elif kind == "BooleanTest":
        operator = fields.get("booltesttype", "").lower().replace("_", " ")
    elif kind == "ColumnRef":
        operator, side = "is true", {kind: fields}
    elif kind == "BoolExpr" and "ColumnRef" in fields["args"][0]:
        operator, side = "is false", fields["args"][0]
    if not operator or "ColumnRef" not in side:
        return
    column = _column(side, scope)
    if column is not None:
        column.mention.compared.append(Compared(column.name, Use.TEST, operator, required=required))


def _membership(fields: Node, scope: Scope, queries: Queries, *, required: bool) -> None:
    """EXISTS and IN (SELECT …): the latter joins what is tested with the subquery's columns."""
    if fields.get("subLinkType") != "ANY_SUBLINK" or fields.get("operName"):
        queries.visit({"SubLink": fields}, scope)
        return
    tested = fields.get("testexpr") or {}
    queries.visit(tested, scope)
    output = list(queries.query(fields["subselect"], scope).values())
    sides = tested["RowExpr"].get("args", []) if "RowExpr" in tested else [tested]
    for column in output:
        if column is not None:
            column.mention.needed.add(column.name)
    for side, inside in zip(sides, output, strict=False):
        outside = _side(side, scope) if side else _Side()
        joined = Compared("", Use.EQUALITY, "=", joined=True, required=required)
        if outside.column is not None:
            outside.column.mention.compared.append(
                replace(
                    joined,
                    column=outside.column.name,
                    expression=outside.expression,
                    immutable=outside.immutable,
                )
            )
        if inside is not None:
            inside.mention.compared.append(replace(joined, column=inside.name))
