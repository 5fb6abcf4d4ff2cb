"""Detectors: each finds one kind of trouble; registered here, run by the pipeline."""

from analyzer.detectors._base import Detector
from analyzer.detectors._loops import LoopFinder
from analyzer.detectors._values import ValueSamples
from analyzer.detectors.chatty_transaction import ChattyTransaction
from analyzer.detectors.count_by_fetching import CountByFetching
from analyzer.detectors.function_on_column import FunctionOnColumn
from analyzer.detectors.implicit_cast import ImplicitCast
from analyzer.detectors.large_in_list import LargeInList
from analyzer.detectors.leading_wildcard import LeadingWildcard
from analyzer.detectors.long_idle_in_transaction import LongIdleInTransaction
from analyzer.detectors.n_plus_one import NPlusOne
from analyzer.detectors.not_in_subquery import NotInSubquery
from analyzer.detectors.offset_pagination import OffsetPagination
from analyzer.detectors.order_by_random import OrderByRandom
from analyzer.detectors.plans import plan_detectors
from analyzer.detectors.plans.skipped_rows import SkippedRows
from analyzer.detectors.repeated_lookup import RepeatedLookup
from analyzer.detectors.repeated_query import RepeatedQuery
from analyzer.detectors.select_star_wide import SelectStarWide
from analyzer.detectors.unbounded_result import UnboundedResult
from analyzer.detectors.write_loop import WriteLoop

__all__ = ["Detector", "LoopFinder", "ValueSamples", "all_detectors"]


def all_detectors(
    loops: LoopFinder | None = None, values: ValueSamples | None = None
) -> tuple[Detector, ...]:
    """Every detector, in the order in which reports list them.

    `loops` has observed all slices of executions: one pass serves all that need it.
    `values` has looked at some executions' values, for those that need these.
    """
    loops = loops or LoopFinder()
    values = values or ValueSamples()
    pages = OffsetPagination(loops)
    return (
        NPlusOne(loops),
        RepeatedLookup(loops),
        RepeatedQuery(loops),
        WriteLoop(loops),
        pages,
        UnboundedResult(loops),
        CountByFetching(loops),
        ChattyTransaction(loops),
        LongIdleInTransaction(loops),
        *plan_detectors({SkippedRows.id: pages}),
        LeadingWildcard(values),
        FunctionOnColumn(),
        ImplicitCast(),
        NotInSubquery(),
        OrderByRandom(),
        LargeInList(values),
        SelectStarWide(),
    )
