"""EXPLAIN plans: the tree that any format is read into, and the figures of each node.

`rows_actual`, `rows_removed_by_*` and `rows_estimated` are per loop, as PostgreSQL prints them;
buffers are totals over all loops. Times are milliseconds.
"""

import math
from bisect import bisect_left, insort
from collections.abc import Iterator, Mapping
from dataclasses import field
from typing import ClassVar

from analyzer.records import record


@record
class PlanNode:
    """One node. `id` is its position in a depth-first walk; `self_ms` is exclusive elapsed time.

    `actual_total_ms` is per loop as printed, None without ANALYZE or with TIMING OFF.
    `total_ms` is over all loops, divided by the processes that shared them (elapsed time).
    `relation` is the table ("orders", "sales.orders"); `alias` is what conditions call it by.
    `processes` is workers launched + leader for nodes under a Gather, else 1.
    `payers` are the ids of the nodes that wait for this one: its parent; a CTE's scans; the node
    that asks for an InitPlan's value. Time, buffers and the like are inclusive, so what a node did
    itself is its figure less that of the nodes it pays for (plans/counters.py).
    `rows_digits` is how many digits after the point the rows were printed with: 2 since
    PostgreSQL 18, 0 before.
    `extra` holds every key that has no field of its own, untouched, by its name in FORMAT JSON.
    """

    id: int
    parent: int | None
    type: str
    children: tuple["PlanNode", ...] = ()
    parent_relationship: str | None = None
    subplan_name: str | None = None
    relation: str | None = None
    alias: str | None = None
    index: str | None = None
    join_type: str | None = None
    filter: str | None = None
    index_condition: str | None = None
    recheck_condition: str | None = None
    hash_condition: str | None = None
    merge_condition: str | None = None
    join_filter: str | None = None
    sort_key: tuple[str, ...] = ()
    startup_cost: float | None = None
    total_cost: float | None = None
    rows_estimated: float | None = None
    width_bytes: int | None = None
    loops: float = 1.0
    rows_actual: float | None = None
    actual_startup_ms: float | None = None
    actual_total_ms: float | None = None
    rows_removed_by_filter: float = 0.0
    rows_removed_by_join_filter: float = 0.0
    rows_removed_by_recheck: float = 0.0
    workers_planned: int | None = None
    workers_launched: int | None = None
    processes: int = 1
    parallel_aware: bool = False
    total_ms: float | None = None
    self_ms: float | None = None
    shared_hit_blocks: int | None = None
    shared_read_blocks: int | None = None
    temp_read_blocks: int | None = None
    temp_written_blocks: int | None = None
    never_executed: bool = False
    payers: tuple[int, ...] = ()
    rows_digits: int = 0
    extra: Mapping[str, object] = field(default_factory=dict)

    @property
    def rows_total(self) -> float | None:
        """Rows over all loops."""
        return None if self.rows_actual is None else self.rows_actual * self.loops

    @property
    def rows_total_range(self) -> tuple[float, float] | None:
        """Least and most rows over all loops that are printed as `rows_actual` per loop.

        PostgreSQL prints the mean of the loops, rounded: 0 rows in 1000 loops are up to 500.
        """
        if self.rows_actual is None:
            return None
        slack = 0.5 * 10.0**-self.rows_digits if self.loops > 1 else 0.0
        least = max(0.0, self.rows_actual - slack) * self.loops
        return math.ceil(least), math.floor((self.rows_actual + slack) * self.loops)

    def walk(self) -> Iterator["PlanNode"]:
        """This node and all below it, depth first."""
        waiting = [self]
        while waiting:
            node = waiting.pop()
            yield node
            waiting.extend(reversed(node.children))


