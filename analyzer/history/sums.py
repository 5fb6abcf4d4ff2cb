"""Rows of statement_hour added up by groups, column by column: a night compares 100,000 of them."""

import math
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import sqlalchemy as sa

from analyzer.model.columns import Column, Rows, stable_order, starts_of_runs
from analyzer.model.histogram import Histogram
from analyzer.model.history import Figures

_COUNTS = ("calls", "samples", "untimed")


class _Group(NamedTuple):
    """Where a group stands: its key, and its first row and the one behind its last, in its order."""

    key: tuple[int, bool]
    first: int
    end: int


def sums_by_group(
    rows: Sequence[sa.Row[Any]], groups: Sequence[int]
) -> dict[tuple[int, bool], Figures]:
    """Figures of rows of statement_hour, by their group (a number >= 0 for each row) and their clock.

    The keys are (group, whether on the client's clock), ascending. The figures are those that
    `Figures.merged` has of the same rows.
    """
    if not rows:
        return {}
    columns = dict(zip(rows[0]._fields, zip(*rows, strict=True), strict=True))
    codes = np.array(groups, dtype=np.int64) * 2 + np.array(columns["client"], dtype=np.int64)
    order = stable_order(codes)
    ordered = codes[order]
    starts = np.flatnonzero(starts_of_runs(ordered))
    ends = [*starts[1:].tolist(), len(order)]
    keys = [(code >> 1, bool(code & 1)) for code in ordered[starts].tolist()]
    found = list(map(_Group, keys, starts.tolist(), ends))
    return dict(zip(keys, _figures(columns, order, starts, found), strict=True))


def _figures(
    columns: Mapping[str, Sequence[Any]], order: Rows, starts: Rows, groups: Sequence[_Group]
) -> list[Figures]:
    """The figures of each group; `order` has the rows' places, group behind group from `starts` on."""

    def numbers(name: str, kind: type) -> Column:
        return np.array(columns[name], dtype=kind)[order]  # None becomes NaN

    def reduced(name: str, how: np.ufunc) -> list[float | None]:
        found = how.reduceat(numbers(name, np.float64), starts).tolist()
        return [None if math.isnan(one) else one for one in found]

    counts = {name: np.add.reduceat(numbers(name, np.int64), starts).tolist() for name in _COUNTS}
    total_ms, squares = (numbers(name, np.float64).tolist() for name in ("total_ms", "squares"))
    least, most = reduced("min_ms", np.fmin), reduced("max_ms", np.fmax)
    floors = reduced("floor_ms", np.fmax)
    places, blobs = order.tolist(), columns["histogram"]
    found = []
    for at, ((_, client), first, end) in enumerate(groups):
        squared = math.fsum(squares[first:end])
        found.append(
            Figures(
                calls=counts["calls"][at],
                total_ms=math.fsum(total_ms[first:end]),
                histogram=Histogram.sum_of_bytes([blobs[place] for place in places[first:end]]),
                samples=counts["samples"][at],
                min_ms=least[at],
                max_ms=most[at],
                squares=None if math.isnan(squared) else squared,
                untimed=counts["untimed"][at],
                floor_ms=floors[at],
                client=client,
            )
        )
    return found
