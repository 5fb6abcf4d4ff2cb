"""The statements that drop an index, make it anew, or rebuild it.

What PostgreSQL printed itself (pg_get_indexdef) is taken as it is; else, from a schema, the statement is
written from what is known of the index.
"""

from itertools import zip_longest

from analyzer.model.catalog import Index, Table
from analyzer.sql.quoting import quote_identifier, quote_table

UNKNOWN = "?"


def drop_statement(table: Table, index: Index) -> str:
    """`DROP INDEX CONCURRENTLY …;`, without CONCURRENTLY for a partitioned one, which cannot be dropped so."""
    how = "" if index.partitioned else " CONCURRENTLY"
    return f"DROP INDEX{how} {_qualified(table, index)};"


def rebuild_statement(table: Table, index: Index) -> str:
    """`REINDEX INDEX CONCURRENTLY …;`."""
    return f"REINDEX INDEX CONCURRENTLY {_qualified(table, index)};"


def create_statement(table: Table, index: Index) -> str | None:
    """`CREATE INDEX CONCURRENTLY …;` on one line: the way back; None where a part of it is not known."""
    if index.definition is not None:
        head, found, rest = index.definition.partition(" INDEX ")
        if index.partitioned:  # made so, it is made for all partitions
            return f"{head}{found}{rest.replace(' ON ONLY ', ' ON ', 1)};"
        return f"{head}{found}CONCURRENTLY {rest};" if found else None
    if not is_known(index):
        return None
    keys = ", ".join(_keys(table, index))
    unique = "UNIQUE " if index.unique else ""
    include = ", ".join(quote_identifier(column) for column in index.include)
    return (
        f"CREATE {unique}INDEX CONCURRENTLY {quote_identifier(index.name or UNKNOWN)} ON "
        f"{quote_table(table.name)} USING {index.method} ({keys})"
        + (f" INCLUDE ({include})" if include else "")
        + ("" if index.nulls_distinct else " NULLS NOT DISTINCT")
        + (f" WHERE {index.predicate}" if index.predicate else "")
        + ";"
    )


def is_known(index: Index) -> bool:
    """Whether all of its columns and its condition could be read."""
    return UNKNOWN not in (*index.columns, *index.include, index.predicate)


def _keys(table: Table, index: Index) -> list[str]:
    """The keys as CREATE INDEX has them; an operator class or collation that is not usual is named."""
    plain = {column.name for column in table.columns}
    parts = zip_longest(
        index.columns, index.collations, index.operator_classes, index.descending, index.nulls_first
    )
    made = []
    for column, collation, operator_class, descending, nulls_first in parts:
        text = quote_identifier(column) if column in plain else f"({column})"
        text += f" COLLATE {quote_identifier(collation)}" if collation else ""
        text += f" {operator_class}" if operator_class else ""
        text += " DESC" if descending else ""
        if nulls_first is not None and nulls_first != bool(descending):
            text += " NULLS FIRST" if nulls_first else " NULLS LAST"
        made.append(text)
    return made


def _qualified(table: Table, index: Index) -> str:
    """The index's name in the schema of its table, where it always is."""
    schema = table.name.rpartition(".")[0]
    name = quote_identifier(index.name or UNKNOWN)
    return f"{quote_identifier(schema)}.{name}" if schema else name
