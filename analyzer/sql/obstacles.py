"""What in a statement's conditions keeps an index on a column from being used.

Read off the tree once for each distinct statement. Conditions below OR count too (a search form's
`name ILIKE $1 OR email ILIKE $1`); negated ones do not, as no index serves them anyway.
"""

from collections.abc import Iterable

from analyzer.model.statement import Exclusion, Hindrance, Obstacle
from analyzer.sql import tree
from analyzer.sql.expressions import describe, type_name
from analyzer.sql.positions import ParameterCoder
from analyzer.sql.predicates import Scope
from analyzer.sql.tree import Node

MOST = 50  # of one statement: a generated condition may repeat itself a thousand times
_PATTERNS = {"~~": "like", "~~*": "ilike", "~": "~", "~*": "~*"}
_PATTERN_FORMS = frozenset({"AEXPR_OP", "AEXPR_LIKE", "AEXPR_ILIKE"})
_COMPARISONS = frozenset({"=", "<", "<=", ">", ">=", "between"})
_COMPARING_FORMS = frozenset({"AEXPR_OP", "AEXPR_OP_ANY", "AEXPR_IN", "AEXPR_BETWEEN"})
_FLIPPED = {"<": ">", ">": "<", "<=": ">=", ">=": "<="}
_COMPUTING = frozenset({"->", "->>", "#>", "#>>", "+", "-", "*", "/", "%", "||"})
_MOMENTS = frozenset({"date", "time"})  # a cast to these computes from a timestamp
_PASSED_ON = frozenset({"upper", "lower", "concat", "unaccent", "f_unaccent"})

Found = tuple[tuple[Obstacle, ...], tuple[Exclusion, ...]]


def read_obstacles(clauses: Iterable[Node | None], scope: Scope, coder: ParameterCoder) -> Found:
    """Obstacles and `NOT IN (SELECT …)` in some clauses, in the order of the text."""
    obstacles: list[Obstacle] = []
    exclusions: list[Exclusion] = []
    stack = [clause for clause in clauses if clause]
    stack.reverse()
    while stack and len(obstacles) + len(exclusions) < MOST:
        kind, fields = tree.kind_of(stack.pop())
        if kind == "A_Expr":
            obstacle = _obstacle(fields, scope, coder)
            if obstacle is not None:
                obstacles.append(obstacle)
        elif kind == "SubLink":
            exclusions += _exclusion(fields, "ALL_SUBLINK", scope)
        elif kind == "BoolExpr" and fields.get("boolop") == "NOT_EXPR":
            inner = fields["args"][0].get("SubLink")
            exclusions += _exclusion(inner, "ANY_SUBLINK", scope) if inner else []
        elif kind == "BoolExpr":
            stack.extend(reversed(fields["args"]))
    return tuple(obstacles), tuple(exclusions)


def _obstacle(fields: Node, scope: Scope, coder: ParameterCoder) -> Obstacle | None:
    left, right = fields.get("lexpr", {}), fields.get("rexpr", {})
    if not left or not right or isinstance(right, list):
        return None
    form = fields.get("kind", "AEXPR_OP")
    operator = (tree.strings(fields.get("name")) or ["?"])[-1]
    if operator in _PATTERNS and form in _PATTERN_FORMS:
        return _pattern(left, right, _PATTERNS[operator], scope, coder)
    if form == "AEXPR_BETWEEN":
        operator = "between"
    if form not in _COMPARING_FORMS or operator not in _COMPARISONS:
        return None
    if "ColumnRef" in left and ("ParamRef" in right or "ColumnRef" in right):
        return None  # most conditions
    if form == "AEXPR_OP" and _is_value(left):
        left, right, operator = right, left, _FLIPPED.get(operator, operator)
    if "ColumnRef" in left:
        return _typed_value(left, right, operator, scope) if form == "AEXPR_OP" else None
    return None if _is_value(left) or _columns(right) else _wrapped(left, operator, scope)


def _is_value(node: Node) -> bool:
    inner, _ = tree.without_casts(node)
    return "A_Const" in inner or "ParamRef" in inner


def _columns(node: Node) -> list[list[str]]:
    """The column references below a node, each as its names."""
    found = [
        tree.strings(fields.get("fields"))
        for kind, fields in tree.walk(node)
        if kind == "ColumnRef"
    ]
    return [names for names in found if names]


def _only_column(node: Node, scope: Scope) -> tuple[str | None, str] | None:
    """The single column that an expression is computed from."""
    columns = {scope.resolve(names) for names in _columns(node)}
    found = columns.pop() if len(columns) == 1 else None
    return found if found and found[1] != "*" else None


def _pattern(
    left: Node, right: Node, operator: str, scope: Scope, coder: ParameterCoder
) -> Obstacle | None:
    column = _only_column(left, scope)
    if column is None or _columns(right):
        return None
    leading = _leading_value(right)
    inner, _ = tree.without_casts(left)
    expression = None if "ColumnRef" in inner else describe(left, None).text
    return Obstacle(
        hindrance=Hindrance.PATTERN,
        table=column[0],
        column=column[1],
        operator=operator,
        expression=expression,
        parameter=coder.code(leading),
        anywhere=starts_anywhere(_text_of(leading), operator),
    )


