"""Rewriting a statement that writes one row into one that writes many."""

from collections.abc import Collection, Mapping

from pglast import ast, enums
from pglast.stream import IndentedStream, RawStream
from pglast.visitors import Visitor

from analyzer.records import record
from analyzer.sql.batch_tree import Tree, inside, is_a, parameter_of, parameters, renumber
from analyzer.sql.plain_tree import (
    none_if_unwritable,
    only_statement,
    statement_of,
)
from analyzer.sql.quoting import quote_identifier

_ROWS = "rows"
_AND = enums.BoolExprType.AND_EXPR
_MERGE = "merge rows of one key first: PostgreSQL refuses a key twice in one statement"
_MORE_ROWS = "shown for two rows: add a group of values for each further one, at most 65,535 in all"


@record
class ManyRows:
    """A statement for many rows. `parameters` says of each `$n` in order what it is to hold.

    `note` is what differs from the loop beside the number of round trips.
    """

    sql: str
    parameters: tuple[str, ...]
    note: str


@none_if_unwritable
def write_many(
    sql: str, types: Mapping[str, str], varying: Collection[int] | None
) -> ManyRows | None:
    """The statement for many rows; None where that is not safe.

    Args:
        sql: a normalised INSERT of one row, or an UPDATE or DELETE of one table found by keys.
        types: the table's column types, as far as they are known.
        varying: which `$n` change from row to row; None where that is not known.
    """
    statement = only_statement(sql)
    if is_a(statement, ast.InsertStmt):
        return _insert(statement, sql, types)
    if is_a(statement, ast.UpdateStmt, ast.DeleteStmt):
        return _found_by_keys(statement, types, varying)
    return None


def _print(tree: Tree) -> str:
    return str(IndentedStream(comma_at_eoln=True)(tree))


# INSERT


def _insert(insert: Tree, sql: str, types: Mapping[str, str]) -> ManyRows | None:
    """`unnest` where all types are known, several rows of VALUES elsewhere."""
    select = insert.selectStmt
    lists = select.valuesLists if is_a(select, ast.SelectStmt) else None
    if not lists or len(lists) != 1 or not insert.cols or insert.withClause:
        return None
    values = lists[0]
    in_values = sum(len(parameters(value)) for value in values)
    if len(parameters(insert)) != in_values or in_values == 0:
        return None  # ON CONFLICT … SET x = $9 may differ from row to row
    names = [column.name for column in insert.cols]
    return _unnested(insert, names, values, types) or _two_rows(sql)


def _unnested(
    insert: Tree, names: list[str], values: Tree, types: Mapping[str, str]
) -> ManyRows | None:
    arrays: list[tuple[str, str]] = []
    columns, shown = [], []
    for column, name, value in zip(insert.cols, names, values, strict=False):
        if is_a(value, ast.SetToDefault):
            continue  # what is not named is the default
        if parameter_of(value) is not None:
            kind = types.get(name)
            if kind is None or kind.endswith("[]"):
                return None
            arrays.append((name, kind))
            shown.append(f"{_ROWS}.{quote_identifier(name)}")
        elif parameters(value):
            return None
        else:
            shown.append(RawStream()(value))
        columns.append(column)
    if len(names) != len(values):
        return None
    insert.cols = tuple(columns)
    insert.selectStmt = statement_of(f"SELECT {', '.join(shown)}")
    insert.selectStmt.fromClause = _source(_unnest(arrays))
    order = "the order of what RETURNING gives is not promised" if insert.returningClause else ""
    return ManyRows(_print(insert), _arrays(arrays), _notes(order, _merging(insert)))


def _merging(insert: Tree) -> str:
    """What a loop may do and one statement may not: write to the row of a key and update it later."""
    conflict = insert.onConflictClause
    updates = enums.OnConflictAction.ONCONFLICT_UPDATE
    return _MERGE if conflict is not None and conflict.action == updates else ""


def _notes(*notes: str) -> str:
    return "; ".join(note for note in notes if note)


