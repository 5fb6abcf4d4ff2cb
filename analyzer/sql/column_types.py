"""Types as PostgreSQL prints them (format_type).

The same column then has the same type text whether it was read from a server, a dump or a script.
"""

from analyzer.sql.quoting import quote_identifier
from analyzer.sql.tree import Node

# Names that the grammar or people use, and what format_type prints; {} is the type modifier.
_PRINTED = {
    "int": "integer",
    "int2": "smallint",
    "int4": "integer",
    "int8": "bigint",
    "serial": "integer",
    "serial2": "smallint",
    "serial4": "integer",
    "serial8": "bigint",
    "smallserial": "smallint",
    "bigserial": "bigint",
    "float4": "real",
    "float8": "double precision",
    "bool": "boolean",
    "json": "json",  # a keyword since 16, but printed without quotes
    "varchar": "character varying{}",
    "bpchar": "character{}",
    "varbit": "bit varying{}",
    "bit": "bit{}",
    "numeric": "numeric{}",
    "decimal": "numeric{}",
    "timestamp": "timestamp{} without time zone",
    "timestamptz": "timestamp{} with time zone",
    "time": "time{} without time zone",
    "timetz": "time{} with time zone",
}
_SERIALS = frozenset({"serial", "serial2", "serial4", "serial8", "smallserial", "bigserial"})

# Bits of an interval's first modifier (src/include/utils/datetime.h), and the full range.
_INTERVAL_RANGES = {
    4: "year",
    2: "month",
    6: "year to month",
    8: "day",
    1024: "hour",
    2048: "minute",
    4096: "second",
    1032: "day to hour",
    3080: "day to minute",
    7176: "day to second",
    3072: "hour to minute",
    7168: "hour to second",
    6144: "minute to second",
}


def named_type(schema: str | None, name: str) -> str:
    """A type of one's own; the schemas public and pg_catalog are left out."""
    shown = quote_identifier(name)
    if schema in (None, "public", "pg_catalog"):
        return shown
    return f"{quote_identifier(str(schema))}.{shown}"


def is_serial(type_name: Node) -> bool:
    """Whether a TypeName is one of the serial types, whose columns are never null."""
    names = _names(type_name)
    return len(names) == 1 and names[0] in _SERIALS


def type_text(type_name: Node) -> str:
    """A TypeName of the syntax tree as format_type prints it."""
    names = _names(type_name)
    if not names:
        return "unknown"
    modifiers = [_modifier(node) for node in type_name.get("typmods", [])]
    if names[-1] in ("numeric", "decimal") and len(modifiers) == 1:
        modifiers.append("0")
    built_in = len(names) == 1 or names[0] == "pg_catalog"
    if built_in and names[-1] == "interval":
        text = _interval(modifiers)
    elif built_in and names[-1] in _PRINTED and names != ["char"]:
        text = _PRINTED[names[-1]].format(f"({','.join(modifiers)})" if modifiers else "")
    elif names == ["char"]:
        text = '"char"'
    else:
        text = named_type(names[-2] if len(names) > 1 else None, names[-1])
        text += f"({','.join(modifiers)})" if modifiers else ""
    return text + ("[]" if type_name.get("arrayBounds") else "")


def _names(type_name: Node) -> list[str]:
    return [part["String"].get("sval", "") for part in type_name.get("names", [])]


def _modifier(node: Node) -> str:
    if "A_Const" in node:
        constant = node["A_Const"]
        if "ival" in constant:
            return str(constant["ival"].get("ival", 0))
        return str(next((v.get("sval", "") for v in constant.values() if isinstance(v, dict)), ""))
    fields = node.get("ColumnRef", {}).get("fields", [])
    return str(fields[-1].get("String", {}).get("sval", "")) if fields else ""


def _interval(modifiers: list[str]) -> str:
    ranges = _INTERVAL_RANGES.get(int(modifiers[0])) if modifiers else None
    precision = f"({modifiers[1]})" if len(modifiers) > 1 else ""
    return f"interval{' ' + ranges if ranges else ''}{precision}"
