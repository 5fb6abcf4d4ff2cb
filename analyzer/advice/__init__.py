"""From findings to recommendations: complete, runnable code for the stack that is seen."""

from analyzer.advice.n_plus_one import recommend_batch
from analyzer.advice.repeated import recommend_lookup, recommend_memo
from analyzer.advice.texts import recommend_for_text
from analyzer.model.evidence import (
    NPlusOneEvidence,
    RepeatedLookupEvidence,
    RepeatedQueryEvidence,
    StatementEvidence,
)
from analyzer.model.finding import Finding, Recommendation
from analyzer.model.workload import Workload

__all__ = ["recommend"]


def recommend(finding: Finding, workload: Workload) -> tuple[Recommendation, ...]:
    """What to do about a finding. Those of scans need an index candidate: see advice.indexes."""
    match finding.evidence:
        case NPlusOneEvidence() as evidence:
            return recommend_batch(evidence, workload)
        case RepeatedLookupEvidence() as evidence:
            return recommend_lookup(evidence, workload)
        case RepeatedQueryEvidence() as evidence:
            return recommend_memo(evidence, workload)
        case StatementEvidence() as evidence:
            return recommend_for_text(evidence, workload.catalog)
        case _:
            return ()
