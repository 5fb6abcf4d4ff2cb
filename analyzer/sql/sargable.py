"""Conditions written again so that an index can serve them; what they mean stays the same.

All work on a statement's normalised text (parameters, no literals) and give a whole statement, or
None where the text is not one that can be rewritten safely.
"""

import re

from pglast import ast, enums
from pglast.stream import IndentedStream, RawStream
from pglast.visitors import Visitor

from analyzer.patterns import regex
from analyzer.sql.batch_tree import Tree, inside, is_a, renumber
from analyzer.sql.plain_tree import none_if_unwritable, only_statement, statement_of

_LIST = regex(r"\bin ?\( ?(\$\d+) /\*, \.\.\. \*/ ?\)", re.IGNORECASE)
_NOT_LIST = regex(r"\bnot in ?\( ?(\$\d+) /\*, \.\.\. \*/ ?\)", re.IGNORECASE)
_DATE_RANGES = {
    "=": "{c} >= {day} AND {c} < {next}",
    ">=": "{c} >= {day}",
    ">": "{c} >= {next}",
    "<": "{c} < {day}",
    "<=": "{c} < {next}",
}
_ZONED = "timestamp with time zone"
_UNIT = regex(r"\(?(?:date_trunc\('|EXTRACT\(|date_part\(')(\w+)", re.IGNORECASE)
_UNIT_CALLS = ("date_trunc", "extract", "date_part")
_STEPS = {"quarter": "3 months"} | {
    unit: f"1 {unit}" for unit in ("minute", "hour", "day", "week", "month", "year")
}


def with_arrays(sql: str) -> str:
    """IN lists of parameters as one array parameter each: `= ANY($1)`, `<> ALL($1)`."""
    return _LIST.sub(r"= ANY (\1)", _NOT_LIST.sub(r"<> ALL (\1)", sql))


def without_function(
    sql: str, column: str, expression: str, column_type: str | None = None
) -> str | None:
    """The statement with comparisons of something computed from `column` as ranges of the column.

    Known are casts to date, `date()`, `… AT TIME ZONE z` cast to date, `date_trunc`, the year of
    a date, and `coalesce(column, …) =`. `expression` is what model.statement.Obstacle says; units
    that the normalised text has lost are read from it. `column_type` decides what of this may be
    done; where it is not known, a column whose date is taken counts as one with time zone.
    """
    unit = _UNIT.match(expression)
    rewriter = _Ranges(column, unit[1].lower() if unit else None, column_type or _ZONED)
    return _rewritten(sql, rewriter)


def with_not_exists(sql: str, column: str) -> str | None:
    """The statement with `column NOT IN (SELECT …)` as NOT EXISTS."""
    return _rewritten(sql, _Exclusions(column))


class _Rewriter(Visitor):
    """Replaces nodes; `changed` says whether there was one to replace."""

    changed = False


@none_if_unwritable
def _rewritten(sql: str, rewriter: _Rewriter) -> str | None:
    statement = only_statement(with_arrays(sql))
    if statement is None:
        return None
    rewriter(statement)
    if not rewriter.changed:
        return None
    renumber(statement)
    return str(IndentedStream(comma_at_eoln=True)(statement))


def _text(node: Tree) -> str:
    return str(RawStream()(node))


def _condition(sql: str) -> Tree:
    return statement_of(f"SELECT {sql}").targetList[0].val


