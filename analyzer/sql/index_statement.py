"""The index that a CREATE INDEX makes."""

from analyzer.model.catalog import Index
from analyzer.sql.ddl import definitions
from analyzer.sql.definitions import CreateIndex


def index_made(sql: str) -> Index | None:
    """The index of a statement, or of the last of several lines; None where that makes none."""
    statement = (sql.splitlines() or [""])[-1]
    found = next((one for one in definitions(statement) if isinstance(one, CreateIndex)), None)
    if found is None:
        return None
    one = found.index
    return Index(
        name=one.name,
        columns=one.columns,
        unique=one.unique,
        method=one.method,
        include=one.include,
        predicate=one.predicate,
        descending=one.descending,
        operator_classes=one.operator_classes,
        nulls_first=one.nulls_first,
        collations=one.collations,
        nulls_distinct=one.nulls_distinct,
    )
