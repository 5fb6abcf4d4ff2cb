"""Names as SQL: what pg95 puts into a statement, or into its comments, goes through here."""

from pglast import keywords

from analyzer.patterns import regex

_PLAIN = regex(r"[a-z_][a-z0-9_]*\Z")
_RESERVED = frozenset(
    keywords.RESERVED_KEYWORDS | keywords.TYPE_FUNC_NAME_KEYWORDS | keywords.COL_NAME_KEYWORDS
)


def quote_identifier(name: str) -> str:
    """A name as an SQL identifier, quoted where PostgreSQL's quote_ident() would quote it.

    Raises:
        ValueError: the name is empty or holds a NUL, which PostgreSQL cannot store.
    """
    if not name or "\0" in name:
        raise ValueError(f"no identifier: {name!r}")
    if _PLAIN.match(name) and name not in _RESERVED:
        return name
    return '"' + name.replace('"', '""') + '"'


def quote_table(name: str) -> str:
    """A table's name as the model spells it ("orders", "sales.orders") as SQL.

    A dot parts schema and table: a table with a dot in its own name cannot be told from that.
    """
    schema, dot, table = name.partition(".")
    if not dot or not schema or not table:
        return quote_identifier(name)
    return f"{quote_identifier(schema)}.{quote_identifier(table)}"


def quote_literal(value: str) -> str:
    """A value as an SQL literal.

    Raises:
        ValueError: it holds a NUL, which PostgreSQL cannot store.
    """
    if "\0" in value:
        raise ValueError("no literal: it holds a NUL")
    quoted = value.replace("'", "''")
    return f"E'{quoted.replace(chr(92), chr(92) * 2)}'" if "\\" in quoted else f"'{quoted}'"


def comment(text: str) -> str:
    """Text for a comment's line: names are input, and a line break would end the comment."""
    return " ".join(text.split())
