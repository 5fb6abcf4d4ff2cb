"""Write docs/screenshots/: the report of the bundled sample, as Chromium shows it.

    make screenshots

Nights before are made up for the pictures (the sample is of some seconds): the sample itself, a day
to a week earlier, in a history that is thrown away. What is pictured is the page as it is written.
"""

import copy
import os
import shutil
import sys
import tempfile
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, Page, sync_playwright

from analyzer.history import open_store
from analyzer.history.keeping import keep, look_back
from analyzer.pipeline import Options, run
from analyzer.report.views.html import render

ROOT = Path(__file__).resolve().parents[1]
FOLDER = ROOT / "docs" / "screenshots"
LARGEST_BYTES = 150_000
# How much slower than the sample each night before was: statements, requests.
NIGHTS = (
    (6, 1.0, 0.7),
    (5, 1.1, 0.75),
    (4, 1.0, 0.72),
    (3, 1.05, 0.7),
    (2, 1.0, 0.71),
    (1, 1.21, 0.72),
)
DESKTOP, PHONE = {"width": 1280, "height": 800}, {"width": 390, "height": 844}


def main() -> int:
    """Make the report and its pictures; 1 where one is too large."""
    path = shutil.which("chromium")
    if path is None:
        sys.stderr.write("chromium is needed: apt-get install chromium\n")
        return 3
    FOLDER.mkdir(exist_ok=True)
    os.chdir(ROOT)  # the report names its inputs: by paths that are the same everywhere
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        page = Path(folder) / "report.html"
        page.write_text(render(_document(Path(folder))), encoding="utf-8")
        chromium = playwright.chromium.launch(
            executable_path=path, args=["--no-sandbox", "--disable-gpu"]
        )
        written = list(_pictures(chromium, page.as_uri()))
        chromium.close()
    for one in written:
        sys.stdout.write(f"{one.relative_to(ROOT)}: {one.stat().st_size / 1000:.0f} KB\n")
    return 1 if any(one.stat().st_size > LARGEST_BYTES for one in written) else 0


def _document(folder: Path) -> dict[str, Any]:
    """The sample's report beside the nights before it."""
    document = run(Options(inputs=["sample_logs"])).document
    with open_store(str(folder / "history.db"), make=True) as store:
        for days, statements, requests in NIGHTS:
            night = _earlier(document, days, statements, requests)
            made_us = int(datetime.fromisoformat(night["window"]["to"]).timestamp() * 1e6)
            with store.transaction() as writer:
                keep(writer, night, [], made_us, "nightly", "sample")
        with store.reading() as reader:
            look_back(reader, document, "sample")
    return document


def _earlier(
    document: dict[str, Any], days: int, statements: float, requests: float
) -> dict[str, Any]:
    night = copy.deepcopy(document)
    for end in ("from", "to"):
        moment = datetime.fromisoformat(night["window"][end]) - timedelta(days=days)
        night["window"][end] = moment.isoformat().replace("+00:00", "Z")
    target = night["target"]
    for part, factor in (
        (target, statements),
        (target["request"], requests),
        (target["client"], statements),
    ):
        part["value_ms"] *= factor
    night["findings"] = night["findings"][1:]  # the first of the sample is new tonight
    return night


def _pictures(chromium: Browser, address: str) -> Iterator[Path]:
    for name, view, scheme in (
        ("first-light", DESKTOP, "light"),
        ("first-dark", DESKTOP, "dark"),
        ("first-phone", PHONE, "light"),
    ):
        page = _open(chromium, address, view, scheme)
        yield _shot(page, name)
        page.context.close()
    page = _open(chromium, address, DESKTOP, "light")
    for name, section in (
        ("findings", "findings"),
        ("loops", "loops"),
        ("plan", "plans"),
        ("indexes", "indexes"),
    ):
        page.evaluate("id => document.getElementById(id).scrollIntoView()", section)
        yield _shot(page, name)
    page.context.close()
    page = _open(chromium, address, {"width": 794, "height": 1123}, "light")  # A4
    page.emulate_media(media="print")
    page.evaluate("window.dispatchEvent(new Event('beforeprint'))")
    page.evaluate("document.body.style.padding = '48px'")  # the paper's margin
    yield _shot(page, "print")
    page.context.close()


def _open(chromium: Browser, address: str, view: dict[str, int], scheme: Any) -> Page:  # noqa: ANN401 - playwright's literal
    page = chromium.new_context(viewport=view, color_scheme=scheme).new_page()  # type: ignore[arg-type]
    page.goto(address)
    return page


def _shot(page: Page, name: str) -> Path:
    path = FOLDER / f"{name}.png"
    page.screenshot(path=path)
    return path


if __name__ == "__main__":
    sys.exit(main())
