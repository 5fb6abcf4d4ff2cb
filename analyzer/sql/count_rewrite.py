"""Rewriting a SELECT of rows into one that counts them."""

from pglast import ast, enums, parse_sql
from pglast.parser import ParseError
from pglast.stream import IndentedStream

from analyzer.sql.rewrite import LONGEST, ParameterVisitor, Tree, is_a


def count_of(sql: str) -> str | None:
    """`SELECT count(*)` with the same tables and conditions; None where that is another number.

    `sql` is a normalised SELECT. Parameters of what falls away (the target list) close up.
    """
    if len(sql) > LONGEST:
        return None
    try:
        statements = parse_sql(sql)
    except ParseError:
        return None
    select: Tree = statements[0].stmt if len(statements) == 1 else None
    if not is_a(select, ast.SelectStmt) or select.op != enums.SetOperation.SETOP_NONE:
        return None
    if select.groupClause or select.distinctClause or not select.fromClause:
        return None
    counted: Tree = parse_sql("SELECT count(*)")[0].stmt
    select.targetList = counted.targetList
    select.sortClause = select.lockingClause = None
    select.limitCount = select.limitOffset = None
    select.limitOption = enums.LimitOption.LIMIT_OPTION_DEFAULT
    visitor = ParameterVisitor()
    visitor(select)
    used = sorted({node.number for node in visitor.found})
    for node in visitor.found:
        node.number = used.index(node.number) + 1
    return str(IndentedStream(comma_at_eoln=True)(select))
