"""Nearest-neighbour searches that return fewer rows than were asked for.

What it finds
    A LIMIT over an hnsw or ivfflat scan that came back with fewer rows than the LIMIT, although the table
    (and the filter) has more.

Why it hurts
    The answer is wrong, not slow: rows are missing and nobody is told. The index gives a fixed number of
    candidates (hnsw.ef_search, 40 by default; the lists that ivfflat.probes visits), and the
    filter is applied to these afterwards.

How it decides
    Rows asked for are the LIMIT of the statement's text, else the Limit node's estimate where it is below the
    scan's (a generic plan does not know it). Fewer came, and the planner expects the scan to have that many and more; or less than half of the three rows
    or more that it expects to pass the filter. It is about correctness,
    so it comes first in a report, however quick the statement is.

When it is wrong
    The filter really matches so few rows. The LIMIT is a parameter, and the estimate is not what
    was asked for (lower confidence).

What to do
    SET LOCAL hnsw.ef_search to the LIMIT or more; with a filter SET LOCAL hnsw.iterative_scan =
    'strict_order' (pgvector 0.8 and later), or a partial index for each frequent value; for ivfflat more
    probes, and ivfflat.iterative_scan.
"""

from typing import ClassVar

from analyzer.detectors._plan_conditions import compared
from analyzer.detectors._plan_keys import text
from analyzer.detectors._plan_rule import Gate, NodeRule, Spot
from analyzer.detectors._plan_vectors import Distance, distance_in
from analyzer.detectors._plan_view import PlanView
from analyzer.model.finding import Severity
from analyzer.model.plan import PlanNode
from analyzer.model.plan_evidence import PlanFigures
from analyzer.model.remedy import Remedy, Setting, VectorFilter
from analyzer.records import record

FEW = 3.0  # the planner says one row also where it expects none
EF_SEARCH = 40  # pgvector's default
_MOST_EF = 1000


@record
class ShortFigures(PlanFigures):
    """Rows asked for and returned; `candidates` are those that the index gave before the filter."""

    rows_asked: float
    rows_returned: float
    candidates: float
    rows_expected: float


class VectorShortResult(NodeRule):
    """The rule; see the module's docstring."""

    id = "vector-short-result"
    nodes: ClassVar = frozenset({"Index Scan", "Index Only Scan"})
    gate = Gate.EXECUTED
    explains: ClassVar = frozenset({"index-filter", "misestimate"})

    def at(self, node: PlanNode, view: PlanView) -> Spot | None:
        """A search that stopped short."""
        limit = view.parent(node)
        if limit is None or limit.type != "Limit" or node.loops != 1:
            return None
        distance = distance_in(text(node, "Order By"))
        if distance is None:
            return None
        asked, literal = _asked(limit, node, view)
        returned, expected = view.kept(limit), node.rows_estimated or 0.0
        sure = asked is not None and expected >= asked
        if not sure:  # fewer may match than are asked for: as many as the planner expects, at most
            asked = expected / 2 if node.filter and expected >= FEW else 0.0
        if asked is None or returned >= asked:
            return None
        candidates = view.kept(node) + view.removed(node)
        return Spot(
            node=node,
            cost_ms=view.own_ms(node),
            title=(
                f"A nearest-neighbour search of {node.relation} returns {returned:,.0f} rows "
                f"where {asked:,.0f} were asked for"
                if sure
                else f"A nearest-neighbour search of {node.relation} returns {returned:,.0f} of about {expected:,.0f} matching rows"
            ),
            reasons=(
                f"{node.index} gave {candidates:,.0f} candidates, and {view.removed(node):,.0f} of them failed the filter"
                if node.filter
                else f"{node.index} gave {candidates:,.0f} candidates and no more",
                f"the planner expects {expected:,.0f} rows to match",
            ),
            figures=ShortFigures(asked, returned, candidates, expected),
            subject=(node.relation or "", distance.column, "filter" if node.filter else "limit"),
            table=node.relation,
            condition=node.filter,
            remedies=_remedies(node, distance, max(asked, returned), view),
            confidence=(0.95 if literal else 0.8) if sure else 0.6,
            severity=Severity.CRITICAL,
            covers=frozenset({0}),
            wrong_result=True,
        )


def _asked(limit: PlanNode, scan: PlanNode, view: PlanView) -> tuple[float | None, bool]:
    """How many rows the LIMIT names, and whether its text says so."""
    facts = view.statement.facts if view.statement is not None else None
    if facts is not None and facts.limit is not None and facts.limit >= 0:
        return float(facts.limit), True
    if "$" in text(scan, "Order By"):
        return None, False  # a generic plan: the planner did not know the LIMIT either
    expected, all_rows = limit.rows_estimated or 0.0, scan.rows_estimated or 0.0
    return (expected if 0 < expected < all_rows else None), False


def _remedies(
    node: PlanNode, distance: Distance, asked: float, view: PlanView
) -> tuple[Remedy, ...]:
    risk = "Each search looks at more candidates and takes longer, in proportion."
    probes = "ivf" in (node.index or "").lower()
    if probes:
        return (
            Setting("ivfflat.probes", "10", "Visit more lists", risk),
            Setting(
                "ivfflat.iterative_scan",
                "relaxed_order",
                "Go on until enough rows pass (pgvector 0.8)",
                risk,
            ),
        )
    wanted = min(_MOST_EF, max(2 * EF_SEARCH, round(2 * asked)))
    made: list[Remedy] = [
        Setting("hnsw.ef_search", str(wanted), f"Ask the index for {wanted} candidates", risk)
    ]
    if node.filter or wanted < asked:
        again = Setting(
            "hnsw.iterative_scan",
            "strict_order",
            "Go on searching until there are enough rows (pgvector 0.8)",
            risk,
        )
        made.insert(0, again)
    columns = compared(node, node.filter, view.catalog).columns
    if columns:
        made.append(
            VectorFilter(node.relation or "", columns, distance.column, distance.operator_class)
        )
    return tuple(made)
