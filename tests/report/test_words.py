"""Figures, sentences and laid-out SQL: what every view says."""

import re
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analyzer.report import explain_words, formats, wording
from analyzer.report.charts import (
    SPARK_WIDTH,
    by_hour,
    distribution,
    gauge,
    spark,
    spark_domain,
    spark_x,
)
from analyzer.report.coverage_words import coverage_sentences
from analyzer.report.layout import brief, display, lay_out


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (None, "–"), (0, "0 ms"), (0.42, "0.42 ms"), (0.9951, "1.0 ms"), (9.96, "10 ms"),
        (143.2, "143 ms"), (999.6, "1.00 s"), (1_440, "1.44 s"), (95_900, "95.9 s"),
        (240_000, "240 s"), (1_200_000, "20.0 min"), (36_000_000, "10.0 h"), ("x", "–"),
        (True, "–"),
    ],
)  # fmt: skip
def test_milliseconds(value: object, shown: str) -> None:
    assert formats.ms(value) == shown


@settings(max_examples=100, deadline=None)
@given(st.floats(min_value=0.001, max_value=1e9))
def test_milliseconds_are_right_within_their_digits(value: object) -> None:
    number, unit = formats.ms(value).split(" ")
    factor = {"ms": 1, "s": 1e3, "min": 60e3, "h": 3.6e6}[unit]
    assert float(number.replace(",", "")) * factor == pytest.approx(value, rel=0.06, abs=0.006)


@pytest.mark.parametrize(
    ("value", "shown"),
    [(0.0, "0 %"), (0.0004, "<0.1 %"), (0.55, "55 %"), (0.9999, ">99.9 %"), (1.0, "100 %")],
)
def test_percent_never_hides_a_rest(value: object, shown: str) -> None:
    assert formats.percent(value) == shown


@pytest.mark.parametrize(
    ("value", "shown"), [(0, "0 bytes"), (1_024, "1.0 kB"), (27_312_128, "26.0 MB"), (None, "–")]
)
def test_size(value: object, shown: str) -> None:
    assert formats.size(value) == shown


def test_window_names_the_day_once() -> None:
    start, end = "2026-01-02T00:00:00.000Z", "2026-01-02T05:58:30.001Z"
    assert formats.window(start, end) == "2026-01-02 00:00 to 05:58 UTC"
    within = formats.window(start, "2026-01-02T00:00:13.500Z")
    assert within == "2026-01-02 00:00:00 to 00:00:13 UTC"
    assert formats.window(start, "2026-01-03T05:58:30Z") == (
        "2026-01-02 00:00 to 2026-01-03 05:58 UTC"
    )


@pytest.mark.parametrize(
    ("low", "high", "shown"),
    [(None, None, "no figure"), (0.0, 530.0, "at most 530 ms"), (14.0, 410.0, "14 ms to 410 ms"),
     (120.0, None, "at least 120 ms")],
)  # fmt: skip
def test_value_without_a_figure_gives_its_bounds(
    low: float | None, high: float | None, shown: str
) -> None:
    assert wording.value({"value_ms": None, "low_ms": low, "high_ms": high}) == shown


def test_actions_by_what_they_save(document: dict[str, Any]) -> None:
    assert [action["key"] for action in wording.actions(document)] == [
        "seq-scan-90aa31", "n-plus-one-4f1d09", "repeated-query-11c2",
    ]  # fmt: skip


def test_action_without_advice_names_the_finding(document: dict[str, Any]) -> None:
    accepted = document["findings"][3]
    document["findings"] = [accepted]
    assert accepted["status"] == "acknowledged"
    assert wording.actions(document) == []
    document["findings"] = [{**accepted, "status": None, "severity": "low"}]
    (action,) = wording.actions(document)
    assert action["do"] == "settings is looked up one row at a time"
    assert action["saves"] == "saving not known"


def test_coverage_in_words(document_of: Callable[[str], dict[str, Any]]) -> None:
    assert coverage_sentences(document_of("censored"))[:2] == [
        "6.2 % of executions seen: 283 of 4,560 calls.",
        "Statements under 100 ms are not logged (inferred from the log).",
    ]


