"""Expressions over one column: written again as SQL, and whether an index may be built on them.

Only what PostgreSQL defines as immutable may be indexed. The lists here are of built-in functions
whose text form depends on nothing but their arguments; what is not listed counts as not immutable.
"""

from collections.abc import Mapping

from analyzer.patterns import regex
from analyzer.records import record
from analyzer.sql.quoting import quote_identifier
from analyzer.sql.tree import Node, ParseError, kind_of, parse, strings

_ELLIPSIS = "\u2026"
_MODIFIER = regex(r"\([0-9, ]{1,20}\)")  # timestamp(6) with time zone
_IMMUTABLE_FUNCTIONS = frozenset(
    {
        "lower", "upper", "initcap", "btrim", "ltrim", "rtrim", "length", "char_length", "md5",
        "octet_length", "bit_length", "reverse", "left", "right", "substr", "substring", "ascii",
        "split_part", "replace", "translate", "strpos", "starts_with", "abs", "ceil", "ceiling",
        "floor", "round", "trunc", "mod", "sign", "jsonb_extract_path", "jsonb_array_length",
        "jsonb_extract_path_text", "array_length", "cardinality", "to_tsvector",
    }
)  # fmt: skip
# Immutable for timestamp without time zone only: with a zone they depend on the session's.
_OF_TIMESTAMP = frozenset({"date_trunc", "date_part", "extract", "date"})
_ZONED = ("timestamp with time zone", "timestamptz", "time with time zone", "timetz")
_OPERATORS = frozenset({"->", "->>", "#>", "#>>", "+", "-", "*", "/", "%", "||"})
_TYPE_NAMES: Mapping[str, str] = {
    "int2": "smallint", "int4": "integer", "int8": "bigint", "bool": "boolean",
    "float4": "real", "float8": "double precision", "bpchar": "character",
    "timestamptz": "timestamp with time zone", "timetz": "time with time zone",
}  # fmt: skip
_NUMERIC = frozenset({"smallint", "integer", "bigint", "numeric", "real", "double precision"})
_INTEGERS = frozenset({"smallint", "integer", "bigint"})
_FLOATS = frozenset({"real", "double precision"})
_TEXTUAL = frozenset({"text", "character varying", "varchar", "character"})
_STABLE_AS_TEXT = ("timestamp", "date", "time", "interval", "json", "real", "double", "money")
# Functions whose literal is part of the program (a unit, a JSON key), not a user's value.
_LITERAL_OF_CODE = frozenset(
    {"->", "->>", "#>", "#>>", "date_trunc", "date_part", "extract", "timezone", "to_tsvector"}
)


@record
class Expression:
    """`text` is SQL, literals that may be a user's value shown as an ellipsis.

    `immutable` says that `text` is complete and may stand in CREATE INDEX.
    """

    text: str
    immutable: bool


def describe(node: Node, column_type: str | None) -> Expression:
    """The expression of a syntax tree node over a single column.

    Args:
        node: a node that holds exactly one column reference.
        column_type: the column's type as PostgreSQL prints it, None where it is not known.
    """
    return _describe(node, _MODIFIER.sub("", (column_type or "").lower()), "")


def type_name(cast: Node) -> str:
    """The type a TypeCast node casts to, as PostgreSQL prints it ("text", "integer[]")."""
    fields = cast.get("typeName", {})
    names = strings(fields.get("names"))
    name = names[-1] if names else "?"
    name = _TYPE_NAMES.get(name, "character varying" if name == "varchar" else name)
    return name + "[]" * len(fields.get("arrayBounds", []))


def relabels(source: str, target: str) -> bool:
    """Whether a cast leaves a column's value as it is, so that the column's index still serves.

    Both types as PostgreSQL prints them.
    """
    plain = source.lower().partition("(")[0].strip()
    if plain == target:
        return True
    if target in ("text", "character varying"):
        return plain in ("text", "character varying", "varchar")
    return target == "inet" and plain == "cidr"


def widened_by(column_type: str, value_type: str) -> bool:
    """Whether comparing a column with a value of another type casts the column, not the value.

    The operator families of btree indexes compare integers with integers, reals with double
    precision, and dates with timestamps; between the numeric families the narrower side is cast.
    """
    column, value = (one.lower().partition("(")[0].strip() for one in (column_type, value_type))
    if column in _INTEGERS:
        return value == "numeric" or value in _FLOATS
    if column == "numeric":
        return value in _FLOATS
    return column == "character" and value in ("text", "character varying")


def immutable_as(expression: str, column_type: str | None) -> bool:
    """Whether an expression over one column may stand in CREATE INDEX, by the column's type.

    `expression` is what `describe` wrote before the type was known.
    """
    node = _parsed(expression)
    return node is not None and describe(node, column_type).immutable


def same_expression(one: str, other: str) -> bool:
    """Whether two expressions are one: PostgreSQL prints casts to text that people leave out."""
    if one == other:
        return True
    first, second = _parsed(one), _parsed(other)
    return first is not None and second is not None and _bare(first) == _bare(second)


def _parsed(expression: str) -> Node | None:
    """An expression's tree, None for what is no whole expression (elided, or a broken name)."""
    if _ELLIPSIS in expression:
        return None
    try:
        statements = parse(f"SELECT ({expression})")
    except ParseError:
        return None
    targets = statements[0].get("SelectStmt", {}).get("targetList", []) if statements else []
    node = targets[0].get("ResTarget", {}).get("val") if len(targets) == 1 else None
    return node if isinstance(node, dict) else None


