"""The three forms of a statement for all keys at once, made from its syntax tree.

- array: `column = ANY ($1)`, for plain SELECTs without a LIMIT that counts.
- grouped: an aggregate by key, joined to the keys, so that a key without rows has its row too.
- lateral: the statement itself inside `CROSS JOIN LATERAL`, once for each key. It holds for every
  SELECT: LIMIT, OFFSET, ORDER BY, DISTINCT, set operations, subqueries, several keys.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace

from pglast import ast, enums
from pglast.stream import IndentedStream

from analyzer.model.statement import Predicate
from analyzer.patterns import regex
from analyzer.records import record
from analyzer.sql.batch_tree import (
    Tree,
    fields_of,
    free_name,
    inside,
    is_a,
    output_names,
    own_nodes,
    parameter_of,
    relation_names,
    renumber,
    replace_parameters,
    words,
)
from analyzer.sql.quoting import quote_identifier, quote_table

Made = tuple[str, tuple[int, ...], tuple[str, ...]]  # the SQL, its array parameters, key names

_TYPE = regex(r'[A-Za-z_"][\w ".]{0,120}\Z')
_MODIFIER = regex(r" ?\(\d+(?:,-?\d+)?\)")
_ZERO = frozenset({"count"})
_NULL = words("sum avg min max bool_and bool_or every array_agg string_agg json_agg jsonb_agg")
_TEXT = frozenset({"lower", "upper", "::text", "::varchar"})
# Functions of one row that ORMs write; an unknown one may be an aggregate, or return several rows.
SCALARS = words(
    "lower upper length char_length trim btrim ltrim rtrim substring left right concat replace abs "
    "round ceil ceiling floor mod power sqrt date_trunc date_part extract to_char now age timezone "
    "similarity ts_rank to_tsvector to_tsquery plainto_tsquery jsonb_build_object json_build_object "
    "jsonb_build_array row_to_json to_jsonb to_json"
)


@record
class Key:
    """A column that the loop looks up by, and the number of the parameter that it changes.

    `type` is PostgreSQL's, None where it is not known; then `table` lends it, if that is known.
    """

    column: str
    table: str | None
    parameter: int
    type: str | None

    @classmethod
    def of(cls, lookup: Predicate, types: Mapping[tuple[str | None, str], str]) -> "Key":
        """The key of a condition; `types` are those of columns by (table, column)."""
        if lookup.expression is not None:
            text = "text" if lookup.expression in _TEXT else None
            return cls(lookup.column, None, lookup.parameter, text)
        kind = _array_type(types.get((lookup.table, lookup.column)))
        return cls(lookup.column, lookup.table, lookup.parameter, kind)

    def cast_in(self, select: Tree) -> "Key":
        """The key with the type that the statement itself casts its parameter to, if it does."""
        for node in inside(select):
            cast = is_a(node, ast.TypeCast) and is_a(node.arg, ast.ParamRef)
            if cast and node.arg.number == self.parameter:
                return replace(self, type=_array_type(IndentedStream()(node.typeName)))
        return self

    def array(self, number: int) -> str | None:
        """The array of keys as SQL that has a type; None where nothing tells it."""
        if self.type is not None:
            return f"${number}::{self.type}[]"
        if self.table is None:
            return None
        # An empty array of the column lends its type to the parameter.
        column, table = quote_identifier(self.column), quote_table(self.table)
        return " ".join(["ARRAY(SELECT", column, "FROM", table, f"LIMIT 0) || ${number}"])


def _array_type(name: str | None) -> str | None:
    """A column's type as the element of an array of keys: without length, which would cut values."""
    if name is None:
        return None
    plain = _MODIFIER.sub("", name).strip()
    if plain in ("character", "char"):
        plain = "bpchar"
    return plain if _TYPE.match(plain) else None


def array_form(select: Tree, key: Key, *, unique: bool) -> Made | None:
    """`column = ANY ($n)` with the key among the columns; None where that is not the same."""
    comparison = _comparison(select, key.parameter)
    if comparison is None or not _is_plain(select, unique=unique) or _aggregates(select):
        return None
    _ask_for_all(comparison)
    select.limitCount = select.limitOffset = None
    select.limitOption = enums.LimitOption.LIMIT_OPTION_DEFAULT
    column = comparison.lexpr
    name = _selected(select, column)
    if name is None:
        name = free_name(key.column, output_names(select))
        select.targetList = (_target(name, column), *select.targetList)
    if select.groupClause:
        select.groupClause = (column, *select.groupClause)
    if select.sortClause:
        by_key = ast.SortBy(
            node=column,
            sortby_dir=enums.SortByDir.SORTBY_DEFAULT,
            sortby_nulls=enums.SortByNulls.SORTBY_NULLS_DEFAULT,
        )
        select.sortClause = (by_key, *select.sortClause)
    number = renumber(select)[key.parameter]
    return _print(select), (number,), (name,)


