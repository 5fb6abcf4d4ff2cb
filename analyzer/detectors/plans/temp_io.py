"""Other steps that write temporary files.

What it finds
    A CTE, Materialize, window, recursive union or function scan that wrote 256 blocks (2 MB) or more of its
    own. Sorts, hashes and hash aggregates have findings of their own.

Why it hurts
    Rows that do not fit into work_mem are written and read back, often once for each pass.

How it decides
    Temporary blocks written by the node less those counted below it. The node is hot: 10 % of the plan's time and 5 % of
    the target.

When it is wrong
    The result is large, and meant to be kept.

What to do
    Fewer rows or columns in that step, NOT MATERIALIZED for a CTE that is read once, SET LOCAL work_mem.
"""

from typing import ClassVar

from analyzer.detectors._plan_keys import BLOCK_BYTES
from analyzer.detectors._plan_remedies import work_mem
from analyzer.detectors._plan_rule import NodeRule, Spot
from analyzer.detectors._plan_view import PlanView
from analyzer.model.plan import PlanNode
from analyzer.model.plan_evidence import PlanFigures
from analyzer.plans.counters import exclusive
from analyzer.records import record

BLOCKS = 256


@record
class TempFigures(PlanFigures):
    """Bytes that the node itself wrote to temporary files."""

    written_bytes: int


class TempIO(NodeRule):
    """The rule; see the module's docstring."""

    id = "temp-io"
    nodes: ClassVar = frozenset(
        {
            "CTE Scan",
            "Materialize",
            "WindowAgg",
            "Recursive Union",
            "Function Scan",
            "Table Function Scan",
            "SetOp",
        }
    )

    def at(self, node: PlanNode, view: PlanView) -> Spot | None:
        """A node with temporary files of its own."""
        blocks = exclusive(view.nodes, "Temp Written Blocks")[node.id]
        if blocks < BLOCKS:
            return None
        own_ms = view.own_ms(node)
        tables = tuple(one.relation for one in view.below(node) if one.relation)
        return Spot(
            node=node,
            cost_ms=own_ms,
            title=f"{node.type} writes {blocks * BLOCK_BYTES / 2**20:,.1f} MB to temporary files",
            reasons=(
                f"{own_ms:.1f} ms in the node itself, {view.share(own_ms):.0%} of the plan's time",
                f"{view.kept(node):,.0f} rows in {node.loops:,.0f} loops",
            ),
            figures=TempFigures(round(blocks * BLOCK_BYTES)),
            subject=(node.type, *dict.fromkeys(tables)),
            table=tables[0] if tables else None,
            remedies=(work_mem(blocks * BLOCK_BYTES / 1024 * 2, f"the {node.type}"),),
            confidence=0.75,
            spared=0.3,
        )
