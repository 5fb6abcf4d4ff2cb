"""A catalog from SQL: pg_dump --schema-only, migrations, any script with CREATE TABLE."""

from analyzer.model.catalog import Catalog
from analyzer.sources.schema.builder import SchemaBuilder
from analyzer.sources.schema.script import statements
from analyzer.sql.ddl import definitions


def read_schema(text: str, origin: str) -> Catalog:
    r"""Read tables, keys and indexes from a SQL script.

    CREATE, ALTER and DROP of tables and indexes are applied in order. psql's commands, COPY data,
    and statements about other things or of other dialects are passed over; a script with nothing
    of the kind gives a catalog without tables.

    Args:
        text: the script.
        origin: what to call it in evidence.
    """
    builder = SchemaBuilder()
    for statement in statements(text):
        for definition in definitions(statement):
            builder.apply(definition)
    return builder.catalog(origin)
