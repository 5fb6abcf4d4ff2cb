"""The verdict over all clocks, and how it stands beside earlier nights, in words."""

from typing import Any

import pytest

from analyzer.report.verdict_words import (
    comparisons,
    nothing_to_compare,
    overall_headline,
    overall_state,
    short_figures,
    status_counts,
    verdict_line,
)
from analyzer.report.views import html, markdown, table


def verdicts(
    document: dict[str, Any], statements: str, request: str | None, client: str | None
) -> dict[str, Any]:
    target = document["target"]
    target["verdict"] = statements
    for name, verdict in (("request", request), ("client", client)):
        known = target["request"] or target
        target[name] = None if verdict is None else {**known, "verdict": verdict}
    return document


@pytest.mark.parametrize(
    ("parts", "state", "headline"),
    [
        (("met", "met", "met"), "met", "Statements and requests meet P95 < 100 ms"),
        (("missed", "missed", None), "missed", "Statements and requests miss P95 < 100 ms"),
        (("met", "missed", "missed"), "partly", "Statements meet P95 < 100 ms, requests do not"),
        (("missed", "met", None), "partly", "Requests meet P95 < 100 ms, statements do not"),
        (
            ("met", "met", "missed"),
            "partly",
            "Statements and requests meet P95 < 100 ms, calls on the client's clock do not",
        ),
        (("met", None, None), "met", "Statements meet P95 < 100 ms"),
        (
            ("unknown", None, None),
            "unknown",
            "It cannot be said whether statements meet P95 < 100 ms",
        ),
        (
            ("unknown", "missed", None),
            "missed",
            "Requests miss P95 < 100 ms; of statements it cannot be said",
        ),
        (
            ("met", "unknown", None),
            "unknown",
            "Statements meet P95 < 100 ms; of requests it cannot be said",
        ),
    ],
)
def test_one_verdict_for_all_that_was_measured(
    document: dict[str, Any], parts: tuple[str, str | None, str | None], state: str, headline: str
) -> None:
    told = verdicts(document, *parts)
    assert overall_state(told) == state
    assert overall_headline(told) == headline


def row(
    what: str, statements: float | None, request: float | None, runs: int = 1
) -> dict[str, Any]:
    return {
        "what": what, "kind": "nightly", "runs": runs, "from": None, "to": "2026-03-01T23:59:00Z",
        "statements": None if statements is None else {"value_ms": statements},
        "request": None if request is None else {"value_ms": request}, "client": None,
    }  # fmt: skip


def test_beside_earlier_nights(document: dict[str, Any]) -> None:
    document["window"]["from"] = "2026-03-02T00:00:00Z"
    document["target"]["value_ms"] = 90.0
    document["target"]["request"]["value_ms"] = 300.0
    document["earlier"] = [
        row("last", 100.0, 200.0),
        row("weekday", 50.0, 50.0),
        row("week", 91.0, None, runs=5),
    ]
    assert comparisons(document, "statements") == [
        {"trend": "better", "text": "faster than last night: \N{MINUS SIGN}10 ms, \N{MINUS SIGN}10 %"},
        {"trend": "same", "text": "about the same as the week's median"},
    ]  # fmt: skip
    assert comparisons(document, "request") == [
        {"trend": "worse", "text": "slower than last night: +100 ms, +50 %"}
    ]
    assert comparisons(document, "client") == []
    assert nothing_to_compare(document) == ""
    document["earlier"] = document["earlier"][:2]
    assert comparisons(document, "request")[1]["text"].startswith("slower than the same weekday")
    document["window"]["from"] = "2026-03-05T00:00:00Z"
    text = comparisons(document, "statements")[0]["text"]
    assert text.startswith("faster than the run before, of 2026-03-01")


def test_why_there_is_no_comparison(document: dict[str, Any]) -> None:
    assert "pg95 nightly" in nothing_to_compare(document)
    assert status_counts(document) == []
    document["earlier"] = []
    assert "no earlier run" in nothing_to_compare(document)
    document["findings"][0]["status"] = "new"
    document["findings"][1]["status"] = "gone"
    assert status_counts(document) == [("new", 1), ("ongoing", 0), ("gone", 1)]


def test_a_title_names_both_figures(document: dict[str, Any]) -> None:
    assert short_figures(document) == "statements 134 ms, requests 1.44 s"


def test_a_line_alone_has_the_figures_too(document: dict[str, Any]) -> None:
    told = "Statements and requests miss P95 < 100 ms (statements 134 ms, requests 1.44 s)."
    assert verdict_line(document) == told


def test_all_views_say_the_same_first(document: dict[str, Any]) -> None:
    line = overall_headline(verdicts(document, "met", "missed", None))
    assert table.render(document).startswith(f"PARTLY  {line}\n")
    assert markdown.render(document).startswith(f"# PARTLY: {line.replace('<', '&lt;')}\n")
    page = html.render(document)
    assert page.count("<h1") == 1
    assert f'<span class="stamp">PARTLY</span> {line.replace("<", "&lt;")}</h1>' in page