def _leading_value(node: Node) -> Node:
    """The value that a pattern begins with: of `'%' || $1` the literal, of `upper('%x')` too."""
    while True:
        node, _ = tree.without_casts(node)
        kind, fields = tree.kind_of(node) if node else ("", {})
        if kind == "A_Expr" and tree.strings(fields.get("name")) == ["||"]:
            node = fields.get("lexpr", {})
        elif kind == "FuncCall" and _called(fields) in _PASSED_ON and fields.get("args"):
            node = fields["args"][0]
        else:
            return node


def _called(fields: Node) -> str:
    return (tree.strings(fields.get("funcname")) or ["?"])[-1]


def _text_of(node: Node) -> str | None:
    text = node.get("A_Const", {}).get("sval", {}).get("sval") if node else None
    return text if isinstance(text, str) else None


def starts_anywhere(pattern: str | None, operator: str) -> bool | None:
    """Whether a pattern may match anywhere in a text, so that no sorted index can find it.

    None where there is no pattern to look at. A regular expression is fixed by its `^`; ILIKE
    and `~*` ignore case, and a btree is not searched for them but for what has no letters.
    """
    if not pattern:
        return None
    if operator in ("~", "~*"):
        return not pattern.startswith("^")
    return pattern[0] in "%_"


def _wrapped(side: Node, operator: str, scope: Scope) -> Obstacle | None:
    """A comparison of something computed from a column."""
    column = _only_column(side, scope)
    if column is None:
        return None
    inner, casts = tree.without_casts(side)
    hindrance = Hindrance.FUNCTION
    if "ColumnRef" in inner:
        if not casts or (len(casts) == 1 and casts[0] in _MOMENTS):
            name = casts[0] if casts else ""
        else:
            hindrance, name = Hindrance.CAST, type_name(side["TypeCast"])
    else:
        name = _computed_by(inner)
    if not name:
        return None
    return Obstacle(
        hindrance, *column, operator, expression=describe(side, None).text, computed_by=name
    )


def _computed_by(node: Node) -> str:
    """What computes: a function's name, coalesce, or an operator; "" for anything else."""
    kind, fields = tree.kind_of(node)
    if kind == "FuncCall":
        return _called(fields)
    if kind == "CoalesceExpr":
        return "coalesce"
    if kind == "A_Expr" and fields.get("kind", "AEXPR_OP") == "AEXPR_OP":
        name = (tree.strings(fields.get("name")) or ["?"])[-1]
        return name if name in _COMPUTING else ""
    return ""


def _typed_value(left: Node, right: Node, operator: str, scope: Scope) -> Obstacle | None:
    """A bare column compared with a value whose type the text names."""
    if "TypeCast" in right:
        named = type_name(right["TypeCast"])
    elif "fval" in right.get("A_Const", {}):
        named = "numeric"
    else:
        return None
    column = _only_column(left, scope)
    inner, _ = tree.without_casts(right)
    if column is None or not _is_value(inner):
        return None
    return Obstacle(Hindrance.VALUE_TYPE, *column, operator, value_type=named)


def _exclusion(fields: Node, form: str, scope: Scope) -> list[Exclusion]:
    """`column NOT IN (SELECT …)`, of which `<> ALL (SELECT …)` is another spelling."""
    if fields.get("subLinkType") != form or "testexpr" not in fields:
        return []
    if form == "ALL_SUBLINK" and tree.strings(fields.get("operName")) != ["<>"]:
        return []
    tested, _ = tree.without_casts(fields["testexpr"])
    inner = fields.get("subselect", {}).get("SelectStmt", {})
    if "ColumnRef" not in tested or not inner:
        return []
    inside = Scope.of_from_clause(inner.get("fromClause", []), set())
    targets = inner.get("targetList", [])
    value = targets[0].get("ResTarget", {}).get("val", {}) if len(targets) == 1 else {}
    listed, _ = tree.without_casts(value) if value else ({}, [])
    names = tree.strings(listed["ColumnRef"].get("fields")) if "ColumnRef" in listed else []
    excluded = inside.resolve(names) if names and names[-1] != "*" else (None, "")
    return [
        Exclusion(
            *scope.resolve(tree.strings(tested["ColumnRef"].get("fields"))),
            excluded_table=excluded[0] or inside.main_table,
            excluded_column=excluded[1] or None,
            never_null=_never_null(inner.get("whereClause"), names),
        )
    ]


def _never_null(where: Node | None, names: list[str]) -> bool:
    """Whether the subquery itself leaves NULLs out: `WHERE x IS NOT NULL AND …`."""
    tested: list[str] = []
    stack = [where] if where else []
    while stack:
        kind, fields = tree.kind_of(stack.pop())
        if kind == "BoolExpr" and fields.get("boolop") == "AND_EXPR":
            stack += fields["args"]
        elif kind == "NullTest" and fields.get("nulltesttype") == "IS_NOT_NULL":
            tested += [column[-1] for column in _columns(fields.get("arg", {}))]
    return names[-1:] != [] and names[-1] in tested
