"""A slice of the team's executions with their units of work: what detectors of loops look at."""

from collections.abc import Collection, Iterator, Sequence
from typing import Protocol, TypeVar

import numpy as np

from analyzer.model.columns import Column, Flags, Floats, Rows, evenly, starts_of_runs
from analyzer.model.executions import Texts
from analyzer.model.saving import LoopKey
from analyzer.model.statement import Statement, StatementFacts
from analyzer.records import changing

_Result_co = TypeVar("_Result_co", covariant=True)


@changing
class Asides:
    """What sessions ran beside the team's statements: transaction control, settings, health checks.

    A row each, ordered as the slice's rows; `place` is how many of those stand before it.
    `boundary` is +1 for what opens a transaction and -1 for what ends one, `statement` a position
    in WorkSlice.statements, `key` the number of the text that this is an execution of.
    """

    place: Rows
    session: Rows
    start_us: Rows
    end_us: Rows
    statement: Rows
    key: Rows
    boundary: Column

    def __len__(self) -> int:
        return len(self.place)


@changing
class LoopHits:
    """Executions of a slice that a fix would spare, each group replaced by one statement.

    `rows` are row numbers and `group` says which belong together (equal numbers); `anchor` is the
    row in whose unit of work the one statement would run. With `keep_first` the group's first
    execution stays as it is: its result is kept.
    """

    key: LoopKey
    rows: Rows
    group: Rows
    anchor: Rows
    keep_first: bool = False


@changing
class WorkSlice:
    """Executions of the team's statements (role WORKLOAD) in whole units of work.

    A row each, ordered by session and time. `statement` is a position in `statements` and `key`
    one in `key_facts`, whose parameter codes are those of that text. `request` numbers the unit of
    work, `transaction` the explicit transaction (-1 autocommit), `trace` is 0 without one, `whole`
    marks rows whose unit of work is known to be one request (a trace, or it begins as requests do).
    `pool` numbers the (database, user, application) whose connections may share a unit of work (-1
    for whole ones and clients); numbers of requests and transactions are never used twice in a run.
    `at_us` is the time that orders a trace. `parameters` is a number into `texts` (-1 none),
    `parameters_hash` stands for the text (0 none). `routes[request - first_request]` is the route
    (a number into `route_names`, -1 none) of a request; `request_ms`, placed alike, is its time in
    the database. `clock` is whose clock timed the row (a Clock), `untimed` marks rows without a
    duration (which is then 0). `asides` are the rows of all other roles. `logged` orders rows as they were logged. `marker` is the statement that each
    request runs about once, where connections are shared by several requests at once; else -1. `jobs` are the
    numbers of the routes that are jobs'.
    """

    statement: Rows
    key: Rows
    request: Rows
    transaction: Rows
    trace: Rows
    whole: Flags
    pool: Rows
    session: Rows
    logged: Rows
    at_us: Rows
    start_us: Rows
    end_us: Rows
    duration_ms: Floats
    clock: Column
    untimed: Flags
    parameters: Rows
    parameters_hash: Rows
    routes: Column
    request_ms: Floats
    first_request: int
    texts: Texts
    statements: Sequence[Statement]
    key_facts: Sequence[StatementFacts | None]
    sessions: Sequence[str]
    route_names: Sequence[str]
    asides: Asides
    marker: int = -1
    spread: bool = False
    jobs: Collection[int] = ()

    def __len__(self) -> int:
        return len(self.statement)

    def some_with_values(self, wanted: Flags, most: int) -> Iterator[Rows]:
        """Rows whose values are known, of each statement that is `wanted`: at most so many, spread evenly."""
        rows = np.flatnonzero(wanted[self.statement] & (self.parameters >= 0))
        rows = rows[np.argsort(self.statement[rows], kind="stable")]
        starts = np.flatnonzero(starts_of_runs(self.statement[rows]))
        for own in np.split(rows, starts[1:]):
            if len(own):
                yield own[evenly(len(own), most)]


class Observer(Protocol):
    """Is shown all of the team's executions, slice by slice, and keeps what it needs of them."""

    def observe(self, work: WorkSlice) -> None:
        """Look at a slice; it is let go afterwards."""
        ...


class Search(Observer, Protocol[_Result_co]):
    """An observer that may be in a process of its own."""

    def result(self) -> _Result_co:
        """The observer that has seen all slices."""
        ...
