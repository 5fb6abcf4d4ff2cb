"""Loops where a pool hands each statement to any connection: a crowd of lookups, without requests.

A pooler in transaction or statement mode mixes several requests on each connection, so what stands
beside an execution tells nothing. What remains is time: a loop runs one statement again and again
while few requests begin. A statement that every request runs comes no oftener than they do. So of a
run of executions, those that do something new must outnumber the requests that began meanwhile:
as often as the statement runs that each request runs once, and at least as often as transactions begin.
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
# Requests that began together: so many or more in this share of the places that as many take on the whole. Each
# may run the statement once. Where they began all at once, they keep together until as many would have begun.
_TOGETHER = range(8, 25)
_CROWDED, _AT_ONCE = 0.3, 0.15
_EACH_US = 2_000_000  # a run of n executions takes no more than n times this


@record
class Crowd:
    """Rows of one statement by pool and time, and the number of the crowd that each belongs to."""

    rows: Rows
    number: Rows


class Beginnings:
    """Where requests begin in pools, by two signs: neither shows more of them than there are.

    `marker` is the statement that each request runs about once. What writes has a transaction, and
    not every request runs the marker.
    """

    def __init__(self, rows: ExecutionRows, marker: int) -> None:
        inside = np.flatnonzero(rows.work.transaction >= 0)
        opened = inside[starts_of_runs(rows.work.transaction[inside])]
        marked = rows.of_statement(marker)
        self.count = len(marked)
        self._signs = [np.sort(rows.pool_place[begin]) for begin in (marked, opened)]
        marks = self._signs[0]
        apart = int(marks[-1] - marks[0]) / len(marks) if len(marks) else 0.0
        # Of each number of requests: how many places as many take on the whole, and where as many began at once.
        self._together = []
        for count in (one for one in _TOGETHER if one <= len(marks)):
            ends, usual = marks[count - 1 :], count * apart
            at_once = ends[ends - marks[: 1 - count] <= _AT_ONCE * usual]
            self._together.append((count, usual, at_once))

    def between(self, first: Rows, last: Rows) -> Rows:
        """How many requests began, at least, between places in pools."""
        counts = [
            np.searchsorted(sign, last) - np.searchsorted(sign, first) for sign in self._signs
        ]
        most: Rows = np.maximum(*counts)
        return most

    def just_before(self, first: Rows) -> Rows:
        """How many requests began together just before places in pools."""
        marks, found = self._signs[0], np.zeros(len(first), dtype=np.int64)
        before = np.searchsorted(marks, first)
        for count, usual, at_once in self._together:
            began = marks[np.maximum(before - count, 0)]
            near = (before >= count) & (first - began <= _CROWDED * usual)
            if len(at_once):
                last = np.searchsorted(at_once, first) - 1
                near |= (last >= 0) & (first - at_once[last] <= usual)
            found[near] = count
        return found


def crowds(rows: ExecutionRows, some: Rows, lookup: Rows, begun: Beginnings) -> Crowd:
    """Find crowds among rows of one statement; `lookup` numbers what each does."""
    pooled = np.flatnonzero(rows.pool[some] >= 0)
    pooled = pooled[np.argsort(rows.pool_place[some[pooled]], kind="stable")]
    some, lookup = some[pooled], lookup[pooled]
    place = rows.pool_place[some]
    rare = len(some) < _RARE * begun.count
    excess = _EXCESS_OF_RARE if rare else _EXCESS
    joined = np.zeros(len(some), dtype=bool)  # with the one before
    inside = np.zeros(len(some), dtype=bool)
    previous = _previous_same(lookup)
    pool, together = rows.pool[some], begun.just_before(place)
    for size in _SIZES:
        if size > len(some):
            break
        first, last = np.arange(len(some) - size + 1), np.arange(size - 1, len(some))
        new = sum((previous[first + step] < first).astype(np.int64) for step in range(size))
        meanwhile = begun.between(place[first], place[last]) + together[first]
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