class _Ranges(_Rewriter):
    """Comparisons of a computed column become ranges of the column."""

    def __init__(self, column: str, unit: str | None, column_type: str) -> None:
        super().__init__()
        self._column = column
        self._unit = unit
        self._is_moment = column_type.startswith(("timestamp", "date"))
        self._is_zoned = "with time zone" in column_type  # timestamp(6) with time zone, too
        self._calls = 0

    def __call__(self, node: Tree) -> Tree:
        """Rewrite a tree."""
        self._calls = sum(
            _called(one) in _UNIT_CALLS and any(map(self._is_column, inside(one)))
            for one in inside(node)
        )
        return super().__call__(node)

    def visit_A_Expr(self, _ancestors: object, node: Tree) -> Tree:  # noqa: N802 - pglast's name
        """Give the range that says the same, or nothing to leave the comparison."""
        made = self._range(node)
        if made is None:
            return None
        self.changed = True
        return _condition(made)

    def _range(self, node: Tree) -> str | None:
        if node.kind == enums.A_Expr_Kind.AEXPR_BETWEEN:
            return self._between(node)
        if node.kind != enums.A_Expr_Kind.AEXPR_OP or node.rexpr is None:
            return None
        left, operator, value = node.lexpr, node.name[-1].sval, _text(node.rexpr)
        if is_a(left, ast.CoalesceExpr):
            return self._coalesce(left, operator, value)
        found = self._day_of(left)
        if found is not None and operator in _DATE_RANGES:
            column, moment = found
            day, following = _days(node.rexpr, node.rexpr, moment)
            return _DATE_RANGES[operator].format(c=column, day=day, next=following)
        return self._unit_of(left, operator, value)

    def _between(self, node: Tree) -> str | None:
        found = self._day_of(node.lexpr)
        if found is None:
            return None
        column, moment = found
        day, following = _days(node.rexpr[0], node.rexpr[1], moment)
        return f"{column} >= {day} AND {column} < {following}"

    def _is_column(self, node: Tree) -> bool:
        return is_a(node, ast.ColumnRef) and (
            getattr(node.fields[-1], "sval", None) == self._column
        )

    def _day_of(self, node: Tree) -> tuple[str, str] | None:
        """For the date of the column: the column, and how a date becomes a moment to compare."""
        if is_a(node, ast.TypeCast) and node.typeName.names[-1].sval == "date":
            inner = node.arg
        elif _called(node) == "date" and len(node.args or ()) == 1:
            inner = node.args[0]
        else:
            return None
        if self._is_column(inner) and self._is_moment:
            return _text(inner), "{}"
        parts: Tree = (inner.args or ()) if _called(inner) == "timezone" and self._is_zoned else ()
        if len(parts) == 2 and self._is_column(parts[1]):  # noqa: PLR2004 - zone and moment
            return _text(parts[1]), "({}::timestamp AT TIME ZONE " + _text(parts[0]) + ")"
        return None

    def _unit_of(self, node: Tree, operator: str, value: str) -> str | None:
        """date_trunc to a unit, and the year of a date."""
        column = self._unit_column(node)
        if operator != "=" or column is None or not self._is_moment or not self._is_unit(node):
            return None
        name, shown = _called(node), _text(column)
        if name == "date_trunc" and self._unit in _STEPS:
            first = f"({value})::{'timestamptz' if self._is_zoned else 'timestamp'}"
            # A value that is not the first moment of its unit finds nothing, then as before.
            whole = f"date_trunc('{self._unit}', {first}) = {first}"
            step = f"interval '{_STEPS[self._unit]}'"
            return f"{shown} >= {first} AND {shown} < {first} + {step} AND {whole}"
        if name in ("extract", "date_part") and self._unit == "year":
            year = f"({value})::int"
            return f"{shown} >= make_date({year}, 1, 1) AND {shown} < make_date({year} + 1, 1, 1)"
        return None

    def _unit_column(self, node: Tree) -> Tree:
        """The column of a call that takes a unit and the column; one with a time zone is another."""
        if _called(node) not in _UNIT_CALLS or len(node.args or ()) != 2:  # noqa: PLR2004 - unit and column
            return None
        return node.args[1] if self._is_column(node.args[1]) else None

    def _is_unit(self, node: Tree) -> bool:
        """Whether a call is of the unit that was asked for, not of another on the same column."""
        unit = node.args[0]
        if is_a(unit, ast.A_Const):
            return str(getattr(unit.val, "sval", "")).lower() == self._unit
        return self._calls == 1  # the text has lost the units: of several calls any may be meant

    def _coalesce(self, node: Tree, operator: str, value: str) -> str | None:
        if operator != "=" or len(node.args) != 2 or not self._is_column(node.args[0]):  # noqa: PLR2004 - the column and its default
            return None
        column, default = (_text(part) for part in node.args)
        return f"({column} = {value} OR ({column} IS NULL AND {default} = {value}))"


def _days(first: Tree, last: Tree, moment: str) -> tuple[str, str]:
    """The first moment of one day, and the first after another."""
    begins, ends = (_text(day.arg if is_a(day, ast.TypeCast) else day) for day in (first, last))
    return moment.format(f"({begins})::date"), moment.format(f"(({ends})::date + 1)")


def _called(node: Tree) -> str:
    """The name of the function that a node calls, "" for another node."""
    return str(node.funcname[-1].sval) if is_a(node, ast.FuncCall) else ""


