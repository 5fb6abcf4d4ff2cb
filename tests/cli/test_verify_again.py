"""`--verify` that rejects an index: HypoPG is asked for the best set without it, which is verified, too."""

import json
from hashlib import blake2b
from pathlib import Path
from typing import Any, Protocol

import psycopg
import pytest
from click.testing import CliRunner

from analyzer.cli import cli
from analyzer.model.explain import Sample
from analyzer.sources.postgres.scratch_side import Side
from tests.sources.counted_work import count_work, pages

SCHEMA = """
CREATE TABLE orders (id int PRIMARY KEY, customer_id int, made date, note text, words text[]);
INSERT INTO orders SELECT n, n % 2000, date '2024-01-01' + n % 700, repeat('x', 80), ARRAY['w' || n]
FROM generate_series(1, 60000) AS n;
VACUUM ANALYZE;
"""
PAGE = "SELECT id, note FROM orders WHERE customer_id = 77 ORDER BY made DESC LIMIT 10"
WORDS = "SELECT id FROM orders WHERE words @> ARRAY['w7']"


class Server(Protocol):
    """What this test uses of tests/conftest.py's servers."""

    def psql(self, sql: str, dsn: str | None = None) -> str: ...

    def create_database(self, name: str) -> str: ...


def advised(*arguments: str) -> dict[str, Any]:
    done = CliRunner().invoke(cli, ["indexes", *arguments, "--format", "json"])
    assert done.exit_code == 0, done.output
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def test_without_what_is_rejected_advice_is_made_anew(
    postgres15: Server, postgres18: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source, scratch = (one.create_database("verify_again") for one in (postgres15, postgres18))
    postgres15.psql(f"CREATE EXTENSION hypopg; {SCHEMA}", source)
    postgres18.psql(SCHEMA, scratch)
    (tmp_path / "page.sql").write_text(PAGE)
    (tmp_path / "words.sql").write_text(WORDS)
    given = ("--queries", str(tmp_path), "--dsn", source)
    (first,) = advised(*given)["indexes"]["create"]
    on_trial = f"pg95_trial_{blake2b(first['sql'].encode(), digest_size=8).hexdigest()}"
    count_work(monkeypatch, lambda plan: pages(plan) / 100)  # less than the limit, far
    run = Side.run

    def limited(self: Side, sample: Sample) -> tuple[float, dict[str, Any]]:
        if on_trial in json.dumps(self.plan(sample)):
            raise psycopg.errors.QueryCanceled
        return run(self, sample)

    monkeypatch.setattr(Side, "run", limited)
    document = advised(*given, "--verify", scratch)
    (second,) = document["indexes"]["create"]
    assert second["name"] != first["name"]
    assert second["verified_by"] == "execution"
    found = document["indexes"]["verification"]
    assert set(found["rejected"]) == {first["name"]}
    assert found["rejected"][first["name"]][0]["name"] == "page"
    (note,) = [one for one in document["indexes"]["notes"] if one["kind"] == "rejected"]
    assert note["indexes"] == [first["name"]]
    assert document["indexes"]["workload_cost"]["after"] is not None
    # Both searches could not try GIN; that is said once.
    assert sum("could not be tried" in one for one in document["coverage"]["warnings"]) == 1
