"""Small things done with pglast's syntax trees of statements that are being rewritten."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from pglast import ast, enums
from pglast.visitors import Visitor

# pglast's classes make every child optional; what is walked here was checked by the parser.
Tree = Any


def is_a(node: Tree, *kinds: type) -> bool:
    """As isinstance, and the tree's type stays as loose as it is."""
    return isinstance(node, kinds)


def words(text: str) -> frozenset[str]:
    """The words of a text, as a set."""
    return frozenset(text.split())


def inside(node: Tree) -> Iterator[Tree]:
    """Every node of a tree, the outermost first."""
    stack: list[Tree] = [node]
    while stack:
        current = stack.pop()
        if isinstance(current, ast.Node):
            yield current
            stack += [getattr(current, name) for name in current]
        elif isinstance(current, tuple):
            stack += current


def parameter_of(node: Tree) -> Tree:
    """The parameter that a node is, inside its casts; None where it is none."""
    while is_a(node, ast.TypeCast):
        node = node.arg
    return node if is_a(node, ast.ParamRef) else None


def without_constants(select: Tree, integers: Mapping[int, int]) -> None:
    """Drop an ORM's `1=1` and `OFFSET 0`, and write the numbers of LIMIT that never change."""
    for node in list(inside(select)):
        if not is_a(node, ast.SelectStmt):
            continue
        where = node.whereClause
        if is_a(where, ast.BoolExpr) and where.boolop == enums.BoolExprType.AND_EXPR:
            kept = tuple(part for part in where.args if not _is_constant(part)) or where.args[:1]
            node.whereClause = kept[0] if len(kept) == 1 else ast.BoolExpr(where.boolop, kept)
        elif where is not None and _is_constant(where):
            node.whereClause = None
        for name in ("limitCount", "limitOffset"):
            parameter = parameter_of(getattr(node, name))
            if parameter is None or parameter.number not in integers:
                continue
            number = integers[parameter.number]
            drop = name == "limitOffset" and number == 0
            setattr(node, name, None if drop else ast.A_Const(val=ast.Integer(ival=number)))
        if node.limitCount is None and node.limitOffset is None:
            node.limitOption = enums.LimitOption.LIMIT_OPTION_DEFAULT


def _is_constant(node: Tree) -> bool:
    """Whether a condition is `1=1`."""
    if not is_a(node, ast.A_Expr) or node.kind != enums.A_Expr_Kind.AEXPR_OP:
        return False
    sides = (node.lexpr, node.rexpr)
    return all(
        is_a(side, ast.A_Const) and is_a(side.val, ast.Integer) and side.val.ival == 1
        for side in sides
    )


def replace_parameters(select: Tree, columns: Mapping[int, tuple[str, str]]) -> None:
    """Write columns where some parameters are."""
    for node in list(inside(select)):
        for name in node:
            value = getattr(node, name)
            made = _replaced(value, columns)
            if made is not value:
                setattr(node, name, made)


def _replaced(value: Tree, columns: Mapping[int, tuple[str, str]]) -> Tree:
    if is_a(value, ast.ParamRef) and value.number in columns:
        return ast.ColumnRef(fields=tuple(ast.String(part) for part in columns[value.number]))
    if is_a(value, tuple):
        parts = tuple(_replaced(item, columns) for item in value)
        if any(new is not old for new, old in zip(parts, value, strict=True)):
            return parts
    return value


class _Parameters(Visitor):
    """Collects the parameters of a tree."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[Tree] = []

    def visit_ParamRef(self, _ancestors: object, node: Tree) -> None:  # noqa: N802 - pglast's name
        """Keep a parameter."""
        self.found.append(node)


def parameters(tree: Tree) -> list[Tree]:
    """Every parameter of a tree, the outermost first."""
    visitor = _Parameters()
    visitor(tree)
    return visitor.found


def renumber(tree: Tree, keep: Iterable[int] = ()) -> dict[int, int]:
    """Close the gaps between parameters (PostgreSQL refuses unused ones); new numbers by old ones.

    `keep` are numbers that stay though the tree does not have them.
    """
    found = parameters(tree)
    used = sorted({node.number for node in found} | set(keep))
    numbers = {old: new for new, old in enumerate(used, 1)}
    for node in found:
        node.number = numbers[node.number]
    return numbers


def relation_names(select: Tree) -> list[str]:
    """Every name by which columns may be qualified anywhere in a tree."""
    names: list[str] = []
    for node in inside(select):
        if is_a(node, ast.RangeVar):
            names.append(node.relname)
        elif is_a(node, ast.Alias):
            names.append(node.aliasname)
        elif is_a(node, ast.CommonTableExpr):
            names.append(node.ctename)
    return names


def output_names(select: Tree) -> list[str]:
    """The names of the result's columns as far as they can be told; `id` of a star cannot."""
    while select.targetList is None and select.larg is not None:
        select = select.larg
    names = []
    for target in select.targetList or ():
        if target.name:
            names.append(str(target.name))
        elif is_a(target.val, ast.ColumnRef):
            names.append(fields_of(target.val)[-1])
    return names


def fields_of(column: Tree) -> list[str]:
    """The parts of a column reference, the column's own name (or a star) last."""
    return ["*" if is_a(f, ast.A_Star) else f.sval for f in column.fields]


def free_name(name: str, taken: Sequence[str]) -> str:
    """The name, or `key_…` of it where it is taken (a star may hold any column)."""
    if name not in taken and "*" not in taken:
        return name
    made = f"key_{name}"
    while made in taken:
        made = f"key_{made}"
    return made


def own_nodes(*parts: Tree) -> Iterator[Tree]:
    """Nodes that are not inside a subquery."""
    stack: list[Tree] = list(parts)
    while stack:
        current = stack.pop()
        if is_a(current, tuple):
            stack.extend(current)
        elif is_a(current, ast.Node) and not is_a(current, ast.SelectStmt):
            yield current
            stack += [getattr(current, name) for name in current]
