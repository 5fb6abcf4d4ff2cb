"""A log that is hostile in every name, text, tag and plan, read as logs are, in every way out of pg95."""

import csv
import io
import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pglast
import pytest
from click.testing import CliRunner
from markdown_it import MarkdownIt
from prometheus_client.openmetrics.parser import text_string_to_metric_families as openmetrics

from analyzer.cli import cli
from analyzer.nightly import alerts
from analyzer.nightly.metrics import figures_of, with_success
from analyzer.nightly.settings import Mail
from analyzer.report.tickets.content import ticket
from analyzer.report.tickets.markup import write
from analyzer.report.views import RENDERERS

Json = dict[str, Any]
# What each place tries, for whatever shows it: a page, Markdown, a wiki, a spreadsheet, a terminal, SQL.
EVIL = "<img src=x onerror=pwned=1>|`[x](javascript:a)` {code}h1. @all =1+1 \x1b[31m\u202e'; DROP TABLE a; --"
QUOTED = EVIL.replace("'", "''")
NAME = 'x"; DROP TABLE a; --<img src=x onerror=pwned=1>|`{code}=@a'
IDENTIFIER = '"' + NAME.replace('"', '""') + '"'
CONTROL = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")
_COLUMNS = 26  # of PostgreSQL 15's csvlog


def entry(number: int, message: str, **others: str) -> list[str]:
    """A line of csvlog; times are a millisecond apart."""
    at = f"2026-01-05 00:00:{number // 1000 % 60:02}.{number % 1000:03} UTC"
    row = [at, NAME, NAME, "7", "10.0.0.1:1", "66e.7", str(number), "SELECT", at, "3/1", "0"]
    row += [others.get("severity", "LOG"), others.get("code", "00000"), message]
    row += [""] * (_COLUMNS - len(row))
    row[14], row[19], row[22], row[23] = (
        others.get("detail", ""), others.get("query", ""), EVIL, "client backend",
    )  # fmt: skip
    return row


def plan() -> str:
    """A sequential scan of 200,000 rows for one, every text of it hostile."""
    node = {
        "Node Type": "Seq Scan", "Relation Name": NAME, "Alias": NAME, "Startup Cost": 0.0,
        "Total Cost": 9_000.0, "Plan Rows": 1, "Plan Width": 8, "Actual Startup Time": 1.0,
        "Actual Total Time": 240.0, "Actual Rows": 1, "Actual Loops": 1,
        "Filter": f"({IDENTIFIER} = '{QUOTED}'::text)", "Rows Removed by Filter": 199_999,
    }  # fmt: skip
    return json.dumps(
        {"Query Text": f"SELECT * FROM {IDENTIFIER} WHERE {IDENTIFIER} = 1", "Plan": node}
    )


def lines() -> list[list[str]]:
    """Loops of reads, plans, errors and a wait, each with hostile texts."""
    tags = f"/*route='{EVIL.replace(chr(39), '')}',action='<script>'*/"
    made: list[list[str]] = []
    for turn in range(4):
        made.append(
            entry(
                len(made),
                f'duration: 3.000 ms  statement: SELECT id FROM {IDENTIFIER[:-1]}p" LIMIT 12 {tags}',
            )
        )
        for child in range(12):
            text = f"SELECT {IDENTIFIER} FROM {IDENTIFIER} WHERE parent_id = {turn * 20 + child} {tags}"
            made.append(entry(len(made), f"duration: 130.000 ms  statement: {text}"))
        made.append(entry(len(made), f"duration: 240.000 ms  plan:\n{plan()}"))
        made.append(
            entry(
                len(made),
                f"Key ({EVIL})",
                severity="ERROR",
                code="23505",
                detail=EVIL,
                query=f"SELECT '{EVIL}",
            )
        )
    return made  # fmt: skip


