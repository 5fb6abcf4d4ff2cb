"""A cache with room for so many entries: what it answers when the one used longest ago makes room, and how large entries are.

Redis evicts so with maxmemory-policy allkeys-lru (of a few keys picked at random, which does nearly the same).
"""

from collections import OrderedDict

import numpy as np

from analyzer.model.cache import EntrySize, LruOutcome
from analyzer.model.catalog import Catalog
from analyzer.model.columns import Flags, Rows
from analyzer.model.statement import Statement, StatementStats

KEY_BYTES = 150  # a key of 40 bytes with Redis's own (entry, object, allocation), rounded up
_ROW_BYTES = 300  # of a row as JSON where no statistics tell
_NAME_BYTES = 14  # a column's name and punctuation in JSON
_US = 1_000_000


def entry_size(statement: Statement, stats: StatementStats, catalog: Catalog | None) -> EntrySize:
    """How large an entry is: rows of an execution, each as JSON by the width of its table's columns."""
    rows, told = 1.0, "one row is assumed"
    if stats.rows is not None and stats.calls:
        rows, told = stats.rows / stats.calls, "rows as counted"
    elif statement.facts.limit is not None and statement.facts.limit > 0:
        rows, told = float(statement.facts.limit), "as many rows as the LIMIT"
    table = catalog.table(statement.facts.main_table) if catalog is not None else None
    widths = [column.width_bytes for column in table.columns] if table is not None else []
    known = [one for one in widths if one is not None]
    if known and len(known) == len(widths):
        row_bytes, width = (
            sum(known) + _NAME_BYTES * len(known),
            "all columns, by their widths in statistics",
        )
    else:
        row_bytes, width = float(_ROW_BYTES), f"{_ROW_BYTES} bytes a row are assumed"
    return EntrySize(KEY_BYTES + round(rows * row_bytes), f"{told}, {width}")


def lru(
    times: Rows, keys: Rows, writes: Rows, ttl_s: int, capacity: int, *, invalidate: bool
) -> tuple[LruOutcome, Flags]:
    """One statement's executions against a cache with room for `capacity` entries.

    Args:
        times: µs, ascending.
        keys: which parameters each had.
        writes: as in `simulation.replay`.
        ttl_s: seconds that an entry lives.
        capacity: entries, one at least.
        invalidate: each write empties the entries.

    Returns:
        The outcome, and which executions the cache would have answered.
    """
    ttl = ttl_s * _US
    epochs = writes.searchsorted(times, side="right").tolist() if invalidate else [0] * len(times)
    entries: OrderedDict[int, tuple[int, int]] = OrderedDict()
    answered = np.zeros(len(times), dtype=bool)
    evicted = 0
    for place, (at, key, epoch) in enumerate(
        zip(times.tolist(), keys.tolist(), epochs, strict=True)
    ):
        entry = entries.get(key)
        if entry is not None and at - entry[0] <= ttl and entry[1] == epoch:
            answered[place] = True
        else:
            entries[key] = (at, epoch)
        entries.move_to_end(key)
        if len(entries) > capacity:
            _, (filled, _) = entries.popitem(last=False)
            evicted += at - filled <= ttl
    hit = float(answered.sum()) / max(len(times), 1)
    return LruOutcome(capacity, hit, evicted), answered
