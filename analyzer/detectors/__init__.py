"""Detectors: each finds one kind of trouble; registered here, run by the pipeline."""

from analyzer.detectors._base import Detector
from analyzer.detectors._loops import LoopFinder
from analyzer.detectors.chatty_transaction import ChattyTransaction
from analyzer.detectors.count_by_fetching import CountByFetching
from analyzer.detectors.long_idle_in_transaction import LongIdleInTransaction
from analyzer.detectors.n_plus_one import NPlusOne
from analyzer.detectors.offset_pagination import OffsetPagination
from analyzer.detectors.repeated_lookup import RepeatedLookup
from analyzer.detectors.repeated_query import RepeatedQuery
from analyzer.detectors.selective_seq_scan import SelectiveSeqScan
from analyzer.detectors.unbounded_result import UnboundedResult
from analyzer.detectors.write_loop import WriteLoop

__all__ = ["Detector", "LoopFinder", "all_detectors"]


def all_detectors(loops: LoopFinder | None = None) -> tuple[Detector, ...]:
    """Every detector, in the order in which reports list them.

    `loops` has observed all slices of executions: one pass serves all that need it.
    """
    loops = loops or LoopFinder()
    return (
        NPlusOne(loops),
        RepeatedLookup(loops),
        RepeatedQuery(loops),
        WriteLoop(loops),
        OffsetPagination(loops),
        UnboundedResult(loops),
        CountByFetching(loops),
        ChattyTransaction(loops),
        LongIdleInTransaction(loops),
        SelectiveSeqScan(),
    )
