"""Loops where a pool hands each statement to any connection: a crowd of lookups, without requests.

A pooler in transaction or statement mode mixes several requests on each connection, so what stands
beside an execution tells nothing. What remains is time: a loop runs one statement again and again
while few requests begin. A statement that every request runs comes no oftener than they do. So of a
run of executions, those that do something new must outnumber the requests that began meanwhile.
"""

import numpy as np

from analyzer.detectors._rows import MINIMUM, ExecutionRows
from analyzer.model.columns import Flags, Rows, starts_of_runs
from analyzer.records import record

_SIZES = (5, 6, 8, 11, 16, 24)  # executions in a run, of the runs that are looked at
# Different lookups beyond the requests that began meanwhile: what many requests run comes together
# by chance more often than what few do.
_EXCESS = 5
_EXCESS_OF_RARE = 3
_RARE = 0.3  # executions for each request
_MOST_BEGUN = 0.4  # requests that began meanwhile, per execution
_EACH_US = 2_000_000  # a run of n executions takes no more than n times this


@record
class Crowd:
    """Rows of one statement by pool and time, and the number of the crowd that each belongs to."""

    rows: Rows
    number: Rows


def crowds(rows: ExecutionRows, some: Rows, lookup: Rows, marker: int) -> Crowd:
    """Find crowds among rows of one statement; `lookup` numbers what each does.

    `marker` is the statement that each request runs about once.
    """
    pooled = np.flatnonzero(rows.pool[some] >= 0)
    pooled = pooled[np.argsort(rows.pool_place[some[pooled]], kind="stable")]
    some, lookup = some[pooled], lookup[pooled]
    begun = np.sort(rows.pool_place[rows.of_statement(marker)])
    begun = np.searchsorted(begun, rows.pool_place[some])
    rare = len(some) < _RARE * len(rows.of_statement(marker))
    excess = _EXCESS_OF_RARE if rare else _EXCESS
    joined = np.zeros(len(some), dtype=bool)  # with the one before
    inside = np.zeros(len(some), dtype=bool)
    previous = _previous_same(lookup)
    pool = rows.pool[some]
    for size in _SIZES:
        if size > len(some):
            break
        first, last = np.arange(len(some) - size + 1), np.arange(size - 1, len(some))
        new = sum((previous[first + step] < first).astype(np.int64) for step in range(size))
        meanwhile = begun[last] - begun[first]
        good = (new - meanwhile >= excess) & (meanwhile <= _MOST_BEGUN * size)
        good &= (pool[first] == pool[last]) & (new >= MINIMUM)
        good &= rows.end[some[last]] - rows.end[some[first]] <= size * _EACH_US
        inside |= _covered(good, size, len(some))
        joined[1:] |= _covered(good, size - 1, len(some) - 1)
    numbers = np.cumsum(inside & ~joined) - 1
    return Crowd(some[inside], numbers[inside])


def _covered(starts: Flags, size: int, count: int) -> Flags:
    """The places of `count` that lie within `size` of a start."""
    steps = np.zeros(count + size + 1, dtype=np.int64)
    at = np.flatnonzero(starts)
    np.add.at(steps, at, 1)
    np.add.at(steps, at + size, -1)
    flags: Flags = np.cumsum(steps)[:count] > 0
    return flags


def _previous_same(values: Rows) -> Rows:
    """The place of the last equal value before each, -1 if there is none."""
    order = np.argsort(values, kind="stable")
    found = np.full(len(values), -1, dtype=np.int64)
    again = ~starts_of_runs(values[order]) if len(values) else np.zeros(0, dtype=bool)
    found[order[again]] = order[np.flatnonzero(again) - 1]
    return found


def last_before(rows: ExecutionRows, parents: Rows, first: Rows, within_us: int) -> Rows:
    """For each crowd's first row the last of `parents` before it in its pool, -1 if there is none."""
    pooled = parents[rows.pool[parents] >= 0]
    if len(pooled) == 0:
        return np.full(len(first), -1, dtype=np.int64)
    pooled = pooled[np.argsort(rows.pool_place[pooled], kind="stable")]
    at = np.searchsorted(rows.pool_place[pooled], rows.pool_place[first]) - 1
    found = pooled[np.maximum(at, 0)]
    good = (at >= 0) & (rows.pool[found] == rows.pool[first])
    good &= rows.end[first] - rows.end[found] <= within_us
    return np.where(good, found, -1)
