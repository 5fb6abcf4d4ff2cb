"""What several detectors of plans propose: more memory, an index, fresh statistics."""

import math
import re
from collections.abc import Sequence

from analyzer.detectors._plan_conditions import Compared
from analyzer.detectors._plan_view import PlanView
from analyzer.model.evidence_parts import ColumnCondition
from analyzer.model.plan import PlanNode
from analyzer.model.remedy import Rewrite, Setting, WantedIndex
from analyzer.patterns import regex

KB = 1024
_LEAST_MB = 8  # twice the default of work_mem
_MOST_MB = 2048
_IDENTIFIER = r'(?:"(?:[^"]|"")+"|[^\W\d][\w$]*)'
_SORT_KEY = regex(
    rf"(?:(?P<alias>{_IDENTIFIER})\.)?(?P<column>{_IDENTIFIER})(?P<down> DESC)?", re.ASCII
)


def work_mem(needed_kb: float, what: str, name: str = "work_mem") -> Setting | Rewrite:
    """So much memory that `what` stays in it, for one transaction; a rewrite where that is too much."""
    megabytes = max(_LEAST_MB, math.ceil(needed_kb / KB))
    if megabytes > _MOST_MB:
        return Rewrite(
            title=f"Give {what} fewer rows or columns: {megabytes:,} MB are too much for one session",
            text="-- select only the columns that are needed, filter and aggregate before this step,\n-- or let an index deliver the order",
            risk="Another form of the statement has to be checked for the same result.",
        )
    return Setting(
        name=name,
        value=f"{megabytes}MB",
        title=f"Let {what} stay in memory: {name} = {megabytes} MB for this statement's transaction",
        risk=(
            "Each node that sorts or hashes may take that much, in each worker: set it for this "
            "statement or role, not for the server, before you have counted sessions."
        ),
    )


def wanted_index(
    node: PlanNode, view: PlanView, conditions: Sequence[ColumnCondition], cost_ms: float
) -> WantedIndex | None:
    """The index that would find what a scan keeps, None where its conditions name no column."""
    if node.relation is None or not conditions:
        return None
    kept = view.kept(node)
    return WantedIndex(
        table=node.relation,
        conditions=tuple(dict.fromkeys(conditions)),
        rows_read=kept + view.removed(node),
        rows_kept=kept,
        scans=view.passes(node),
        cost_ms=round(cost_ms, 3),
    )


def sort_columns(node: PlanNode, alias: str | None) -> tuple[str, ...]:
    """The columns of one table that a Sort sorts by, none where an index cannot deliver that order.

    All one way (an index is read in either direction), each a plain column of the table `alias`.
    """
    columns, directions = [], set()
    for key in node.sort_key:
        match = _SORT_KEY.fullmatch(key)
        if match is None or (match["alias"] and alias and _bare(match["alias"]) != alias):
            return ()
        columns.append(_bare(match["column"]))
        directions.add(bool(match["down"]))
    return tuple(columns) if len(directions) == 1 else ()


def for_order(known: Compared, columns: Sequence[str]) -> tuple[ColumnCondition, ...]:
    """Conditions for an index that finds the rows and delivers their order."""
    equal = [c for c in known.conditions if c.kind == "equality"]
    return (*equal, *(ColumnCondition(column, "order by", "sort") for column in columns))


def _bare(identifier: str) -> str:
    return identifier[1:-1].replace('""', '"') if identifier.startswith('"') else identifier
