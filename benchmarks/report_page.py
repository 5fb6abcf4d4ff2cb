"""How large the HTML report is and how fast it loads in Chromium, beside pgBadger's of the same log.

    make bench-report                  # generates a log of 12 MB (some 200 statements)
    make bench-report BENCH="--mb 50"

Both pages are opened by turns, and medians are told: of the load event, and of the processor's time that
the page's thread took until then, which other work on the machine changes little; then the DOM's elements,
and the accessibility rules that axe-core finds broken. Chromium from Debian's packages, pgBadger from
`apt-get install pgbadger`. Ends with 1 where the page is larger or slower than the goals.
"""

import argparse
import shutil
import statistics
import subprocess
import sys
import tempfile
from dataclasses import dataclass, field
from pathlib import Path

from axe_playwright_python.sync_playwright import Axe
from log_formats import STDERR_PREFIX
from playwright.sync_api import Browser, sync_playwright

from analyzer.pipeline import Options, run
from analyzer.report.views.html import render

HERE = Path(__file__).parent
GOAL_BYTES, GOAL_MS = 500_000, 350.0
_LOAD = "performance.getEntriesByType('navigation')[0].loadEventEnd"


@dataclass(slots=True)
class Measured:
    """A page: its bytes, load events and processor times (ms), elements, and the axe rules that it breaks."""

    name: str
    path: Path
    loads_ms: list[float]
    works_ms: list[float] = field(default_factory=list)
    elements: int = 0
    rules: tuple[str, ...] = ()

    @property
    def load_ms(self) -> float:
        """The median load event."""
        return statistics.median(self.loads_ms)

    @property
    def bytes(self) -> int:
        """The file's size."""
        return self.path.stat().st_size


def main() -> int:
    """Make both pages, measure them by turns, print a table; 1 where a goal is missed."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--mb", type=int, default=12, help="size of the log (default: 12)")
    parser.add_argument("--rounds", type=int, default=9)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        pages, statements = _pages(Path(folder), asked.mb)
        with sync_playwright() as playwright:
            chromium = playwright.chromium.launch(
                executable_path=shutil.which("chromium"),
                args=["--no-sandbox", "--disable-gpu", "--disable-background-networking"],
            )
            for _ in range(asked.rounds):
                for page in pages:
                    _load(chromium, page)
            for page in pages:
                _look(chromium, page)
            chromium.close()
        return _print(pages, statements)


def _pages(folder: Path, megabytes: int) -> tuple[list[Measured], int]:
    """The reports of one generated log, and how many statements pg95's has."""
    command = [HERE / "make_log.py", "--mb", megabytes, "--formats", "stderr", folder]
    subprocess.run([sys.executable, *map(str, command)], check=True, capture_output=True)
    log, ours, theirs = folder / "postgresql.log", folder / "pg95.html", folder / "pgbadger.html"
    document = run(Options(inputs=[str(log)])).document
    ours.write_text(render(document), encoding="utf-8")
    pages = [Measured("pg95", ours, [])]
    if shutil.which("pgbadger"):
        command = [
            "pgbadger",
            "-q",
            "-j",
            "1",
            "-f",
            "stderr",
            "-p",
            STDERR_PREFIX,
            "-o",
            theirs,
            log,
        ]
        subprocess.run(list(map(str, command)), check=True, capture_output=True)
        pages.append(Measured("pgBadger", theirs, []))
    return pages, len(document["statements"])


def _load(chromium: Browser, page: Measured) -> None:
    """Open the page, nothing cached: from the navigation's begin to the end of the load event."""
    context = chromium.new_context(viewport={"width": 1280, "height": 800})
    tab = context.new_page()
    thread = context.new_cdp_session(tab)
    thread.send("Performance.enable", {"timeDomain": "threadTicks"})
    tab.goto(page.path.as_uri(), wait_until="load")
    tab.wait_for_function(f"{_LOAD} > 0")
    page.loads_ms.append(float(tab.evaluate(_LOAD)))
    told = {one["name"]: one["value"] for one in thread.send("Performance.getMetrics")["metrics"]}
    page.works_ms.append(told["TaskDuration"] * 1_000)
    context.close()


def _look(chromium: Browser, page: Measured) -> None:
    context = chromium.new_context(bypass_csp=True)
    tab = context.new_page()
    tab.goto(page.path.as_uri())
    page.elements = int(tab.evaluate("document.querySelectorAll('*').length"))
    found = Axe().run(tab, options={"resultTypes": ["violations"]}).response["violations"]
    page.rules = tuple(sorted(one["id"] for one in found))
    context.close()


def _print(pages: list[Measured], statements: int) -> int:
    print(f"{statements} statements\n")
    print(
        f"{'':10}{'KB':>8}{'load ms':>10}{'slowest':>10}{'CPU ms':>10}{'elements':>10}  axe rules broken"
    )
    for page in pages:
        figures = f"{page.bytes / 1000:8.0f}{page.load_ms:10.0f}{max(page.loads_ms):10.0f}"
        figures += f"{statistics.median(page.works_ms):10.0f}"
        rules = ", ".join(page.rules) or "none"
        print(f"{page.name:10}{figures}{page.elements:10,}  {rules}")
    ours = pages[0]
    good = ours.bytes <= GOAL_BYTES and ours.load_ms <= GOAL_MS and not ours.rules
    print(
        f"\ngoals: {GOAL_BYTES / 1000:.0f} KB, {GOAL_MS:.0f} ms, no rule broken: {'met' if good else 'MISSED'}"
    )
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
