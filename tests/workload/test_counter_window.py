"""The window between two snapshots: what ran in it, whatever happened to the counters meanwhile.

A small extension is simulated that counts as pg_stat_statements does (sums by Welford's method, in
doubles). Beside it a ledger keeps every execution, and the window is held against that.
"""

import math
import statistics
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analyzer.model.snapshot import CounterWindow, ServerIdentity, Snapshot
from analyzer.model.statement import StatementCounters
from analyzer.workload.counter_window import joined, window

SECOND = 1_000_000
QUERIES = ("a", "b", "c")


@dataclass(slots=True)
class Row:
    since_us: int
    calls: int = 0
    total_ms: float = 0.0
    mean_ms: float = 0.0
    squares: float = 0.0
    min_ms: float = 0.0
    max_ms: float = 0.0

    def add(self, ms: float) -> None:
        """As pgss_store does."""
        self.calls += 1
        self.total_ms += ms
        apart = ms - self.mean_ms
        self.mean_ms += apart / self.calls
        self.squares += apart * (ms - self.mean_ms)
        self.min_ms = ms if self.calls == 1 else min(self.min_ms, ms)
        self.max_ms = ms if self.calls == 1 else max(self.max_ms, ms)


@dataclass(slots=True)
class Server:
    """A server with the extension; `tells_since` as of 17, `tells_info` as of 14."""

    tells_since: bool = True
    tells_info: bool = True
    now_us: int = 1_800_000_000 * SECOND
    started_us: int = 1_799_000_000 * SECOND
    reset_us: int = 1_799_500_000 * SECOND
    evictions: int = 0
    rows: dict[str, Row] = field(default_factory=dict)
    ledger: list[tuple[str, float]] = field(default_factory=list)
    version: int = 170000
    identifier: str = "7"

    def run(self, query: str, ms: float) -> None:
        self.now_us += SECOND
        self.rows.setdefault(query, Row(self.now_us)).add(ms)
        self.ledger.append((query, ms))

    def reset(self) -> None:
        self.now_us += SECOND
        self.rows.clear()
        self.reset_us = self.now_us
        self.evictions = 0

    def forget(self, query: str, *, evicted: bool) -> None:
        self.now_us += SECOND
        if self.rows.pop(query, None) and evicted:
            self.evictions += 1

    def restart(self, *, saved: bool) -> None:
        self.now_us += SECOND
        self.started_us = self.now_us
        if not saved:
            self.reset()

    def snapshot(self) -> Snapshot:
        self.now_us += SECOND
        identity = ServerIdentity("postgresql://x", self.identifier, self.version, self.started_us)
        counters = [self._counters(query, row) for query, row in self.rows.items()]
        info = (self.reset_us, self.evictions) if self.tells_info else (None, None)
        return Snapshot(identity, self.now_us, counters, *info)

    def _counters(self, query: str, row: Row) -> StatementCounters:
        since_us = row.since_us if self.tells_since else None
        return StatementCounters(
            query=f"SELECT {query}",
            query_id=query,
            calls=row.calls,
            total_ms=row.total_ms,
            min_ms=row.min_ms,
            max_ms=row.max_ms,
            mean_ms=row.mean_ms,
            stddev_ms=math.sqrt(row.squares / row.calls),
            rows=2 * row.calls,
            wal_bytes=10 * row.calls,
            since_us=since_us,
            minmax_since_us=since_us,
        )


QUERY = st.sampled_from(QUERIES)
RUN = st.tuples(st.just("run"), QUERY, st.floats(0.001, 1e5))
RESET = st.just(("reset",))
FORGET = st.tuples(st.sampled_from(("evict", "reset row")), QUERY)
RESTART = st.sampled_from((("saved",), ("lost",)))
EVENTS = st.lists(st.one_of(RUN, RUN, RUN, RUN, RESET, FORGET, RESTART), max_size=40)
RUNS = st.lists(RUN, max_size=40)


def happen(server: Server, events: Sequence[tuple[object, ...]]) -> None:
    for kind, *rest in events:
        match kind, rest:
            case "run", [str(query), float(ms)]:
                server.run(query, ms)
            case "reset", _:
                server.reset()
            case (("evict" | "reset row"), [str(query)]):
                server.forget(query, evicted=kind == "evict")
            case _:
                server.restart(saved=kind == "saved")


