"""Rewriting a page by OFFSET into a page behind the last row that was seen (keyset)."""

from collections.abc import Sequence

from pglast import ast, enums
from pglast.stream import IndentedStream, RawStream

from analyzer.records import record
from analyzer.sql.batch_tree import Tree, is_a, parameters, renumber
from analyzer.sql.plain_tree import (
    none_if_unwritable,
    plain_select,
    statement_of,
)

_DESC = enums.SortByDir.SORTBY_DESC


@record
class Keyset:
    """A page behind a known row, sorted by `columns`, each `descending` or not.

    `parameters[i]` is the `$n` that takes the row's `columns[i]`.
    """

    sql: str
    columns: tuple[str, ...]
    descending: tuple[bool, ...]
    parameters: tuple[int, ...]


@none_if_unwritable
def keyset(sql: str, unique: Sequence[str]) -> Keyset | None:
    """The SELECT without OFFSET, behind the last row of the page before; None where that is not safe.

    `sql` is a normalised SELECT with ORDER BY over plain columns. `unique` are columns of the
    sorted table that tell its rows apart: they are added to the order where they are missing.
    """
    select = _select(sql)
    if select is None:
        return None
    columns = [item.node for item in select.sortClause]
    descending = [item.sortby_dir == _DESC for item in select.sortClause]
    prefix = columns[0].fields[:-1]
    if any(_texts(column.fields[:-1]) != _texts(prefix) for column in columns):
        return None
    named = [_last(column) for column in columns]
    for name in unique:
        if name not in named:
            columns.append(ast.ColumnRef((*prefix, ast.String(name))))
            descending.append(descending[-1])
            named.append(name)
            _sort_also(select, columns[-1], descending=descending[-1])
    select.limitOffset = None
    highest = max((node.number for node in parameters(select)), default=0)
    if select.limitCount is None:  # texts with and without LIMIT are one statement
        highest += 1
        select.limitCount = ast.ParamRef(number=highest)
        select.limitOption = enums.LimitOption.LIMIT_OPTION_COUNT
    numbers = [highest + place for place in range(1, len(columns) + 1)]
    _also(select, _behind(columns, descending, numbers))
    _select_also(select, columns)
    final = renumber(select)
    return Keyset(
        IndentedStream(comma_at_eoln=True)(select),
        tuple(named),
        tuple(descending),
        tuple(final[number] for number in numbers),
    )


def _select(sql: str) -> Tree:
    """A SELECT whose rows are those of its tables, sorted by plain columns; None for another."""
    select = plain_select(sql)
    if select is None:
        return None
    if (
        not select.sortClause
        or select.groupClause
        or select.distinctClause
        or not select.fromClause
    ):
        return None
    plain = all(
        is_a(item.node, ast.ColumnRef)
        and is_a(item.node.fields[-1], ast.String)
        and item.sortby_nulls == enums.SortByNulls.SORTBY_NULLS_DEFAULT
        and item.sortby_dir != enums.SortByDir.SORTBY_USING
        for item in select.sortClause
    )
    return select if plain and not _sorts_by_alias(select) else None


def _sorts_by_alias(select: Tree) -> bool:
    """Whether a sorted name is one that the target list gives to something else."""
    aliases = {target.name for target in select.targetList or () if target.name}
    return any(
        len(item.node.fields) == 1 and _last(item.node) in aliases for item in select.sortClause
    )


def _last(column: Tree) -> str:
    return str(column.fields[-1].sval)


def _texts(fields: Tree) -> list[str]:
    return [field.sval for field in fields]


def _sort_also(select: Tree, column: Tree, *, descending: bool) -> None:
    made = ast.SortBy(
        node=column,
        sortby_dir=_DESC if descending else enums.SortByDir.SORTBY_DEFAULT,
        sortby_nulls=enums.SortByNulls.SORTBY_NULLS_DEFAULT,
    )
    select.sortClause = (*select.sortClause, made)


def _behind(columns: Sequence[Tree], descending: Sequence[bool], numbers: Sequence[int]) -> Tree:
    """The condition: a comparison of rows, or, where directions differ, one column at a time."""
    shown = [RawStream()(column) for column in columns]
    if len(set(descending)) == 1:
        operator = "<" if descending[0] else ">"
        left, right = ", ".join(shown), ", ".join(f"${number}" for number in numbers)
        row = f"({left}) {operator} ({right})"
        return _condition(row)
    parts = []
    for place, column in enumerate(shown):
        equal = [f"{shown[n]} = ${numbers[n]}" for n in range(place)]
        operator = "<" if descending[place] else ">"
        parts.append(" AND ".join([*equal, f"{column} {operator} ${numbers[place]}"]))
    return _condition(" OR ".join(f"({part})" for part in parts))


def _condition(text: str) -> Tree:
    return statement_of(f"SELECT WHERE {text}").whereClause


def _also(select: Tree, condition: Tree) -> None:
    where = select.whereClause
    both = enums.BoolExprType.AND_EXPR
    if where is None:
        select.whereClause = condition
    elif is_a(where, ast.BoolExpr) and where.boolop == both:
        select.whereClause = ast.BoolExpr(both, (*where.args, condition))
    else:
        select.whereClause = ast.BoolExpr(both, (where, condition))


def _select_also(select: Tree, columns: Sequence[Tree]) -> None:
    """Select what the next page is asked with."""
    values = [target.val for target in select.targetList or ()]
    references = [value for value in values if is_a(value, ast.ColumnRef)]
    if any(is_a(value.fields[-1], ast.A_Star) for value in references):
        return
    selected = {_last(value) for value in references}
    missing = [column for column in columns if _last(column) not in selected]
    select.targetList = (*select.targetList, *(ast.ResTarget(val=column) for column in missing))
