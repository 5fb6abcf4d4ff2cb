"""From findings to recommendations: complete, runnable code for the stacks that are seen."""

from analyzer.advice.columns import recommend_columns
from analyzer.advice.n_plus_one import recommend_batch
from analyzer.advice.pages import recommend_keyset
from analyzer.advice.repeated import recommend_lookup, recommend_memo
from analyzer.advice.results import recommend_count, recommend_portions
from analyzer.advice.stacks import Stacks
from analyzer.advice.texts import recommend_for_text
from analyzer.advice.transactions import recommend_lock_log, recommend_timeout
from analyzer.advice.writes import recommend_write
from analyzer.model.evidence import (
    ChattyTransactionEvidence,
    CountByFetchingEvidence,
    Evidence,
    IdleInTransactionEvidence,
    NPlusOneEvidence,
    OffsetPaginationEvidence,
    RepeatedLookupEvidence,
    RepeatedQueryEvidence,
    UnboundedResultEvidence,
    WriteLoopEvidence,
)
from analyzer.model.finding import Finding, Recommendation
from analyzer.model.text_evidence import SelectStarEvidence, StatementEvidence
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
            return recommend_memo(evidence, workload, stacks)
        case WriteLoopEvidence() as evidence:
            return recommend_write(evidence, workload, stacks)
        case StatementEvidence() as evidence:
            return _texts(evidence, workload, stacks)
        case _:
            return _results(finding.evidence, workload, stacks)


def _texts(
    evidence: StatementEvidence, workload: Workload, stacks: Stacks
) -> tuple[Recommendation, ...]:
    """Advice on what a statement's text asks for."""
    if isinstance(evidence, SelectStarEvidence):
        return recommend_columns(evidence, workload, stacks)
    return recommend_for_text(evidence, workload.catalog)


def _results(evidence: Evidence, workload: Workload, stacks: Stacks) -> tuple[Recommendation, ...]:
    """Advice on results that are too large, and on transactions that take too long."""
    match evidence:
        case OffsetPaginationEvidence():
            return recommend_keyset(evidence, workload, stacks)
        case UnboundedResultEvidence():
            return recommend_portions(evidence, workload, stacks)
        case CountByFetchingEvidence():
            return recommend_count(evidence, workload, stacks)
        case ChattyTransactionEvidence():
            return recommend_lock_log()
        case IdleInTransactionEvidence():
            return recommend_timeout()
        case _:
            return ()