def _bare(node: object) -> object:
    """A tree without locations, casts to text and qualifications, to be compared."""
    if isinstance(node, list):
        return [_bare(item) for item in node]
    if not isinstance(node, dict):
        return node
    if "TypeCast" in node and type_name(node["TypeCast"]) in _TEXTUAL:
        return _bare(node["TypeCast"].get("arg"))
    if "ColumnRef" in node:
        return strings(node["ColumnRef"].get("fields"))[-1:]
    if "FuncCall" in node:
        call = node["FuncCall"]
        return [strings(call.get("funcname"))[-1:], _bare(call.get("args", []))]
    return {name: _bare(value) for name, value in node.items() if name != "location"}


def without_places(node: object) -> object:
    """A tree without its places in the text: equal for what is written alike."""
    if isinstance(node, list):
        return [without_places(item) for item in node]
    if not isinstance(node, dict):
        return node
    return {name: without_places(value) for name, value in node.items() if name != "location"}


def _describe(node: Node, column_type: str, outer: str) -> Expression:
    kind, fields = kind_of(node) if node else ("", {})
    if kind == "ColumnRef":
        return Expression(quote_identifier(strings(fields.get("fields"))[-1]), immutable=True)
    if kind == "A_Const":
        return _constant(fields, outer)
    if kind == "TypeCast":
        return _cast(fields, column_type, outer)
    if kind in ("FuncCall", "A_Expr"):
        return _computed(kind, fields, column_type)
    text = f"coalesce({_ELLIPSIS})" if kind == "CoalesceExpr" else _ELLIPSIS
    return Expression(text, immutable=False)


def _computed(kind: str, fields: Node, column_type: str) -> Expression:
    if kind == "FuncCall":
        return _call(fields, column_type)
    if fields.get("kind", "AEXPR_OP") == "AEXPR_OP":
        return _operation(fields, column_type)
    return Expression(_ELLIPSIS, immutable=False)


def _constant(fields: Node, outer: str) -> Expression:
    if "ival" in fields:
        return Expression(str(fields["ival"].get("ival", 0)), immutable=True)
    text = fields.get("sval", {}).get("sval")
    if isinstance(text, str) and outer in _LITERAL_OF_CODE and "\\" not in text:
        return Expression("'" + text.replace("'", "''") + "'", immutable=True)
    return Expression(_ELLIPSIS, immutable=False)


def _cast(fields: Node, column_type: str, outer: str) -> Expression:
    inner = _describe(fields.get("arg", {}), column_type, outer)
    target = type_name(fields)
    if "A_Const" in fields.get("arg", {}):
        return inner  # 'k'::text: the literal's type follows from where it stands
    over_column = "ColumnRef" in fields.get("arg", {})
    # Inside a function of text, a column of unknown type is text that PostgreSQL relabels;
    # were it another, CREATE INDEX would refuse the expression.
    relabels = not column_type and bool(outer) and target in _TEXTUAL
    fine = not over_column or relabels or _cast_is_immutable(column_type, target)
    fine = fine and inner.immutable
    return Expression(f"({inner.text})::{target}", immutable=fine)


def _cast_is_immutable(source: str, target: str) -> bool:
    """Whether a cast of a column depends on nothing but its value; unknown types count as not."""
    if not source:
        return False
    if target in _TEXTUAL:
        return not source.startswith(_STABLE_AS_TEXT) and (_is_base_text(source) or _plain(source))
    if target == "date":
        return source.startswith("timestamp") and not source.startswith(_ZONED)
    return target in _NUMERIC and source.partition("(")[0] in _NUMERIC


def _is_base_text(source: str) -> bool:
    return source.partition("(")[0] in _TEXTUAL


def _plain(source: str) -> bool:
    return source.partition("(")[0] in _NUMERIC | {"uuid", "boolean", "citext"}


def _call(fields: Node, column_type: str) -> Expression:
    name = (strings(fields.get("funcname")) or ["?"])[-1]
    arguments = [_describe(argument, column_type, name) for argument in fields.get("args", [])]
    fine = all(argument.immutable for argument in arguments)
    if name in _OF_TIMESTAMP:
        fine = fine and column_type.startswith(("timestamp", "date"))
        fine = fine and not column_type.startswith(_ZONED)
    elif name == "timezone":  # then what follows is without zone, and depends on nothing
        fine = fine and column_type.startswith(_ZONED)
    else:
        fine = fine and name in _IMMUTABLE_FUNCTIONS
        fine = fine and (name != "to_tsvector" or len(arguments) == 2)  # noqa: PLR2004 - with its configuration named
    if name == "extract":  # written as the grammar wants it
        unit, _, rest = ", ".join(argument.text for argument in arguments).partition(", ")
        return Expression(f"EXTRACT({unit.strip(chr(39))} FROM {rest})", immutable=fine)
    text = ", ".join(argument.text for argument in arguments)
    return Expression(f"{quote_identifier(name)}({text})", immutable=fine)


def _operation(fields: Node, column_type: str) -> Expression:
    operator = (strings(fields.get("name")) or ["?"])[-1]
    sides = [
        _describe(fields[side], column_type, operator)
        for side in ("lexpr", "rexpr")
        if fields.get(side)
    ]
    # Arithmetic on times may depend on the session's zone, on numbers it does not.
    numeric = column_type.partition("(")[0] in _NUMERIC
    fine = operator in _LITERAL_OF_CODE or (operator in _OPERATORS and numeric)
    fine = fine and all(side.immutable for side in sides)
    return Expression(f"({f' {operator} '.join(side.text for side in sides)})", immutable=fine)
