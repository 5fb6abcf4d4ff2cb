"""Hostile texts in every field of the page, in Chromium: nothing runs, nothing is made, nothing is fetched."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, Route

from analyzer.report.document import dump, load
from analyzer.report.views.html import render

ADDRESS = "https://report.invalid/report.html"
HOSTILE = (
    '"><img src=x onerror="window.pwned=1"><svg onload=window.pwned=1>',
    "</script><script>window.pwned=1</script></style><style>*{display:none}</style>",
    "--><script>window.pwned=1</script><!--",
    "' onmouseover=window.pwned=1 autofocus onfocus=window.pwned=1 x='",
    "javascript:window.pwned=1//",
    "{{ 7*7 }}{% for x in y %}&lt;img src=x onerror=window.pwned=1&gt;",
    "</title></textarea></details></summary></pre></svg><iframe srcdoc='<script>parent.pwned=1</script>'>",
    "data:text/html,<script>window.pwned=1</script> \u202e \x1b[31m",
    "<base href=https://evil.example/><meta http-equiv=refresh content='0;url=https://evil.example'>",
    "<form action=https://evil.example><button autofocus>x</button></form><object data=x></object>",
)
# What the page itself is made of: its own elements may be told by what they do, not by their number.
STATE = """() => ({
  pwned: window.pwned ?? null,
  foreign: document.querySelectorAll('img, iframe, object, embed, base, form, link, textarea, title ~ title').length,
  scripts: document.scripts.length,
  styles: document.querySelectorAll('style').length,
  refresh: document.querySelectorAll('meta[http-equiv=refresh]').length,
  handlers: [...document.querySelectorAll('*')].filter(
    one => [...one.attributes].some(two => two.name.startsWith('on'))).length,
  links: [...document.querySelectorAll('a[href]')].map(one => one.getAttribute('href'))
    .filter(href => !href.startsWith('#')),
})"""


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    context = browser.new_context()
    yield context.new_page()
    context.close()


def visit(page: Page, html: str) -> list[str]:
    """Open a page; what it asked for beside itself."""
    asked: list[str] = []

    def answer(route: Route) -> None:
        if route.request.url.partition("#")[0] == ADDRESS:
            route.fulfill(body=html, content_type="text/html; charset=utf-8")
        else:
            asked.append(route.request.url)
            route.abort()

    page.route("**/*", answer)
    page.goto(ADDRESS)
    return asked


@pytest.mark.parametrize("payload", HOSTILE, ids=range(len(HOSTILE)))
def test_nothing_runs_and_no_element_is_made(
    page: Page,
    remembered: dict[str, Any],
    spoil: Callable[[Any, str], Any],
    payload: str,
) -> None:
    asked = visit(page, render(remembered))
    usual = page.evaluate(STATE)
    page.unroute_all()
    asked += visit(page, render(load(dump(spoil(remembered, payload)))))
    page.evaluate("() => document.querySelectorAll('details').forEach(one => { one.open = true })")
    page.mouse.move(200, 200)
    page.keyboard.press("Tab")
    found = page.evaluate(STATE)
    assert asked == []
    assert found["pwned"] is None
    assert found == usual
    assert found["foreign"] == found["handlers"] == found["refresh"] == 0


def test_the_policy_holds_if_something_gets_in_all_the_same(
    page: Page, document: dict[str, Any]
) -> None:
    """The second line of defence: what is put into the page by force does not run either."""
    html = render(document).replace(
        "</body>",
        "<script>window.pwned=1</script><img src='https://evil.example/x' onerror='window.pwned=2'>"
        "<a id=evil href='javascript:window.pwned=3'>x</a></body>",
    )
    page.on("console", lambda _: None)
    asked = visit(page, html)
    page.evaluate("() => document.getElementById('evil').click()")
    assert page.evaluate("() => window.pwned ?? null") is None
    assert asked == []
