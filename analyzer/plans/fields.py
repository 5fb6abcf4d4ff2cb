"""A node's keys as FORMAT JSON names them, checked and sorted into a PlanNode's fields and the rest.

Every key of every plan comes through here, so it is one loop with one look-up for a key.
"""

import sys
from collections.abc import Mapping
from typing import Any

from analyzer.plans.found import PlanProblemError
from analyzer.plans.nodes import COUNTS, NOTHING, NUMBERS, PLACES, TEXTS, Draft

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
_LARGEST = sys.float_info.max
FRACTION_DIGITS = 2  # of actual rows, from PostgreSQL 18 on

_FIELDS = _TEXTS | _NUMBERS | _COUNTS
_FIELDS |= {"Plans": "children", "Sort Key": "sort_key", "Parallel Aware": "parallel_aware"}
PLACE_OF = {key: PLACES[name] for key, name in _FIELDS.items()}
# What a value is, by its place, so that it is taken as it is. Figures are behind all others.
_KINDS: list[type] = [
    list,
    list,
    bool,
    *[str] * len(TEXTS),
    *[float] * len(NUMBERS),
    *[int] * len(COUNTS),
]
FIRST_COUNT = len(_KINDS) - len(COUNTS)
FIRST_NUMBER = FIRST_COUNT - len(NUMBERS)
_EXTRA, _LOOPS, _DIGITS = PLACES["extra"], PLACES["loops"], PLACES["rows_digits"]
_NEVER, _SORT_KEY, _RELATION = PLACES["never_executed"], PLACES["sort_key"], PLACES["relation"]


def draft_of(keys: dict[str, Any]) -> Any:  # noqa: ANN401 - a Draft, see nodes.py
    """A node as a draft, of its keys; `children` is what stands under "Plans", if something does.

    Raises:
        PlanProblemError: a value is of the wrong kind or out of range.
    """
    row = NOTHING.copy()
    extra: dict[str, object] = {}
    row[_EXTRA] = extra
    place_of, kinds = PLACE_OF.get, _KINDS
    for key, value in keys.items():
        place = place_of(key)
        if place is None:
            extra[key] = value
        elif type(value) is (kind := kinds[place]) and (
            place < FIRST_NUMBER or 0 <= value <= _LARGEST  # type: ignore[operator]  # a figure
        ):
            row[place] = value
        elif kind is float and type(value) is int and 0 <= value <= _LARGEST:
            row[place] = float(value)  # rows and loops, which are printed whole
        elif value is not None:
            row[place] = _checked(keys, key, place)
    _complete(row, keys, extra)
    return Draft(*row)


def _checked(keys: Mapping[str, Any], key: str, place: int) -> object:
    """A value that is not of its field's kind: numbers are floats there, and counts whole."""
    if place >= FIRST_COUNT:
        return int(figure(key, keys[key]))
    if place >= FIRST_NUMBER:
        return figure(key, keys[key])
    if key in _TEXTS or key == "Plans":
        kind = "list" if key == "Plans" else "text"
        raise PlanProblemError(f'"{key}" of a {keys.get("Node Type")} node is no {kind}')
    return NOTHING[place]


def _complete(row: list[Any], keys: Mapping[str, object], extra: dict[str, object]) -> None:
    """Fields that are made of a part of a key, or of more than one."""
    if row[_LOOPS] == 0:
        row[_NEVER] = True
    if type(keys.get("Actual Rows")) is float:
        row[_DIGITS] = FRACTION_DIGITS
    if row[_SORT_KEY]:
        row[_SORT_KEY] = tuple(map(str, row[_SORT_KEY]))
    schema = extra.pop("Schema", None)
    if schema is not None and schema != "public" and row[_RELATION] is not None:
        if not isinstance(schema, str):
            raise PlanProblemError(f'"Schema" of a {keys.get("Node Type")} node is no text')
        row[_RELATION] = f"{schema}.{row[_RELATION]}"  # as model/catalog.py spells it


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
