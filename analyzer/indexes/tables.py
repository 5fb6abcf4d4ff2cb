"""The diagnosis of all tables: what their own figures say, and what index advice says of them."""

from dataclasses import fields, replace
from typing import Any

from analyzer.indexes.foreign_keys import uncovered
from analyzer.indexes.partitions import Partitions
from analyzer.indexes.table_notes import table_notes
from analyzer.model.catalog import Catalog
from analyzer.model.index_advice import IndexAdvice
from analyzer.model.snapshot import TableUse
from analyzer.model.table_diagnosis import TableDiagnoses, TableNote
from analyzer.model.workload import Workload

_ORDER = ("critical", "high", "medium", "low", "info")
_SUMMED = (
    "bytes", "seq_scans", "seq_rows", "index_scans", "index_rows", "inserted", "updated", "deleted",
    "hot_updated", "dead_rows", "heap_bytes", "index_bytes", "modified", "blocks_hit", "blocks_read",
)  # fmt: skip


def diagnose(workload: Workload, advice: IndexAdvice | None, *, every: bool) -> TableDiagnoses:
    """The notes on each table that has any, worst first."""
    catalog, use = workload.catalog, workload.use
    names = dict.fromkeys([*(catalog.tables if catalog else ()), *(use.tables if use else ())])
    found: dict[str, list[TableNote]] = {name: [] for name in names}
    counted = use.counted if use is not None else None
    for name in names:
        table = catalog.table(name) if catalog is not None else None
        found[name] += table_notes(table, use.tables.get(name) if use else None, counted)
    for name, note in _of_indexes(catalog, advice):
        found.setdefault(name, []).append(note)
    ranked = {
        name: sorted(notes, key=lambda note: _ORDER.index(note.severity))
        for name, notes in found.items()
        if notes
    }
    return TableDiagnoses(ranked, every)


def _of_indexes(catalog: Catalog | None, advice: IndexAdvice | None) -> list[tuple[str, TableNote]]:
    notes = []
    for candidate in uncovered(catalog) if catalog is not None else ():
        text = f"{candidate.rule}: every DELETE and key UPDATE of a parent reads the whole table"
        notes.append(
            (
                candidate.table,
                TableNote("foreign-key-without-index", "low", text, " ".join(candidate.statements)),
            )
        )
    for drop in advice.drop if advice is not None else ():
        kind = f"{drop.kind}-index"
        notes.append((drop.table, TableNote(kind, "low", drop.reason, drop.sql, drop.bytes)))
    for one in advice.notes if advice is not None else ():
        kind = "index-bloat" if one.kind == "bloat" else one.kind
        notes.append((one.table, TableNote(kind, "info", one.text, one.sql, one.bytes)))
    return notes


def with_partitioned(workload: Workload) -> Workload:
    """The workload whose use has a row for each partitioned table, too: the sums of its partitions."""
    catalog, use = workload.catalog, workload.use
    if catalog is None or use is None:
        return workload
    tables: dict[str, TableUse] = dict(use.tables)
    partitions = Partitions(catalog)
    for table in catalog:
        leaves = [row for name in partitions.below(table.name) if (row := use.tables.get(name))]
        if leaves:
            tables[table.name] = _sum(table.name, table.rows, leaves)
    return replace(workload, use=replace(use, tables=tables))


def _sum(name: str, rows: int | None, leaves: list[TableUse]) -> TableUse:
    """One row for several: counts are added, of times and ages the oldest stands."""
    summed: dict[str, int | None] = {}
    for count in _SUMMED:
        values = [getattr(row, count) for row in leaves]
        known = [value for value in values if value is not None]
        summed[count] = sum(known) if known else None
    vacuumed = [row.vacuumed_us for row in leaves]
    analyzed = [row.analyzed_us for row in leaves]
    ages = [row.xid_age for row in leaves if row.xid_age is not None]
    row: dict[str, Any] = {
        **{one.name: getattr(leaves[0], one.name) for one in fields(TableUse)},
        **summed,
        "name": name,
        "rows": rows,
        "vacuumed_us": None if None in vacuumed else min(filter(None, vacuumed)),
        "analyzed_us": None if None in analyzed else min(filter(None, analyzed)),
        "xid_age": max(ages, default=None),
        "autovacuum": None,
        "fillfactor": None,
    }
    return TableUse(**row)
