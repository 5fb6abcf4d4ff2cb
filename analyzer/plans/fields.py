"""A node's keys as FORMAT JSON names them, checked and sorted into a PlanNode's fields and the rest.

Every key of every plan comes through here, so it is one loop with one look-up for a key.
"""

import sys
from collections.abc import Mapping

from analyzer.plans.found import PlanProblemError

_TEXTS = {
    "Parent Relationship": "parent_relationship",
    "Subplan Name": "subplan_name",
    "Alias": "alias",
    "Index Name": "index",
    "Join Type": "join_type",
    "Filter": "filter",
    "Index Cond": "index_condition",
    "Recheck Cond": "recheck_condition",
    "Hash Cond": "hash_condition",
    "Merge Cond": "merge_condition",
    "Join Filter": "join_filter",
    "Node Type": "type",
    "Relation Name": "relation",
}
_NUMBERS = {
    "Startup Cost": "startup_cost",
    "Total Cost": "total_cost",
    "Plan Rows": "rows_estimated",
    "Actual Rows": "rows_actual",
    "Actual Startup Time": "actual_startup_ms",
    "Actual Total Time": "actual_total_ms",
    "Actual Loops": "loops",
    "Rows Removed by Filter": "rows_removed_by_filter",
    "Rows Removed by Join Filter": "rows_removed_by_join_filter",
    "Rows Removed by Index Recheck": "rows_removed_by_recheck",
}
_COUNTS = {
    "Plan Width": "width_bytes",
    "Workers Planned": "workers_planned",
    "Workers Launched": "workers_launched",
    "Shared Hit Blocks": "shared_hit_blocks",
    "Shared Read Blocks": "shared_read_blocks",
    "Temp Read Blocks": "temp_read_blocks",
    "Temp Written Blocks": "temp_written_blocks",
}
_OTHERS = frozenset(("Plans", "Schema", "Sort Key", "Parallel Aware"))
_LARGEST = sys.float_info.max
_FRACTION_DIGITS = 2  # of actual rows, from PostgreSQL 18 on


def sorted_fields(keys: Mapping[str, object]) -> dict[str, object]:
    """What a PlanNode is made of that is in the node's keys; `extra` holds those without a field.

    Raises:
        PlanProblemError: a value is of the wrong kind or out of range.
    """
    extra: dict[str, object] = {}
    known: dict[str, object] = {"extra": extra}
    for key, value in keys.items():
        if key in _NUMBERS:
            if value is not None:
                known[_NUMBERS[key]] = figure(key, value)
        elif key in _COUNTS:
            if value is not None:
                known[_COUNTS[key]] = int(figure(key, value))
        elif key not in _TEXTS:
            if key not in _OTHERS:
                extra[key] = value
        elif isinstance(value, str):
            known[_TEXTS[key]] = value
        elif value is not None:
            raise PlanProblemError(f'"{key}" of a {keys.get("Node Type")} node is no text')
    _add_others(known, keys)
    return known


def _add_others(known: dict[str, object], keys: Mapping[str, object]) -> None:
    """Fields that are made of more than one key, or of a part of one."""
    if keys.get("Parallel Aware") is True:
        known["parallel_aware"] = True
    order = keys.get("Sort Key")
    if isinstance(order, list):
        known["sort_key"] = tuple(map(str, order))
    rows = keys.get("Actual Rows")
    if isinstance(rows, float):
        known["rows_digits"] = _FRACTION_DIGITS
    if keys.get("Actual Loops") == 0:
        known["never_executed"] = True
    schema = keys.get("Schema")
    if schema is not None and schema != "public" and "relation" in known:
        if not isinstance(schema, str):
            raise PlanProblemError(f'"Schema" of a {keys.get("Node Type")} node is no text')
        known["relation"] = f"{schema}.{known['relation']}"  # as model/catalog.py spells it


def figure(key: str, value: object) -> float:
    """A value as a finite number that is not negative.

    Raises:
        PlanProblemError: it is none.
    """
    if type(value) is not int and type(value) is not float:
        raise PlanProblemError(f'"{key}" is no number')
    if not 0 <= value <= _LARGEST:
        raise PlanProblemError(f'"{key}" is out of range')
    return float(value)