def hold(found: CounterWindow, ran: Sequence[tuple[str, float]]) -> None:
    """A complete window has the figures of what ran in it."""
    times = {query: [ms for name, ms in ran if name == query] for query in QUERIES}
    assert {row.query_id for row in found.counters} == {name for name in QUERIES if times[name]}
    for row in found.counters:
        mine = times[row.query_id or ""]
        assert row.calls == len(mine)
        assert row.total_ms == pytest.approx(sum(mine), rel=1e-6)
        assert row.mean_ms == pytest.approx(statistics.fmean(mine), rel=1e-6)
        assert (row.rows, row.wal_bytes) == (2 * len(mine), 10 * len(mine))
        if row.stddev_ms is not None:
            assert row.stddev_ms == pytest.approx(statistics.pstdev(mine), rel=2e-3, abs=1e-9)
        assert row.min_ms in (None, min(mine))
        assert row.max_ms in (None, max(mine))


@settings(max_examples=150, deadline=None)
@given(RUNS, RUNS, st.booleans(), st.booleans())
def test_executions_alone_give_their_figures(
    earlier: list[tuple[object, ...]],
    later: list[tuple[object, ...]],
    since: bool,  # noqa: FBT001 - given by name
    info: bool,  # noqa: FBT001 - as above
) -> None:
    server = Server(since, info)
    server.run("a", 1.0)
    happen(server, earlier)
    before = server.snapshot()
    server.ledger.clear()
    happen(server, later)
    found = window(before, server.snapshot())
    assert found.complete
    assert found.caveats == ()
    hold(found, server.ledger)


@settings(max_examples=300, deadline=None)
@given(EVENTS, EVENTS, st.booleans())
def test_whatever_happens_a_complete_window_is_right_and_no_window_has_too_much(
    earlier: list[tuple[object, ...]],
    later: list[tuple[object, ...]],
    since: bool,  # noqa: FBT001 - given by name
) -> None:
    server = Server(tells_since=since)
    happen(server, earlier)
    before = server.snapshot()
    server.ledger.clear()
    happen(server, later)
    found = window(before, server.snapshot())
    # What leaves no trace: a row that began in the window and was reset alone, and, before 17, one
    # that was reset and outgrew itself.
    reset = {rest[0] for kind, *rest in later if kind == "reset row"}
    there = {row.query_id for row in before.counters}
    if found.complete and (not reset or (since and reset <= there)):
        hold(found, server.ledger)
    assert found.complete == (not found.caveats)
    for row in found.counters:
        mine = [ms for name, ms in server.ledger if name == row.query_id]
        assert 0 < row.calls <= len(mine)
        # Of the sums of which it is the difference.
        before_ms = sum(counted.total_ms for counted in before.counters)
        rounding = 1e-15 * (before_ms + sum(ms for _, ms in server.ledger))
        assert row.total_ms <= sum(mine) * (1 + 1e-9) + rounding
        assert row.max_ms is None or row.max_ms in mine
        assert row.min_ms is None or row.min_ms in mine


@settings(max_examples=100, deadline=None)
@given(st.lists(RUNS, min_size=2, max_size=5))
def test_joined_windows_are_the_window_over_all(parts: list[list[tuple[object, ...]]]) -> None:
    server = Server()
    server.run("c", 5.0)
    taken = [server.snapshot()]
    server.ledger.clear()
    for part in parts:
        happen(server, part)
        taken.append(server.snapshot())
    whole = joined([window(*pair) for pair in pairwise(taken)])
    assert (whole.from_us, whole.to_us) == (taken[0].taken_us, taken[-1].taken_us)
    assert whole.complete
    hold(whole, server.ledger)


def test_a_long_history_does_not_blur_a_short_window() -> None:
    server = Server()
    for number in range(200_000):
        server.run("a", 1.0 + number % 7)
    before = server.snapshot()
    server.ledger.clear()
    for ms in (3.0, 4.0, 8.0):
        server.run("a", ms)
    (row,) = window(before, server.snapshot()).counters
    hold(window(before, server.snapshot()), server.ledger)
    assert row.stddev_ms == pytest.approx(statistics.pstdev([3.0, 4.0, 8.0]), rel=1e-6)
    assert row.min_ms is None  # the minimum may be of earlier
    assert row.max_ms == 8.0  # beyond what it was, so it is the window's


def test_a_deviation_below_the_rounding_is_not_told() -> None:
    server = Server()
    for number in range(1000):
        server.run("a", 1e5 * (1 + number % 2))
    before = server.snapshot()
    server.run("a", 5.0)
    server.run("a", 5.0001)
    (row,) = window(before, server.snapshot()).counters
    assert row.stddev_ms is None
    assert row.mean_ms == pytest.approx(5.00005)


