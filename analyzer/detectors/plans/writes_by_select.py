"""Reads that write pages.

What it finds
    A SELECT that dirtied 100 pages or more.

Why it hurts
    The first to read rows that were just written marks them as seen (hint bits), or prunes dead ones: the page is written
    again, and with checksums the log too. The reader waits for what the writer left behind.

How it decides
    Shared blocks dirtied by a plan that writes nothing itself and takes 5 % of the target. An info.

When it is wrong
    The first read after a load: it does not happen again.

What to do
    VACUUM after loading, before the application reads.
"""

from collections.abc import Iterator

from analyzer.detectors._plan_keys import BLOCK_BYTES, number
from analyzer.detectors._plan_rule import Gate, Spot, WholePlanRule
from analyzer.detectors._plan_view import PlanView
from analyzer.model.finding import Severity
from analyzer.model.plan_evidence import PlanFigures
from analyzer.model.remedy import Vacuum
from analyzer.records import record

PAGES = 100


@record
class DirtyFigures(PlanFigures):
    """Pages that the reader dirtied."""

    dirtied_pages: int


class WritesBySelect(WholePlanRule):
    """The rule; see the module's docstring."""

    id = "writes-by-select"
    gate = Gate.SLOW

    def of(self, view: PlanView) -> Iterator[Spot]:
        """A read that dirties pages."""
        root = view.plan.root
        dirtied = number(root, "Shared Dirtied Blocks")
        if dirtied < PAGES or any(node.type in ("ModifyTable", "LockRows") for node in view.nodes):
            return
        scans = [node for node in view.nodes if node.relation]
        worst = max(scans, key=lambda node: number(node, "Shared Dirtied Blocks"), default=None)
        table = worst.relation if worst is not None else None
        yield Spot(
            node=worst or root,
            cost_ms=0.0,
            title=f"A read dirtied {dirtied:,.0f} pages",
            reasons=(
                f"{dirtied * BLOCK_BYTES / 2**20:,.1f} MB have to be written again: hint bits or dead rows",
            ),
            figures=DirtyFigures(round(dirtied)),
            subject=(table or "",),
            table=table,
            remedies=(Vacuum(table, "so that readers need not clean up"),) if table else (),
            confidence=0.6,
            severity=Severity.INFO,
        )
