"""Making PlanNodes in bulk.

A frozen dataclass sets each field by a call, which for a node's fifty fields takes four times as long
as everything else about making it. So a node is first a draft, its twin: it has the same slots and is not
frozen. When all nodes of a plan are there, their times and children are filled in, and the drafts become
PlanNodes. Python allows that for classes of one layout.

A draft is made of a row: a list with a place for each field of PlanNode. Fields of one kind stand side by
side in it, so that a place tells what belongs there (fields.py).
"""

from collections.abc import Sequence
from dataclasses import MISSING, fields, make_dataclass
from typing import Any

from analyzer.model.plan import PlanNode

TEXTS = (
    *("type", "parent_relationship", "subplan_name", "relation", "alias", "index", "join_type"),
    *("filter", "index_condition", "recheck_condition", "hash_condition", "merge_condition"),
    "join_filter",
)
NUMBERS = (
    *("startup_cost", "total_cost", "rows_estimated", "loops", "rows_actual"),
    *("actual_startup_ms", "actual_total_ms", "rows_removed_by_filter"),
    *("rows_removed_by_join_filter", "rows_removed_by_recheck"),
)
COUNTS = (
    *("width_bytes", "workers_planned", "workers_launched", "shared_hit_blocks"),
    *("shared_read_blocks", "temp_read_blocks", "temp_written_blocks"),
)
_FIRST = ("children", "sort_key", "parallel_aware")  # what is neither text nor figure
_FIELDS = {field.name: field for field in fields(PlanNode)}
_ORDER = tuple(dict.fromkeys((*_FIRST, *TEXTS, *NUMBERS, *COUNTS, *_FIELDS)))
PLACES = {name: place for place, name in enumerate(_ORDER)}

_defaults = [_FIELDS[name].default for name in _ORDER]
NOTHING: list[Any] = [None if one is MISSING else one for one in _defaults]  # a row to copy
# It is Any to the type checker, which knows that PlanNode cannot be written to.
Draft: Any = make_dataclass("Draft", _ORDER, slots=True)


def finish(drafts: Sequence[Any]) -> None:
    """Make PlanNodes of drafts, which are whole now."""
    for draft in drafts:
        draft.__class__ = PlanNode
