"""What a run gives."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from analyzer.records import record

if TYPE_CHECKING:  # others read before these are imported, and they would wait for them
    from analyzer.model.finding import Finding, Outcome
    from analyzer.model.history import HourFigures
    from analyzer.model.workload import Workload


@record
class Result:
    """A run's outcome: the workload, findings with their advice (worst first) and the document.

    `hours` are the figures by hour that a history keeps, if they were asked for.
    """

    workload: "Workload"
    findings: "Sequence[Finding]"
    outcomes: "Mapping[str, Outcome]"
    document: dict[str, Any]
    hours: "Sequence[HourFigures]" = ()


def only(result: Result, detectors: Sequence[str]) -> Result:
    """The result with the findings of some detectors alone, for commands with one subject."""
    kept = {name: result.outcomes[name] for name in detectors if name in result.outcomes}
    findings = [finding for finding in result.findings if finding.detector in kept]
    keys = {finding.key for finding in findings}
    document = {
        **result.document,
        "findings": [entry for entry in result.document["findings"] if entry["key"] in keys],
        "detectors": [entry for entry in result.document["detectors"] if entry["id"] in kept],
    }
    return replace(result, findings=findings, outcomes=kept, document=document)
