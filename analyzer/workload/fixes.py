"""What fixing the findings of a run saves, and each finding with its part of it."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

from analyzer.model.evidence import (
    NPlusOneEvidence,
    RepeatedLookupEvidence,
    RepeatedQueryEvidence,
)
from analyzer.model.finding import Finding
from analyzer.model.saving import LOOKUP, N_PLUS_ONE, REPEATED, LoopKey, Savings
from analyzer.model.workload import Workload
from analyzer.workload.simulation import Simulation


def savings_of(
    findings: Sequence[Finding], workload: Workload, simulation: Simulation, rtt_ms: float | None
) -> Savings | None:
    """What fixing the loops that count saves; None where there are none, or no request is whole."""
    if workload.coverage.sampling is not None:
        return None
    places = {one.shape_id: place for place, one in enumerate(workload.statements)}
    loops, occurrences = {}, {}
    for finding in findings:
        loop = _loop_of(finding, places)
        if loop is not None and not finding.folded:
            loops[finding.key], occurrences[finding.key] = loop
    traffic, request = workload.traffic, workload.request_verdict
    window_ms = None
    if traffic.first_us is not None and traffic.last_us is not None:
        window_ms = (traffic.last_us - traffic.first_us) / 1000
    exact = (workload.verdict.value_ms, request.verdict.value_ms if request else None)
    made = simulation.fixed(loops, occurrences, window_ms, rtt_ms, exact)
    censored_ms = workload.coverage.log_min_duration_ms
    if made is not None and censored_ms:
        why = f"statements faster than {censored_ms:g} ms are not logged, so no request is whole"
        made = replace(made, note=f"{made.note}; {why}")
    return made


def _loop_of(finding: Finding, places: Mapping[str, int]) -> tuple[LoopKey, int] | None:
    """Which loops a finding is about, and how often they ran."""
    match finding.evidence:
        case NPlusOneEvidence() as seen:
            child, parent = places[seen.child_shape_id], places[seen.parent_shape_id]
            return LoopKey(N_PLUS_ONE, child, parent), seen.occurrences
        case RepeatedLookupEvidence() as seen:
            return LoopKey(LOOKUP, places[seen.shape_id]), seen.occurrences
        case RepeatedQueryEvidence() as seen:
            return LoopKey(REPEATED, places[seen.shape_id]), seen.occurrences
        case _:
            return None


def with_saving(finding: Finding, savings: Savings | None) -> Finding:
    """The finding with what fixing it saves."""
    saving = savings.findings.get(finding.key) if savings is not None else None
    if saving is None:
        return finding
    total = saving.wall_ms if saving.wall_ms is not None else max(saving.server_ms, 0.0)
    impact = replace(
        finding.impact,
        round_trips=saving.round_trips,
        saving_ms=round(total, 3),
        saving=saving,
    )
    return replace(finding, impact=impact)
