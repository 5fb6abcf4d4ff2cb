"""A finding with its recommendations, from whichever part of this room knows what to do about it."""

import logging
from collections.abc import Mapping
from dataclasses import replace

from analyzer.advice import Stacks, recommend
from analyzer.advice.indexes import recommend_for_scan
from analyzer.advice.remedies import recommend_remedies
from analyzer.model.evidence import SeqScanEvidence
from analyzer.model.finding import Finding
from analyzer.model.index_candidate import IndexCandidate, NoCandidate
from analyzer.model.lines import error_of
from analyzer.model.workload import Workload

_log = logging.getLogger(__name__)


def advised(
    finding: Finding,
    workload: Workload,
    candidates: Mapping[str, IndexCandidate | NoCandidate],
    stacks: Stacks,
) -> Finding:
    """The finding with its recommendations; those of scans need their index candidate.

    Advice that fails costs itself, never the finding.
    """
    candidate = candidates.get(finding.key)
    try:
        if candidate is not None and isinstance(finding.evidence, SeqScanEvidence):
            made = recommend_for_scan(finding.evidence, candidate, workload.catalog)
            made += recommend_remedies(finding.remedies, None, workload.catalog)
        elif finding.remedies:
            made = recommend_remedies(finding.remedies, candidate, workload.catalog)
        else:
            made = recommend(finding, workload, stacks)
    except Exception as error:  # noqa: BLE001 - whatever it is, the reader is told and the rest goes on
        _log.exception("no advice on %s", finding.key)
        reason = error_of(f"{type(error).__name__}: {error}")
        workload.coverage.warnings.append(f"no advice on finding {finding.key}: {reason}")
        return finding
    return replace(finding, recommendations=made)
