"""Two indexes as one that does what both did."""

from analyzer.indexes.generation import may_carry
from analyzer.indexes.making import Maker
from analyzer.model.index_candidate import IndexCandidate


def merged(first: IndexCandidate, second: IndexCandidate, maker: Maker) -> IndexCandidate | None:
    """An index with the keys of `first` that also does for `second`, None where there is none.

    The keys of the one have to begin with those of the other, or both with the same column: then
    the other's columns are carried.
    """
    same = first.table == second.table and first.method == second.method == "btree"
    if not same or first.predicate != second.predicate:
        return None
    texts = [
        (key.expression or key.column, key.operator_class, key.descending) for key in first.keys
    ]
    others = [
        (key.expression or key.column, key.operator_class, key.descending) for key in second.keys
    ]
    if texts[:1] != others[:1] or any(key.expression for key in (*first.keys, *second.keys)):
        return None
    keys = {key.column for key in first.keys}
    carried = [*first.include, *second.include, *second.columns]
    include = tuple(sorted({column for column in carried if column not in keys}))
    if not may_carry(maker.table, keys, include):
        return None
    return maker.make(
        first.keys, include=include, predicate=first.predicate, constant=first.constant
    )
