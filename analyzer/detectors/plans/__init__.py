"""Detectors of trouble in EXPLAIN plans: one rule a file, registered here in the order of causes.

Of two rules that see the same trouble, the one that stands first is the cause, and the other is
listed under it where the first one's `explains` names it (detectors/_plan_rule.py).
"""

from collections.abc import Mapping

from analyzer.detectors._base import Detector
from analyzer.detectors._plan_rule import PlanRule
from analyzer.detectors._plan_search import PlanFinder
from analyzer.detectors.plans.aggregate_spill import AggregateSpill
from analyzer.detectors.plans.bitmap_and import BitmapAnd
from analyzer.detectors.plans.cartesian_product import CartesianProduct
from analyzer.detectors.plans.cold_reads import ColdReads
from analyzer.detectors.plans.correlated_subplan import CorrelatedSubplan
from analyzer.detectors.plans.cte_fence import CteFence
from analyzer.detectors.plans.default_guess import DefaultGuess
from analyzer.detectors.plans.disabled_node import DisabledNode
from analyzer.detectors.plans.foreign_filter import ForeignFilter
from analyzer.detectors.plans.gather_overhead import GatherOverhead
from analyzer.detectors.plans.hash_spill import HashSpill
from analyzer.detectors.plans.heap_fetches import HeapFetches
from analyzer.detectors.plans.index_filter import IndexFilter
from analyzer.detectors.plans.index_recheck import IndexRecheck
from analyzer.detectors.plans.jit_overhead import JitOverhead
from analyzer.detectors.plans.join_filter import JoinFilter
from analyzer.detectors.plans.large_result import LargeResult
from analyzer.detectors.plans.lossy_bitmap import LossyBitmap
from analyzer.detectors.plans.low_quality_plan import LowQualityPlan
from analyzer.detectors.plans.many_index_searches import ManyIndexSearches
from analyzer.detectors.plans.materialize_rescans import MaterializeRescans
from analyzer.detectors.plans.memoize_misses import MemoizeMisses
from analyzer.detectors.plans.misestimate import Misestimate
from analyzer.detectors.plans.nested_loop_inner import NestedLoopInner
from analyzer.detectors.plans.plan_flip import PlanFlip
from analyzer.detectors.plans.planning_time import PlanningTime
from analyzer.detectors.plans.selective_seq_scan import SelectiveSeqScan
from analyzer.detectors.plans.seq_scan_in_loop import SeqScanInLoop
from analyzer.detectors.plans.skipped_rows import SkippedRows
from analyzer.detectors.plans.sort_on_disk import SortOnDisk
from analyzer.detectors.plans.sparse_pages import SparsePages
from analyzer.detectors.plans.temp_io import TempIO
from analyzer.detectors.plans.time_outside_tree import TimeOutsideTree
from analyzer.detectors.plans.top_n_sort import TopNSort
from analyzer.detectors.plans.trigger_time import TriggerTime
from analyzer.detectors.plans.unpruned_partitions import UnprunedPartitions
from analyzer.detectors.plans.vector_operator_mismatch import VectorOperatorMismatch
from analyzer.detectors.plans.vector_order_unserved import VectorOrderUnserved
from analyzer.detectors.plans.vector_seq_scan import VectorSeqScan
from analyzer.detectors.plans.vector_short_result import VectorShortResult
from analyzer.detectors.plans.wide_rows import WideRows
from analyzer.detectors.plans.worker_skew import WorkerSkew
from analyzer.detectors.plans.workers_missing import WorkersMissing
from analyzer.detectors.plans.writes_by_select import WritesBySelect
from analyzer.detectors.plans.wrong_index_for_limit import WrongIndexForLimit

RULES: tuple[type[PlanRule], ...] = (
    VectorShortResult,
    VectorOperatorMismatch,
    VectorOrderUnserved,
    VectorSeqScan,
    PlanFlip,
    WrongIndexForLimit,
    UnprunedPartitions,
    SeqScanInLoop,
    SelectiveSeqScan,
    Misestimate,
    IndexFilter,
    CartesianProduct,
    JoinFilter,
    CorrelatedSubplan,
    NestedLoopInner,
    TopNSort,
    SkippedRows,
    SortOnDisk,
    HashSpill,
    AggregateSpill,
    CteFence,
    TempIO,
    HeapFetches,
    LossyBitmap,
    IndexRecheck,
    BitmapAnd,
    ManyIndexSearches,
    ForeignFilter,
    SparsePages,
    MaterializeRescans,
    MemoizeMisses,
    JitOverhead,
    PlanningTime,
    TriggerTime,
    TimeOutsideTree,
    GatherOverhead,
    WorkersMissing,
    WorkerSkew,
    ColdReads,
    WritesBySelect,
    LargeResult,
    WideRows,
    DefaultGuess,
    DisabledNode,
    LowQualityPlan,
)


def plan_detectors(better: Mapping[str, Detector] | None = None) -> tuple[PlanRule, ...]:
    """One of each rule; they share a finder, so each plan is walked once for all of them.

    `better` has the detectors to which a rule (by its id) leaves the statements of which they speak.
    """
    finder = PlanFinder(tuple(rule() for rule in RULES), better)
    return tuple(rule(finder) for rule in RULES)
