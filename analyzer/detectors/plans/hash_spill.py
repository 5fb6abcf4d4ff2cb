"""Hash joins whose hash table does not fit into memory.

What it finds
    A Hash with more than one batch: rows of both sides were written to disk and read again.

Why it hurts
    Each batch costs a pass over temporary files, for the inner and the outer side.

How it decides
    Hash Batches > 1, and hash and join themselves are hot: 10 % of the plan's time and 5 % of the
    target. More batches than were planned raise the confidence: the planner did not expect that many rows.
    Where a wrong estimate is the reason, it is listed under misestimate. The memory proposed is the peak of
    one batch times the batches.

When it is wrong
    Two large tables are joined whole, and a hash of that size is meant not to fit.

What to do
    SET LOCAL work_mem (or hash_mem_multiplier, PostgreSQL 13 and later) for this statement; fewer
    columns or rows on the hashed side.
"""

from typing import ClassVar

from analyzer.detectors._plan_keys import number
from analyzer.detectors._plan_remedies import work_mem
from analyzer.detectors._plan_rule import Gate, NodeRule, Spot
from analyzer.detectors._plan_view import PlanView
from analyzer.model.plan import PlanNode
from analyzer.model.plan_evidence import PlanFigures
from analyzer.records import record


@record
class HashFigures(PlanFigures):
    """Batches as they were and as planned; `memory_bytes` is the peak of one batch."""

    batches: int
    planned_batches: int
    memory_bytes: int
    rows: float


class HashSpill(NodeRule):
    """The rule; see the module's docstring."""

    id = "hash-spill"
    nodes: ClassVar = frozenset({"Hash"})
    gate = Gate.SLOW

    def at(self, node: PlanNode, view: PlanView) -> Spot | None:
        """A hash in several batches."""
        batches = number(node, "Hash Batches")
        join = view.parent(node)
        if batches <= 1 or join is None:
            return None
        cost_ms = view.own_ms(node) + view.own_ms(join)
        if not view.is_hot(cost_ms):
            return None
        planned = number(node, "Original Hash Batches") or batches
        peak_kb = number(node, "Peak Memory Usage")
        tables = tuple(one.relation for one in view.below(node) if one.relation)
        return Spot(
            node=node,
            cost_ms=cost_ms,
            title=f"A hash of {view.kept(node):,.0f} rows is split into {batches:,.0f} batches on disk",
            reasons=(
                f"{cost_ms:.1f} ms in the hash and its join, {view.share(cost_ms):.0%} of the plan's time",
                f"planned with {planned:,.0f} batches, {peak_kb:,.0f} kB of memory for one",
            ),
            figures=HashFigures(
                round(batches), round(planned), round(peak_kb * 1024), view.kept(node)
            ),
            subject=tuple(dict.fromkeys(tables)),
            table=tables[0] if tables else None,
            condition=join.hash_condition,
            remedies=(work_mem(peak_kb * batches, "the hash"),),
            confidence=0.9 if batches > planned else 0.75,
            covers=frozenset({0, join.id}),
            spared=0.3,
        )
