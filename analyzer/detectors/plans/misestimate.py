"""Wrong row estimates, where they begin, with the bad choices that follow from them.

What it finds
    The node at which an estimate goes wrong by a factor of ten or more (at 100 rows or more, or
    10,000 over all loops), while the estimates below it hold; and what the planner chose for it.

Why it hurts
    Joins, memory and order of work are chosen by estimates. With one row expected and ten thousand
    that come, a nested loop runs ten thousand times, and a hash gets memory for one row.

How it decides
    Estimate and rows that came are compared per loop (both are per loop), with at least one row on
    each side. Silent for too many expected where something stopped the node early (LIMIT, EXISTS, merge joins); for
    nodes that pass rows on (Sort, Hash, Gather, CTE Scan …) and for bitmaps. What it costs is what follows
    from too few expected: a nested loop whose inner side takes 30 % of the plan's time and 10 % of
    the target, a sort, hash or aggregate above it that spilled. These are listed under it. Without such a
    consequence it is an info, and only from a factor of 100 on, the worst of a slow plan.

When it is wrong
    The values of this run are unusual ones, and the plan is right for the others. A generic plan
    is meant to be right on average.

What to do
    ANALYZE first: often the statistics are old. Columns that depend on each other need CREATE
    STATISTICS; an expression needs statistics (or an index) on the expression; skewed columns need a
    higher statistics target.
"""

from collections.abc import Iterator
from typing import ClassVar

from analyzer.detectors._plan_conditions import compared, equal_columns
from analyzer.detectors._plan_rule import Gate, Spot, WholePlanRule
from analyzer.detectors._plan_view import JOINS, SCANS, PlanView, estimate_error, side
from analyzer.model.finding import Severity
from analyzer.model.plan import PlanNode
from analyzer.model.plan_evidence import PlanFigures
from analyzer.model.remedy import Analyze, ExtendedStatistics, Remedy
from analyzer.records import record

FACTOR = 10.0
SEVERE = 100.0
ROWS = 100
ROWS_IN_ALL = 10_000
LOOPS = 1_000
SHARE = 0.3
FLOORS = 2.0
_STARTS = SCANS | JOINS | {"Function Scan", "Foreign Scan", "Aggregate", "Group", "ProjectSet"}
_SPILLS = frozenset({"Sort", "Incremental Sort", "Hash", "Aggregate"})
_FENCES = frozenset({"SubPlan", "InitPlan"})


@record
class EstimateFigures(PlanFigures):
    """Rows per loop as expected and as they came. `factor` is how far off; `too_few` which way."""

    rows_expected: float
    rows_came: float
    loops: float
    factor: float
    too_few: bool


class Misestimate(WholePlanRule):
    """The rule; see the module's docstring."""

    id = "misestimate"
    gate = Gate.SLOW
    explains: ClassVar = frozenset(
        {
            "nested-loop-inner",
            "sort-on-disk",
            "hash-spill",
            "aggregate-spill",
            "materialize-rescans",
        }
    )

    def of(self, view: PlanView) -> Iterator[Spot]:
        """Errors with consequences, and else the worst severe one."""
        starts = [node for node in view.nodes if _starts_here(node, view)]
        harmless = []
        for node in starts:
            harmed, cost_ms = _harmed(node, view)
            if harmed and estimate_error(node) > 0:
                yield _spot(node, view, cost_ms, harmed)
            elif abs(estimate_error(node)) >= SEVERE:
                harmless.append(node)
        if harmless and len(harmless) == len(starts):
            worst = max(harmless, key=lambda node: abs(estimate_error(node)))
            if any(parent.type in JOINS for _, parent in view.above(worst)):
                yield _spot(worst, view, 0.0, frozenset())


def _starts_here(node: PlanNode, view: PlanView) -> bool:
    """Whether an estimate goes wrong at a node, and not below it."""
    if node.type not in _STARTS or node.never_executed:
        return False
    error = estimate_error(node)
    if abs(error) < FACTOR or node.rows_actual is None:
        return False
    most = max(node.rows_estimated or 0.0, node.rows_actual)
    if most < ROWS and most * node.loops < ROWS_IN_ALL:
        return False
    if error < 0 and (view.stops_early(node) or _merged(node, view)):
        return False
    below = (child for child in node.children if child.parent_relationship not in _FENCES)
    return all(
        abs(_passed_on(child)) < FACTOR for child in below if not child.type.startswith("Bitmap")
    )