def grouped_form(select: Tree, key: Key) -> Made | None:
    """An aggregate without GROUP BY, by key; None for what is more than plain aggregates."""
    comparison = _comparison(select, key.parameter)
    aggregates = _plain_aggregates(select)
    plain = _is_plain(select, unique=True) and not select.sortClause and not select.groupClause
    if comparison is None or not plain or not aggregates:
        return None
    if select.havingClause is not None or select.distinctClause or select.fromClause is None:
        return None
    names: list[str] = []
    for target, call in zip(select.targetList, aggregates, strict=True):
        name = free_name(target.name or call.funcname[-1].sval, names)
        target.name = name
        names.append(name)
    _ask_for_all(comparison)
    select.limitCount = select.limitOffset = None
    key_name = free_name(key.column, names)
    select.targetList = (_target(key_name, comparison.lexpr), *select.targetList)
    select.groupClause = (comparison.lexpr,)
    number = renumber(select)[key.parameter]
    quoted = quote_identifier(key_name)
    shown = [
        f"coalesce(found.{quote_identifier(name)}, 0) AS {quote_identifier(name)}"
        if call.funcname[-1].sval in _ZERO
        else f"found.{quote_identifier(name)}"
        for name, call in zip(names, aggregates, strict=True)
    ]
    sql = (
        f"SELECT keys.{quoted}, {', '.join(shown)}\n"
        f"FROM unnest({key.array(number)}) AS keys({quoted})\n"
        f"LEFT JOIN (\n{_indented(select)}\n) AS found ON found.{quoted} = keys.{quoted}"
    )
    return sql, (number,), (key_name,)


def lateral_form(select: Tree, keys: Sequence[Key]) -> Made:
    """The statement itself for each row of `unnest`; its order is kept within each key."""
    taken = relation_names(select)
    source, found = free_name("keys", taken), free_name("found", taken)
    outputs = output_names(select)
    names: list[str] = []
    for key in keys:
        names.append(free_name(key.column, [*outputs, *names]))
    wanted = dict(zip((key.parameter for key in keys), names, strict=True))
    replace_parameters(select, {n: (source, name) for n, name in wanted.items()})
    renumbered = renumber(select, keep=wanted)
    numbers = [renumbered[key.parameter] for key in keys]
    arrays = [key.array(number) or "" for key, number in zip(keys, numbers, strict=True)]
    quoted = [quote_identifier(name) for name in names]
    body, order, shown = _indented(select), "", f"{found}.*"
    if select.sortClause and (named := _column_names(select)):
        position = free_name("position", [*outputs, *names])
        place = quote_identifier(position)
        lines = [f"SELECT row_number() OVER () AS {place}, sorted.*", "FROM (", body, ") AS sorted"]
        body = _shifted("\n".join(lines))
        shown = ", ".join(f"{found}.{quote_identifier(name)}" for name in named)
        order = f"\nORDER BY {', '.join(f'{source}.{name}' for name in quoted)}, {found}.{place}"
    sql = (
        f"SELECT {', '.join(f'{source}.{name}' for name in quoted)}, {shown}\n"
        f"FROM unnest({', '.join(arrays)}) AS {source}({', '.join(quoted)})\n"
        f"CROSS JOIN LATERAL (\n{body}\n) AS {found}{order}"
    )
    return sql, tuple(numbers), tuple(names)


def _column_names(select: Tree) -> list[str]:
    """The names of all columns of the result; nothing where one cannot be told, or two are alike.

    Then the order within a key is that in which the server joins: it has no other way to do so.
    """
    names: list[str] = []
    for target in select.targetList or ():
        value = target.val
        if target.name:
            names.append(str(target.name))
        elif is_a(value, ast.ColumnRef):
            names.append(fields_of(value)[-1])
        elif is_a(value, ast.FuncCall):
            names.append(str(value.funcname[-1].sval))
        else:
            return []
    return names if len(set(names)) == len(names) and "*" not in names else []


