"""`--explain` and `--explain-analyze` from a log and a server to a finding in the report."""

import html
import json
import re
from pathlib import Path
from typing import Any, Protocol

import pytest
from click.testing import CliRunner

from analyzer.cli import cli
from analyzer.errors import UsageError

LOG = """\
2026-11-20 10:00:00.000 UTC [77] app@shop LOG:  duration: 40.000 ms  execute s1: SELECT * FROM orders WHERE customer = $1
2026-11-20 10:00:00.000 UTC [77] app@shop DETAIL:  parameters: $1 = '77'
2026-11-20 10:00:01.000 UTC [77] app@shop LOG:  duration: 30.000 ms  statement: SELECT nextval('numbers') FROM orders
2026-11-20 10:00:02.000 UTC [77] app@shop LOG:  duration: 20.000 ms  statement: SELECT id FROM orders WHERE id = 4711
"""


class Server(Protocol):
    """What these tests use of tests/conftest.py's server."""

    def psql(self, sql: str, dsn: str | None = None) -> str: ...

    def create_database(self, name: str) -> str: ...


@pytest.fixture(scope="module")
def shop(postgres15: Server) -> str:
    dsn = postgres15.create_database("explain_command")
    postgres15.psql(
        "CREATE EXTENSION pg_stat_statements; CREATE SEQUENCE numbers;"
        "CREATE TABLE orders (id int PRIMARY KEY, customer int, note text);"
        "INSERT INTO orders SELECT n, n % 20000, repeat('x', 60) FROM generate_series(1, 200000) AS n;"
        "ANALYZE orders;"
        "SELECT pg_stat_statements_reset(0, oid, 0) FROM pg_database WHERE datname = current_database()",
        dsn,
    )
    return dsn


def run(tmp_path: Path, *arguments: str) -> dict[str, Any]:
    log = tmp_path / "app.log"
    log.write_text(LOG)
    done = CliRunner().invoke(
        cli, ["report", str(log), "--format", "json", "--target-ms", "5", *arguments]
    )
    assert done.exit_code == 0, done.output
    document = json.loads(done.stdout)
    assert isinstance(document, dict)
    return document


def test_nothing_is_explained_unless_asked_for(shop: str, tmp_path: Path) -> None:
    document = run(tmp_path, "--dsn", shop)
    assert document["plans"] == []
    assert "explained" not in document["coverage"]


def test_a_scan_of_the_servers_plan_is_a_finding(shop: str, tmp_path: Path) -> None:
    document = run(tmp_path, "--dsn", shop, "--explain-analyze", "--explain-top", "3")
    explained = document["coverage"]["explained"]
    assert (explained["asked"], explained["explained"], explained["analyzed"]) == (3, 3, 2)
    assert list(explained["refused"]) == ["it calls nextval(), which is not known to only read"]
    (finding,) = [one for one in document["findings"] if one["detector"] == "selective-seq-scan"]
    assert finding["evidence"]["table"] == "orders"
    reasons = "\n".join(finding["evidence"]["reasons"])  # with what the server's catalog knows
    assert "orders has about 200,000 rows in" in reasons
    assert re.search(r"customer has about (19|20),\d{3} different values, 10 rows each", reasons)
    shapes = {one["shape_id"]: one["sql"] for one in document["statements"]}
    assert "customer" in shapes[finding["shape_ids"][0]]
    assert all(plan["shape_id"] in shapes for plan in document["plans"])
    assert [one for one in document["coverage"]["warnings"] if "not run by EXPLAIN ANALYZE" in one]
    assert "4711" not in json.dumps(document["plans"])
    assert "77)" not in json.dumps(document["plans"])


@pytest.mark.parametrize("form", ["table", "markdown", "html"])
def test_every_view_tells_what_was_explained(shop: str, tmp_path: Path, form: str) -> None:
    log = tmp_path / "app.log"
    log.write_text(LOG)
    arguments = ["report", str(log), "--format", form, "--dsn", shop, "--explain-analyze"]
    done = CliRunner().invoke(cli, [*arguments, "--explain-top", "3"])
    assert done.exit_code == 0, done.output
    text = " ".join(html.unescape(done.stdout).replace("\\", "").split())
    assert "3 statements of 3 explained by" in text
    assert "2 of them also run." in text
    assert "1 not, or not run: it calls nextval(), which is not known to only read" in text


def test_plans_alone_are_not_run(shop: str, tmp_path: Path) -> None:
    document = run(tmp_path, "--dsn", shop, "--explain", "--explain-top", "1")
    (plan,) = document["plans"]
    assert not plan["analyzed"]
    assert plan["nodes"][0]["type"] == "Seq Scan"
    assert document["coverage"]["explained"]["asked"] == 1


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--explain",), "--explain asks a live server"),
        (("--dsn", "host=x", "--max-seconds", "3"), "go with --explain"),
    ],
)
def test_options_that_say_nothing_are_refused(
    arguments: tuple[str, ...], said: str, tmp_path: Path
) -> None:
    log = tmp_path / "app.log"
    log.write_text(LOG)
    done = CliRunner().invoke(cli, ["plans", str(log), *arguments])
    assert isinstance(done.exception, UsageError)
    assert said in str(done.exception)
