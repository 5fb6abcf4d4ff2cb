"""Prisma's words for types, operator classes and names, and PostgreSQL's for the same.

From Prisma's schema reference and the PostgreSQL connector of prisma-engines.
"""

from analyzer.patterns import regex
from analyzer.sql.prisma_index import METHODS

SCALARS = {
    "String": "text",
    "Int": "integer",
    "BigInt": "bigint",
    "Float": "double precision",
    "Decimal": "numeric(65,30)",
    "DateTime": "timestamp(3) without time zone",
    "Json": "jsonb",
    "Boolean": "boolean",
    "Bytes": "bytea",
}

# {} is where the arguments go, with their parentheses.
_NATIVE = {
    "Text": "text",
    "Char": "character{}",
    "VarChar": "character varying{}",
    "Bit": "bit{}",
    "VarBit": "bit varying{}",
    "Uuid": "uuid",
    "Xml": "xml",
    "Inet": "inet",
    "Citext": "citext",
    "Boolean": "boolean",
    "Integer": "integer",
    "SmallInt": "smallint",
    "BigInt": "bigint",
    "Oid": "oid",
    "DoublePrecision": "double precision",
    "Real": "real",
    "Decimal": "numeric{}",
    "Money": "money",
    "Timestamp": "timestamp{} without time zone",
    "Timestamptz": "timestamp{} with time zone",
    "Date": "date",
    "Time": "time{} without time zone",
    "Timetz": "time{} with time zone",
    "Json": "json",
    "JsonB": "jsonb",
    "ByteA": "bytea",
}
# Written without arguments, these have some all the same.
_NATIVE_DEFAULTS = {"Char": "1", "Bit": "1", "Decimal": "65,30"}

# Words that Prisma writes as two where PostgreSQL has one.
_JOINED = {
    "MinMax": "Minmax",
    "TsVector": "Tsvector",
    "TsQuery": "Tsquery",
    "TimestampTz": "Timestamptz",
    "TimeTz": "Timetz",
    "MacAddr": "Macaddr",
    "VarBit": "Varbit",
    "BpChar": "Bpchar",
}
_CAPITAL = regex(r"(?<!^)(?=[A-Z])")

_METHODS = {written: method for method, written in METHODS.items()}


def native_type(name: str, arguments: tuple[str, ...]) -> str:
    """PostgreSQL's type for `@db.<name>(<arguments>)`, as format_type prints it."""
    shown = ",".join(arguments) or _NATIVE_DEFAULTS.get(name, "")
    template = _NATIVE.get(name, name.lower() + "{}")
    return template.format(f"({shown})" if shown else "")


def index_method(name: str) -> str:
    """PostgreSQL's name of an index type."""
    return _METHODS.get(name, name.lower())


def operator_class(name: str) -> str:
    """PostgreSQL's operator class of Prisma's name for it: JsonbPathOps is jsonb_path_ops."""
    for two, one in _JOINED.items():
        name = name.replace(two, one)
    return _CAPITAL.sub("_", name).lower()
