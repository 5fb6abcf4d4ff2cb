"""What jobs ran in the database: executions and time of each, as far as statements name their job.

A job is told by the number of its id (`analyzer.sql.comments.trace_number` of "queue:id"), so that it is one
unit whatever trace it shares with others; without an id each unit of work is a job of its own.
"""

from collections.abc import Mapping

import numpy as np

from analyzer.model.columns import Flags, Floats, Rows
from analyzer.model.work import WorkSlice
from analyzer.records import record

MOST_ROWS = 2_000_000  # executions of jobs that are kept, 33 bytes each


@record
class JobRows:
    """Executions of jobs, ordered by job and time.

    `job` is the number of its id (negative: a unit of work without one), `route` the number of its
    route, `statement` a position among the workload's statements, `parameters` stands for their text
    (0: not logged).
    """

    job: Rows
    route: Rows
    statement: Rows
    parameters: Rows
    start_us: Rows
    duration_ms: Floats


class JobTallies:
    """Keeps the executions of jobs, slice by slice."""

    def __init__(self, jobs: Mapping[int, tuple[str, str]]) -> None:
        """`jobs` has queue and name by the number of a route, and grows with the slices."""
        self._jobs = jobs
        self._parts: list[tuple[Rows, ...]] = []
        self._kept = 0
        self.left_out = 0

    def add(self, work: WorkSlice) -> None:
        """Take a slice in."""
        if not self._jobs or not len(work):
            return
        routes = work.routes[work.request - work.first_request].astype("i8")
        is_job: Flags = np.isin(routes, np.fromiter(self._jobs, dtype="i8"))
        rows = np.flatnonzero(is_job)
        room = MOST_ROWS - self._kept
        self.left_out += max(0, len(rows) - room)
        rows = rows[:room]
        self._kept += len(rows)
        if not len(rows):
            return
        trace = work.trace[rows]
        self._parts.append(
            (
                np.where(trace != 0, trace, -1 - work.request[rows]),
                routes[rows].astype("i4"),
                work.statement[rows].astype("i4"),
                work.parameters_hash[rows].astype("u4"),
                work.start_us[rows],
                np.nan_to_num(work.duration_ms[rows]).astype("f4"),
            )
        )

    def finish(self) -> JobRows:
        """All that were kept."""
        none = [np.zeros(0, dtype="i8")] * 6
        columns = [np.concatenate(some) for some in zip(*self._parts, strict=True)] or none
        order = np.lexsort((columns[4], columns[0]))
        job, route, statement, parameters, start_us, ms = (one[order] for one in columns)
        return JobRows(
            job,
            route.astype("i8"),
            statement.astype("i8"),
            parameters.astype("i8"),
            start_us,
            ms.astype("f8"),
        )
