"""The key `tables`: what the catalog, the server's counts and the statements tell of each table."""

from collections.abc import Iterable, Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from analyzer.model.catalog import Table
from analyzer.model.statement import Kind, Role
from analyzer.model.table_diagnosis import TableDiagnoses
from analyzer.report.values import iso

if TYPE_CHECKING:
    from analyzer.model.catalog import Index
    from analyzer.model.finding import Finding
    from analyzer.model.snapshot import TableUse
    from analyzer.model.statement import Statement, StatementStats
    from analyzer.model.use import CountedUse, Use
    from analyzer.model.workload import Workload
    from analyzer.report.redaction import Redactor

_WRITES = (Kind.INSERT, Kind.UPDATE, Kind.DELETE, Kind.MERGE)
NONE = TableDiagnoses()


def tables_part(
    workload: "Workload",
    findings: Sequence["Finding"],
    redactor: "Redactor",
    diagnoses: TableDiagnoses = NONE,
) -> list[dict[str, Any]]:
    """Tables by the time their statements take.

    `total_ms` and `calls` sum the statements that name the table; one that joins two counts in both.
    Without a catalog there are none, unless `diagnoses.every` asks for all that anything names.
    """
    if workload.catalog is None and not diagnoses.every:
        return []
    builder = _Builder(workload, diagnoses, redactor)
    for statement, stats in zip(workload.statements, workload.stats, strict=True):
        for name in builder.known(statement.facts.tables):
            builder.rows.setdefault(name, []).append((stats, statement))
    for finding in findings:
        for name in builder.known(finding.tables):
            builder.keys.setdefault(name, set()).add(finding.key)
    names = [*builder.rows, *builder.keys]
    if diagnoses.every:
        names += [*(workload.catalog.tables if workload.catalog else ())]
        names += [*(workload.use.tables if workload.use else ())]
    parts = [builder.part(name) for name in dict.fromkeys(names)]
    parts.sort(key=lambda part: (-part["total_ms"], -(part["bytes"] or 0), part["name"]))
    return parts


def use_part(counted: "CountedUse | None") -> dict[str, Any] | None:
    """Over which time tables and indexes were counted, and on which servers."""
    if counted is None:
        return None
    return {
        "from": iso(counted.from_us),
        "to": iso(counted.to_us),
        "since": "snapshot"
        if counted.between
        else "reset"
        if counted.from_us is not None
        else "creation",
        "days": counted.days,
        "in_recovery": counted.in_recovery,
        "replicas": counted.replicas,
        "replicas_read": list(counted.replicas_read),
    }


class _Builder:
    """Puts together what is known of each table; `rows` are its statements, `keys` its findings."""

    def __init__(
        self, workload: "Workload", diagnoses: TableDiagnoses, redactor: "Redactor"
    ) -> None:
        self._workload = workload
        self._diagnoses = diagnoses
        self._redactor = redactor
        self.rows: dict[str, list[tuple[StatementStats, Statement]]] = {}
        self.keys: dict[str, set[str]] = {}

    def known(self, names: Iterable[str]) -> list[str]:
        """The names as the catalog has them; others only where there is none, or all are asked for."""
        catalog = self._workload.catalog
        found = []
        for name in dict.fromkeys(names):
            table = catalog.table(name) if catalog is not None else None
            if table is not None:
                found.append(table.name)
            elif self._diagnoses.every:
                found.append(name)
        return found

    def part(self, name: str) -> dict[str, Any]:
        """All that is known of one table."""
        catalog, use = self._workload.catalog, self._workload.use
        table = (catalog.table(name) if catalog is not None else None) or Table(name)
        row = use.tables.get(table.name) if use is not None else None
        ranked = sorted(
            self.rows.get(name, []), key=lambda one: (-one[0].total_ms, one[1].shape_id)
        )
        total_ms = sum(stats.total_ms for stats, _ in ranked)
        team_ms = sum(stats.total_ms for stats, one in ranked if one.facts.role is Role.WORKLOAD)
        return {
            "name": table.name,
            **self._figures(table, row, ranked),
            "calls": sum(stats.calls for stats, _ in ranked),
            "total_ms": total_ms,
            "share": team_ms / self._workload.team_ms if self._workload.team_ms else None,
            "statements": [one.shape_id for _, one in ranked],
            "indexes": [self._index(index, table, use) for index in table.indexes],
            "findings": sorted(self.keys.get(name, ())),
            "partition_of": table.partition_of,
            "use": _use(row),
            "notes": [asdict(note) for note in self._diagnoses.notes.get(table.name, ())],
        }

    def _figures(
        self,
        table: Table,
        row: "TableUse | None",
        ranked: Sequence[tuple["StatementStats", "Statement"]],
    ) -> dict[str, Any]:
        """Rows, size, reads and writes: as a server counts them, else executions of statements."""
        known = {"rows": table.rows, "bytes": table.bytes, "hot_ratio": table.hot_ratio}
        if row is not None:
            return {
                "rows": row.rows if row.rows is not None else table.rows,
                "bytes": row.bytes if row.bytes is not None else table.bytes,
                "reads": row.seq_rows + row.index_rows,
                "writes": row.inserted + row.updated + row.deleted,
                "hot_ratio": row.hot_updated / row.updated if row.updated else None,
                "counted_by": "server",
            }
        if table.reads is not None or not ranked or not self._diagnoses.every:
            counted_by = "server" if table.reads is not None else None
            return {
                **known,
                "reads": table.reads,
                "writes": table.writes,
                "counted_by": counted_by,
            }
        writes = sum(
            stats.calls
            for stats, one in ranked
            if one.facts.kind in _WRITES and one.facts.main_table in (table.name, None)
        )
        calls = sum(stats.calls for stats, _ in ranked)
        return {**known, "reads": calls - writes, "writes": writes, "counted_by": "statements"}

    def _index(self, index: "Index", table: Table, use: "Use | None") -> dict[str, Any]:
        plain = {column.name for column in table.columns}
        columns = [name if name in plain else self._redactor.text(name) for name in index.columns]
        row = use.indexes.get((table.name, index.name or "")) if use is not None else None
        return {
            "name": index.name,
            "columns": columns,
            "bytes": index.bytes,
            "scans": row.scans if row is not None else index.scans,
            "unique": index.unique,
            "primary": index.primary,
            "method": index.method,
            "predicate": None if index.predicate is None else self._redactor.text(index.predicate),
            "include": list(index.include),
            "valid": index.valid,
            "constraint": index.constraint,
            "last_scan": iso(row.last_scan_us) if row is not None else None,
        }


def _use(row: "TableUse | None") -> dict[str, Any] | None:
    """A table's counts and state of vacuum, as a server has them."""
    if row is None:
        return None
    given = asdict(row)
    passed = ("database", "name", "rows", "bytes", "vacuumed_us", "analyzed_us")
    asked = (row.blocks_hit or 0) + (row.blocks_read or 0)
    return {
        **{name: value for name, value in given.items() if name not in passed},
        "vacuumed": iso(row.vacuumed_us),
        "analyzed": iso(row.analyzed_us),
        "hit_ratio": (row.blocks_hit or 0) / asked if asked else None,
    }