def test_what_a_server_explained_in_words(document_of: Callable[[str], dict[str, Any]]) -> None:
    document = document_of("censored")
    assert explain_words.explained_sentence(document) == ""
    assert explain_words.refusals(document) == []
    document["coverage"]["explained"] = {
        "origin": "postgresql://db/shop", "asked": 5, "explained": 4, "analyzed": 1, "timed_out": 1,
        "refused": {"it calls f()": 1, "it writes": 3},
    }  # fmt: skip
    assert explain_words.explained_sentence(document) == (
        "4 statements of 5 explained by postgresql://db/shop, 1 of them also run, 1 ended by a time limit."
    )
    assert explain_words.refusals(document) == [(3, "it writes"), (1, "it calls f()")]


@pytest.mark.parametrize(
    ("sql", "laid_out"),
    [
        (
            "SELECT a FROM t LEFT OUTER JOIN u ON t.id = u.id WHERE x = $1 AND y BETWEEN $2 AND $3",
            "SELECT a\nFROM t\nLEFT OUTER JOIN u ON t.id = u.id\nWHERE x = $1\n  AND y BETWEEN $2 AND $3",
        ),
        (
            "SELECT left(a, 2) FROM (SELECT b FROM c WHERE d) s",
            "SELECT left(a, 2)\nFROM (SELECT b FROM c WHERE d) s",
        ),
        ("DELETE FROM t WHERE a IS DISTINCT FROM b", "DELETE FROM t\nWHERE a IS DISTINCT FROM b"),
        ('SELECT "x FROM y" FROM t', 'SELECT "x FROM y"\nFROM t'),
        ("SELECT a\nFROM t WHERE b", "SELECT a\nFROM t WHERE b"),
    ],
)
def test_clauses_get_lines(sql: str, laid_out: str) -> None:
    assert lay_out(sql) == laid_out


@settings(max_examples=100, deadline=None)
@given(
    st.lists(
        st.sampled_from(
            ["SELECT", "FROM", "a", '"', "'", "(", ")", "/*", "*/", "WHERE", "AND", "JOIN", "é"]
        )
        | st.text(max_size=4),
        max_size=30,
    )
)
def test_layout_changes_white_space_only(words: list[str]) -> None:
    sql = " ".join(words)
    assert "".join(lay_out(sql).split()) == "".join(sql.split())
    assert "\n" not in brief(sql, 60)
    assert len(brief(sql, 60)) <= 60


def test_layout_keeps_a_comment_to_the_end_of_its_line() -> None:
    text = "-- … ORDER BY id LIMIT 100; or count(*) FROM it"
    assert lay_out(text) == text


@pytest.mark.parametrize("piece", ['"', "'", "/*", "(", "/*/", "\n ", "a"])
def test_layout_of_long_nonsense_is_quick(piece: str) -> None:
    assert display(piece * 100_000, 6_000).hidden == len(piece) * 100_000 - 6_000
    assert len(brief(piece * 100_000, 100)) <= 100


def test_brief_leaves_out_a_long_list() -> None:
    columns = ", ".join(f'"public"."t"."column_{n}"' for n in range(9))
    sql = f'SELECT {columns} FROM "public"."t" WHERE "public"."t"."Id" = $1'
    assert brief(sql, 100) == 'SELECT … FROM t WHERE t."Id" = $1'


def test_distribution_marks_what_is_over(document: dict[str, Any]) -> None:
    target = document["target"]
    drawn = distribution(target["histogram"], target["ms"])
    assert drawn is not None
    over = [bar for bar in drawn["bars"] if bar["over"]]
    assert over
    assert all(bar["x"] >= drawn["target_x"] for bar in over)
    assert all(bar["x"] < drawn["target_x"] for bar in drawn["bars"] if not bar["over"])
    assert distribution(None, 100.0) is None


