"""What a history says, in every view: escaped, drawn against the target, nothing where there is none."""

import copy
from typing import Any

import pytest

from analyzer.report.charts import small_trend, trend
from analyzer.report.sections.trend import SECTION
from analyzer.report.views import RENDERERS
from analyzer.report.views.trend import sparkline
from analyzer.report.wording import open_findings

HOSTILE = "<script>alert(1)</script>\x1b[31m"


def day(number: int, p95_ms: float | None) -> dict[str, Any]:
    known = {"calls": 10, "p95_ms": p95_ms, "low_ms": p95_ms, "high_ms": p95_ms}
    verdict = "missed" if p95_ms and p95_ms > 100 else "met"
    return known | {"from": f"2026-11-{number:02}T00:00:00Z", "to": "", "verdict": verdict}


@pytest.fixture
def remembered(document: dict[str, Any]) -> dict[str, Any]:
    """A document that a history said something about."""
    made = copy.deepcopy(document)
    made["trend"] = [day(1, 40.0), day(2, None), day(3, 160.0), day(4, 90.0)]
    one = made["statements"][0]
    made["changes"] = [
        {
            **{name: one[name] for name in ("shape_id", "lineage", "fingerprint")},
            "sql": f"SELECT {HOSTILE}", "slower": True, "ratio": 2.5, "before_ms": 40.0,
            "after_ms": 100.0, "before_calls": 500, "after_calls": 600, "extra_ms": 3.0,
        }
    ]  # fmt: skip
    gone = copy.deepcopy(made["findings"][0])
    made["findings"].append(
        gone
        | {
            "key": "gone-1",
            "status": "gone",
            "title": HOSTILE,
            "evidence": {},
            "recommendations": [],
        }
    )
    return made


@pytest.mark.parametrize("name", sorted(RENDERERS))
def test_every_view_shows_it_and_runs_nothing(remembered: dict[str, Any], name: str) -> None:
    text = RENDERERS[name](remembered)
    assert name == "json" or "<script>alert" not in text or name in ("csv", "table")
    assert "\x1b" not in text
    if name in ("markdown", "table"):
        assert "Slower: 40 ms to 100 ms (2.5×)" in text
        assert "gone-1" in text


def test_a_finding_that_is_gone_does_not_count(
    document: dict[str, Any], remembered: dict[str, Any]
) -> None:
    assert len(open_findings(remembered)) == len(open_findings(document))


def test_the_chart_has_the_target_and_the_days_that_are_known() -> None:
    drawn = trend([day(1, 40.0), day(2, None), day(3, 160.0), day(4, 90.0)], 100.0)
    assert drawn is not None
    assert (drawn["days"], drawn["over"]) == (3, 1)
    heights = [dot["y"] for dot in drawn["dots"]]
    assert heights[1] < drawn["target_y"] < heights[2] < heights[0] < drawn["floor"]
    assert trend([day(1, 40.0)], 100.0) is None


def test_a_statements_days_are_drawn_against_its_own_target(document: dict[str, Any]) -> None:
    drawn = small_trend([day(1, 40.0), day(2, None), day(3, 160.0)], 50.0)
    assert drawn is not None
    assert (drawn["days"], drawn["over"], drawn["first_ms"], drawn["last_ms"]) == (
        2,
        1,
        40.0,
        160.0,
    )
    first, last = (float(point.split(",")[1]) for point in drawn["line"].split())
    assert last < drawn["target_y"] < first
    assert small_trend([day(1, 40.0), day(2, None)], 50.0) is None
    finding = document["findings"][0]
    shape_id = finding["shape_ids"][0]
    days = [day(1, 40.0), day(2, 160.0)]
    known = document | {
        "statement_trends": [{"shape_id": shape_id, "target_ms": 50.0, "days": days}]
    }
    page = RENDERERS["html"](known)
    assert "40 ms at first, 160 ms at last, 1 day over the target of 50 ms" in page
    (row,) = [line for line in page.splitlines() if '<svg class="days"' in line]
    assert f'href="#q-{shape_id}"' in row
    assert f'href="#f-{finding["key"]}"' in row


def test_without_a_history_there_is_no_section(document: dict[str, Any]) -> None:
    assert SECTION.prepare(document) is None


def test_sparklines_reach_from_nothing_to_the_top() -> None:
    assert sparkline([0.0, 50.0, 100.0, None, 300.0], 100.0) == "▁▅█·█"
