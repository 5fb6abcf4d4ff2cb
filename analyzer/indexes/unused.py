"""Indexes that nothing reads, over a time that is stated, on the servers that were seen."""

from collections.abc import Iterable
from datetime import UTC, datetime

from analyzer.model.catalog import Catalog, Index, Table
from analyzer.model.use import CountedUse, Use
from analyzer.model.workload import Workload

ENOUGH_DAYS = 7.0  # what runs once a week has run
_SCHEMA_DOT = "."


def scans_of(table: Table, index: Index, use: Use, catalog: Catalog) -> int | None:
    """Scans of an index in the window; of a partitioned one those of its parts together."""
    if not index.partitioned:
        return use.scans(table.name, index.name)
    own = full_name(table, index)
    parts = [
        scans_of(other, part, use, catalog)
        for other in catalog
        for part in other.indexes
        if part.part_of == own
    ]
    known = [scans for scans in parts if scans is not None]
    return sum(known) if known and len(known) == len(parts) else None


def full_name(table: Table, index: Index) -> str:
    """An index's name as that of a table: with its schema unless that is public."""
    schema = table.name.rpartition(_SCHEMA_DOT)[0]
    return f"{schema}.{index.name}" if schema else str(index.name)


def seen_in_plans(workload: Workload) -> frozenset[str]:
    """Names of the indexes that any plan of the input used."""
    return frozenset(
        node.index for plan in workload.plans for node in plan.root.walk() if node.index is not None
    )


def doubts(use: Use, parts: Iterable[str]) -> list[str]:
    """Why no scan in the window does not yet say that an index is not needed.

    Args:
        use: the window.
        parts: names of the index's table and of its partitions.
    """
    counted = use.counted
    found = []
    if counted.days is None or counted.days < ENOUGH_DAYS:
        known = "an unknown time" if counted.days is None else length(counted.days)
        found.append(f"{known} is short: what runs weekly or monthly may not have run")
    if counted.in_recovery:
        found.append(
            "this server is a replica: what the primary and other replicas read is not seen"
        )
    if counted.replicas_missed:
        found.append(
            f"{counted.replicas_missed} of {counted.replicas} replicas count their own scans, which are not "
            "seen here: give them by --replica DSN"
        )
    rows = [use.tables[name] for name in parts if name in use.tables]
    if rows and not any(row.seq_scans + row.index_scans for row in rows):
        found.append("the table was not read at all in that time")
    return found


def window_phrase(counted: CountedUse) -> str:
    """Over what time scans were counted, in words."""
    if counted.between and counted.from_us is not None:
        days = length((counted.to_us - counted.from_us) / 86_400e6)
        return (
            f"in {days}, between the snapshots of {_day(counted.from_us)} and {_day(counted.to_us)}"
        )
    if counted.from_us is not None:
        days = length(counted.days or 0.0)
        return f"in {days}, since its statistics began on {_day(counted.from_us)}"
    least = "" if counted.days is None else f", {length(counted.days)} at least"
    return f"since the database was made{least}"


def length(days: float) -> str:
    """A time in days, hours or minutes."""
    if days >= 2:  # noqa: PLR2004 - from there on days say enough
        return f"{days:.0f} days"
    hours = days * 24
    return f"{hours:.0f} hours" if hours >= 2 else f"{hours * 60:.0f} minutes"  # noqa: PLR2004 - as days


def _day(us: int) -> str:
    return f"{datetime.fromtimestamp(us / 1e6, UTC):%Y-%m-%d %H:%M} UTC"
