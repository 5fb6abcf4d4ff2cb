"""Conditions of a statement: which column is compared, how, and with how many values."""

from collections.abc import Iterable
from dataclasses import field

from analyzer.model.statement import Arity, Join, Predicate
from analyzer.records import changing
from analyzer.sql import tree
from analyzer.sql.positions import ParameterCoder
from analyzer.sql.tree import Node

_NAMED_OPERATORS = {
    "AEXPR_LIKE": "like",
    "AEXPR_ILIKE": "ilike",
    "AEXPR_SIMILAR": "similar",
    "AEXPR_BETWEEN": "between",
    "AEXPR_NOT_BETWEEN": "not between",
    "AEXPR_DISTINCT": "is distinct",
    "AEXPR_NOT_DISTINCT": "=",
}
_EXPRESSION = frozenset({"A_Expr"})
_FLIPPED = {"<": ">", ">": "<", "<=": ">=", ">=": "<="}


@changing
class Scope:
    """The tables that a FROM clause brings in, by the names that columns are qualified with.

    `aliases` maps to the table's name, or None for a subquery or CTE. `conditions` are the ON
    clauses of inner joins; those of outer joins restrict no row of the result and only join.
    """

    aliases: dict[str, str | None] = field(default_factory=dict)
    conditions: list[Node] = field(default_factory=list)
    outer_conditions: list[Node] = field(default_factory=list)
    main_table: str | None = None

    @classmethod
    def of_from_clause(cls, items: list[Node], ctes: set[str]) -> "Scope":
        """The scope of a FROM clause; names in `ctes` are no tables."""
        scope = cls()
        stack = list(reversed(items))
        while stack:
            kind, fields = tree.kind_of(stack.pop())
            if kind == "RangeVar":
                scope._add_table(fields, ctes)
            elif kind == "JoinExpr":
                stack += [fields["rarg"], fields["larg"]]
                if fields.get("quals"):
                    inner = fields.get("jointype", "JOIN_INNER") == "JOIN_INNER"
                    (scope.conditions if inner else scope.outer_conditions).append(fields["quals"])
            else:
                alias = fields.get("alias", {}).get("aliasname")
                if alias:
                    scope.aliases[alias] = None
        return scope

    def _add_table(self, fields: Node, ctes: set[str]) -> None:
        name = tree.table_name(fields)
        is_table = bool(name) and (name not in ctes or "schemaname" in fields)
        alias = fields.get("alias", {}).get("aliasname") or fields.get("relname", "")
        self.aliases[alias] = name if is_table else None
        if self.main_table is None and is_table:
            self.main_table = name

    def resolve(self, names: list[str]) -> tuple[str | None, str]:
        """(table, column) of a column reference; the table is None where the text cannot tell."""
        if not names:
            return None, ""
        if len(names) > 1:
            return self.aliases.get(names[-2]), names[-1]
        tables = list(self.aliases.values())
        return (tables[0] if len(tables) == 1 else None), names[-1]


def read_conditions(
    clauses: Iterable[Node | None], scope: Scope, coder: ParameterCoder, *, lists: bool
) -> tuple[list[Predicate], list[Join], bool]:
    """ANDed predicates and joins of some clauses, and whether any of their parts is an OR.

    `lists` says whether the statement has a list of values anywhere.
    """
    predicates: list[Predicate] = []
    joins: list[Join] = []
    disjunctive = False
    stack = [clause for clause in clauses if clause]
    for clause in stack if lists else ():
        _note_lists(clause, coder)
    stack.reverse()
    while stack:
        kind, fields = tree.kind_of(stack.pop())
        if kind == "BoolExpr" and fields.get("boolop") == "AND_EXPR":
            stack.extend(reversed(fields["args"]))
        elif kind == "BoolExpr" and fields.get("boolop") == "OR_EXPR":
            disjunctive = True
        elif kind == "A_Expr":
            _comparison(fields, scope, coder, predicates, joins)
        elif kind == "NullTest":
            operator = "is null" if fields.get("nulltesttype") == "IS_NULL" else "is not null"
            _on_column(fields.get("arg", {}), operator, Arity.EXPRESSION, 0, scope, predicates)
        elif kind == "ColumnRef":
            _on_column({kind: fields}, "is true", Arity.EXPRESSION, 0, scope, predicates)
    for clause in scope.outer_conditions:
        _outer_joins(clause, scope, joins)
    return predicates, joins, disjunctive


def _note_lists(clause: Node, coder: ParameterCoder) -> None:
    """Tell the coder where lists of literals begin: their length varies."""
    for _, fields in tree.collect(clause, _EXPRESSION):
        if fields.get("kind") == "AEXPR_IN":
            items = fields.get("rexpr", {}).get("List", {}).get("items", [])
            if len(items) > 1 and any("A_Const" in tree.without_casts(item)[0] for item in items):
                coder.note_list(fields.get("location", 0))


