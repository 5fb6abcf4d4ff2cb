"""axe-core finds nothing wrong in what only some reports have: a cache, a Prisma project's change, the promises."""

import json
import shutil
from pathlib import Path

from axe_playwright_python.sync_playwright import Axe
from click.testing import CliRunner
from playwright.sync_api import Browser

from analyzer.cli import cli

DATA = Path(__file__).parents[1] / "data"


def test_axe_finds_nothing_beside_a_project_and_a_cache(browser: Browser, tmp_path: Path) -> None:
    (tmp_path / "prisma").mkdir()
    shutil.copy(DATA / "prisma" / "schema" / "schema.prisma", tmp_path / "prisma")
    log = DATA / "prisma" / "prisma" / "query_events_default_client.jsonl"
    out = [tmp_path / "report.html", tmp_path / "report.json"]
    written = [part for path in out for part in ("-o", str(path))]
    asked = [str(log), str(DATA / "redis" / "monitor.txt"), "--prisma", str(tmp_path), *written]
    done = CliRunner().invoke(cli, ["report", *asked])
    assert done.exit_code == 0, done.output
    document = json.loads(out[1].read_text())
    assert document["cache"]
    assert document["scoreboard"]
    assert document["indexes"]["prisma"]["migrations"]
    context = browser.new_context(bypass_csp=True, viewport={"width": 1280, "height": 800})
    page = context.new_page()
    page.set_content(out[0].read_text())
    page.evaluate("document.querySelectorAll('details').forEach(d => { d.open = true; })")
    found = Axe().run(page, options={"resultTypes": ["violations"]}).response["violations"]
    context.close()
    assert [f"{one['id']}: {one['nodes'][0]['target']}" for one in found] == []
