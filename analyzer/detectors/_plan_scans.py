"""What the two detectors of sequential scans have in common: figures, evidence and words."""

from analyzer.detectors._plan_conditions import Compared, compared, is_system
from analyzer.detectors._plan_keys import pages
from analyzer.detectors._plan_view import PlanView
from analyzer.model.evidence import SeqScanEvidence
from analyzer.model.plan import PlanNode
from analyzer.records import record

MIN_ROWS = 10_000  # one pass over the table: below, a scan takes about a millisecond
MIN_PAGES = 1_000
MAX_KEPT = 0.05
INDEX_FETCH_PRICE = 4.0  # random_page_cost / seq_page_cost, PostgreSQL's defaults


@record
class ScanFigures:
    """What a scan read and kept over all loops; `passes` is how often it went through the table."""

    read: float
    kept: float
    passes: float

    @property
    def ratio(self) -> float:
        """The part of the rows read that is kept."""
        return self.kept / self.read if self.read else 1.0

    @property
    def spared(self) -> float:
        """The part of the scan's time that an index spares: it pays more for each row it fetches."""
        return max(0.0, 1.0 - INDEX_FETCH_PRICE * self.ratio)


def scan_figures(node: PlanNode, view: PlanView) -> ScanFigures | None:
    """A sequential scan with a filter on one of the team's tables, None for any other."""
    if not node.filter or node.rows_actual is None or is_system(node.relation):
        return None
    kept = view.kept(node)
    return ScanFigures(kept + view.removed(node), kept, view.passes(node))


def is_selective(node: PlanNode, figures: ScanFigures) -> bool:
    """Whether one pass reads much, and little is kept."""
    blocks = pages(node)
    large = figures.read / figures.passes >= MIN_ROWS
    large = large or (blocks is not None and blocks / figures.passes >= MIN_PAGES)
    return large and figures.read > 0 and figures.ratio < MAX_KEPT


def few_expected(node: PlanNode, figures: ScanFigures) -> bool:
    """Whether the planner expects few rows of the whole table: then stopping is not why few came."""
    expected = (node.rows_estimated or 0.0) * (node.processes if node.parallel_aware else 1)
    return expected < MAX_KEPT * figures.read / figures.passes


def read_conditions(node: PlanNode, view: PlanView) -> Compared:
    """What the scan's filter compares."""
    return compared(node, node.filter, view.catalog)


def scan_evidence(
    node: PlanNode,
    view: PlanView,
    figures: ScanFigures,
    known: Compared,
    condition: str | None = None,
) -> SeqScanEvidence:
    """What both detectors show; `condition` is the join's, where the scan has no filter."""
    self_ms = view.own_ms(node)
    return SeqScanEvidence(
        plan_key=view.plan.key,
        node_id=node.id,
        table=node.relation or "",
        filter=condition or node.filter or "",
        conditions=known.conditions,
        rows_read=figures.read,
        rows_kept=figures.kept,
        kept_ratio=figures.ratio,
        self_ms=self_ms,
        share=view.share(self_ms),
        plan_total_ms=view.whole_ms,
        pages=pages(node),
        plans=1,
        sql=view.statement.sql if view.statement else view.plan.statement,
        shape_id=view.plan.shape_id,
        reasons=_reasons(figures, self_ms, view, known),
        scans=figures.passes,
    )


def confidence(known: Compared, *, measured: bool) -> float:
    """Less without times, and where a cast was judged without the column's type."""
    base = 0.95 if measured else 0.6
    return base if known.certain else round(base - 0.15, 2)


def _reasons(
    figures: ScanFigures, self_ms: float, view: PlanView, known: Compared
) -> tuple[str, ...]:
    whole_ms = max(view.whole_ms, self_ms)
    reasons = [
        f"keeps {figures.kept:,.0f} of {figures.read:,.0f} rows read ({figures.ratio:.2%})",
        f"{self_ms:.1f} ms in the scan, {view.share(self_ms):.0%} of the plan's {whole_ms:.1f} ms",
    ]
    if figures.passes > 1:
        reasons.append(f"the table is read through {figures.passes:,.0f} times in one execution")
    if not view.measured:
        reasons.append("the plan has no times: the scan's are its part of the estimated cost")
    reasons.extend(
        f"an index on {condition.column} alone cannot serve {condition.expression or condition.operator}"
        for condition in known.conditions
        if not condition.sargable
    )
    if not known.certain:
        reasons.append("the type of a cast column is not known: give the schema to be sure")
    return tuple(reasons)
