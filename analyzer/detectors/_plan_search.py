"""Runs all rules over all plans of a workload, once, and makes findings of what they see.

Each plan is walked once. Spots that a cause explains are listed under it. Spots of one rule and one
subject, in plans of one statement, are one finding, with the worst of them as its evidence.
"""

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import field

from analyzer.detectors._base import Detector
from analyzer.detectors._plan_finding import finding_of
from analyzer.detectors._plan_rule import Found, Gate, NodeRule, PlanRule, Spot, WholePlanRule
from analyzer.detectors._plan_view import PlanView
from analyzer.model.finding import Finding, Outcome, Status
from analyzer.model.plan import PlanNode
from analyzer.model.workload import Workload
from analyzer.records import changing

NO_PLANS = (
    "no executed plan in the input: log plans with auto_explain (log_analyze = on, log_buffers = on, "
    "log_format = 'json', log_min_duration = '100ms') or give EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON)"
)
_Asked = tuple[NodeRule, Callable[[PlanNode, PlanView], Spot | None]]


# The rules that are asked, by their gates: about nodes of plans that were only estimated, executed nodes,
# those of slow plans, and hot ones.
_PASSED = (
    (Gate.ANY,),
    (Gate.ANY, Gate.EXECUTED),
    (Gate.ANY, Gate.EXECUTED, Gate.SLOW),
    (Gate.ANY, Gate.EXECUTED, Gate.SLOW, Gate.HOT),
)


@changing
class _Results:
    """What a run over a workload gave: findings by rule, and the rules that failed."""

    workload: Workload
    findings: dict[str, list[Finding]] = field(default_factory=dict)
    failures: dict[str, Exception] = field(default_factory=dict)


class PlanFinder:
    """Runs `rules`, in their order: of two that explain each other's spots, the first is the cause.

    `better` has, by the id of a rule, a detector that sees the same trouble in executions: the rule
    leaves to it the statements of which it speaks.
    """

    def __init__(
        self, rules: Sequence[PlanRule], better: Mapping[str, Detector] | None = None
    ) -> None:
        self._better = better or {}
        self._rules = {rule.id: rule for rule in rules}
        self._idle, self._executed, self._slow, self._hot = (
            _by_type(rules, gates) for gates in _PASSED
        )
        self._whole = [rule for rule in rules if isinstance(rule, WholePlanRule)]
        self._results: _Results | None = None

    def outcome(self, rule_id: str, workload: Workload) -> Outcome:
        """The answer of one rule; raises what the rule raised, which costs only its own answer."""
        if self._results is None or self._results.workload is not workload:
            self._results = self._run(workload)
        if rule_id in self._results.failures:
            raise self._results.failures[rule_id]
        findings = self._results.findings.get(rule_id, [])
        if findings:
            return Outcome(Status.FOUND, tuple(findings))
        judges_estimates = self._rules[rule_id].gate is Gate.ANY
        if not any(plan.analyzed or judges_estimates for plan in workload.plans):
            return Outcome(Status.NOT_APPLICABLE, reason=NO_PLANS)
        return Outcome(Status.CLEAN)

    def _run(self, workload: Workload) -> _Results:
        results = _Results(workload)
        groups: dict[tuple[str, str, tuple[str, ...]], list[Found]] = {}
        views = list(_views(workload))
        spots = {
            id(view): [*self._nodes(view, results), *self._plan(view, results)] for view in views
        }
        for rule in self._whole:
            try:
                for view, spot in rule.across(views):
                    spots[id(view)].append(Found(rule, view, spot))
            except Exception as error:  # noqa: BLE001 - it is raised again as that rule's answer
                results.failures.setdefault(rule.id, error)
        for found in spots.values():
            # What a rule saw before it failed is no answer: it must not explain away what others saw.
            sound = [one for one in found if one.rule.id not in results.failures]
            for one in merged(sound, list(self._rules)):
                group = (one.rule.id, _identity(one), one.spot.subject)
                groups.setdefault(group, []).append(one)
        for group, alike in groups.items():
            results.findings.setdefault(group[0], []).append(finding_of(group, alike))
        for rule_id, detector in self._better.items():
            seen = results.findings.get(rule_id, [])
            told = _shapes_told(detector, workload) if seen else frozenset()
            results.findings[rule_id] = [
                one for one in seen if not one.shape_ids or not told.issuperset(one.shape_ids)
            ]
        for findings in results.findings.values():
            findings.sort(key=lambda finding: (-(finding.impact.total_ms or 0.0), finding.key))
        return results

    def _nodes(self, view: PlanView, results: _Results) -> Iterator[Found]:
        """Spots at nodes: each is shown to the rules about its type, as far as their gates are open."""
        idle = asked = hot = self._idle
        if view.plan.analyzed:
            asked = hot = self._executed
        if view.slow:
            asked, hot = self._slow, self._hot
        for node in view.nodes:
            own_ms = view.own_ms(node) if node.self_ms is None else node.self_ms
            open_to = idle if node.never_executed else hot if own_ms >= view.hot_ms else asked
            for rule, at in open_to.get(node.type, ()):
                try:
                    spot = at(node, view)
                except Exception as error:  # noqa: BLE001 - it is raised again as that rule's answer
                    results.failures.setdefault(rule.id, error)
                    continue
                if spot is not None:
                    yield Found(rule, view, spot)

    def _plan(self, view: PlanView, results: _Results) -> Iterator[Found]:
        """Spots of the plan as a whole."""
        judged = view.plan.analyzed and (view.slow or _is_slow(view))
        for rule in self._whole:
            if judged or rule.gate is Gate.ANY:
                try:
                    for spot in rule.of(view):
                        yield Found(rule, view, spot)
                except Exception as error:  # noqa: BLE001 - it is raised again as that rule's answer
                    results.failures.setdefault(rule.id, error)


