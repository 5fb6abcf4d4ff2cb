"""Statements completed for the planner: parameters as literals, views made on the way as WITH."""

from collections.abc import Sequence
from dataclasses import dataclass

from pglast import ast, parse_sql
from pglast.parser import ParseError
from pglast.stream import RawStream

from analyzer.sql.batch_tree import Tree, inside, is_a
from analyzer.sql.quoting import quote_identifier


@dataclass(frozen=True, slots=True)
class Script:
    """A script's last statement that has a plan, alone; `passed_over` are kinds of the others."""

    text: str
    passed_over: tuple[str, ...] = ()


def with_values(text: str, values: Sequence[str | None]) -> str | None:
    """The statement with its `$n` replaced by literals; None for what cannot be parsed.

    A literal in quotes has no type of its own, as a parameter's text has none: both get that of
    what they stand beside.
    """
    try:
        statements = parse_sql(text)
    except (ParseError, RecursionError, UnicodeError):
        return None
    places = sorted(
        {
            (node.location, node.number)
            for statement in statements
            for node in inside(statement.stmt)
            if is_a(node, ast.ParamRef)
        },
        reverse=True,
    )
    data = text.encode()
    for place, number in places:
        if not 0 < number <= len(values):
            return None
        mark = f"${number}".encode()
        if data[place : place + len(mark)] != mark:  # a `?` of another dialect
            return None
        data = data[:place] + _literal(values[number - 1]).encode() + data[place + len(mark) :]
    return data.decode()


def _literal(value: str | None) -> str:
    if value is None:
        return "NULL"
    quoted = "'" + value.replace("'", "''") + "'"
    return " E" + quoted.replace("\\", "\\\\") if "\\" in value else quoted


def last_plannable(script: str) -> Script | None:
    """The statement of a script that is to be planned, None where there is none.

    A view that the script creates for it is not created: its query goes before the statement as
    `WITH … AS NOT MATERIALIZED`, which the planner treats as it treats a view.

    Raises:
        ValueError: PostgreSQL's grammar refuses the script.
    """
    try:
        statements = parse_sql(script)
    except (ParseError, RecursionError, UnicodeError) as error:
        raise ValueError(str(error)) from None
    plannable = [one for one in statements if is_a(one.stmt, *_PLANNABLE)]
    if not plannable:
        return None
    main = plannable[-1]
    text = _text_of(script, main)
    views = [
        one.stmt for one in statements[: statements.index(main)] if is_a(one.stmt, ast.ViewStmt)
    ]
    others = [type(one.stmt).__name__ for one in statements if one is not main]
    return Script(_with_views(text, views, main.stmt), tuple(others))


_PLANNABLE = (ast.SelectStmt, ast.InsertStmt, ast.UpdateStmt, ast.DeleteStmt, ast.MergeStmt)


def _text_of(script: str, statement: ast.RawStmt) -> str:
    data = script.encode()
    start = statement.stmt_location or 0
    end = start + statement.stmt_len if statement.stmt_len else len(data)
    return data[start:end].decode().strip().rstrip(";").strip()


def _with_views(text: str, views: Sequence[Tree], main: Tree) -> str:
    if not views:
        return text
    parts = []
    for view in views:
        names = ", ".join(quote_identifier(str(one.sval)) for one in view.aliases or ())
        columns = f" ({names})" if names else ""
        query = RawStream()(view.query)
        parts.append(
            f"{quote_identifier(view.view.relname)}{columns} AS NOT MATERIALIZED ({query})"
        )
    if main.withClause is None:
        return f"WITH {', '.join(parts)} {text}"
    alone: Tree = parse_sql(text)[0].stmt
    clause = alone.withClause  # parsed alone: places are those of `text`
    word = "WITH RECURSIVE" if clause.recursive else "WITH"
    rest = text.encode()[clause.ctes[0].location :].decode()
    return f"{word} {', '.join(parts)}, {rest}"
