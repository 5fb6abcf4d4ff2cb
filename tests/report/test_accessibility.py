"""axe-core finds nothing wrong in any state, light and dark, everything folded and unfolded."""

from collections.abc import Iterator
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page

from analyzer.report.views.html import render

Json = dict[str, Any]


@pytest.fixture(scope="module")
def page(browser: Browser) -> Iterator[Page]:
    """A page past whose policy axe may be put; what the policy does is tested elsewhere."""
    context = browser.new_context(bypass_csp=True, viewport={"width": 1280, "height": 800})
    yield context.new_page()
    context.close()


def violations(page: Page) -> list[str]:
    found = Axe().run(page, options={"resultTypes": ["violations"]}).response["violations"]
    return [
        f"{one['id']}: {node['target']} {node['failureSummary']}"
        for one in found
        for node in one["nodes"][:3]
    ]


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing(page: Page, state_document: Json, scheme: str) -> None:
    state_document["statements"] = state_document["statements"][:25]  # more rows tell nothing more
    page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
    page.set_content(render(state_document))
    page.evaluate("document.querySelectorAll('details').forEach(d => { d.open = true; })")
    assert violations(page) == []


def test_axe_would_find_something(page: Page, document: Json) -> None:
    page.set_content(render(document).replace("<html lang", "<html data-lang"))
    assert any(line.startswith("html-has-lang") for line in violations(page))


def test_axe_finds_nothing_while_all_is_folded(page: Page, document: Json) -> None:
    page.set_content(render(document))
    assert violations(page) == []


@pytest.mark.parametrize("width", [1280, 390])
def test_axe_finds_nothing_beside_a_history(page: Page, remembered: Json, width: int) -> None:
    page.set_viewport_size({"width": width, "height": 844})
    page.set_content(render(remembered))
    page.evaluate("document.querySelectorAll('details').forEach(d => { d.open = true; })")
    assert violations(page) == []
