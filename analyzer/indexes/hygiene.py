"""Indexes to drop: invalid, duplicate, unused, and those that a wider one begins with.

What is never dropped says protection.py. A drop that counts on another index counts on one that stays.
"""

from collections.abc import Iterator
from dataclasses import field

from analyzer.indexes.definition import create_statement, drop_statement
from analyzer.indexes.overlap import is_covered, is_duplicate
from analyzer.indexes.partitions import Partitions
from analyzer.indexes.protection import supported_key, why_kept
from analyzer.indexes.unused import (
    doubts,
    full_name,
    scans_of,
    seen_in_plans,
    window_phrase,
)
from analyzer.model.catalog import Catalog, Index, Table
from analyzer.model.index_advice import DroppedIndex
from analyzer.model.use import Use
from analyzer.model.workload import Workload
from analyzer.records import changing

_MUCH_LARGER = 4  # times the size of the index that it stands in for
_LOCKS = "DROP INDEX CONCURRENTLY waits for transactions that use the table and blocks none"
_LOCKS_ALL = "a partitioned index cannot be dropped CONCURRENTLY: this locks the table and all partitions for a moment"


def drops(workload: Workload) -> tuple[DroppedIndex, ...]:
    """Indexes to drop, what gives back most first; none without a catalog."""
    catalog = workload.catalog
    if catalog is None:
        return ()
    seen, partitions = seen_in_plans(workload), Partitions(catalog)
    found = [
        one
        for table in catalog
        for one in _Search(table, catalog, workload.use, seen, partitions).found()
    ]
    return tuple(sorted(found, key=lambda one: (-(one.bytes or 0), one.table, one.index)))


@changing
class _Search:
    """The search in one table; `gone` are the names of those found so far."""

    table: Table
    catalog: Catalog
    use: Use | None
    seen: frozenset[str]
    partitions: Partitions
    gone: set[str] = field(default_factory=set)

    def found(self) -> Iterator[DroppedIndex]:
        """Each kind judges by what the kinds before it leave."""
        for kind in (self._invalid, self._duplicates, self._unused, self._prefixes):
            for one in kind():
                self.gone.add(one.index)
                yield one

    def _left(self) -> list[Index]:
        """Indexes that may go, in the order of their names."""
        return [
            index
            for index in sorted(self.table.indexes, key=lambda one: one.name or "")
            if index.name not in self.gone and why_kept(self.table, index, self.catalog) is None
        ]

    def _staying(self) -> list[Index]:
        return [index for index in self.table.indexes if index.name not in self.gone]

    def _invalid(self) -> Iterator[DroppedIndex]:
        for index in self._left():
            if not index.valid and not index.building and not index.partitioned:
                yield self._drop(
                    index,
                    "invalid",
                    "not valid: its CREATE or REINDEX INDEX CONCURRENTLY did not end, so that no query uses it "
                    "and every write may still maintain it",
                    "look first whether it is being built at this moment (pg_stat_progress_create_index); "
                    "if it is wanted, REINDEX INDEX CONCURRENTLY makes it valid instead",
                )

    def _duplicates(self) -> Iterator[DroppedIndex]:
        for index in sorted(self._left(), key=self._worth):
            twins = [one for one in self._staying() if is_duplicate(index, one)]
            if not twins:
                continue
            kept = max(twins, key=self._worth)
            yield self._drop(
                index, "duplicate", f"does what {kept.name} does, too", "none for queries", by=kept
            )

    def _worth(self, index: Index) -> tuple[bool, bool, int, str]:
        """Which of two that do the same is to stay: what something hangs on, then what is used more."""
        needed = why_kept(self.table, index, self.catalog) is not None
        return needed, index.unique, self._scans(index) or 0, index.name or ""

    def _unused(self) -> Iterator[DroppedIndex]:
        use = self.use
        if use is None:
            return
        for index in self._left():
            idle = self._scans(index) == 0 and index.name not in self.seen and index.valid
            if not idle or index.unique or supported_key(self.table, index, frozenset(self.gone)):
                continue
            unsure = doubts(use, [self.table.name, *self.partitions.below(self.table.name)])
            risk = (
                "; ".join(unsure)
                if unsure
                else "a query that runs more rarely than that may want it"
            ) + "; when an index was made PostgreSQL does not tell: leave out what is new"
            phrase = window_phrase(use.counted)
            yield self._drop(
                index,
                "unused",
                f"not scanned once {phrase}",
                risk,
                action="review" if unsure else "drop",
            )

    def _prefixes(self) -> Iterator[DroppedIndex]:
        left = self._left()
        going = {one.name for one in left if self._wider(one)}
        for index in left:
            wider = [one for one in self._wider(index) if one.name not in going]
            if not wider:
                continue
            kept = min(wider, key=lambda one: (one.bytes or 0, one.name or ""))
            yield self._drop(
                index,
                "prefix",
                f"{kept.name} ({', '.join(kept.columns)}) begins with its columns",
                _wider_risk(index, kept),
                by=kept,
            )

    def _wider(self, index: Index) -> list[Index]:
        return [one for one in self._staying() if is_covered(index, one)]

    def _scans(self, index: Index) -> int | None:
        if self.use is None:
            return index.scans
        return scans_of(self.table, index, self.use, self.catalog)

    def _drop(
        self,
        index: Index,
        kind: str,
        reason: str,
        risk: str,
        *,
        by: Index | None = None,
        action: str = "drop",
    ) -> DroppedIndex:
        counted = self.use.counted if self.use is not None else None
        return DroppedIndex(
            sql=drop_statement(self.table, index),
            reason=f"{full_name(self.table, index)} on {self.table.name}: {reason}",
            bytes=index.bytes,
            risk=f"{risk}. {_LOCKS_ALL if index.partitioned else _LOCKS}.",
            table=self.table.name,
            index=index.name or "",
            kind=kind,
            covered_by=by.name if by is not None else None,
            rollback=create_statement(self.table, index),
            action=action,
            scans=self._scans(index),
            days=counted.days if counted is not None else None,
        )


def _wider_risk(index: Index, kept: Index) -> str:
    """What reading the wider index instead costs."""
    if not index.bytes or not kept.bytes:
        return "scans read the wider index instead, which has fewer entries to a page"
    times = kept.bytes / index.bytes
    much = "; measure the queries that scan it" if times > _MUCH_LARGER else ""
    return f"scans read {kept.name} instead, which is {times:.1f} times as large{much}"
