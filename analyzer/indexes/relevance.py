"""Which candidates a statement may use, whoever they were made for."""

from collections.abc import Sequence

from analyzer.indexes.pool import Pool
from analyzer.model.access import StatementAccess, TableAccess
from analyzer.model.index_candidate import IndexCandidate


def relevant(access: StatementAccess, pool: Pool) -> int:
    """The set of candidates that may change the statement's plan."""
    found = 0
    by_table: dict[str, list[TableAccess]] = {}
    for one in access.accesses:
        by_table.setdefault(one.table, []).append(one)
    for number, candidate in enumerate(pool.candidates):
        if may_serve(candidate, by_table.get(candidate.table, ())):
            found |= 1 << number
    return found


def may_serve(candidate: IndexCandidate, accesses: Sequence[TableAccess]) -> bool:
    """Whether one of a table's mentions asks for the first key, or is answered by the index alone."""
    first = candidate.keys[0].column
    held = {key.column for key in candidate.keys if not key.expression} | set(candidate.include)
    return any(
        first in _asked(access) or (bool(access.needed) and held.issuperset(access.needed))
        for access in accesses
    )


def _asked(access: TableAccess) -> set[str]:
    return (
        {one.column for one in access.compared}
        | {one.column for one in access.sorted_by}
        | set(access.grouped_by)
    )
