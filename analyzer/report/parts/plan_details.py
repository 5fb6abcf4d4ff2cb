"""What else EXPLAIN said of a node, in words: rows removed, memory and disk, workers, caches.

Figures and PostgreSQL's own words only. Rows are over all loops; counters are printed as totals.
"""

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

from analyzer.report.formats import count, plural, size

if TYPE_CHECKING:
    from analyzer.model.plan import PlanNode

_SORTS = frozenset(("quicksort", "top-N heapsort", "external sort", "external merge"))
_KB = 1024


def details_of(node: "PlanNode") -> list[str]:
    """The details, those that most often explain the time first."""
    if node.never_executed:
        return []
    told = [text for part in _OF_EXTRA for text in part(node)] if node.extra else []
    return [*_removed(node), *told, *_workers(node)]


def _figure(node: "PlanNode", key: str) -> float:
    value = node.extra.get(key)
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else 0.0


def _removed(node: "PlanNode") -> Iterator[str]:
    for rows, by in (
        (node.rows_removed_by_filter, "filter"),
        (node.rows_removed_by_join_filter, "join filter"),
        (node.rows_removed_by_recheck, "recheck"),
    ):
        if rows:
            yield f"{plural(round(rows * node.loops), 'row')} removed by {by}"


def _sort(node: "PlanNode") -> Iterator[str]:
    method, space = node.extra.get("Sort Method"), _figure(node, "Sort Space Used")
    if method in _SORTS and space:
        where = "disk" if node.extra.get("Sort Space Type") == "Disk" else "memory"
        yield f"{method}, {size(space * _KB)} of {where}"


def _hash(node: "PlanNode") -> Iterator[str]:
    batches, planned = _figure(node, "Hash Batches"), _figure(node, "Original Hash Batches")
    if batches > 1:
        more = f" ({count(planned)} planned)" if planned != batches else ""
        yield f"hashed in {count(batches)} batches{more}"
    if _figure(node, "HashAgg Batches") > 1:
        yield f"grouped in {count(_figure(node, 'HashAgg Batches'))} batches"
    if disk := _figure(node, "Disk Usage"):
        yield f"{size(disk * _KB)} of disk"
    if memory := _figure(node, "Peak Memory Usage"):
        yield f"{size(memory * _KB)} of memory"


def _heap(node: "PlanNode") -> Iterator[str]:
    if fetches := _figure(node, "Heap Fetches"):
        yield plural(round(fetches), "heap fetch", "heap fetches")
    exact, lossy = _figure(node, "Exact Heap Blocks"), _figure(node, "Lossy Heap Blocks")
    if lossy:
        yield f"{count(lossy)} of {count(exact + lossy)} pages lossy"
    searches = _figure(node, "Index Searches")
    if searches > max(1.0, node.loops):
        yield plural(round(searches), "index search", "index searches")


def _cache(node: "PlanNode") -> Iterator[str]:
    hits, misses = _figure(node, "Cache Hits"), _figure(node, "Cache Misses")
    if hits or misses:
        yield f"{count(hits)} hits, {count(misses)} misses"
    if evictions := _figure(node, "Cache Evictions"):
        yield plural(round(evictions), "eviction")


def _workers(node: "PlanNode") -> Iterator[str]:
    if node.workers_planned is not None and node.workers_launched is not None:
        yield f"{count(node.workers_launched)} of {plural(node.workers_planned, 'worker')} launched"
    elif node.workers_planned is not None:
        yield f"{plural(node.workers_planned, 'worker')} planned"
    if pruned := _figure(node, "Subplans Removed"):
        yield f"{plural(round(pruned), 'partition')} pruned"
    if node.extra.get("Disabled") is True:
        yield "disabled"


# What needs keys that most nodes have not.
_OF_EXTRA: tuple[Callable[["PlanNode"], Iterator[str]], ...] = (_sort, _hash, _heap, _cache)