@record
class Plan:
    """A plan with what surrounds it.

    `key` is stable for the same source and text. `origin` is the input's path, `format` how it
    was written (json, text, …), `statement` the query text if the plan carried it (auto_explain's
    Query Text), `duration_ms` what auto_explain's line said, `analyzed` whether it was executed.
    `execution_ms`, `planning_ms`: as printed. `total_ms` is the root's elapsed time.
    `truncated`: the text ended before the plan did, and the nodes up to there are known; figures
    of the last one may lack. `wrapped`: lines were broken by a terminal and put together again.
    `parameters` is auto_explain's Query Parameters line. `extra` holds the other keys beside the
    tree, by their names in FORMAT JSON: "Planning" (buffers), "Serialization", "Query Identifier".
    `shape_id` is filled in when the statement is known; `statement_key` is its text's number, -1
    where that is not known.
    """

    key: str
    root: PlanNode
    origin: str
    format: str
    analyzed: bool
    statement: str | None = None
    shape_id: str | None = None
    duration_ms: float | None = None
    execution_ms: float | None = None
    planning_ms: float | None = None
    settings: Mapping[str, str] = field(default_factory=dict)
    triggers: tuple[Mapping[str, object], ...] = ()
    jit: Mapping[str, object] = field(default_factory=dict)
    raw: str = ""
    statement_key: int = -1
    truncated: bool = False
    wrapped: bool = False
    parameters: str | None = None
    extra: Mapping[str, object] = field(default_factory=dict)

    @property
    def total_ms(self) -> float | None:
        """Elapsed time of the whole tree, None without ANALYZE."""
        return self.root.total_ms

    @property
    def trigger_ms(self) -> float:
        """Time in triggers, foreign keys' included: they run after the tree is done."""
        times = (trigger.get("Time") for trigger in self.triggers)
        return sum(time for time in times if isinstance(time, int | float))

    @property
    def jit_ms(self) -> float:
        """Time in the just-in-time compiler, which is part of the nodes' own times."""
        timing = self.jit.get("Timing")
        whole = timing.get("Total") if isinstance(timing, Mapping) else None
        if isinstance(whole, int | float):
            return float(whole)
        times = (value for key, value in self.jit.items() if key.endswith(" Time"))  # PostgreSQL 11
        return sum(float(time) for time in times if isinstance(time, int | float))

    @property
    def outside_ms(self) -> float | None:
        """Execution time that is neither the tree's nor the triggers'; None where unknown.

        Start and end of the executor, locks, JIT of what runs outside nodes, sending the result.
        """
        if self.execution_ms is None or self.total_ms is None:
            return None
        return max(0.0, self.execution_ms - self.total_ms - self.trigger_ms)


@record
class RecordedPlan:
    """A plan as found, not read yet: `text` in `format`, from `origin` (input path), at `at_us`.

    `duration_ms` is auto_explain's; `source` numbers the input (index into Recording.sources), and
    `statement_key` the statement's text where it is known already (-1: it is not).
    """

    text: str
    format: str
    origin: str
    source: int
    line: int | None = None
    at_us: int | None = None
    duration_ms: float | None = None
    session: str | None = None
    statement_key: int = -1


class PlanShelf:
    """Plans as found, in bounded memory: of each statement the slowest PLANS_KEPT stay.

    auto_explain can log thousands of plans of one statement. Of those in logs whose statement is not
    known (damaged texts) UNKNOWN_KEPT stay; those that the user named as files all do. `left_out` counts
    the others.
    """

    PLANS_KEPT: ClassVar[int] = 6
    UNKNOWN_KEPT: ClassVar[int] = 300
    MOST: ClassVar[int] = 3000  # of all statements together

    def __init__(self) -> None:
        self._files: list[RecordedPlan] = []
        self._logged: dict[int, list[RecordedPlan]] = {}  # by statement, the fastest first
        self._count = 0
        self.left_out = 0

    def turns_away(self, statement_key: int, duration_ms: float, source: int, text: str) -> bool:
        """Whether such a plan would not stay; it is counted as left out then.

        Most plans of a log are of statements that have their slowest already, and need not be made.
        """
        kept = self._logged.get(statement_key) or []
        if len(kept) < self._room(statement_key) or duration_ms > _duration(kept[0]):
            return False
        for other in kept:
            if _duration(other) > duration_ms:
                break
            if text == other.text:
                return source >= other.source
        self.left_out += 1
        return True

    def floor(self, statement_key: int) -> float:
        """Plans of that statement which took less would be turned away, whatever they say; -1: none would."""
        kept = self._logged.get(statement_key, ())
        return _duration(kept[0]) if kept and len(kept) >= self._room(statement_key) else -1.0

    def append(self, plan: RecordedPlan) -> None:
        """Keep the plan, if it is to stay."""
        if plan.duration_ms is None and plan.statement_key < 0:
            self._files.append(plan)
            return
        kept = self._logged.setdefault(plan.statement_key, [])
        place = bisect_left(kept, _duration(plan), key=_duration)
        for at, other in enumerate(kept[place:], place):
            if other.duration_ms != plan.duration_ms:
                break
            if other.text == plan.text:
                if plan.source < other.source:  # one execution, seen in two inputs
                    kept[at] = plan
                return
        if len(kept) < self._room(plan.statement_key) and self._count < self.MOST:
            insort(kept, plan, key=_duration)
            self._count += 1
            return
        self.left_out += 1
        if kept and _duration(kept[0]) < _duration(plan):
            del kept[0]
            insort(kept, plan, key=_duration)

    def _room(self, statement_key: int) -> int:
        return self.PLANS_KEPT if statement_key >= 0 else self.UNKNOWN_KEPT

    def __iter__(self) -> Iterator[RecordedPlan]:
        """By input, then in the order of the log."""
        every = [*self._files, *(plan for kept in self._logged.values() for plan in kept)]
        yield from sorted(every, key=lambda plan: (plan.source, plan.at_us or 0, plan.line or 0))

    def __len__(self) -> int:
        return len(self._files) + self._count


def _duration(plan: RecordedPlan) -> float:
    return plan.duration_ms or 0.0
