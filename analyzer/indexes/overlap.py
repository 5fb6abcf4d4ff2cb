"""Whether an index does what another does, too; decided only where all of both is known.

Two indexes differ in method, columns and their order, operator classes, collations, sort order, place of
NULLs, condition, and what they INCLUDE. Only where none of that matters is one of them superfluous.
"""

from dataclasses import dataclass

from analyzer.indexes.definition import is_known
from analyzer.model.catalog import Index


@dataclass(frozen=True, slots=True)
class _Key:
    """One key column with all that tells it from another."""

    column: str
    operator_class: str | None
    collation: str | None
    descending: bool
    nulls_first: bool


def is_duplicate(index: Index, other: Index) -> bool:
    """Whether `other` has the same keys and finds the same rows, and keeps at least as much unique."""
    return (
        _comparable(index, other)
        and keys(index) == keys(other)
        and set(index.include) == set(other.include)
        and _as_unique(index, other)
    )


def is_covered(index: Index, other: Index) -> bool:
    """Whether `other`, a wider btree, begins with the keys of `index` and carries what it includes.

    A unique index is covered by none: what it keeps unique, a wider one does not.
    """
    mine, theirs = keys(index), keys(other)
    wider = len(theirs) > len(mine) or set(other.include) > set(index.include)
    return (
        _comparable(index, other)
        and index.method == "btree"
        and not index.unique
        and wider
        and theirs[: len(mine)] == mine
        and {*other.columns, *other.include}.issuperset(index.include)
    )


def is_permutation(index: Index, other: Index) -> bool:
    """Whether both are btrees of the same columns in another order."""
    return (
        _comparable(index, other)
        and index.method == "btree"
        and index.columns != other.columns
        and set(index.columns) == set(other.columns)
        and len(index.columns) == len(other.columns)
    )


def keys(index: Index) -> tuple[_Key, ...]:
    """The key columns in order."""
    found = []
    for place, column in enumerate(index.columns):
        descending = place < len(index.descending) and index.descending[place]
        found.append(
            _Key(
                column,
                index.operator_classes[place] if place < len(index.operator_classes) else None,
                index.collations[place] if place < len(index.collations) else None,
                descending,
                index.nulls_first[place] if place < len(index.nulls_first) else descending,
            )
        )
    return tuple(found)


def _comparable(index: Index, other: Index) -> bool:
    """Two valid indexes of one method over the same rows, all of which is known."""
    return (
        index is not other
        and index.method == other.method
        and index.predicate == other.predicate
        and index.valid
        and other.valid
        and is_known(index)
        and is_known(other)
    )


def _as_unique(index: Index, other: Index) -> bool:
    if not index.unique:
        return True
    return other.unique and (
        other.nulls_distinct == index.nulls_distinct or not other.nulls_distinct
    )
