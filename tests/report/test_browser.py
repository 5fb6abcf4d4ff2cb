"""The page in Chromium: no request, no error, both themes, a phone, sorting, filtering, copying."""

import shutil
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, Route, sync_playwright

from analyzer.report.views.html import render

ADDRESS = "https://report.invalid/report.html"
OPTIONS = [
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
]  # fmt: skip
Options = Any

STATES = (
    "full", "no_findings", "counters_only", "plans_only", "censored", "many", "huge_and_foreign",
)  # fmt: skip


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Debian's Chromium; a missing one is a failure that says what to install."""
    path = shutil.which("chromium")
    if path is None:
        pytest.fail("chromium is needed and not on PATH: apt-get install chromium", pytrace=False)
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=path, args=OPTIONS)
        yield chromium
        chromium.close()


class Visit:
    """A page with everything it asked for, what of it got out, and what it complained about."""

    def __init__(self, context: BrowserContext, html: str) -> None:
        self.requests: list[str] = []
        self.sent: list[str] = []
        self.complaints: list[str] = []
        self.page: Page = context.new_page()
        self.page.on("console", lambda message: self.complaints.append(message.text))
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))
        self.page.on("request", lambda request: self.requests.append(request.url))

        def answer(route: Route) -> None:
            self.sent.append(route.request.url)
            if route.request.url.partition("#")[0] == ADDRESS:
                route.fulfill(body=html, content_type="text/html; charset=utf-8")
            else:
                route.abort()

        context.route("**/*", answer)
        self.page.goto(ADDRESS)


Open = Callable[..., Visit]


@pytest.fixture
def visit(browser: Browser) -> Iterator[Callable[..., Visit]]:
    """Opens a report: `visit(document, color_scheme=…, viewport=…)`."""
    contexts: list[BrowserContext] = []

    def open_page(document: dict[str, Any], html: str | None = None, **options: Options) -> Visit:
        context = browser.new_context(**options)
        contexts.append(context)
        return Visit(context, render(document) if html is None else html)

    yield open_page
    for context in contexts:
        context.close()


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
    page.locator("#f-n-plus-one-4f1d09 .copy").first.click()
    page.locator("#f-n-plus-one-4f1d09 .copy", has_text="Copied").wait_for()
    copied = page.evaluate("navigator.clipboard.readText()")
    assert copied == document["findings"][1]["recommendations"][0]["text"]


def test_everything_is_there_without_scripts(visit: Open, document: dict[str, Any]) -> None:
    page = visit(document, java_script_enabled=False).page
    assert page.locator("table.statements > tbody > tr").count() == 7
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
