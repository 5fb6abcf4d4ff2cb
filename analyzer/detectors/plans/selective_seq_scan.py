"""Sequential scans that read a large table to keep a few rows.

What it finds
    A Seq Scan (also a parallel one) in a plan that was executed, whose filter throws nearly
    everything away: 10,000 rows or 1,000 pages read in one pass, less than 5 % of the rows kept,
    and time enough in it to matter. Filters that wrap the column (a cast, a function, LIKE '%x')
    are told apart: there an index on the column alone would not help.

Why it hurts
    The time grows with the table and not with the answer, every execution reads all pages again,
    and it pushes other tables' pages out of memory. It is the usual reason for a lookup that was
    quick at launch and misses its target a year later.

How it decides
    Rows read = (rows kept + rows removed by the filter) x loops. A scan is reported when it keeps
    less than 5 % of them and is hot: at least 10 % of the plan's time and 5 % of the target (10 %
    where fewer than 50,000 rows and 1,000 pages are read, unless a request repeats it). Where the statement's
    durations are known, the scan's part of the P95 execution has to reach that: a plan of one slow
    execution among thousands of quick ones shows no scan that all of them make.
    Silent on small tables; where a LIMIT, EXISTS, semi or anti join stops the scan early, unless
    the planner, too, expects few rows of the whole table; on an OR over different columns; where
    no column is compared with a value; on system catalogs. A scan that a loop repeats is
    seq-scan-in-loop's. One finding stands for all statements that scan the same table by the same
    columns, as one index serves them; where a column is wrapped, for each statement. Severity: the
    scan's time in the P95 execution against the target (critical from five targets on, high from one,
    medium from a half).
    Without times (auto_explain.log_timing = off) the scan's part of the estimated cost stands in.
    Estimated saving: an index fetches a share f of the rows at about four times the price of
    reading them in order (random_page_cost / seq_page_cost), so scan time x (1 - 4f).

When it is wrong
    The table is read once a night and nobody waits for it. The plan was taken with a rare value,
    and others are frequent. The table is written far more than read. A cast was judged without the
    column's type (lower confidence): give the schema.

What to do
    Create the suggested index, or rewrite the condition so that the column stands alone. Check
    with EXPLAIN (ANALYZE, BUFFERS) that the plan becomes an index scan.
"""

from functools import partial
from typing import ClassVar

from analyzer.detectors._plan_conditions import Compared
from analyzer.detectors._plan_keys import pages
from analyzer.detectors._plan_rule import NodeRule, Spot
from analyzer.detectors._plan_scans import (
    MIN_PAGES,
    ScanFigures,
    confidence,
    few_expected,
    is_selective,
    read_conditions,
    scan_evidence,
    scan_figures,
)
from analyzer.detectors._plan_view import PlanView
from analyzer.model.plan import PlanNode
from analyzer.model.plan_evidence import PlanFigures

SMALL_ROWS = (
    50_000  # some megabytes, in memory after the first time: a scan takes some milliseconds
)
SMALL_FLOORS = 2.0  # 10 % of the target


class SelectiveSeqScan(NodeRule):
    """The rule; see the module's docstring."""

    id = "selective-seq-scan"
    nodes: ClassVar = frozenset({"Seq Scan"})
    explains: ClassVar = frozenset({"top-n-sort", "sparse-pages", "cold-reads"})

    def at(self, node: PlanNode, view: PlanView) -> Spot | None:
        """A scan that reads a large table, in one pass, to keep little of it."""
        figures = scan_figures(node, view)
        if figures is None or not is_selective(node, figures) or not _matters(node, view, figures):
            return None
        if view.stops_early(node) and not few_expected(node, figures):
            return None
        known = read_conditions(node, view)
        if not known.conditions:
            return None
        table = node.relation or ""
        return Spot(
            node=node,
            cost_ms=view.own_ms(node),
            title=_title(table, figures, known),
            reasons=(),
            figures=PlanFigures(),
            subject=(table, *known.columns),
            table=table,
            confidence=confidence(known, measured=view.measured),
            covers=frozenset({0, *(parent.id for _, parent in view.above(node))}),
            spared=figures.spared,
            scan=partial(scan_evidence, node, view, figures, known),
            shared=known.sargable,
        )


def _matters(node: PlanNode, view: PlanView, figures: ScanFigures) -> bool:
    """Whether the scan takes time that counts of a usual execution, or of a usual request."""
    blocks = pages(node)
    small = figures.read < SMALL_ROWS and (blocks is None or blocks < MIN_PAGES)
    floor_ms = view.floor_ms * (SMALL_FLOORS if small else 1.0)
    often = view.stats.calls_per_request_p95 if view.stats is not None else None
    return view.usual_ms(view.own_ms(node)) * max(1.0, often or 1.0) >= floor_ms


def _title(table: str, figures: ScanFigures, known: Compared) -> str:
    columns = ", ".join(dict.fromkeys(one.column for one in known.conditions))
    told = f"reads {figures.read:,.0f} rows to keep {figures.kept:,.0f}"
    if known.sargable:
        return f"Sequential scan of {table} {told} and uses no index on {columns}"
    return f"Sequential scan of {table} {told}: its condition on {columns} cannot use an index"
