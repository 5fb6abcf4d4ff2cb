"""The report of server events: what is in the document, what is shown, what is not."""

import copy
import re
from typing import Any

import pytest

from analyzer.report.document import build_document
from analyzer.report.sections import events
from analyzer.report.sqlstates import class_name, condition_name
from analyzer.report.views import RENDERERS


def of(document: dict[str, Any], kind: str) -> dict[str, Any]:
    (event,) = (event for event in document["events"] if event["kind"] == kind)
    found: dict[str, Any] = event
    return found


def test_sums_and_statements_of_an_event(document: dict[str, Any]) -> None:
    files = of(document, "temp-file")
    assert (files["count"], files["total_bytes"]) == (14, 14 * 52_428_800)
    assert files["figures"]["temp_bytes"] == {
        "count": 14, "total": 14 * 52_428_800, "max": 52_428_800,
    }  # fmt: skip
    hours = [(hour["from"][11:13], hour["count"]) for hour in files["hours"]]
    assert hours == [("00", 3), ("01", 3), ("02", 3), ("03", 3), ("04", 2)]
    assert [entry["count"] for entry in files["statements"]] == [7, 7]
    shapes = [statement["shape_id"] for statement in document["statements"]]
    assert {entry["shape_id"] for entry in files["statements"]} <= set(shapes)


def test_an_error_has_its_class_and_its_texts(document: dict[str, Any]) -> None:
    error = of(document, "error")
    assert (error["code"], error["name"]) == ("23505", "unique violation")
    assert (error["class"], error["class_name"]) == ("23", "integrity constraint violation")
    assert error["derived"] == 1
    known, unknown = error["messages"]
    assert known["text"] == 'duplicate key value violates unique constraint "orders_pkey"'
    assert unknown["text"] is None, "it is not PostgreSQL's own, and may hold anything"
    assert known["shape_ids"] == unknown["shape_ids"] == [error["statements"][0]["shape_id"]]


def test_a_text_of_the_application_is_shown_where_values_may_be(facts: Any) -> None:  # noqa: ANN401
    document = build_document(facts.workload, (), {}, redact="off")
    texts = [message["text"] for message in of(document, "error")["messages"]]
    assert any(text.endswith(" was taken") for text in texts)


def test_the_section_has_a_table_for_each_kind_that_happened(document: dict[str, Any]) -> None:
    context = events.prepare(document)
    assert context is not None
    assert [group["id"] for group in context["groups"]] == [
        "error", "lock-wait", "temp-file", "autovacuum",
    ]  # fmt: skip
    page = RENDERERS["html"](document)
    section = page[page.index('id="h-events"') :]
    section = section[: section.index("</section>")]
    assert "14 files, 700.0 MB in all, the largest 50.0 MB." in section
    assert "3 waits, 3.60 s in all." in section
    assert "23505 unique violation" in section
    linked = {f"q-{entry['shape_id']}" for entry in of(document, "temp-file")["statements"]}
    assert linked <= set(re.findall(r'href="#(q-[^"]+)"', section))


def test_nothing_is_shown_where_nothing_happened(document: dict[str, Any]) -> None:
    quiet = copy.deepcopy(document)
    quiet["events"] = []
    assert events.prepare(quiet) is None
    assert 'id="h-events"' not in RENDERERS["html"](quiet)


def test_a_report_of_an_earlier_pg95_is_shown(document: dict[str, Any]) -> None:
    """Its events had a kind, a code, a count, bytes and times only."""
    kept = ("kind", "code", "count", "total_bytes", "from", "to")
    old = copy.deepcopy(document)
    old["events"] = [{key: event[key] for key in kept} for event in document["events"]]
    assert 'id="h-events"' in RENDERERS["html"](old)


@pytest.mark.parametrize(
    ("code", "name", "of_class"),
    [
        ("57014", "query canceled", "operator intervention"),
        ("42P01", "undefined table", "syntax error or access rule violation"),
        ("ZZ123", None, "unknown"),
        ("", None, "unknown"),
    ],
)
def test_names_of_codes(code: str, name: str | None, of_class: str) -> None:
    assert (condition_name(code), class_name(code)) == (name, of_class)