def _is_plain(select: Tree, *, unique: bool) -> bool:
    """Whether rows of several keys may stand side by side: nothing counts or compares them."""
    if select.op != enums.SetOperation.SETOP_NONE or select.withClause or select.windowClause:
        return False
    if select.distinctClause and any(item is not None for item in select.distinctClause):
        return False  # DISTINCT ON
    if any(is_a(n, ast.FuncCall) and n.over is not None for n in inside(select.targetList)):
        return False
    if select.limitOffset is not None:
        return False
    one_table = len(select.fromClause or ()) == 1 and is_a(select.fromClause[0], ast.RangeVar)
    return select.limitCount is None or (unique and (one_table or _aggregates(select)))


def _plain_aggregates(select: Tree) -> list[Tree]:
    """The targets' calls, where all are aggregates and nothing else; else nothing."""
    calls = [target.val for target in select.targetList or ()]
    plain = all(
        is_a(call, ast.FuncCall) and call.over is None and call.funcname[-1].sval in _ZERO | _NULL
        for call in calls
    )
    return calls if plain else []


def _aggregates(select: Tree) -> bool:
    """Whether one row may stand for many. A function that is not known may be an aggregate."""
    if select.groupClause:
        return False
    if select.havingClause is not None:
        return True
    calls = (node for node in own_nodes(select.targetList) if is_a(node, ast.FuncCall))
    return any(call.funcname[-1].sval not in SCALARS for call in calls)


def _comparison(select: Tree, number: int) -> Tree:
    """The top-level `column = $n` (or `IN ($n)`) of the WHERE, if that is all that $n is used for."""
    uses = [n for n in inside(select) if is_a(n, ast.ParamRef) and n.number == number]
    where = select.whereClause
    if len(uses) != 1 or where is None:
        return None
    conjunction = is_a(where, ast.BoolExpr) and where.boolop == enums.BoolExprType.AND_EXPR
    for part in where.args if conjunction else (where,):
        if not is_a(part, ast.A_Expr):
            continue
        if is_a(part.rexpr, ast.ColumnRef) and parameter_of(part.lexpr) is not None:
            part.lexpr, part.rexpr = part.rexpr, part.lexpr  # SQLAlchemy's $1 = column
        if not is_a(part.lexpr, ast.ColumnRef):
            continue
        if part.kind not in (enums.A_Expr_Kind.AEXPR_OP, enums.A_Expr_Kind.AEXPR_IN):
            continue
        value = part.rexpr
        if is_a(value, tuple):
            value = value[0] if len(value) == 1 else None
        if part.name[-1].sval == "=" and parameter_of(value) is uses[0]:
            return part
    return None


def _ask_for_all(comparison: Tree) -> None:
    """`column = $n::type` becomes `column = ANY ($n::type[])`."""
    comparison.kind = enums.A_Expr_Kind.AEXPR_OP_ANY
    value = comparison.rexpr
    value = value[0] if is_a(value, tuple) else value
    if is_a(value, ast.TypeCast) and is_a(value.arg, ast.ParamRef):
        value.typeName.arrayBounds = (ast.Integer(ival=-1),)
        value.typeName.typmods = None
        comparison.rexpr = value
    else:
        comparison.rexpr = parameter_of(value)


def _target(name: str, column: Tree) -> Tree:
    return ast.ResTarget(name=None if fields_of(column)[-1] == name else name, val=column)


def _selected(select: Tree, column: Tree) -> str | None:
    """The name under which the key is among the columns already, None where it is not surely."""
    wanted = fields_of(column)
    for target in select.targetList:
        if not is_a(target.val, ast.ColumnRef):
            continue
        fields = fields_of(target.val)
        one_table = len(select.fromClause) == 1 and is_a(select.fromClause[0], ast.RangeVar)
        if fields == wanted or (one_table and fields[-1] == wanted[-1]):
            return str(target.name or wanted[-1])
        if fields[-1] == "*" and (one_table or fields[:-1] == wanted[:-1]):
            return str(wanted[-1])
    return None


def _print(select: Tree) -> str:
    return str(IndentedStream(comma_at_eoln=True)(select))


def _indented(select: Tree) -> str:
    return _shifted(_print(select))


def _shifted(text: str) -> str:
    return "\n".join("  " + line for line in text.splitlines())
