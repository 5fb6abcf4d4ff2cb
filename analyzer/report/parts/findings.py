"""The keys `findings` and `detectors`: what was found with its evidence, and what could not be."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from analyzer.model.acknowledgement import as_fields
from analyzer.model.finding import Status, worst_first
from analyzer.model.lines import error_of
from analyzer.model.ruled_out import WHY
from analyzer.records import plain
from analyzer.report.parts.savings import saving_fields
from analyzer.report.redaction import Redactor, requote

if TYPE_CHECKING:
    from analyzer.model.acknowledgement import Acknowledged
    from analyzer.model.finding import Finding, Impact, Outcome, Recommendation


def findings_part(findings: Sequence["Finding"], redactor: Redactor) -> list[dict[str, Any]]:
    """Findings by severity, then by what they save, then by confidence; acknowledged ones last."""
    ranked = sorted(findings, key=worst_first)
    return [_finding(finding, redactor) for finding in ranked]


def _finding(finding: "Finding", redactor: Redactor) -> dict[str, Any]:
    evidence, quoted = redactor.evidence(plain(finding.evidence))
    return {
        "key": finding.key,
        "detector": finding.detector,
        "status": "acknowledged" if finding.folded else None,
        "acknowledged": _acknowledged(finding.acknowledged),
        "severity": finding.severity.value,
        "confidence": finding.confidence,
        "wrong_result": finding.wrong_result,
        "title": requote(finding.title, quoted),
        "shape_ids": finding.shape_ids,
        "fingerprints": finding.fingerprints,
        "tables": finding.tables,
        "routes": finding.routes,
        "evidence": evidence,
        "impact": _impact(finding.impact),
        "recommendations": [_recommendation(r, quoted) for r in finding.recommendations],
    }


def _impact(impact: "Impact") -> dict[str, Any]:
    fields = {
        "round_trips": impact.round_trips,
        "total_ms": impact.total_ms,
        "saving_ms": impact.saving_ms,
        "requests": impact.requests,
    }
    return fields if impact.saving is None else {**fields, **saving_fields(impact.saving)}


def _acknowledged(known: "Acknowledged | None") -> dict[str, Any] | None:
    if known is None:
        return None
    return {**as_fields(known.acknowledgement), "expired": known.expired}


def _recommendation(advice: "Recommendation", quoted: Mapping[str, str]) -> dict[str, Any]:
    return {
        "kind": advice.kind,
        "language": advice.language,
        "title": requote(advice.title, quoted),
        "text": advice.text,
        "verified_by": advice.verified_by,
        "effect": dict(advice.effect),
        "risk": requote(advice.risk, quoted),
        "because": requote(advice.because, quoted),
    }


def detectors_part(outcomes: Mapping[str, "Outcome"], redactor: Redactor) -> list[dict[str, Any]]:
    """Every detector's answer, in the order they ran."""
    return [
        {
            "id": name,
            "status": outcome.status.value,
            "reason": _reason(outcome, redactor),
            "findings": len(outcome.findings),
            **_ruled_out(outcome),
        }
        for name, outcome in outcomes.items()
    ]


def _ruled_out(outcome: "Outcome") -> dict[str, Any]:
    """What looked like a finding and is none, with why; nothing of detectors that do not say so."""
    told = [
        {
            "shape_id": one.shape_id,
            "verdict": one.verdict.value,
            "reason": WHY[one.verdict],
            "executions": one.executions,
            "requests": one.requests,
        }
        for one in outcome.ruled_out
    ]
    return {"ruled_out": told} if told else {}


def _reason(outcome: "Outcome", redactor: Redactor) -> str | None:
    """Why there is no answer; the message of an exception may quote what it failed on."""
    if outcome.reason is None or outcome.status is not Status.ERROR or redactor.shows_values:
        return outcome.reason
    return error_of(outcome.reason)
