"""Rewriting a SELECT of rows into one that counts them."""

from pglast import enums
from pglast.stream import IndentedStream

from analyzer.sql.batch_tree import renumber
from analyzer.sql.plain_tree import none_if_unwritable, plain_select, statement_of


@none_if_unwritable
def count_of(sql: str) -> str | None:
    """`SELECT count(*)` with the same tables and conditions; None where that is another number.

    `sql` is a normalised SELECT. Parameters of what falls away (the target list) close up.
    """
    select = plain_select(sql)
    if select is None:
        return None
    if select.groupClause or select.distinctClause or not select.fromClause:
        return None
    select.targetList = statement_of("SELECT count(*)").targetList
    select.sortClause = select.lockingClause = None
    select.limitCount = select.limitOffset = None
    select.limitOption = enums.LimitOption.LIMIT_OPTION_DEFAULT
    renumber(select)
    return str(IndentedStream(comma_at_eoln=True)(select))
