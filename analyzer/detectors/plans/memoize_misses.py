"""A cache in front of a lookup that seldom knows the answer.

What it finds
    A Memoize with more misses than hits, or that had to evict (10 % of the misses) or overflowed.

Why it hurts
    Each lookup pays for the cache, and the planner chose the loop because it believed in hits.

How it decides
    100 lookups or more; Memoize with the lookup below is hot: 10 % of the plan's time and 5 % of the
    target. At most low: the loop's own cost is nested-loop-inner's.

When it is wrong
    A short run, or values that come in an order which repeats none.

What to do
    Evictions: SET LOCAL work_mem. Misses: the number of distinct values is underestimated: ALTER COLUMN SET (n_distinct), or a higher
    statistics target, then ANALYZE. To compare: SET LOCAL enable_memoize = off.
"""

from typing import ClassVar

from analyzer.detectors._plan_keys import number, over_processes
from analyzer.detectors._plan_remedies import work_mem
from analyzer.detectors._plan_rule import Gate, NodeRule, Spot
from analyzer.detectors._plan_view import PlanView
from analyzer.model.finding import Severity
from analyzer.model.plan import PlanNode
from analyzer.model.plan_evidence import PlanFigures
from analyzer.model.remedy import Remedy, Setting
from analyzer.records import record

LOOKUPS = 100
EVICTED = 0.1


@record
class CacheFigures(PlanFigures):
    """Counts over all loops, of the leader's cache or the busiest worker's."""

    hits: float
    misses: float
    evictions: float
    overflows: float


class MemoizeMisses(NodeRule):
    """The rule; see the module's docstring."""

    id = "memoize-misses"
    nodes: ClassVar = frozenset({"Memoize"})
    gate = Gate.SLOW

    def at(self, node: PlanNode, view: PlanView) -> Spot | None:
        """A cache that does not serve."""
        hits, misses = over_processes(node, "Cache Hits"), over_processes(node, "Cache Misses")
        evictions, overflows = (
            over_processes(node, "Cache Evictions"),
            over_processes(node, "Cache Overflows"),
        )
        full = evictions >= EVICTED * misses or overflows > 0
        if hits + misses < LOOKUPS or (hits >= misses and not (full and misses)):
            return None
        cost_ms = view.total_ms(node)
        if not view.is_hot(cost_ms):
            return None
        table = next((one.relation for one in view.below(node) if one.relation), None)
        return Spot(
            node=node,
            cost_ms=cost_ms,
            title=f"A cache of lookups in {table or 'a subquery'} misses {misses:,.0f} of {hits + misses:,.0f} times",
            reasons=(
                f"{evictions:,.0f} evictions, {overflows:,.0f} overflows",
                f"{cost_ms:.1f} ms in the cache and the lookups, {view.share(cost_ms):.0%} of the plan's time",
            ),
            figures=CacheFigures(hits, misses, evictions, overflows),
            subject=(table or "",),
            table=table,
            remedies=_remedies(node, full=full and misses > 0),
            confidence=0.6,
            severity=Severity.LOW,
        )


def _remedies(node: PlanNode, *, full: bool) -> tuple[Remedy, ...]:
    if full:
        return (work_mem(4 * max(1024.0, number(node, "Peak Memory Usage")), "the cache"),)
    return (
        Setting(
            "enable_memoize",
            "off",
            "See what the plan is without the cache",
            "A comparison, no fix: caches that serve are gone, too.",
        ),
    )
