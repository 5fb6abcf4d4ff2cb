"""What all detectors of plans ask of a plan, computed once: rows, times, places, errors.

Rows: `kept` and `removed` are over all loops. Times: a node's own elapsed milliseconds; where a plan
was taken without times (TIMING OFF), its part of the estimated cost stands in, and `measured` is False.
"""

from collections.abc import Iterator

from analyzer.model.catalog import Catalog
from analyzer.model.plan import Plan, PlanNode
from analyzer.model.statement import Statement, StatementStats

MIN_SHARE = 0.10  # of the plan's time: from here on a node is hot, if it is also
MIN_TARGET_SHARE = 0.05  # of the target: 5 ms of 100
_BLOCKING = frozenset({"Sort", "Hash", "Aggregate", "BitmapAnd", "BitmapOr", "SetOp"})
_CACHES = frozenset({"Materialize", "Memoize"})
GATHERS = frozenset({"Gather", "Gather Merge"})
SCANS = frozenset(
    {"Seq Scan", "Index Scan", "Index Only Scan", "Bitmap Heap Scan", "Tid Scan", "Sample Scan"}
)
JOINS = frozenset({"Nested Loop", "Hash Join", "Merge Join"})


class PlanView:
    """A plan with the statement, figures and catalog that are known of it.

    `floor_ms` is time that counts against the target, `hot_ms` what counts in this plan, too.
    """

    __slots__ = (
        "_ends", "_own", "catalog", "floor_ms", "hot_ms", "measured", "nodes", "plan", "slow", "statement",
        "stats", "target_ms", "whole_ms",
    )  # fmt: skip

    def __init__(
        self,
        plan: Plan,
        target_ms: float,
        statement: Statement | None = None,
        stats: StatementStats | None = None,
        catalog: Catalog | None = None,
    ) -> None:
        self.plan = plan
        self.target_ms = target_ms
        self.statement = statement
        self.stats = stats
        self.catalog = catalog
        self.nodes = _nodes(plan.root)
        self.measured = plan.root.total_ms is not None
        timed = plan.execution_ms or plan.root.total_ms
        self.whole_ms = max(timed or plan.duration_ms or 0.0, plan.root.total_ms or 0.0)
        self.floor_ms = MIN_TARGET_SHARE * target_ms
        self.hot_ms = max(self.floor_ms, MIN_SHARE * self.whole_ms)
        self.slow = plan.analyzed and self.whole_ms >= self.floor_ms
        self._own: list[float] | None = None
        self._ends: list[int] | None = None

    def own_ms(self, node: PlanNode) -> float:
        """A node's own elapsed time, or its part of the plan's by cost where no time is known."""
        if node.self_ms is not None:
            return node.self_ms
        if self._own is None:
            self._own = self._by_cost()
        return self._own[node.id]

    def total_ms(self, node: PlanNode) -> float:
        """Elapsed time of a node with all below it, over all loops."""
        if node.total_ms is not None:
            return node.total_ms
        return sum(self.own_ms(one) for one in self.below(node))

    def share(self, cost_ms: float) -> float:
        """Part of the plan's time, 0..1."""
        return min(1.0, cost_ms / self.whole_ms) if self.whole_ms > 0 else 0.0

    def usual_ms(self, cost_ms: float) -> float:
        """What a cost in this plan is in the statement's P95 execution, where that is known.

        Plans in logs are those of the slowest executions: what takes 800 ms of one, and of a
        statement whose P95 is 1 ms, does not break the P95. The P95's upper bound is taken.
        """
        stats = self.stats
        if stats is None or stats.p95_ms is None:
            return cost_ms
        return min(cost_ms, self.share(cost_ms) * max(stats.p95_ms, stats.p95_high_ms or 0.0))

    def is_hot(self, cost_ms: float) -> bool:
        """Whether time matters: in this plan, and against the target."""
        return cost_ms >= self.hot_ms

    def kept(self, node: PlanNode) -> float:
        """Rows that a node returned, over all loops."""
        return (node.rows_actual or 0.0) * node.loops

    def removed(self, node: PlanNode) -> float:
        """Rows that its filter removed, over all loops."""
        return node.rows_removed_by_filter * node.loops

    def passes(self, node: PlanNode) -> float:
        """How often a node was run through; workers share one pass of a parallel-aware scan."""
        return max(1.0, node.loops / node.processes if node.parallel_aware else node.loops)

    def parent(self, node: PlanNode) -> PlanNode | None:
        """The node above."""
        return None if node.parent is None else self.nodes[node.parent]

    def above(self, node: PlanNode) -> Iterator[tuple[PlanNode, PlanNode]]:
        """(node, its parent) all the way up."""
        while node.parent is not None:
            parent = self.nodes[node.parent]
            yield node, parent
            node = parent

    def below(self, node: PlanNode) -> list[PlanNode]:
        """A node and all below it."""
        return self.nodes[node.id : self.end(node)]

    def end(self, node: PlanNode) -> int:
        """The id after the last below a node: ids are depth first."""
        if self._ends is None:
            ends = list(range(1, len(self.nodes) + 1))
            for one in reversed(self.nodes):
                if one.parent is not None:
                    ends[one.parent] = max(ends[one.parent], ends[one.id])
            self._ends = ends
        return self._ends[node.id]

    def loop_of(self, node: PlanNode) -> PlanNode | None:
        """The root of the subtree that is run again for each outer row, and holds the node.

        The inner side of a nested loop, or a SubPlan; None where nothing repeats the node, or
        something between keeps its rows.
        """
        for child, parent in ((node, None), *self.above(node)):
            if parent is not None and (child.type in _CACHES or child.type == "Hash"):
                return None
            if child.parent_relationship == "SubPlan" and child.loops > child.processes:
                return child
            above = self.parent(child)
            if above is None or child.parent_relationship == "InitPlan":
                return None
            if above.type == "Nested Loop" and child.parent_relationship == "Inner":
                return None if child.type in _CACHES else child
        return None

    def stops_early(self, node: PlanNode) -> bool:
        """Whether something above may stop a node before its end.

        Nothing does through a node that takes all its input first (Sort, Hash, Aggregate).
        """
        for child, parent in self.above(node):
            if child.parent_relationship in ("SubPlan", "InitPlan"):
                return not (child.subplan_name or "").startswith("CTE ")  # EXISTS asks for one row
            if parent.type == "Limit":
                return True
            if parent.join_type in ("Semi", "Anti") and parent.type == "Nested Loop":
                return child.parent_relationship == "Inner"
            if parent.type in _BLOCKING:
                return False
        return False

    def _by_cost(self) -> list[float]:
        """The plan's time shared out by what nodes add to the estimated cost."""

        def cost(node: PlanNode) -> float:
            return (node.total_cost or 0.0) * max(1.0, node.loops / node.processes)

        whole = max([cost(node) for node in self.nodes[:1]] or [0.0])
        own = []
        for node in self.nodes:
            added = max(0.0, cost(node) - sum(cost(child) for child in node.children))
            own.append(self.whole_ms * min(1.0, added / max(whole, added)) if added > 0 else 0.0)
        return own


def _nodes(root: PlanNode) -> list[PlanNode]:
    """All nodes by id; plans are input, so no recursion on their depth."""
    found: list[PlanNode] = []
    waiting = [root]
    while waiting:
        node = waiting.pop()
        found.append(node)
        waiting += reversed(node.children)
    return found


def side(node: PlanNode, which: str) -> PlanNode | None:
    """The Outer or Inner child of a join."""
    return next((child for child in node.children if child.parent_relationship == which), None)


def estimate_error(node: PlanNode) -> float:
    """How far the estimate is off: 10 for ten times too few expected, -10 for ten times too many."""
    expected, came = node.rows_estimated, node.rows_actual
    if came is None or expected is None:
        return 1.0
    expected = max(1.0, expected)
    came = max(1.0, came)
    return came / expected if came >= expected else -expected / came
