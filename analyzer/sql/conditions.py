"""A plan's Filter text, read: which columns are compared, how, and whether an index could help.

PostgreSQL prints conditions with every cast spelled out. A cast that only relabels the value
(`(email)::text` over character varying) does not keep an index from being used; one that computes
(`(id)::text` over integer) does. The rule, in `_is_relabelling`:

- with the column's type known, a cast to text relabels text and character varying, a cast to inet
  relabels cidr, and every other cast computes;
- without it, a cast to text counts as relabelling where it is compared with a text literal or a
  parameter, unless the column's name speaks of a key (`id`, `…_id`, `…Id`) and the literal is a
  number or a UUID: then a key of another type is compared as text.
"""

import re
from collections.abc import Callable
from functools import lru_cache

from analyzer.model.statement import Arity
from analyzer.patterns import regex
from analyzer.records import record
from analyzer.sql.expressions import Expression, describe, relabels, type_name
from analyzer.sql.tree import Node, ParseError, kind_of, parse, strings, walk

MAX_LENGTH = 16_384  # characters: a longer filter is not read (its long literals are cut first)
_MAX_LITERAL = 256
_REMEMBERED = 1_000  # characters: what was read of longer ones is not kept

ColumnType = Callable[[str], str | None]

# Values that conditions name in words: no SQL, so each becomes the parameter $0.
_SUBPLANS = regex(
    r"(?:EXISTS)?\((?:hashed )?(?:InitPlan|SubPlan|CTE) [\w ]{1,64}\)(?:\.col\d{1,4})?"
    r"|\(alternatives: [\w ]{1,120}\)"
    r"|\bhashed SubPlan \w{1,32}"
)
_VALUES = frozenset({"A_Const", "ParamRef"})  # nodes of the tree without columns
_BARE_ANY = regex(r"(?<=\()(?:ANY|ALL) (?=\()")
_LITERAL = regex(r"'((?:[^']|'')*)'")
_NAMED = {"~~": "like", "~~*": "ilike", "!~~": "not like", "!~~*": "not ilike"}
_FLIPPED = {"<": ">", ">": "<", "<=": ">=", ">=": "<="}
_KEY_NAME = regex(r"(?:^|_)id$|Id$|ID$|uuid$", re.ASCII)
_KEY_VALUE = regex(r"[0-9]+|[0-9a-fA-F]{8}-[0-9a-fA-F-]{27}", re.ASCII)


@record
class Condition:
    """One column compared with a value, ANDed with the rest.

    `operator` is "=", "<", "like", "is null", "@>" … as in model.statement.Predicate. `wrapped`
    is the expression around the column that an index on the column cannot serve, None for the
    bare (or relabelled) column. `pattern` tells of LIKE: "prefix", "anywhere", or None where the
    pattern is not known. `value_type` is the type of the value where the text names it.
    `certain` is False where a cast was judged without the column's type.
    """

    column: str
    operator: str
    arity: Arity
    wrapped: Expression | None = None
    pattern: str | None = None
    value_type: str | None = None
    certain: bool = True


@record
class ParsedFilter:
    """A filter's conditions. `opaque` counts ANDed parts that compare no single column.

    `disjunctive` says that the filter as a whole is an OR over different columns (then there are
    no conditions); an OR over one column is one condition with several values.
    """

    conditions: tuple[Condition, ...]
    opaque: int = 0
    disjunctive: bool = False


def parse_condition(
    text: str, *, alias: str | None = None, column_type: ColumnType | None = None
) -> ParsedFilter | None:
    """The conditions of a plan node's Filter (Index Cond, Join Filter …).

    Args:
        text: as EXPLAIN prints it; InitPlans and SubPlans count as values.
        alias: what the node's own columns are qualified with; a column qualified with another
            name is a value that a join hands in. Unqualified columns are the node's own.
        column_type: the type of a column by its name, where a catalog is at hand.

    Returns:
        None where the text cannot be read as SQL (or is too long to try).
    """
    if column_type is None and len(text) <= _REMEMBERED:
        return _read_untyped(text, alias)
    return _read(text, alias, column_type)


@lru_cache(maxsize=512)
def _read_untyped(text: str, alias: str | None) -> ParsedFilter | None:
    """Without a catalog the text alone decides, and plans of one statement often have the same."""
    return _read(text, alias, None)


def _read(text: str, alias: str | None, column_type: ColumnType | None) -> ParsedFilter | None:
    shortened = _LITERAL.sub(_shorten, text) if len(text) > MAX_LENGTH else text
    if len(shortened) > MAX_LENGTH:
        return None
    sql = _BARE_ANY.sub("", _SUBPLANS.sub(" $0 ", shortened))
    try:
        statements = parse(f"SELECT WHERE {sql}")
        if len(statements) != 1:
            return None
        clause = statements[0].get("SelectStmt", {}).get("whereClause")
        return _Reader(alias, column_type).read(clause) if clause else None
    except (ParseError, RecursionError):
        return None


def _shorten(literal: re.Match[str]) -> str:
    inside = literal[1]
    if len(inside) <= _MAX_LITERAL:
        return literal[0]
    return "'" + inside[:64].replace("'", "") + inside[-1:].replace("'", "") + "'"


