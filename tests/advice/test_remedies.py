"""What is advised on plans is SQL that a server takes as it stands."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import psycopg
import pytest

from analyzer.advice.remedies import recommend_remedies
from analyzer.indexes.advice import candidates_for
from analyzer.model.evidence_parts import ColumnCondition
from analyzer.model.remedy import (
    Analyze,
    ExtendedStatistics,
    Rewrite,
    Setting,
    Vacuum,
    VectorIndex,
    WantedIndex,
)
from analyzer.sql.tree import parse

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "detectors" / "plans"))
from findings import CASES, FINDINGS, catalog_of, found_in, plans_of, workload

if TYPE_CHECKING:
    from collections.abc import Iterator

    from conftest import Server

HOSTILE = 'x"; DROP TABLE orders; --'
TABLES = (
    "CREATE TABLE orders (id int, customer_id int, status text, amount numeric, created_at timestamptz, weight int, points int, note text)",
    "CREATE TABLE loaded (id int, pad text)",
    "CREATE EXTENSION postgres_fdw",
    "CREATE SERVER other FOREIGN DATA WRAPPER postgres_fdw",
    "CREATE FOREIGN TABLE foreign_orders (id int, note text) SERVER other",
    "CREATE FUNCTION slow_label(text) RETURNS text LANGUAGE sql IMMUTABLE AS 'SELECT lower($1)'",
)
RUN: set[str] = set()
FOUND = [(finding, case) for finding in CASES for case in CASES[finding] if case[:5] == "found"]


def advised(finding: str, case: str) -> list[str]:
    """The text of all that is advised on the plans of a case."""
    work = workload(plans_of(finding, case), catalog=catalog_of(finding, case))
    findings = found_in(work)
    candidates = candidates_for(findings, work, max_width=3)
    return [
        advice.text
        for one in findings
        for advice in recommend_remedies(one.remedies, candidates.get(one.key), work.catalog)
    ]


@pytest.fixture(scope="module")
def connection(postgres15: "Server") -> "Iterator[psycopg.Connection]":
    """The tables of the plans, without their rows."""
    lines = (FINDINGS / "tables.sql").read_text().splitlines()
    kept = [line for line in lines if line.startswith("CREATE TABLE")]
    dsn = postgres15.create_database("remedies")
    with psycopg.connect(dsn, autocommit=True) as connection:
        for line in (*TABLES, *(line for line in kept if line.endswith(";"))):
            connection.execute(line)
        yield connection


@pytest.mark.parametrize(("finding", "case"), FOUND)
def test_advice_runs_as_it_stands(
    finding: str, case: str, connection: "psycopg.Connection"
) -> None:
    for text in advised(finding, case):
        parse(text)
        if text not in RUN and "documents" not in text:  # a table of an extension not at hand
            RUN.add(text)
            for statement in text.split(";\n"):
                connection.execute(statement)


def test_names_are_quoted() -> None:
    condition = ColumnCondition(HOSTILE, "=", "equality")
    remedies = (
        Analyze(HOSTILE),
        ExtendedStatistics(HOSTILE, (HOSTILE, "b")),
        Vacuum(HOSTILE, "because"),
        VectorIndex(HOSTILE, HOSTILE, "vector_l2_ops", 10),
    )
    for advice in recommend_remedies(remedies, None, None):
        kinds = {next(iter(statement)) for statement in parse(advice.text)}
        assert not kinds & {"DropStmt"}
    assert WantedIndex(HOSTILE, (condition,), 1, 1, 1, 1.0) not in remedies


def test_an_index_is_left_out_where_none_serves() -> None:
    wanted = WantedIndex("t", (), 10, 1, 1, 1.0)
    setting = Setting("jit", "off", "without", "none")
    rewrite = Rewrite("otherwise", "-- so", "none")
    made = recommend_remedies((wanted, setting, rewrite), None, None)
    assert [advice.kind for advice in made] == ["setting", "rewrite"]
    assert "SET LOCAL jit = 'off';" in made[0].text
