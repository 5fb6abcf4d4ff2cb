"""What is met anywhere in a statement's tree, from one walk: tables, functions, arity classes."""

from dataclasses import field

from analyzer.records import changing
from analyzer.sql import tree
from analyzer.sql.tree import Node

# Arity classes, as they stand in a shape_id.
ONE = "i1"  # IN ($1)
MANY = "in"  # IN ($1, $2)
_ARRAY = "any"  # = ANY($1)
ROWS = "rows"  # VALUES (…), (…)

_WRITES = frozenset({"InsertStmt", "UpdateStmt", "DeleteStmt", "MergeStmt"})
_MET = _WRITES | {"A_Expr", "CommonTableExpr", "FuncCall", "RangeVar", "SelectStmt", "SubLink"}


@changing
class Survey:
    """What one tree holds, in the order of its text.

    `tables` are all tables, CTE names left out. `arity` are the arity classes: what tells a loop
    from a batch where fingerprints don't. `functions` are the names called, without schema.
    `sublinks` tells of subqueries inside expressions, `lists` of IN with a list of values.
    """

    tables: list[str]
    arity: list[str] = field(default_factory=list)
    functions: set[str] = field(default_factory=set)
    sublinks: bool = False
    lists: bool = False


def survey(node: Node) -> Survey:
    """Walk a tree once."""
    met = tree.collect(node, _MET)
    found = Survey(_tables(met))
    for kind, fields in met:
        if kind == "A_Expr":
            _expression(fields, found)
        elif kind == "SelectStmt":
            if len(fields.get("valuesLists", ())) > 1:
                found.arity.append(ROWS)
        elif kind == "FuncCall":
            if fields.get("funcname"):
                found.functions.add(tree.strings(fields["funcname"])[-1])
        elif kind == "SubLink":
            found.sublinks = True
    return found


def _expression(fields: Node, found: Survey) -> None:
    form = fields.get("kind")
    if form == "AEXPR_IN":
        found.lists = True
        items = fields.get("rexpr", {}).get("List", {}).get("items", [])
        found.arity.append(MANY if len(items) > 1 else ONE)
    elif form in ("AEXPR_OP_ANY", "AEXPR_OP_ALL"):
        found.arity.append(_ARRAY)


def _tables(met: list[tuple[str, Node]]) -> list[str]:
    ctes = {fields.get("ctename", "") for kind, fields in met if kind == "CommonTableExpr"}
    tables: dict[str, None] = {}  # a set that keeps its order
    for kind, fields in met:
        if kind == "RangeVar":
            if fields.get("relname"):
                tables[tree.table_name(fields)] = None
        elif kind in _WRITES:
            tables[tree.table_name(fields.get("relation", {}))] = None
    return [name for name in tables if name not in ctes]
