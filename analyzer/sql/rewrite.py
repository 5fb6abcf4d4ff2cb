"""Rewriting a statement that is run once per key into one for all keys."""

from dataclasses import dataclass
from typing import Any

from pglast import ast, enums, parse_sql
from pglast.parser import ParseError
from pglast.stream import IndentedStream
from pglast.visitors import Visitor

from analyzer.model.statement import Arity, StatementFacts

_KEYS = "keys"
_LONGEST = 16_384  # characters; what is longer is not for copying, and deep nesting costs stack

Tree = (
    Any  # pglast's classes make every child optional; what is walked here was checked by the parser
)


@dataclass(frozen=True, slots=True)
class Batch:
    """A statement that loads for all keys at once. `array` is the number of its array parameter.

    `note` says what differs from the loop beside the number of round trips.
    """

    sql: str
    array: int
    note: str


def batch(sql: str, column: str, facts: StatementFacts, *, unique: bool) -> Batch | None:
    """The statement with `column = $n` asked for an array of keys; None where that is not safe.

    `sql` is a normalised SELECT (parameters, no literals). A LIMIT that bounds each key's rows is
    kept by a LATERAL join, unless the lookup is `unique`. Rows carry the key, so that the
    application can group them; an aggregate is grouped by it.
    """
    lookups = [p for p in facts.predicates if p.column == column and p.operator == "="]
    if len(lookups) != 1 or lookups[0].arity is not Arity.ONE or lookups[0].expression:
        return None
    select = plain_select(sql)
    if select is None or select.whereClause is None:
        return None
    _drop_constant_conditions(select)
    comparison = _find_comparison(select, column)
    if comparison is None:
        return None
    bounded = facts.limit is not None and not unique and not facts.one_row
    if bounded:
        return _lateral(select, comparison)
    return _array(select, comparison, facts)


def only_statement(sql: str) -> Tree:
    """The tree of a single statement; None for what is too long to rewrite, and for no SQL."""
    if len(sql) > _LONGEST:
        return None
    try:
        statements = parse_sql(sql)
    except ParseError:
        return None
    return statements[0].stmt if len(statements) == 1 else None


def plain_select(sql: str) -> Tree:
    """The tree of a single SELECT of tables' rows, no UNION or the like; None for anything else."""
    select = only_statement(sql)
    plain = is_a(select, ast.SelectStmt) and select.op == enums.SetOperation.SETOP_NONE
    return select if plain else None


def _drop_constant_conditions(select: Tree) -> None:
    """Conditions between constants (an ORM's `1=1`) say nothing."""
    where: Tree = select.whereClause
    if isinstance(where, ast.BoolExpr) and where.boolop == enums.BoolExprType.AND_EXPR:
        kept = [part for part in where.args or () if not _is_constant(part)]
        select.whereClause = kept[0] if len(kept) == 1 else ast.BoolExpr(where.boolop, tuple(kept))


def _is_constant(node: Tree) -> bool:
    plain = (ast.ParamRef, ast.A_Const)
    return (
        isinstance(node, ast.A_Expr)
        and isinstance(node.lexpr, plain)
        and isinstance(node.rexpr, plain)
    )


def _find_comparison(select: Tree, column: str) -> Tree:
    """The top-level `column = $n` (or `IN ($n)`) of the WHERE."""
    where = select.whereClause
    conjunction = isinstance(where, ast.BoolExpr) and where.boolop == enums.BoolExprType.AND_EXPR
    for part in where.args if conjunction else (where,):
        if not isinstance(part, ast.A_Expr) or not isinstance(part.lexpr, ast.ColumnRef):
            continue
        name = _last_field(part.lexpr)
        value = (
            part.rexpr[0] if isinstance(part.rexpr, tuple) and len(part.rexpr) == 1 else part.rexpr
        )
        if isinstance(name, ast.String) and name.sval == column and parameter_of(value) is not None:
            part.rexpr = value
            return part
    return None


def _last_field(column: Tree) -> Tree:
    """The column's own name (a String) or a star, without its qualification."""
    return column.fields[-1]


def is_a(node: Tree, *kinds: type) -> bool:
    """Whether a node is of one of pglast's classes; its type stays open for what follows."""
    return isinstance(node, kinds)


def parameter_of(node: Tree) -> Tree:
    """The parameter that a node is, below its casts; None for anything else."""
    while isinstance(node, ast.TypeCast):
        node = node.arg
    return node if isinstance(node, ast.ParamRef) else None


def _array(select: Tree, comparison: Tree, facts: StatementFacts) -> Batch | None:
    """`column = ANY($n)`, the key among the columns, an aggregate grouped by it."""
    key = comparison.lexpr
    parameter = parameter_of(comparison.rexpr)
    if parameter is None or (facts.one_row and select.fromClause is None):
        return None
    comparison.kind = enums.A_Expr_Kind.AEXPR_OP_ANY
    comparison.name = (ast.String("="),)
    comparison.rexpr = parameter  # a cast of one value would not fit the array
    select.limitCount = select.limitOffset = None
    select.limitOption = enums.LimitOption.LIMIT_OPTION_DEFAULT
    if not _selects(select, key):
        select.targetList = (ast.ResTarget(val=key), *select.targetList)
    note = "rows come for all keys together: group them by the key in the application"
    if facts.one_row:
        select.groupClause = (key,)
        select.sortClause = None
        note = "keys without rows are missing from the result: take 0 (or NULL) for them"
    return _printed(select, parameter.number, note)


def _selects(select: Tree, key: Tree) -> bool:
    name = _last_field(key).sval
    for target in select.targetList:
        value = target.val
        if isinstance(value, ast.ColumnRef):
            last = _last_field(value)
            if isinstance(last, ast.A_Star) or last.sval == name:
                return True
    return False


def _lateral(select: Tree, comparison: Tree) -> Batch | None:
    """`FROM unnest($n) AS keys(key) CROSS JOIN LATERAL (the statement …)`: LIMIT holds per key."""
    parameter = parameter_of(comparison.rexpr)
    if parameter is None:
        return None
    number = parameter.number
    comparison.kind = enums.A_Expr_Kind.AEXPR_OP
    comparison.rexpr = ast.ColumnRef((ast.String(_KEYS), ast.String("key")))
    renumbered = renumber(select, keep=number)
    inner = IndentedStream(comma_at_eoln=True)(select)
    body = "\n".join("  " + line for line in inner.splitlines())
    array = renumbered[number]
    sql = f"SELECT {_KEYS}.key, found.*\nFROM unnest(${array}) AS {_KEYS}(key)\nCROSS JOIN LATERAL (\n{body}\n) AS found"
    return Batch(sql, array, "the LIMIT holds for each key; give the array a type, as in $1::int[]")


def _printed(select: Tree, number: int, note: str) -> Batch:
    renumbered = renumber(select, keep=number)
    return Batch(IndentedStream(comma_at_eoln=True)(select), renumbered[number], note)


class ParameterVisitor(Visitor):
    """Collects the parameters of a tree."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[Tree] = []

    def visit_ParamRef(self, _ancestors: object, node: Tree) -> None:  # noqa: N802 - pglast's name
        """Keep a parameter."""
        self.found.append(node)


def renumber(select: Tree, keep: int) -> dict[int, int]:
    """Close the gaps that dropped conditions left: PostgreSQL refuses unused parameter numbers."""
    visitor = ParameterVisitor()
    visitor(select)
    used = sorted({node.number for node in visitor.found} | {keep})
    numbers = {old: new for new, old in enumerate(used, 1)}
    for node in visitor.found:
        node.number = numbers[node.number]
    return numbers