class _Exclusions(_Rewriter):
    """NOT IN (SELECT …) becomes NOT EXISTS."""

    def __init__(self, column: str) -> None:
        super().__init__()
        self._column = column

    def visit_SelectStmt(self, _ancestors: object, node: Tree) -> None:  # noqa: N802 - pglast's name
        """Rewrite the WHERE of a SELECT."""
        self._statement(node, node.fromClause or ())

    def visit_UpdateStmt(self, _ancestors: object, node: Tree) -> None:  # noqa: N802 - pglast's name
        """Rewrite the WHERE of an UPDATE."""
        self._statement(node, (node.relation, *(node.fromClause or ())))

    def visit_DeleteStmt(self, _ancestors: object, node: Tree) -> None:  # noqa: N802 - pglast's name
        """Rewrite the WHERE of a DELETE."""
        self._statement(node, (node.relation, *(node.usingClause or ())))

    def _statement(self, node: Tree, sources: tuple[Tree, ...]) -> None:
        where = node.whereClause
        if is_a(where, ast.BoolExpr) and where.boolop == enums.BoolExprType.AND_EXPR:
            where.args = tuple(self._replaced(part, sources) for part in where.args)
        elif where is not None:
            node.whereClause = self._replaced(where, sources)

    def _replaced(self, part: Tree, sources: tuple[Tree, ...]) -> Tree:
        link = _excluding(part)
        if link is None or getattr(link.testexpr.fields[-1], "sval", None) != self._column:
            return part
        made = _not_exists(link, _names(sources))
        if made is None:
            return part
        self.changed = True
        return _condition(made)


def _excluding(part: Tree) -> Tree:
    """The subquery of `column NOT IN (SELECT …)` or `column <> ALL (SELECT …)`, else None."""
    link = part
    kind = enums.SubLinkType.ALL_SUBLINK
    if is_a(part, ast.BoolExpr) and part.boolop == enums.BoolExprType.NOT_EXPR:
        link, kind = part.args[0], enums.SubLinkType.ANY_SUBLINK
    fits = is_a(link, ast.SubLink) and link.subLinkType == kind
    if fits and kind == enums.SubLinkType.ALL_SUBLINK:
        fits = link.operName is not None and link.operName[-1].sval == "<>"
    return link if fits and isinstance(link.testexpr, ast.ColumnRef) else None


def _not_exists(link: Tree, outer: list[str]) -> str | None:
    """NOT EXISTS with what NOT IN compares as one more condition, None where that is not safe."""
    inner = link.subselect
    aggregated = inner.groupClause or inner.havingClause or inner.limitCount or inner.limitOffset
    if inner.op != enums.SetOperation.SETOP_NONE or aggregated or inner.withClause:
        return None
    listed = inner.targetList[0].val if len(inner.targetList or ()) == 1 else None
    names = _names(inner.fromClause or ())
    if not is_a(listed, ast.ColumnRef) or set(names) & set(outer):
        return None
    column, excluded = _qualified(link.testexpr, outer), _qualified(listed, names)
    if column is None or excluded is None:
        return None
    both = _condition(f"{excluded} = {column}")
    if inner.whereClause is not None:
        both = ast.BoolExpr(enums.BoolExprType.AND_EXPR, (inner.whereClause, both))
    inner.whereClause = both
    inner.targetList = (ast.ResTarget(val=_condition("1")),)
    inner.distinctClause = inner.sortClause = None
    return f"NOT EXISTS ({_text(inner)})"


def _names(sources: tuple[Tree, ...]) -> list[str]:
    """What the tables of a FROM clause are called in their statement."""
    names: list[str] = []
    stack = list(sources)
    while stack:
        item = stack.pop()
        if is_a(item, ast.JoinExpr):
            stack += [item.larg, item.rarg]
        elif getattr(item, "alias", None) is not None:
            names.append(str(item.alias.aliasname))
        elif is_a(item, ast.RangeVar):
            names.append(str(item.relname))
    return names


def _qualified(column: Tree, names: list[str]) -> str | None:
    """A column as SQL with its table in front, None where the text does not tell which."""
    if is_a(column.fields[-1], ast.A_Star):
        return None
    if len(column.fields) > 1:
        return _text(column)
    if len(names) != 1:
        return None
    return _text(ast.ColumnRef((ast.String(names[0]), *column.fields)))
