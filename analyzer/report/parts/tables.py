"""The key `tables`: what the catalog knows of the tables that statements and findings name."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from analyzer.model.catalog import Index, Table
    from analyzer.model.finding import Finding
    from analyzer.model.workload import Workload
    from analyzer.report.redaction import Redactor


def tables_part(
    workload: "Workload", findings: Sequence["Finding"], redactor: "Redactor"
) -> list[dict[str, Any]]:
    """Tables by the time their statements take; none without a catalog.

    `total_ms` and `calls` sum the statements that name the table; one that joins two counts in both.
    """
    if workload.catalog is None:
        return []
    found: dict[str, Table] = {}
    shapes: dict[str, list[tuple[float, int, str]]] = {}
    keys: dict[str, list[str]] = {}
    for statement, stats in zip(workload.statements, workload.stats, strict=True):
        for table in _known(workload, statement.facts.tables):
            found[table.name] = table
            row = (stats.total_ms, stats.calls, statement.shape_id)
            shapes.setdefault(table.name, []).append(row)
    for finding in findings:
        for table in _known(workload, finding.tables):
            found[table.name] = table
            keys.setdefault(table.name, []).append(finding.key)
    parts = [
        _table(table, shapes.get(name, []), sorted(set(keys.get(name, []))), redactor)
        for name, table in found.items()
    ]
    parts.sort(key=lambda part: (-part["total_ms"], part["name"]))
    return parts


def _known(workload: "Workload", names: Sequence[str]) -> "list[Table]":
    catalog = workload.catalog
    tables = [] if catalog is None else [catalog.table(name) for name in dict.fromkeys(names)]
    return [table for table in tables if table is not None]


def _table(
    table: "Table", rows: list[tuple[float, int, str]], keys: list[str], redactor: "Redactor"
) -> dict[str, Any]:
    ranked = sorted(rows, key=lambda row: (-row[0], row[2]))
    return {
        "name": table.name,
        "rows": table.rows,
        "bytes": table.bytes,
        "reads": table.reads,
        "writes": table.writes,
        "hot_ratio": table.hot_ratio,
        "calls": sum(calls for _, calls, _ in ranked),
        "total_ms": sum(total_ms for total_ms, _, _ in ranked),
        "statements": [shape_id for _, _, shape_id in ranked],
        "indexes": [_index(index, table, redactor) for index in table.indexes],
        "findings": keys,
    }


def _index(index: "Index", table: "Table", redactor: "Redactor") -> dict[str, Any]:
    plain = {column.name for column in table.columns}
    columns = [name if name in plain else redactor.text(name) for name in index.columns]
    return {
        "name": index.name,
        "columns": columns,
        "bytes": index.bytes,
        "scans": index.scans,
        "unique": index.unique,
        "primary": index.primary,
        "method": index.method,
        "predicate": None if index.predicate is None else redactor.text(index.predicate),
    }
