"""What one does on the page, in Chromium: filter, unfold, copy Markdown, follow links, by keyboard alone."""

import re
from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Page

from analyzer.report.views.html import render
from analyzer.report.views.markdown import finding_text
from analyzer.report.views.markdown import render as markdown

Open = Callable[..., Any]  # conftest.py makes the visit that it gives
Json = dict[str, Any]
CLIPBOARD = ["clipboard-read", "clipboard-write"]


def clipboard(page: Page) -> str:
    page.get_by_role("button", name="Copied").or_(
        page.locator(".copy", has_text="Copied")
    ).first.wait_for()
    return str(page.evaluate("navigator.clipboard.readText()"))


@pytest.mark.parametrize(("width", "height"), [(1280, 800), (390, 844)])
@pytest.mark.parametrize("state", ["remembered", "no_findings", "censored"])
def test_the_first_screen_holds_the_verdict_and_nothing_else(
    visit: Open,
    remembered: Json,
    document_of: Callable[[str], Json],
    state: str,
    width: int,
    height: int,
) -> None:
    known = remembered if state == "remembered" else document_of(state)
    page = visit(known, viewport={"width": width, "height": height}).page
    bottoms = page.locator(".first section").evaluate_all(
        "sections => sections.map(s => s.getBoundingClientRect().bottom)"
    )
    assert max(bottoms) <= height
    below = page.locator("main > nav, main > section").evaluate_all(
        "parts => parts.map(p => p.getBoundingClientRect().top)"
    )
    # The bar of links to the sections may peep in, no section does.
    assert min(below[1:]) >= height


def test_each_figure_is_beside_last_night(visit: Open, remembered: Json) -> None:
    page = visit(remembered).page
    text = page.locator(".card").first.inner_text()
    assert "slower than last night: +14 ms, +11 %" in text
    assert "slower than the week's median: +14 ms, +11 %" in text
    assert page.locator(".beside .worse").count() == 4


def test_counts_by_status_lead_to_these_findings(visit: Open, remembered: Json) -> None:
    page = visit(remembered).page
    new = sum(1 for one in remembered["findings"] if one["status"] == "new")
    page.get_by_role("link", name=f"{new} new").click()
    assert page.locator("article.finding:visible").count() == new
    assert page.get_by_label("Status").input_value() == "new"
    page.get_by_role("link", name="1 gone").click()
    assert page.evaluate("location.hash") == "#gone"
    assert page.get_by_text("A loop that is gone").is_visible()


def test_findings_are_filtered_by_detector_and_severity(visit: Open, document: Json) -> None:
    page = visit(document).page
    page.get_by_label("Detector").select_option("n-plus-one")
    assert page.locator("article.finding:visible").count() == 1
    assert page.locator("#findings-shown").text_content() == "1 of 3"
    # A link to one that is filtered out shows it all the same.
    other = next(one["key"] for one in document["findings"] if one["detector"] != "n-plus-one")
    page.evaluate("key => { location.hash = '#f-' + key; }", other)
    page.locator(f"#f-{other}").wait_for(state="visible")
    page.get_by_label("Detector").select_option("all")
    assert page.locator("article.finding:visible").count() == 3  # the fourth is acknowledged


def test_long_tables_begin_short_and_unfold(
    visit: Open, document_of: Callable[[str], Json]
) -> None:
    known = document_of("many")
    known["statements"] = known["statements"][:230]
    page = visit(known).page
    rows = page.locator("table.statements > tbody > tr:visible")
    assert rows.count() == 20
    page.get_by_label("Filter").fill("t229")
    assert rows.count() == 1
    page.reload()
    page.get_by_role("button", name="Show all 230 statements").click()
    assert rows.count() == 230
    page.goto(page.url + f"#q-{known['statements'][120]['shape_id']}")
    row = page.locator(f"[id='q-{known['statements'][120]['shape_id']}']")
    assert row.locator("details").evaluate("fold => fold.open")


def test_every_column_of_every_table_is_sorted(visit: Open, remembered: Json) -> None:
    """Each twice, by its button: numbers as numbers, unknown ones last, texts as texts."""
    page = visit(remembered).page
    tables = page.locator("table[data-sortable]")
    assert tables.count() >= 4
    for table in tables.all():
        for place, header in enumerate(table.locator("thead th").all()):
            if header.get_attribute("data-unsortable") is not None:
                continue
            for _ in range(2):
                header.locator("button").click()
                cells = table.evaluate(
                    "(t, n) => [...t.tBodies[0].rows].map(r => [r.cells[n].dataset.v ?? null,"
                    " r.cells[n].textContent.trim().toLowerCase()])",
                    place,
                )
                known = [float(v) if v is not None else text for v, text in cells if v != ""]
                down = header.get_attribute("aria-sort") == "descending"
                assert known == sorted(known, reverse=down), (header.inner_text(), down)
                assert [v for v, _ in cells[len(known) :]] == [""] * (len(cells) - len(known))
    assert page.locator("[aria-sort]").count() == tables.count()


def test_a_link_from_elsewhere_opens_its_statement(visit: Open, document: Json) -> None:
    seen = visit(document)
    shape = document["statements"][2]["shape_id"]
    seen.page.goto("about:blank")
    seen.page.goto(f"{seen.address}#q-{shape}")
    fold = seen.page.locator(f"[id='q-{shape}'] details")
    assert fold.evaluate("fold => fold.open")
    fold.locator("summary").click()
    assert not fold.evaluate("fold => fold.open")
    # The same link again opens it again.
    seen.page.evaluate(
        "s => { const a = document.createElement('a'); a.href = '#q-' + s; document.body.append(a); a.click(); }",
        shape,
    )
    assert fold.evaluate("fold => fold.open")