def _outer_joins(clause: Node, scope: Scope, joins: list[Join]) -> None:
    for _, fields in tree.collect(clause, _EXPRESSION):
        if fields.get("kind") == "AEXPR_OP" and tree.strings(fields["name"]) == ["="]:
            _join(fields.get("lexpr", {}), fields.get("rexpr", {}), scope, joins)


def _comparison(
    fields: Node,
    scope: Scope,
    coder: ParameterCoder,
    predicates: list[Predicate],
    joins: list[Join],
) -> None:
    """One A_Expr: a comparison of columns with values, or of columns with columns."""
    form = fields.get("kind", "AEXPR_OP")
    operator = _NAMED_OPERATORS.get(form) or (tree.strings(fields.get("name")) or ["?"])[-1]
    left, right = fields.get("lexpr", {}), fields.get("rexpr", {})
    if not left or not right:
        return
    if "RowExpr" in left:
        _row_comparison(left, right, form, operator, scope, coder, predicates)
        return
    if form == "AEXPR_OP" and _is_value(left) and not _is_value(right):
        left, right, operator = right, left, _FLIPPED.get(operator, operator)
    if operator == "=" and _join(left, right, scope, joins):
        return
    arity, parameter = _arity(form, right, coder)
    if form == "AEXPR_IN" and operator == "<>":
        operator = "not in"
    _on_column(left, operator, arity, parameter, scope, predicates)


def _is_value(node: Node) -> bool:
    inner, _ = tree.without_casts(node)
    return "A_Const" in inner or "ParamRef" in inner


def _arity(form: str, right: Node, coder: ParameterCoder) -> tuple[Arity, int]:
    if form == "AEXPR_IN":
        items = right.get("List", {}).get("items", [])
        if len(items) == 1 and _is_value(items[0]):
            return Arity.ONE, coder.code(items[0])
        return Arity.MANY, 0
    if form in ("AEXPR_OP_ANY", "AEXPR_OP_ALL"):
        return Arity.MANY, coder.code(right)
    if _is_value(right):
        return Arity.ONE, coder.code(right)
    inner, _ = tree.without_casts(right)
    return (Arity.COLUMN if "ColumnRef" in inner else Arity.EXPRESSION), 0


def _row_comparison(
    left: Node,
    right: Node,
    form: str,
    operator: str,
    scope: Scope,
    coder: ParameterCoder,
    predicates: list[Predicate],
) -> None:
    """`(a, b) = ($1, $2)` and `(a, b) IN ((…), (…))`: one predicate a column."""
    columns = left["RowExpr"].get("args", [])
    rows = right.get("List", {}).get("items", []) if form == "AEXPR_IN" else [right]
    single = len(rows) == 1 and "RowExpr" in rows[0]
    values = rows[0]["RowExpr"].get("args", []) if single else []
    for place, column in enumerate(columns):
        if single and place < len(values) and _is_value(values[place]):
            arity, parameter = Arity.ONE, coder.code(values[place])
        else:
            arity, parameter = (Arity.EXPRESSION, 0) if single else (Arity.MANY, 0)
        _on_column(column, operator, arity, parameter, scope, predicates)


def _on_column(
    node: Node,
    operator: str,
    arity: Arity,
    parameter: int,
    scope: Scope,
    predicates: list[Predicate],
) -> None:
    """Add a predicate if `node` is a column, bare or inside one cast or function."""
    inner, casts = tree.without_casts(node)
    expression = "::" + casts[0] if casts else None
    if "FuncCall" in inner:
        call = inner["FuncCall"]
        arguments = call.get("args", [])
        expression = tree.strings(call.get("funcname"))[-1]
        inner = next(
            (
                found
                for argument in arguments
                if "ColumnRef" in (found := tree.without_casts(argument)[0])
            ),
            {},
        )
    if "ColumnRef" not in inner:
        return
    table, column = scope.resolve(tree.strings(inner["ColumnRef"].get("fields")))
    predicates.append(Predicate(table, column, operator, arity, parameter, expression))


def _join(left: Node, right: Node, scope: Scope, joins: list[Join]) -> bool:
    """Record an equality of two tables' columns; says whether it was one."""
    first, _ = tree.without_casts(left)
    second, _ = tree.without_casts(right)
    if "ColumnRef" not in first or "ColumnRef" not in second:
        return False
    left_table, left_column = scope.resolve(tree.strings(first["ColumnRef"].get("fields")))
    right_table, right_column = scope.resolve(tree.strings(second["ColumnRef"].get("fields")))
    if left_table and right_table:
        joins.append(Join(left_table, left_column, right_table, right_column))
    return True
