"""From what a rule saw in plans of one statement to one finding: severity, impact, evidence, key."""

import hashlib
from collections.abc import Sequence
from dataclasses import replace

from analyzer.detectors._plan_catalog import known_of
from analyzer.detectors._plan_rule import Found
from analyzer.model.evidence import Evidence
from analyzer.model.finding import Finding, Impact, Severity
from analyzer.model.plan_evidence import Consequence, PlanEvidence
from analyzer.model.remedy import Remedy, Setting

_SEVERITIES = ((5.0, Severity.CRITICAL), (1.0, Severity.HIGH), (0.5, Severity.MEDIUM))
_UNMEASURED = 0.6  # the most that is trusted where a plan has no times


def finding_of(group: tuple[str, str, tuple[str, ...]], alike: Sequence[Found]) -> Finding:
    """One finding for spots of one rule, subject, and statement unless they share it (`group`).

    Its evidence is that of the worst of them.
    """
    worst = max(alike, key=lambda one: (_typical_ms(one), one.cost_ms, one.view.plan.key))
    spot, view = worst.spot, worst.view
    tables = [spot.table, *(below.spot.table for below in worst.consequences)]
    shapes = {one.view.plan.shape_id for one in alike if one.view.plan.shape_id}
    prints = {one.view.statement.fingerprint for one in alike if one.view.statement}
    return Finding(
        key=f"{group[0]}-{_digest(group)}",
        detector=group[0],
        severity=spot.severity or severity(_typical_ms(worst), view.target_ms),
        confidence=spot.confidence if view.measured else min(spot.confidence, _UNMEASURED),
        title=spot.title,
        evidence=_evidence(worst, alike),
        impact=_impact(alike),
        shape_ids=tuple(sorted(shapes)),
        fingerprints=tuple(sorted(prints)),
        tables=tuple(dict.fromkeys(table for table in tables if table)),
        remedies=_remedies(worst),
        wrong_result=spot.wrong_result,
        places=tuple(
            (one.view.plan.key, one.spot.node.id)
            for found in alike
            for one in (found, *found.consequences)
        ),
    )


def severity(cost_ms: float, target_ms: float) -> Severity:
    """Against the target: critical from five targets on, high from one, medium from a half."""
    for share, level in _SEVERITIES:
        if cost_ms >= share * target_ms:
            return level
    return Severity.LOW


def _typical_ms(found: Found) -> float:
    """What the trouble takes of one request: of the plan, or of all executions in a usual request.

    Plans in logs are the slow ones: the statement's P95 and mean say what is usual.
    """
    stats, usual_ms = found.view.stats, found.view.usual_ms(found.cost_ms)
    if stats is None or not stats.calls_per_request_p95:
        return usual_ms
    mean_ms = found.view.share(found.cost_ms) * stats.mean_ms
    return max(usual_ms, mean_ms * stats.calls_per_request_p95)


def _impact(alike: Sequence[Found]) -> Impact:
    """Time in all plans seen, or, where a statement's whole time is known, its part of that."""
    of_statements: dict[str | None, list[Found]] = {}
    for one in alike:
        of_statements.setdefault(one.view.plan.shape_id, []).append(one)
    total = sum(map(_time_of, of_statements.values()))
    spared = max(one.spot.spared for found in alike for one in (found, *found.consequences))
    return Impact(
        total_ms=round(total, 3) if total > 0 else None,  # a rule without a cost knows no time
        saving_ms=round(total * spared, 3) if spared > 0 else None,
    )


def _time_of(alike: Sequence[Found]) -> float:
    """Of one statement."""
    seen = sum(one.cost_ms for one in alike)
    worst = max(alike, key=lambda one: one.cost_ms)
    if worst.view.stats is None:
        return seen
    return max(seen, worst.view.share(worst.cost_ms) * worst.view.stats.total_ms)


def _evidence(worst: Found, alike: Sequence[Found]) -> Evidence:
    spot, view = worst.spot, worst.view
    plans = len({one.view.plan.key for one in alike})
    if spot.scan is not None:
        told = tuple(f"it is also why: {one.spot.title}" for one in worst.consequences)
        statements = len({one.view.statement.lineage for one in alike if one.view.statement})
        if statements > 1:
            told += (f"{statements} statements scan it for the same columns",)
        scan = spot.scan()
        reasons = (*scan.reasons, *known_of(spot, view), *told)
        return replace(scan, plans=plans, reasons=reasons)
    consequences = [
        Consequence(one.rule.id, one.spot.node.id, one.spot.title, one.cost_ms)
        for one in worst.consequences
    ]
    told = tuple(f"it leads to: {one.title}" for one in consequences)
    return PlanEvidence(
        plan_key=view.plan.key,
        node_id=spot.node.id,
        node=spot.node.type,
        table=spot.table,
        index=spot.node.index,
        condition=spot.condition,
        cost_ms=worst.cost_ms,
        self_ms=spot.node.self_ms,
        share=view.share(worst.cost_ms),
        plan_total_ms=view.whole_ms,
        plans=plans,
        calls=view.stats.calls if view.stats is not None else None,
        figures=spot.figures,
        consequences=tuple(consequences),
        reasons=(*spot.reasons, *known_of(spot, view), *told, *_unmeasured(worst)),
        sql=view.statement.sql if view.statement is not None else view.plan.statement,
        shape_id=view.plan.shape_id,
    )


def _unmeasured(found: Found) -> tuple[str, ...]:
    if found.view.measured or not found.view.plan.analyzed:
        return ()
    return ("the plan has no times: those of nodes are their part of the estimated cost",)


def _remedies(worst: Found) -> tuple[Remedy, ...]:
    """Those of the cause first, then of what follows from it."""
    every = [*worst.spot.remedies, *(r for one in worst.consequences for r in one.spot.remedies)]
    told: dict[object, Remedy] = {}
    for one in every:  # a setting is told once, whatever for
        told.setdefault((one.name, one.value) if isinstance(one, Setting) else one, one)
    return tuple(told.values())


def _digest(group: tuple[str, str, tuple[str, ...]]) -> str:
    _, identity, subject = group
    text = "\x1f".join((identity, *subject))
    return hashlib.blake2b(text.encode("utf-8", "replace"), digest_size=6).hexdigest()