def test_links_from_elsewhere_lead_to_findings_of_each_kind(visit: Open, remembered: Json) -> None:
    """One behind the button, one in a fold, and one that is gone since the ticket was written."""
    first, *_, accepted, gone = remembered["findings"]
    accepted["status"] = "acknowledged"
    more = [{**first, "key": f"more-{n}"} for n in range(30)]
    remembered["findings"] = [first, *more, accepted, gone]
    seen = visit(remembered)
    for key in ("more-29", accepted["key"], gone["key"]):
        seen.page.goto("about:blank")
        seen.page.goto(f"{seen.address}#f-{key}")
        target = seen.page.locator(f"[id='f-{key}']")
        assert target.is_visible()
        box = target.bounding_box()
        assert box is not None
        assert -1 <= box["y"] < 720, key


def test_markdown_of_a_finding_and_of_the_page(visit: Open, document: Json) -> None:
    page = visit(document, permissions=CLIPBOARD).page
    finding = document["findings"][1]
    page.locator(f"#f-{finding['key']}").get_by_role("button", name="Copy as Markdown").click()
    assert clipboard(page) == finding_text(finding)
    page.reload()
    page.get_by_role("button", name="Copy the report as Markdown").click()
    assert clipboard(page) == markdown(document)


def test_findings_beyond_the_markdown_s_room_are_copied_too(visit: Open, document: Json) -> None:
    """Emoji, line ends and texts that look like headings do not shift what is copied."""
    one = document["findings"][1]
    document["findings"] = [
        {**one, "key": f"key-{n}", "title": f"\N{SHOPPING TROLLEY}\n### title {n}" + "x" * 200}
        for n in range(60)
    ]
    text = markdown(document)
    last = document["findings"][-1]
    assert finding_text(last) not in text
    page = visit(document, permissions=CLIPBOARD).page
    page.evaluate("location.hash = '#f-key-59'")
    page.locator("#f-key-59").get_by_role("button", name="Copy as Markdown").click()
    assert clipboard(page) == finding_text(last)


def test_markdown_of_a_statement(visit: Open, document: Json) -> None:
    document["statements"][0]["sql"] = "SELECT ```` FROM a|b"
    page = visit(document, permissions=CLIPBOARD).page
    row = page.locator("table.statements > tbody > tr").first
    row.locator("summary").click()
    row.get_by_role("button", name="Copy as Markdown").click()
    text = clipboard(page)
    assert text.startswith(
        f"### Statement `{document['statements'][0]['shape_id']}`\n\n`````sql\nSELECT ````"
    )
    header, rule, figures = text.strip().split("\n")[-3:]
    assert header.startswith("| Total | Share | Calls |")
    assert rule.count("|") == header.count("|") == figures.count("|")
    assert "s |" in figures


def test_by_keyboard_alone(visit: Open, document: Json) -> None:
    page = visit(document, permissions=CLIPBOARD).page
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.className") == "skip"
    action = page.locator("#actions a").first
    action.focus()
    page.keyboard.press("Enter")
    key = action.get_attribute("href")
    assert page.evaluate("location.hash") == key
    names = []
    for _ in range(12):
        page.keyboard.press("Tab")
        names.append(page.evaluate("(document.activeElement.closest('article') || {}).id"))
    assert f"{key}"[1:] in names  # the next stops are within what the link led to
    page.locator(f"{key} pre .copy").first.focus()
    page.keyboard.press("Enter")
    assert clipboard(page)
    page.locator("table.statements thead button").nth(3).press("Space")
    assert page.locator("table.statements th[aria-sort]").inner_text().startswith("Calls")
    page.locator("table.statements summary").first.press("Enter")
    assert page.locator("table.statements details").first.evaluate("fold => fold.open")


def test_every_stop_of_the_keyboard_is_seen(visit: Open, document: Json) -> None:
    page = visit(document).page
    stops = page.locator(
        "a:visible, button:visible, summary:visible, input:visible, select:visible"
    )
    assert stops.count() > 30
    for _ in stops.all()[:40]:
        page.keyboard.press("Tab")
    ring = page.evaluate("getComputedStyle(document.activeElement).outlineStyle")
    assert ring == "solid"


def test_the_theme_follows_the_system_while_open(visit: Open, document: Json) -> None:
    page = visit(document, color_scheme="light").page
    before = page.evaluate("getComputedStyle(document.body).backgroundColor")
    page.emulate_media(color_scheme="dark")
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") != before


def test_print_is_the_whole_report_on_pages(visit: Open, document: Json) -> None:
    page = visit(document).page
    pdf = page.pdf(format="A4")
    assert len(re.findall(rb"/Type\s*/Page\b", pdf)) >= 4
    page.emulate_media(media="print")
    page.evaluate("window.dispatchEvent(new Event('beforeprint'))")
    assert page.locator("table.statements tbody tr:visible").count() == len(document["statements"])
    assert page.locator("article.finding:visible").count() == 3  # the fourth is acknowledged


def test_equal_documents_give_equal_pages(remembered: Json) -> None:
    assert render(remembered) == render(remembered)