@pytest.fixture(scope="module")
def log(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("evil") / "evil.csv"
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows(lines())
    path.write_text(text.getvalue())
    return path


@pytest.fixture(scope="module")
def document(log: Path) -> Json:
    """The report of it, as a night's: findings are new."""
    done = CliRunner().invoke(cli, ["report", str(log), "--format", "json"])
    assert done.exit_code == 0, done.output
    made: Json = json.loads(done.stdout)
    assert {"n-plus-one", "selective-seq-scan"} <= {one["detector"] for one in made["findings"]}
    assert made["plans"]
    for finding in made["findings"]:
        finding["status"] = "new"
    return made


def test_the_page_has_them_as_texts(
    visit: Callable[..., Any], document: Json, remembered: Json
) -> None:
    seen = visit(document)
    page = seen.page
    page.evaluate("document.querySelectorAll('details').forEach(one => { one.open = true })")
    assert page.evaluate("window.pwned ?? null") is None
    assert page.locator("img, iframe, form").count() == 0
    assert seen.complaints == []
    assert seen.sent == [seen.address]
    assert "<img src=x" in page.locator("main").inner_text()
    assert page.title().startswith("pg95: ")
    assert remembered["scoreboard"]  # the sections that no log fills are tested with it


def assert_plain(text: str) -> None:
    """A Markdown that has no HTML, link or picture, and no control character."""
    assert not CONTROL.search(text)
    for block in MarkdownIt("commonmark", {"html": True}).enable("table").parse(text):
        assert block.type != "html_block", block.content
        for token in block.children or ():
            assert token.type not in ("html_inline", "link_open", "image"), token


def test_markdown_and_tickets_have_no_markup_of_theirs(document: Json) -> None:
    assert_plain(RENDERERS["markdown"](document))
    for one in document["findings"]:
        assert_plain(write(ticket(document, one), "markdown"))


def test_wiki_tickets_have_no_markup_of_theirs(document: Json) -> None:
    for finding in document["findings"]:
        text = write(ticket(document, finding), "jira")
        assert not CONTROL.search(text)
        blocks = re.findall(r"^\{code[^}\n]*\}$", text, re.MULTILINE)
        assert len(blocks) % 2 == 0
        prose = re.sub(
            r"^\{code[^}\n]*\}\n.*?\n\{code\}$", "", text, flags=re.DOTALL | re.MULTILINE
        )
        assert not re.search(r"(?<!\\)[{}\[\]!]", prose)
        assert sum(line.startswith("h1. ") for line in prose.splitlines()) == 1


def test_tables_and_terminals_get_no_power(document: Json) -> None:
    for row in csv.reader(io.StringIO(RENDERERS["csv"](document))):
        for cell in row:
            assert not cell.lstrip().startswith(("=", "+", "-", "@", "|", "%"))
            assert not CONTROL.search(cell)
    text = RENDERERS["table"](document)
    assert not CONTROL.search(text)
    assert max(map(len, text.splitlines())) <= 100


@pytest.mark.parametrize("command", ["top", "nplusone", "plans", "indexes", "tables"])
@pytest.mark.parametrize("form", ["table", "json"])
def test_focused_commands_print_no_power(log: Path, command: str, form: str) -> None:
    done = CliRunner().invoke(cli, [command, str(log), "--format", form])
    assert done.exit_code == 0, done.output
    assert not CONTROL.search(done.stdout)
    if form == "json":
        json.loads(done.stdout)


def test_advised_sql_is_what_it_says_and_no_more(log: Path) -> None:
    done = CliRunner().invoke(cli, ["indexes", str(log), "--format", "sql"])
    assert done.exit_code == 0, done.output
    assert not CONTROL.search(done.stdout.replace(NAME, ""))
    statements = pglast.parse_sql(done.stdout)
    assert {type(one.stmt).__name__ for one in statements} == {"IndexStmt"}
    assert {one.stmt.relation.relname for one in statements} == {NAME}


def test_alerts_mention_nobody_and_have_their_own_headers(document: Json) -> None:
    slower = [("lineage", f"SELECT {EVIL}\nBcc: x@evil.example takes 31 ms")]
    events = alerts.events_of(document, slower, ("target", "new", "regression"))
    told = alerts.message(document, events, f"/srv/{EVIL}.html", f"{EVIL}\r\nBcc: x@evil.example")
    slack = json.dumps(alerts.as_slack(told))
    assert "<" not in slack
    assert ">" not in slack
    assert json.loads(json.dumps(alerts.as_json(told)))["events"]
    mail = alerts.as_mail(told, Mail("h", 25, False, None, None, "a@x.org", ["b@x.org"]))  # noqa: FBT003 - starttls
    assert set(mail.keys()) == {
        "Subject", "From", "To", "Date", "Message-ID", "Auto-Submitted", "MIME-Version",
        "Content-Type", "Content-Transfer-Encoding",
    }  # fmt: skip
    assert not CONTROL.search(mail.get_content() + mail["Subject"])
    assert not re.search("^Bcc", mail.get_content(), re.MULTILINE)


def test_metrics_are_read_as_they_were_meant(document: Json) -> None:
    document = {
        **document,
        "findings": [{**one, "detector": f'{EVIL}"\\\n'} for one in document["findings"]],
    }
    text = with_success(figures_of(document, 1.0, 0), 2.0)
    found = [sample for family in openmetrics(text) for sample in family.samples]
    detectors = {sample.labels["detector"] for sample in found if sample.name == "pg95_findings"}
    assert detectors == {f'{EVIL}"\\\n'}


@pytest.fixture(scope="module")
def project(log: Path, document: Json) -> Path:
    """Beside the log: a schema and another dump of it, a migration, MONITOR's lines, two reports."""
    folder = log.parent
    column = NAME.replace('"', '\\"')
    place = folder / "migrations" / f"20260101000000_{NAME.replace('/', '')}"
    texts = {
        folder / "schema.prisma": f'model a {{\n  id Int @id\n  b String @map("{column}") @default("{column}")\n}}\n',
        folder / "dump.sql": f"CREATE TABLE a (id int PRIMARY KEY, {IDENTIFIER} int DEFAULT 1, b text);\n"
        f"CREATE TABLE {IDENTIFIER} (id int);\n",
        folder / "monitor.txt": "".join(
            f'1795338009.{n}00001 [0 127.0.0.1:46008] "get" "{EVIL}:{n}"\n' for n in range(1, 10)
        ),
        folder / "a.json": json.dumps({**document, "findings": []}),
        folder / "b.json": json.dumps(document),
        folder / "migrations" / "1_init" / "migration.sql": f"CREATE TABLE {IDENTIFIER} (id int);\n",
        place / "migration.sql": f'ALTER TABLE {IDENTIFIER} ADD COLUMN {IDENTIFIER[:-1]}2" text NOT NULL;\n'
        f"ALTER TABLE {IDENTIFIER} RENAME COLUMN id TO {IDENTIFIER};\n",
    }  # fmt: skip
    for path, text in texts.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return folder


@pytest.mark.parametrize("form", ["table", "markdown"])
@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("schema", "schema.prisma", "dump.sql"), "DROP TABLE a"),
        (("migrations", "migrations", "--all"), "DROP TABLE a"),
        (("cache", "evil.csv", "monitor.txt"), "img src"),
        (("diff", "a.json", "b.json"), "DROP TABLE a"),
        (("jobs", "evil.csv"), "No job"),
    ],
    ids=lambda one: one if isinstance(one, str) else one[0],
)
def test_documents_of_other_commands(
    project: Path, words: tuple[str, ...], said: str, form: str
) -> None:
    named = [str(project / one) if (project / one).exists() else one for one in words[1:]]
    done = CliRunner().invoke(cli, [words[0], *named, "--format", form])
    assert done.exit_code == 0, done.output
    assert said in done.stdout.replace("\n", " ")
    assert not CONTROL.search(done.stdout)
    if form == "markdown":
        assert_plain(done.stdout)
