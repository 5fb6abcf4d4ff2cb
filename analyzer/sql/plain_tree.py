"""Single statements as trees, for rewrites that keep most of them: paging, counting, writing."""

from pglast import ast, enums, parse_sql
from pglast.parser import ParseError
from pglast.visitors import Visitor

from analyzer.sql.batch_tree import Tree, is_a

_LONGEST = 16_384  # characters; what is longer is not for copying


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