def _passed_on(node: PlanNode) -> float:
    """The error that a child hands up, found below nodes that pass rows on."""
    while node.type not in _STARTS and len(node.children) == 1:
        node = node.children[0]
    return estimate_error(node)


def _merged(node: PlanNode, view: PlanView) -> bool:
    """Whether a merge join may have ended before the node did."""
    return any(parent.type == "Merge Join" for _, parent in view.above(node))


def _harmed(node: PlanNode, view: PlanView) -> tuple[frozenset[int], float]:
    """Nodes above that suffer from too few rows expected, and the time of the worst."""
    harmed: set[int] = set()
    cost_ms = 0.0
    for child, parent in view.above(node):
        if child.parent_relationship in _FENCES:
            break
        inner = side(parent, "Inner") if parent.type == "Nested Loop" else None
        if inner is not None and child.parent_relationship == "Outer" and inner.loops >= LOOPS:
            spent = view.total_ms(inner)
            if spent >= SHARE * view.whole_ms and spent >= FLOORS * view.floor_ms:
                harmed |= {parent.id, inner.id}
                cost_ms = max(cost_ms, spent)
        elif parent.type in _SPILLS and _grew(parent) and view.is_hot(view.own_ms(parent)):
            harmed.add(parent.id)
            cost_ms = max(cost_ms, view.own_ms(parent))
        if estimate_error(parent) < FACTOR / 2 and parent.type in JOINS:
            break  # the estimate is right again from here on
    return frozenset(harmed), cost_ms


def _grew(node: PlanNode) -> bool:
    """Whether a node wrote temporary files of its own."""
    spilled = node.extra.get("Sort Space Type") == "Disk" or node.extra.get("Disk Usage")
    original, now = node.extra.get("Original Hash Batches"), node.extra.get("Hash Batches")
    return bool(spilled) or (original is not None and original != now)


def _spot(node: PlanNode, view: PlanView, cost_ms: float, harmed: frozenset[int]) -> Spot:
    error = estimate_error(node)
    expected, came = node.rows_estimated or 0.0, node.rows_actual or 0.0
    text = node.filter or node.index_condition or node.join_filter or node.hash_condition
    known = compared(node, node.filter or node.index_condition, view.catalog)
    where = f"{node.type} on {node.relation}" if node.relation else node.type
    way = "fewer" if error > 0 else "more"
    reasons = [
        f"{expected:,.0f} rows expected, and {came:,.0f} come"
        + (f" in each of {node.loops:,.0f} loops" if node.loops > 1 else ""),
        "the estimates below it hold: the error begins here",
    ]
    if known.columns:
        reasons.append(f"it is about {', '.join(known.columns)}")
    return Spot(
        node=node,
        cost_ms=cost_ms,
        title=f"The planner expects {abs(error):,.0f} times {way} rows than come: {where}",
        reasons=tuple(reasons),
        figures=EstimateFigures(expected, came, node.loops, abs(error), error > 0),
        subject=(*_tables(node, view), *known.columns),
        table=node.relation,
        condition=text,
        remedies=_remedies(node, view, known.columns, equal_columns(known.conditions)),
        confidence=0.85 if harmed else 0.6,
        severity=None if harmed else Severity.INFO,
        covers=harmed,
        spared=0.7 if harmed else 0.0,
    )


def _tables(node: PlanNode, view: PlanView) -> tuple[str, ...]:
    return tuple(one.relation for one in view.below(node) if one.relation)


def _remedies(
    node: PlanNode, view: PlanView, columns: tuple[str, ...], equal: tuple[str, ...]
) -> tuple[Remedy, ...]:
    made: list[Remedy] = [Analyze(table) for table in dict.fromkeys(_tables(node, view)[:3])]
    several = equal if len(equal) > 1 else columns
    if node.relation and len(several) > 1:
        made.append(ExtendedStatistics(node.relation, several[:8]))
    return tuple(made)