def _shapes_told(detector: Detector, workload: Workload) -> frozenset[str]:
    """The statements of which a detector speaks; none where it fails."""
    try:
        outcome = detector.detect(workload)
    except Exception:  # noqa: BLE001 - the pipeline asks it too, and reports what it raises
        return frozenset()
    return frozenset(shape for finding in outcome.findings for shape in finding.shape_ids)


def _is_slow(view: PlanView) -> bool:
    """Whether planning alone makes a quick execution slow."""
    return (view.plan.planning_ms or 0.0) >= view.floor_ms


def _by_type(rules: Sequence[PlanRule], gates: Collection[Gate]) -> dict[str, list[_Asked]]:
    """The rules to ask about each type of node."""
    asked: dict[str, list[_Asked]] = {}
    for rule in rules:
        if not isinstance(rule, NodeRule) or rule.gate not in gates:
            continue
        for kind in rule.nodes:
            asked.setdefault(kind, []).append((rule, rule.at))
    return asked


def _views(workload: Workload) -> Iterator[PlanView]:
    """The plans with what is known of their statements."""
    statements = {statement.shape_id: statement for statement in workload.statements}
    pairs = zip(workload.statements, workload.stats, strict=False)
    figures = {statement.shape_id: stats for statement, stats in pairs}
    for plan in workload.plans:
        shape = plan.shape_id or ""
        statement, stats = statements.get(shape), figures.get(shape)
        yield PlanView(plan, workload.target.ms, statement, stats, workload.catalog)


def merged(found: Sequence[Found], order: Sequence[str]) -> list[Found]:
    """What is left when consequences are listed under their causes, the first rule's first."""
    if len(found) < 2:  # noqa: PLR2004 - one is no pair
        return list(found)
    ranked = sorted(found, key=lambda one: (order.index(one.rule.id), one.spot.node.id))
    left: list[Found] = []
    for one in ranked:
        cause = next((cause for cause in left if _explains(cause, one)), None)
        if cause is None:
            left.append(one)
        else:
            cause.consequences.append(one)
    return left


def _explains(cause: Found, one: Found) -> bool:
    return one.rule.id in cause.rule.explains and (
        one.spot.node.id == cause.spot.node.id or one.spot.node.id in cause.spot.covers
    )


def _identity(found: Found) -> str:
    """Whose finding it is: the statement's lineage, else the table, else the plan's form.

    The table's at once, where one remedy serves all statements.
    """
    if found.view.statement is not None and not (found.spot.shared and found.spot.table):
        return found.view.statement.lineage
    return found.spot.table or form_of(found.view.nodes)


def form_of(nodes: Sequence[PlanNode]) -> str:
    """What a plan does, without figures and values: nodes, tables and indexes in their order."""
    return " ".join(f"{node.type}:{node.relation or ''}:{node.index or ''}" for node in nodes)
