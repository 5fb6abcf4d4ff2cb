"""What a SELECT gives back: rows, how many there are, or whether there are any."""

from enum import StrEnum

from analyzer.sql.tree import Node, ParseError, kind_of, parse


class Asked(StrEnum):
    """What the one thing in a SELECT's target list is; ROWS for anything else."""

    ROWS = "rows"
    COUNT = "count"
    EXISTS = "exists"


def asked_of(sql: str) -> Asked:
    """What a statement asks for: `count(…)`, `EXISTS (…)` or a constant, by its target list alone."""
    try:
        statements = parse(sql)
    except ParseError:
        return Asked.ROWS
    if len(statements) != 1 or "SelectStmt" not in statements[0]:
        return Asked.ROWS
    targets = statements[0]["SelectStmt"].get("targetList", [])
    if len(targets) != 1:
        return Asked.ROWS
    kind, value = kind_of(_inside(targets[0]["ResTarget"]["val"]))
    if kind == "FuncCall" and "over" not in value:
        name = value["funcname"][-1]["String"].get("sval", "")
        return Asked.COUNT if name == "count" else Asked.ROWS
    if kind == "SubLink":
        return Asked.EXISTS if value.get("subLinkType") == "EXISTS_SUBLINK" else Asked.ROWS
    return Asked.EXISTS if kind in ("A_Const", "ParamRef") else Asked.ROWS


def _inside(node: Node) -> Node:
    """What is cast, or has a default for NULL."""
    kind, value = kind_of(node)
    if kind == "TypeCast":
        return _inside(value["arg"])
    return _inside(value["args"][0]) if kind == "CoalesceExpr" else node