@pytest.fixture
def before() -> tuple[Server, Snapshot]:
    server = Server()
    for query in QUERIES:
        server.run(query, 10.0)
        server.run(query, 20.0)
    return server, server.snapshot()


def test_a_reset_says_how_much_is_covered(before: tuple[Server, Snapshot]) -> None:
    server, first = before
    server.now_us += 29 * SECOND
    server.reset()
    server.run("a", 5.0)
    server.now_us += 8 * SECOND
    found = window(first, server.snapshot())
    (row,) = found.counters
    assert (row.calls, row.total_ms, row.min_ms, row.max_ms) == (1, 5.0, 5.0, 5.0)
    assert found.counted_from_us == server.reset_us
    (caveat,) = found.caveats
    assert "all counters were reset at" in caveat
    assert "25 % of the window is covered" in caveat


def test_a_restart_that_saved_its_counters_loses_nothing(before: tuple[Server, Snapshot]) -> None:
    server, first = before
    server.restart(saved=True)
    server.ledger.clear()
    server.run("a", 5.0)
    found = window(first, server.snapshot())
    assert found.complete
    hold(found, server.ledger)


def test_a_restart_that_lost_them_is_told_even_by_old_servers(
    before: tuple[Server, Snapshot],
) -> None:
    server, _ = before
    server.tells_since = server.tells_info = False
    first = server.snapshot()
    server.restart(saved=False)
    server.run("a", 5.0)
    found = window(first, server.snapshot())
    assert [row.calls for row in found.counters] == [1]
    assert "restarted at" in found.caveats[0]
    assert not found.complete


def test_rows_that_are_gone_or_came_back_are_counted(before: tuple[Server, Snapshot]) -> None:
    server, first = before
    server.forget("a", evicted=False)
    server.forget("b", evicted=False)
    server.run("b", 1.0)
    server.run("c", 1.0)
    found = window(first, server.snapshot())
    assert {row.query_id: row.calls for row in found.counters} == {"b": 1, "c": 1}
    assert any("1 rows began anew" in caveat for caveat in found.caveats)
    assert any("1 of 3 rows are gone (reset one by one" in caveat for caveat in found.caveats)


def test_evictions_say_so(before: tuple[Server, Snapshot]) -> None:
    server, first = before
    server.forget("a", evicted=True)
    server.run("b", 1.0)
    (caveat,) = window(first, server.snapshot()).caveats
    assert "ran out of room 1 times in the window" in caveat
    assert "(1 of 3 rows are gone)" in caveat


def test_what_is_no_window_says_why(before: tuple[Server, Snapshot]) -> None:
    server, first = before
    server.run("a", 1.0)
    second = server.snapshot()
    other = replace(second.server, system_identifier="8")
    newer = replace(second.server, version=180000)
    older_reset = replace(second, reset_us=first.taken_us - 5 * SECOND)
    unread = replace(second, counters=(), reset_us=None)
    elsewhere = replace(second.server, address="postgresql://y", system_identifier=None)
    for one, two, reason in (
        (first, replace(second, server=other), "of two clusters"),
        (first, replace(second, server=elsewhere), "of two servers"),
        (first, replace(second, server=newer), "upgraded from 17 to 18"),
        (second, first, "the clock went back"),
        (first, older_reset, "a failover"),
        (unread, replace(second, taken_us=second.taken_us + 1), "earlier snapshot has no counters"),
        (first, unread, "later snapshot has no counters"),
    ):
        found = window(one, two)
        assert (found.counters, found.complete) == ((), False)
        assert reason in found.caveats[0]


def test_rows_that_the_earlier_snapshot_could_not_see_are_left_out(
    before: tuple[Server, Snapshot],
) -> None:
    server, first = before
    blind = replace(first, counters=[row for row in first.counters if row.query_id != "a"])
    server.run("a", 1.0)
    found = window(blind, server.snapshot())
    assert found.counters == ()
    assert "1 rows (31 ms since they began) are left out" in found.caveats[0]


def test_before_17_a_row_that_may_have_been_hidden_is_left_out(
    before: tuple[Server, Snapshot],
) -> None:
    server, _ = before
    server.tells_since = False
    first = server.snapshot()
    seen = [row for row in first.counters if row.query_id != "a"]
    server.run("a", 1.0)
    server.run("b", 2.0)
    last = server.snapshot()
    found = window(replace(first, counters=seen, hidden=1), last)
    assert [(row.query_id, row.calls) for row in found.counters] == [("b", 1)]
    assert not found.complete
    assert window(replace(first, counters=seen), last).counters[0].calls == 3  # else it is new
