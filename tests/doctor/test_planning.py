"""The plan for the log: what it chooses within a budget, and what it says where nothing fits."""

from dataclasses import replace

import pytest

from analyzer.cli._doctor_text import plan_text
from analyzer.cli.doctor import budget_bytes
from analyzer.doctor.entries import execution_bytes, log_form, preparation_bytes
from analyzer.doctor.planning import plan_logging
from analyzer.doctor.remedies import Remedies
from analyzer.doctor.volume import Traffic, counted_days, traffic_of
from analyzer.errors import UsageError
from analyzer.model.diagnosis import LoggingPlan
from analyzer.model.examination import Examination, ExtensionState, RoleRights
from analyzer.model.snapshot import ServerIdentity, Snapshot
from analyzer.model.statement import StatementCounters

DAY_US = 86_400_000_000
FAST = StatementCounters(
    query="SELECT name FROM items WHERE id = $1",
    query_id="1",
    calls=10_000_000,
    total_ms=2_000_000.0,
    min_ms=0.05,
    max_ms=900.0,
    mean_ms=0.2,
    stddev_ms=0.5,
    rows=1,
    database="shop",
    user="app",
)
SLOW = replace(FAST, query_id="2", calls=50_000, total_ms=2e6, mean_ms=40.0, stddev_ms=60.0)
NESTED = replace(FAST, query_id="3", toplevel=False)
FOUND = Examination(
    snapshot=Snapshot(
        ServerIdentity("postgresql://app@10.0.0.5:5432/shop", None, 150004, 1),
        taken_us=10 * DAY_US,
        counters=[FAST, SLOW, NESTED],
        reset_us=8 * DAY_US,
        settings={"log_destination": "stderr", "log_line_prefix": "%m [%p] "},
    ),
    database="shop",
    version_text="PostgreSQL 15.4",
    role=RoleRights(
        "app", superuser=False, reads_statistics=True, may_read_statistics=True, reads_settings=True
    ),
    extension=ExtensionState("public", "1.10", "1.10", readable=True, why_not=None),
)


def plan(budget: int, found: Examination = FOUND, target_ms: float = 100.0) -> LoggingPlan:
    days = counted_days(found.snapshot)
    assert days is not None
    traffic = traffic_of(found.snapshot, found.snapshot.counters, days, "extended")
    return plan_logging(found, Remedies(found, None), traffic, days, budget, target_ms)


def test_with_room_for_everything_everything_is_logged() -> None:
    made = plan(100 * 2**30)
    assert made.chosen is not None
    assert (made.chosen.from_ms, made.chosen.decides, made.chosen.fits) == (0, "exact", "surely")
    assert made.calls_per_day == 5_025_000  # of two days, and without the nested ones
    assert made.window.open == ()
    assert "no window is needed" in plan_text(made).lower()


def test_within_a_budget_the_lowest_threshold_is_chosen_and_the_rest_is_sampled() -> None:
    made = plan(500 * 2**20)
    chosen = made.chosen
    assert chosen is not None
    assert chosen.decides == "tail-exact"
    assert chosen.fits == "surely"
    assert chosen.high_bytes <= made.budget_bytes
    assert 0 < chosen.from_ms <= 100
    assert 0 < chosen.rate < 1
    lower = [one for one in made.options if one.from_ms < chosen.from_ms]
    assert lower
    assert all(one.fits != "surely" for one in lower)
    assert list(chosen.commands) == [
        f"ALTER SYSTEM SET log_min_duration_statement = '{chosen.from_ms:g}ms';",
        "ALTER SYSTEM SET log_min_duration_sample = '0';",
        f"ALTER SYSTEM SET log_statement_sample_rate = '{chosen.rate:g}';",
        "SELECT pg_reload_conf();",
    ]
    assert made.narrower[0].startswith('ALTER ROLE "app" SET')
    assert made.window.minutes > 0
    assert made.window.bytes <= made.budget_bytes / 4
    text = plan_text(made)
    assert "What stays unseen:" in text
    assert "loops (N+1)" in text


def test_where_no_threshold_fits_a_sample_is_left() -> None:
    busy = replace(FOUND.snapshot, counters=[FAST, replace(SLOW, calls=5_000_000, total_ms=2e8)])
    made = plan(5 * 2**20, replace(FOUND, snapshot=busy))
    chosen = made.chosen
    assert chosen is not None
    assert (chosen.from_ms, chosen.decides) == (-1, "sampled")
    assert chosen.high_bytes <= made.budget_bytes
    assert "rare slow executions" in plan_text(made)
    assert made.window.minutes == 0
    assert made.window.open[0] == "ALTER SYSTEM SET log_transaction_sample_rate = '0.01';"


def test_where_nothing_fits_it_says_so() -> None:
    made = plan(1000)
    assert made.chosen is None
    assert "no setting decides the target within this budget" in plan_text(made)


def test_a_threshold_is_never_above_the_target() -> None:
    made = plan(2**30, target_ms=15)
    assert max(one.from_ms for one in made.options) == 15


def test_a_short_time_of_counting_is_a_caveat() -> None:
    short = replace(FOUND, snapshot=replace(FOUND.snapshot, reset_us=10 * DAY_US - DAY_US // 24))
    assert "the counters cover 1 hours" in plan(2**30, short).caveats[0]
    old = replace(FOUND.snapshot, reset_us=None)
    assert counted_days(old) == pytest.approx(10.0)  # since the start of the server
    assert counted_days(replace(old, taken_us=0)) is None


def test_volumes_fall_with_the_threshold_and_their_intervals_hold() -> None:
    traffic = Traffic([FAST, SLOW], 1.0, log_form({}), "extended")
    volumes = [traffic.volume(float(at)) for at in (0, 1, 10, 50, 100, 1000)]
    assert [one.likely for one in volumes] == sorted((v.likely for v in volumes), reverse=True)
    assert all(one.low <= one.likely <= one.high for one in volumes)
    assert volumes[0].low == volumes[0].high
    assert volumes[-1].high == 0  # beyond all maxima


def test_entries_grow_with_what_is_written() -> None:
    stderr, both = log_form({}), log_form({"log_destination": "stderr, csvlog"})
    text = "SELECT $1, $2"
    simple = execution_bytes(text, stderr, "simple")
    assert execution_bytes(text, stderr, "extended") > simple
    assert preparation_bytes(text, stderr, "simple") == 0
    assert preparation_bytes(text, stderr, "extended") > preparation_bytes(text, stderr, "prepared")
    assert execution_bytes(text, both, "simple") > 2 * simple
    assert execution_bytes(text + "\n", stderr, "simple") == simple + 2  # a tab before each line
    wide = log_form({"log_line_prefix": "%m %-20u %a "})
    assert wide.prefix_bytes == 27 + 20 + 8 + 3


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2GB/day", 2 * 2**30),
        ("500MB", 500 * 2**20),
        ("7 GB / week", 2**30),
        ("1.5kb per hour", 36_864),
    ],
)
def test_budgets(text: str, expected: int) -> None:
    assert budget_bytes(text) == expected


@pytest.mark.parametrize("text", ["", "much", "0GB/day", "-1GB", "2GB/second", "1e9"])
def test_no_budgets(text: str) -> None:
    with pytest.raises(UsageError, match="2GB/day"):
        budget_bytes(text)
