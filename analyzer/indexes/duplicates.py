"""How often the values of columns repeat: what tells how much a btree saves by merging equal keys.

pg_stats tells of each column the share of NULLs, the shares of the most common values and the number
of distinct values; the values that are not among the common ones share the rest evenly. Of several
columns together statistics say nothing: they are taken as independent, as the planner takes them.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from analyzer.model.catalog import Column

_MOST_CLASSES = 8  # of one column: shares within a factor of two count as equal beyond that


@dataclass(frozen=True, slots=True)
class ValueClass:
    """`values` different values, of which each is in `share` of the rows; `null`: it is the NULL."""

    values: float
    share: float
    null: bool = False


@dataclass(frozen=True, slots=True)
class Group:
    """`values` keys that differ, each in `rows` rows on average; `nulls`: some column is NULL."""

    values: float
    rows: float
    nulls: bool = False


def groups(columns: Sequence[Column | None], rows: float) -> list[Group]:
    """How the rows of an index fall into groups of equal keys.

    Args:
        columns: its key columns; None for one of which nothing is known (all values differ).
        rows: the rows in the index.
    """
    if len(columns) == 1:
        return [_single(one, rows) for one in _classes(columns[0], rows)]
    combined = [ValueClass(1.0, 1.0)]
    for column in columns:
        combined = [
            ValueClass(one.values * other.values, one.share * other.share, one.null or other.null)
            for one in combined
            for other in _classes(column, rows)
        ]
    return [_of_product(one, rows) for one in combined if one.values and one.share * rows > 0]


def _single(one: ValueClass, rows: float) -> Group:
    return Group(one.values, max(1.0, one.share * rows), one.null)


def _of_product(one: ValueClass, rows: float) -> Group:
    """The combinations of a class that are expected to occur among its rows (Cardenas 1975)."""
    held = one.values * one.share * rows
    occurring = one.values * -math.expm1(-held / one.values)
    return Group(occurring, max(1.0, held / occurring), one.null)


def _classes(column: Column | None, rows: float) -> list[ValueClass]:
    """One column's values: NULL, the common ones, and the rest."""
    if column is None or column.distinct is None:
        return [ValueClass(max(1.0, rows), 1.0 / max(1.0, rows))]
    empty = column.null_fraction or 0.0
    distinct = column.distinct if column.distinct >= 0 else -column.distinct * rows
    found = [ValueClass(1.0, empty, null=True)] if empty > 0 else []
    common = [share for share in column.common_frequencies if share > 0]
    found += _bunched(common)
    left = 1.0 - empty - sum(common)
    others = distinct - len(common)
    if left > 0 and (others >= 1 or not common):
        others = min(max(1.0, others), max(1.0, left * rows))
        found.append(ValueClass(others, left / others))
    return found


def _bunched(shares: Sequence[float]) -> list[ValueClass]:
    """Common values, those of about the same share in one class."""
    if len(shares) <= _MOST_CLASSES:
        return [ValueClass(1.0, share) for share in shares]
    bunches: dict[int, list[float]] = {}
    for share in shares:
        bunches.setdefault(int(math.log2(share)), []).append(share)
    return [ValueClass(float(len(one)), sum(one) / len(one)) for one in bunches.values()]