def _unnest(arrays: list[tuple[str, str]]) -> str:
    casts = ", ".join(f"${number}::{kind}[]" for number, (_, kind) in enumerate(arrays, 1))
    names = ", ".join(quote_identifier(name) for name, _ in arrays)
    return f"unnest({casts}) AS {_ROWS} ({names})"


def _arrays(arrays: list[tuple[str, str]]) -> tuple[str, ...]:
    return tuple(f"array of the rows' {name}" for name, _ in arrays)


def _two_rows(sql: str) -> ManyRows | None:
    first, second = only_statement(sql), only_statement(sql)
    mine = parameters(first)
    count = max(node.number for node in mine)
    for node in parameters(second):
        node.number += count
    rows = (*first.selectStmt.valuesLists, *second.selectStmt.valuesLists)
    first.selectStmt.valuesLists = rows
    told = tuple("first row" if n < count else "second row" for n in range(2 * count))
    return ManyRows(
        _print(first),
        told,
        _notes(_MORE_ROWS, _merging(first)),
    )


# UPDATE and DELETE


def _found_by_keys(
    write: Tree, types: Mapping[str, str], varying: Collection[int] | None
) -> ManyRows | None:
    others = write.fromClause if is_a(write, ast.UpdateStmt) else write.usingClause
    if others or write.withClause or write.whereClause is None:
        return None
    if any(is_a(node, ast.SubLink) for node in inside(write)):
        return None
    _drop_constants(write)
    keys = _keys(write.whereClause)
    found = parameters(write)
    moving = [node for node in found if varying is None or node.number in varying]
    if not keys or not moving:
        return None
    if len(moving) == 1 and [key for key in keys if parameter_of(key.rexpr) is moving[0]]:
        return _any(write, next(key for key in keys if parameter_of(key.rexpr) is moving[0]))
    return _joined(write, keys, moving, types)


def _conditions(where: Tree) -> tuple[Tree, ...]:
    """The conditions of a WHERE that all have to hold."""
    if is_a(where, ast.BoolExpr) and where.boolop == _AND:
        return tuple(where.args)
    return (where,)


def _drop_constants(write: Tree) -> None:
    """Conditions between constants (an ORM's `1=1`) say nothing."""
    kept = tuple(
        one
        for one in _conditions(write.whereClause)
        if not (
            is_a(one, ast.A_Expr) and is_a(one.lexpr, ast.A_Const) and is_a(one.rexpr, ast.A_Const)
        )
    )
    if kept:
        write.whereClause = kept[0] if len(kept) == 1 else ast.BoolExpr(_AND, kept)


def _keys(where: Tree) -> list[Tree]:
    """The conditions `column = $n` (or `IN ($n)`, made one)."""
    found = []
    for one in _conditions(where):
        if not is_a(one, ast.A_Expr) or not is_a(one.lexpr, ast.ColumnRef):
            continue
        if one.kind == enums.A_Expr_Kind.AEXPR_IN and len(one.rexpr) == 1:
            one.kind, one.rexpr = enums.A_Expr_Kind.AEXPR_OP, one.rexpr[0]
        equal = one.kind == enums.A_Expr_Kind.AEXPR_OP and one.name[-1].sval == "="
        if equal and parameter_of(one.rexpr) is not None:
            found.append(one)
    return found


def _any(write: Tree, key: Tree) -> ManyRows:
    """The key alone differs: `column = ANY($n)`."""
    parameter = parameter_of(key.rexpr)
    key.kind, key.rexpr = enums.A_Expr_Kind.AEXPR_OP_ANY, parameter
    told = _renumbered(write, {parameter.number: f"array of all {_name(key.lexpr)}"})
    return ManyRows(_print(write), told, "")


def _name(column: Tree) -> str:
    return str(column.fields[-1].sval)


def _renumbered(write: Tree, told: Mapping[int, str]) -> tuple[str, ...]:
    """Close gaps between parameters; gives what each is, in order."""
    return tuple(told.get(old, "the same in every row that was seen") for old in renumber(write))


