"""The page in Chromium: no request, no error, both themes, a phone, sorting, filtering, copying."""

from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Page

from analyzer.report.views.html import render

ADDRESS = "https://report.invalid/report.html"
STATES = (
    "full", "no_findings", "counters_only", "plans_only", "censored", "one_statement", "many", "huge_and_foreign",
)  # fmt: skip


Open = Callable[..., Any]  # conftest.py makes the visit that it gives


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1280, 390])
@pytest.mark.parametrize("state", STATES)
def test_no_request_no_complaint_no_sideways_scroll(
    visit: Open, document_of: Callable[[str], dict[str, Any]], state: str, width: int, scheme: str
) -> None:
    seen = visit(document_of(state), color_scheme=scheme, viewport={"width": width, "height": 844})
    seen.page.evaluate("document.querySelectorAll('details').forEach(d => { d.open = true; })")
    assert seen.requests == [ADDRESS]
    assert seen.complaints == []
    assert seen.page.evaluate("document.documentElement.scrollWidth") <= width
    background = seen.page.evaluate("getComputedStyle(document.body).backgroundColor")
    assert background == {"light": "rgb(251, 251, 249)", "dark": "rgb(18, 21, 24)"}[scheme]


def test_a_phone_shows_the_values_of_targets(visit: Open, document: dict[str, Any]) -> None:
    """Without scrolling the table: they, and whether they are met, are what one looks for."""
    page = visit(document, viewport={"width": 390, "height": 844}).page
    rows = page.locator("table.targets tbody tr")
    assert rows.count() > 2
    for row in rows.all():
        right = [
            cell.evaluate("c => c.getBoundingClientRect().right")
            for cell in row.locator("td").all()[:2]
        ]
        frame = page.locator("table.targets").evaluate(
            "t => t.parentElement.getBoundingClientRect().right"
        )
        assert max(right) <= frame <= 390


def test_policy_stops_a_script_that_is_not_ours(visit: Open, document: dict[str, Any]) -> None:
    html = render(document).replace(
        "</main>",
        "<script>document.title = 'taken'</script><img src='https://evil.invalid/'></main>",
    )
    seen = visit(document, html)
    assert seen.page.title() == "pg95: missed, statements 134 ms, requests 1.44 s"
    assert len([text for text in seen.complaints if "Content Security Policy" in text]) == 2
    assert seen.sent == [ADDRESS]


def column(page: Page, number: int) -> list[float]:
    cells = page.locator(f"table.statements > tbody > tr > td:nth-child({number})")
    return [float(value) for value in cells.evaluate_all("cells => cells.map(c => c.dataset.v)")]


def test_sorting(visit: Open, document: dict[str, Any]) -> None:
    page = visit(document).page
    header = page.locator("table.statements thead th").nth(3)
    header.locator("button").click()
    assert header.get_attribute("aria-sort") == "descending"
    assert column(page, 4) == sorted(column(page, 4), reverse=True)
    header.locator("button").press("Enter")
    assert header.get_attribute("aria-sort") == "ascending"
    assert column(page, 4) == sorted(column(page, 4))
    assert page.locator("table.statements th[aria-sort]").count() == 1
    assert "ascending" in page.locator("#announce").inner_text()


def test_unknown_figures_sort_last(visit: Open, document: dict[str, Any]) -> None:
    for number, statement in enumerate(document["statements"]):
        statement["rows"] = None if number % 2 else number
    page = visit(document).page
    header = page.locator("table.statements thead th", has_text="Rows")
    for _ in range(2):
        header.locator("button").click()
        cells = page.locator("table.statements > tbody > tr > td:nth-child(9)").all_inner_texts()
        assert cells[-3:] == ["–"] * 3


def test_filter(visit: Open, document: dict[str, Any]) -> None:
    page = visit(document).page
    page.get_by_label("Filter").fill("authors LIMIT")
    visible = page.locator("table.statements > tbody > tr:visible")
    assert visible.count() == 1
    assert page.locator("#matches").inner_text() == "1 of 7"
    page.get_by_label("Filter").fill("")
    assert visible.count() == 7


def test_link_opens_what_it_points_at(visit: Open, document: dict[str, Any]) -> None:
    page = visit(document).page
    page.locator("#actions a").first.click()
    evidence = page.locator("#f-seq-scan-90aa31 details")
    assert evidence.evaluate("fold => fold.open")
    page.locator("#f-seq-scan-90aa31 a.sql").click()
    row = page.locator('[id="q-a1b2c3d4e5f60003.1"]')
    assert row.locator("details").evaluate("fold => fold.open")


def test_copy_gives_the_code(visit: Open, document: dict[str, Any]) -> None:
    page = visit(document, permissions=["clipboard-read", "clipboard-write"]).page
    copy = page.locator("#f-n-plus-one-4f1d09 pre .copy").first
    copy.click()
    page.locator("#f-n-plus-one-4f1d09 pre .copy", has_text="Copied").wait_for()
    copied = page.evaluate("navigator.clipboard.readText()")
    assert copied == document["findings"][1]["recommendations"][0]["text"]


def test_everything_is_there_without_scripts(visit: Open, document: dict[str, Any]) -> None:
    rows = document["statements"]
    document["statements"] = rows + [{**rows[0], "shape_id": f"more-{n}"} for n in range(20)]
    page = visit(document, java_script_enabled=False).page
    assert page.locator("table.statements > tbody > tr:visible").count() == len(rows) + 20
    assert not page.locator("#filter").is_visible()
    assert page.locator(".copy").count() == 0
    assert page.locator(".finding pre").first.is_visible()


def test_print_shows_what_is_folded(visit: Open, document: dict[str, Any]) -> None:
    seen = visit(document)
    seen.page.emulate_media(media="print")
    seen.page.evaluate("window.dispatchEvent(new Event('beforeprint'))")
    folded = seen.page.locator("details:not([open])")
    assert folded.count() == 0
    seen.page.evaluate("window.dispatchEvent(new Event('afterprint'))")
    assert folded.count() > 0
    assert not seen.page.locator(".contents").is_visible()


def test_hostile_page_is_quiet(visit: Open, document: dict[str, Any]) -> None:
    hostile = '"><script>document.title=1</script><img src=x onerror=document.title=2>'
    for finding in document["findings"]:
        finding["title"] = finding["key"] = hostile + finding["key"]
    for statement in document["statements"]:
        statement["sql"] = hostile
    seen = visit(document)
    assert seen.complaints == []
    assert seen.requests == [ADDRESS]
    assert seen.page.title() == "pg95: missed, statements 134 ms, requests 1.44 s"