@settings(max_examples=100, deadline=None)
@given(
    st.lists(st.floats(0, 1e12) | st.none(), min_size=1, max_size=20),
    st.floats(min_value=0.01, max_value=1e6),
)
def test_drawings_stay_inside(bounds: list[float | None], target_ms: float) -> None:
    histogram = {"bounds_ms": bounds, "counts": [1] * len(bounds)}
    domain = spark_domain([histogram], target_ms)
    assert 0 <= spark_x(target_ms, domain) <= SPARK_WIDTH
    x = 0
    for step, digits in re.findall(r"([MhV])(-?\d+)", spark(histogram, domain) or ""):
        x = int(digits) if step == "M" else x + int(digits) if step == "h" else x
        assert (
            0 <= (int(digits) if step == "V" else x) <= SPARK_WIDTH + 1
        )  # half a pixel of rounding
    measured = {"value_ms": bounds[0], "low_ms": bounds[-1], "high_ms": None}
    track = gauge(measured, target_ms)
    if track is not None:
        assert 0 <= track["left"] <= track["left"] + track["span"] <= track["width"]


def test_hours_have_their_calls_below() -> None:
    hours = [
        {"from": f"2026-01-02T0{n}:00:00Z", "calls": calls, "p95_ms": 10.0}
        for n, calls in enumerate((400, 100, 1))
    ]
    drawn = by_hour(hours, 100.0)
    assert drawn is not None
    assert [bar["calls"] for bar in drawn["bars"]] == [30.0, 7.5, 1.0]
    assert drawn["calls_label"] == "calls, up to 400"
    assert drawn["floor"] < drawn["calls_top"] < drawn["height"] - 29


def test_neighbours_of_a_sparkline_share_an_outline() -> None:
    histogram = {"bounds_ms": [1.0, 1.4142, 2.0, 64.0], "counts": [4, 4, 8, 1]}
    drawn = spark(histogram, spark_domain([histogram], 100.0))
    assert drawn == "M0 36V18h18V0h9V36M113 36V32h9V36"


def test_an_info_that_saves_nothing_is_no_action(document: dict[str, Any]) -> None:
    info = {**document["findings"][3], "status": None, "severity": "info", "impact": {}}
    document["findings"] = [info]
    assert wording.actions(document) == []
    document["findings"] = [{**info, "impact": {"saving_ms": 3.0, "round_trips": None}}]
    assert len(wording.actions(document)) == 1


def test_checks_that_say_the_same_are_one_line() -> None:
    said = [("a", "no plans"), ("b", "no log"), ("c", "no plans")]
    detectors = [{"id": i, "status": "not-applicable", "reason": why} for i, why in said]
    lines = wording.silent_lines(
        {"detectors": [*detectors, {"id": "d", "status": "clean", "reason": None}]}
    )
    assert lines == ["a, c: not-applicable, no plans", "b: not-applicable, no log"]


@pytest.mark.parametrize(
    ("requests", "said"),
    [(0, "0 requests"), (1, "1 request, 1 round trip"), (8, "8 requests, 1 round trip")],
)
def test_requests_and_their_round_trips(requests: int, said: str) -> None:
    request = {"requests": requests, "round_trips_p95": 1}
    assert wording.requests_phrase(request) == said


def savings_of(**requests: float) -> dict[str, Any]:
    figures = {
        "count": 200, "hit": 4, "before_ms": 900.0, "after_ms": 880.0,
        "round_trips_before": 400, "round_trips_after": 300,
        "p95_before_ms": 176.2, "p95_after_ms": 176.4,
    }  # fmt: skip
    return {
        "target": {"quantile": 0.95},
        "savings": {
            "round_trip": {"ms": 0.5, "method": "given", "note": "as given"},
            "unit": "burst",
            "note": "simulated",
            "requests": figures | requests,
            "statements": {"p95_before_ms": 1.0, "p95_after_ms": 1.2},
        },
    }


def test_if_fixed_leaves_out_what_stays_the_same() -> None:
    lines = wording.if_fixed(savings_of())
    assert lines[0] == "4 requests of 200 (bursts of a session) hold a loop."
    assert not [line for line in lines if "of requests:" in line]  # 176 ms before and after
    assert [
        line for line in lines if line.startswith("P95 of statements: 1.0 ms → 1.2 ms (it rises")
    ]
    changed = wording.if_fixed(savings_of(p95_after_ms=90.0))
    assert "P95 of requests: 176 ms → 90 ms of database time." in changed
    assert wording.if_fixed(savings_of(hit=0)) == []