def _joined(
    write: Tree, keys: list[Tree], moving: list[Tree], types: Mapping[str, str]
) -> ManyRows | None:
    """Values and keys come as rows that the statement joins."""
    columns = _columns_of(write, keys)
    names = [columns.get(id(node)) for node in moving]
    if None in names or len(set(names)) < len(names):
        return None  # a value inside an expression, or one column both compared and set
    named = [str(name) for name in names]
    if not any(parameter_of(key.rexpr) in moving for key in keys):
        return None
    _qualify(write)
    for node, name in zip(moving, named, strict=True):
        _put(write, keys, node, ast.ColumnRef((ast.String(_ROWS), ast.String(name))))
    kept = parameters(write)
    if any(node is other for node in moving for other in kept):
        return None
    typed = [(name, types.get(name, "[]")) for name in named]
    if kept or any(kind.endswith("[]") for _, kind in typed):
        return _from_json(write, named)
    _join(write, _unnest(typed))
    return ManyRows(_print(write), _arrays(typed), _ONCE)


_ONCE = "name each key once: of two rows with one key only one is applied"


def _columns_of(write: Tree, keys: list[Tree]) -> dict[int, str]:
    """The column that each parameter is compared with, or that it is the new value of."""
    found = {id(parameter_of(key.rexpr)): _name(key.lexpr) for key in keys}
    for target in write.targetList or () if is_a(write, ast.UpdateStmt) else ():
        if is_a(target.val, ast.MultiAssignRef):
            continue
        value = target.val
        if is_a(value, ast.A_Expr) and _counts(value, target.name):
            value = value.rexpr
        parameter = parameter_of(value)
        if parameter is not None:
            found[id(parameter)] = target.name
    return found


def _counts(value: Tree, column: str) -> bool:
    """Whether a new value is `column + $n` or `column - $n`: then $n is of the column's type."""
    return (
        value.kind == enums.A_Expr_Kind.AEXPR_OP
        and value.name[-1].sval in ("+", "-")
        and is_a(value.lexpr, ast.ColumnRef)
        and _name(value.lexpr) == column
    )


class _Qualifier(Visitor):
    """Names the table before every bare column: the joined rows have columns of the same names."""

    def __init__(self, table: str) -> None:
        super().__init__()
        self._table = table

    def visit_ColumnRef(self, _ancestors: object, node: Tree) -> None:  # noqa: N802 - pglast's name
        if len(node.fields) == 1:
            node.fields = (ast.String(self._table), *node.fields)


def _qualify(write: Tree) -> None:
    alias = write.relation.alias
    _Qualifier(alias.aliasname if alias else write.relation.relname)(write)


class _Putter(Visitor):
    """Puts a column in the place of a parameter."""

    def __init__(self, node: Tree, column: Tree) -> None:
        super().__init__()
        self._node, self._column = node, column

    def visit(self, _ancestors: object, node: Tree) -> None:
        for name in ("arg", "val", "lexpr", "rexpr"):
            if getattr(node, name, None) is self._node:
                setattr(node, name, self._column)


def _put(write: Tree, keys: list[Tree], node: Tree, column: Tree) -> None:
    for key in keys:
        if parameter_of(key.rexpr) is node:
            key.rexpr = column  # a cast of the parameter was for its type alone
            return
    _Putter(node, column)(write)


def _from_json(write: Tree, names: list[str]) -> ManyRows:
    """Rows whose types are those of the table itself: for where types are not known."""
    table = write.relation
    parts = (table.catalogname, table.schemaname, table.relname)  # without ONLY and its alias
    row_type = ".".join(quote_identifier(part) for part in parts if part)
    told = _renumbered(write, {})
    number = len(told) + 1
    _join(write, f"jsonb_populate_recordset(NULL::{row_type}, ${number}) AS {_ROWS}")
    objects = ", ".join(f'"{name}": …' for name in names)
    return ManyRows(_print(write), (*told, f"jsonb: an array of {{{objects}}}"), _ONCE)


def _join(write: Tree, source: str) -> None:
    if is_a(write, ast.UpdateStmt):
        write.fromClause = _source(source)
    else:
        write.usingClause = _source(source)


def _source(text: str) -> Tree:
    return statement_of(f"SELECT FROM {text}").fromClause
