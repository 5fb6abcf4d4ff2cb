"""Plans that waited for the disk.

What it finds
    A plan that read 1,000 pages (8 MB) or more from outside PostgreSQL's memory, half of all it touched.

Why it hurts
    A page from disk takes a hundred times as long as one from memory. The same statement is quick the second
    time, and slow again when other tables have pushed its pages out.

How it decides
    Shared blocks read against hit, of the whole plan, which takes 5 % of the target. With track_io_timing, reading takes half of the
    execution; without it the time is not known, and the finding is trusted less. It is an info: one cold run
    shows the cache, not the plan.

When it is wrong
    The first run after a start. Take the plan again before acting.

What to do
    EXPLAIN (ANALYZE, BUFFERS) a second time. If it is cold again and again: read fewer pages (a narrower or
    covering index), or have more memory than the tables in use.
"""

from collections.abc import Iterator

from analyzer.detectors._plan_keys import BLOCK_BYTES, number
from analyzer.detectors._plan_rule import Gate, Spot, WholePlanRule
from analyzer.detectors._plan_view import PlanView
from analyzer.model.finding import Severity
from analyzer.model.plan import PlanNode
from analyzer.model.plan_evidence import PlanFigures
from analyzer.records import record

BLOCKS = 1_000
SHARE = 0.5


@record
class ReadFigures(PlanFigures):
    """Bytes read and found in memory; milliseconds of reading over all processes, None if not timed."""

    read_bytes: int
    hit_bytes: int
    reading_ms: float | None


class ColdReads(WholePlanRule):
    """The rule; see the module's docstring."""

    id = "cold-reads"
    gate = Gate.SLOW

    def of(self, view: PlanView) -> Iterator[Spot]:
        """A plan that read most of its pages."""
        root = view.plan.root
        read, hit = root.shared_read_blocks or 0, root.shared_hit_blocks or 0
        reading_ms = _reading_ms(root)
        if read < BLOCKS or read < SHARE * (read + hit):
            return
        if reading_ms is not None and reading_ms < SHARE * view.whole_ms:
            return
        worst = max(
            view.nodes, key=lambda node: (node.shared_read_blocks or 0) if node.relation else 0
        )
        speed = (
            f", {read * BLOCK_BYTES / 2**20 / reading_ms * 1000:,.0f} MB/s" if reading_ms else ""
        )
        yield Spot(
            node=root,
            cost_ms=reading_ms or 0.0,
            title=f"{read * BLOCK_BYTES / 2**20:,.0f} MB were read from outside PostgreSQL's memory",
            reasons=(
                f"{read / (read + hit):.0%} of the pages were not in shared_buffers{speed}",
                f"most of it of {worst.relation or 'temporary results'}; the second run tells whether it stays so",
            ),
            figures=ReadFigures(read * BLOCK_BYTES, hit * BLOCK_BYTES, reading_ms),
            subject=("cold",),
            table=worst.relation,
            confidence=0.6 if reading_ms is not None else 0.4,
            severity=Severity.INFO,
        )


def _reading_ms(node: PlanNode) -> float | None:
    """Time of reading, None without track_io_timing; PostgreSQL 17 tells shared blocks apart."""
    for key in ("Shared I/O Read Time", "I/O Read Time"):
        if number(node, key) > 0:
            return number(node, key)
    return None