class _Reader:
    """Reads one syntax tree for one node of a plan."""

    def __init__(self, alias: str | None, column_type: ColumnType | None) -> None:
        self._alias = alias
        self._column_type = column_type or (lambda _name: None)

    def read(self, clause: Node) -> ParsedFilter:
        conditions: list[Condition] = []
        opaque = 0
        waiting = [clause]
        while waiting:
            kind, fields = kind_of(waiting.pop())
            if kind == "BoolExpr" and fields.get("boolop") == "AND_EXPR":
                waiting.extend(reversed(fields["args"]))
                continue
            condition = self._condition(kind, fields)
            if condition is None:
                opaque += 1
            else:
                conditions.append(condition)
        kind, fields = kind_of(clause)
        is_or = kind == "BoolExpr" and fields.get("boolop") == "OR_EXPR"
        return ParsedFilter(tuple(conditions), opaque, disjunctive=is_or and not conditions)

    def _condition(self, kind: str, fields: Node) -> Condition | None:
        if kind == "A_Expr":
            return self._comparison(fields)
        if kind == "BoolExpr" and fields.get("boolop") == "OR_EXPR":
            return self._alternatives(fields["args"])
        operator, side = _test(kind, fields)
        return self._on_column(side, operator, Arity.EXPRESSION, {}) if side else None

    def _alternatives(self, arms: list[Node]) -> Condition | None:
        """An OR whose arms all compare one column for equality reads like IN."""
        read = [self._condition(*kind_of(arm)) for arm in arms]
        first = read[0]
        if first is None or any(
            arm is None or arm.column != first.column or arm.operator != "=" or arm.wrapped
            for arm in read
        ):
            return None
        return Condition(first.column, "=", Arity.MANY, value_type=first.value_type)

    def _comparison(self, fields: Node) -> Condition | None:
        form = fields.get("kind", "AEXPR_OP")
        name = (strings(fields.get("name")) or ["?"])[-1]
        operator = _NAMED.get(name, name)
        left, right = fields.get("lexpr", {}), fields.get("rexpr", {})
        if not left or not right or form not in ("AEXPR_OP", "AEXPR_OP_ANY", "AEXPR_IN"):
            return None
        if form == "AEXPR_OP" and not self._columns(left):
            left, right, operator = right, left, _FLIPPED.get(operator, operator)
        if isinstance(right, dict) and self._columns(right):
            return None
        arity = Arity.ONE if form == "AEXPR_OP" else Arity.MANY
        return self._on_column(left, operator, arity, right)

    def _columns(self, node: Node) -> list[str | None]:
        """The node's own columns below a part of the tree; those of other tables are values.

        None stands for a whole row.
        """
        found: list[str | None] = []
        if node.keys() <= _VALUES:
            return found
        for kind, fields in walk(node):
            if kind == "ColumnRef":
                names = strings(fields.get("fields"))
                if len(names) == 1 or self._alias is None or names[-2] == self._alias:
                    whole = "A_Star" in fields["fields"][-1]
                    found.append(None if whole else names[-1])
        return found

    def _on_column(self, side: Node, operator: str, arity: Arity, value: Node) -> Condition | None:
        columns = set(self._columns(side))
        column = columns.pop() if len(columns) == 1 else None
        if (
            column is None
            or _is_distance(side)
            or ("ColumnRef" not in side and any(kind == "ParamRef" for kind, _ in walk(side)))
        ):
            return None
        known_type = self._column_type(column)
        literal, value_type = _value(value)
        wrapped: Expression | None = None
        certain = True
        if "ColumnRef" not in side:
            certain = known_type is not None
            if not _is_relabelling(side, column, known_type, literal, value_type):
                wrapped = describe(side, known_type)
                certain = True
        pattern = _pattern(literal) if operator in ("like", "ilike") else None
        return Condition(column, operator, arity, wrapped, pattern, value_type, certain)


def _test(kind: str, fields: Node) -> tuple[str, Node]:
    """The operator and the tested side of a condition without a value, ("", {}) for others."""
    if kind == "NullTest":
        is_null = fields.get("nulltesttype", "IS_NULL") == "IS_NULL"
        return ("is null" if is_null else "is not null"), fields.get("arg", {})
    if kind == "BooleanTest":
        return fields.get("booltesttype", "").lower().replace("_", " "), fields.get("arg", {})
    if kind == "ColumnRef":
        return "is true", {kind: fields}
    if fields.get("boolop") == "NOT_EXPR" and "ColumnRef" in fields["args"][0]:
        return "is false", fields["args"][0]
    return "", {}


def _is_distance(side: Node) -> bool:
    """Whether a side is a distance (`a <-> b`): only an index that orders by it could serve."""
    name = strings(side.get("A_Expr", {}).get("name"))
    return bool(name) and name[-1].startswith("<")


def _is_relabelling(
    side: Node, column: str, known_type: str | None, literal: str | None, value_type: str | None
) -> bool:
    """Whether a cast directly around a column leaves the value as it is (rule: see the module)."""
    cast = side.get("TypeCast")
    if cast is None or "ColumnRef" not in cast.get("arg", {}):
        return False
    target = type_name(cast)
    if known_type is not None:
        return relabels(known_type, target)
    if target != "text" or value_type not in ("text", "text[]", None):
        return False
    return not (names_key(column) and literal is not None and _KEY_VALUE.fullmatch(literal))


def names_key(column: str) -> bool:
    """Whether a column's name speaks of a key: `id`, `order_id`, `orderId`, `uuid`."""
    return _KEY_NAME.search(column) is not None


def _value(node: Node) -> tuple[str | None, str | None]:
    """The literal text and the type name of a value, each None where the text does not tell."""
    value_type: str | None = None
    while "TypeCast" in node:
        value_type = value_type or type_name(node["TypeCast"])
        node = node["TypeCast"].get("arg", {})
    literal = node.get("A_Const", {}).get("sval", {}).get("sval") if node else None
    return (literal if isinstance(literal, str) else None), value_type


def _pattern(literal: str | None) -> str | None:
    """What a LIKE pattern looks like: a fixed beginning makes it a range, else it is anywhere."""
    if literal is None:
        return None
    return "anywhere" if literal[:1] in ("%", "_") else "prefix"
