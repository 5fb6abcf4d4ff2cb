"""From findings to recommendations: complete, runnable code for the stacks that are seen."""

from analyzer.advice.n_plus_one import recommend_batch
from analyzer.advice.repeated import recommend_lookup, recommend_memo
from analyzer.advice.stacks import Stacks
from analyzer.model.evidence import (
    NPlusOneEvidence,
    RepeatedLookupEvidence,
    RepeatedQueryEvidence,
)
from analyzer.model.finding import Finding, Recommendation
from analyzer.model.workload import Workload

__all__ = ["Stacks", "recommend"]


def recommend(
    finding: Finding, workload: Workload, stacks: Stacks | None = None
) -> tuple[Recommendation, ...]:
    """What to do about a finding. Those of scans need an index candidate: see advice.indexes.

    `stacks` are the workload's, where they have been looked for already.
    """
    stacks = stacks or Stacks(workload)
    match finding.evidence:
        case NPlusOneEvidence() as evidence:
            return recommend_batch(evidence, workload, stacks)
        case RepeatedLookupEvidence() as evidence:
            return recommend_lookup(evidence, workload, stacks)
        case RepeatedQueryEvidence() as evidence:
            return recommend_memo(evidence, stacks)
        case _:
            return ()
