"""The proof: an advised index, created on a real PostgreSQL 15, is the one the planner uses."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import psycopg
import pytest

from analyzer.detectors.plans.selective_seq_scan import SelectiveSeqScan
from analyzer.indexes.candidates import candidate_for_scan
from analyzer.model.coverage import Coverage
from analyzer.model.evidence import SeqScanEvidence
from analyzer.model.index_candidate import IndexCandidate, NoCandidate
from analyzer.model.plan import RecordedPlan
from analyzer.model.target import Target, Verdict
from analyzer.model.workload import Workload
from analyzer.plans import read_plans

if TYPE_CHECKING:
    from tests.conftest import Server

FOLDER = Path(__file__).resolve().parents[1] / "data" / "plans" / "seq_scan"
CASES = json.loads((FOLDER / "cases.json").read_text())
REWRITTEN = {"cast_key", "date_of_timestamp"}  # the condition has to change, not the indexes
INDEXED = [name for name, case in CASES.items() if case["fires"] and name not in REWRITTEN]


@pytest.fixture(scope="module")
def connection(postgres15: "Server") -> Iterator[psycopg.Connection]:
    dsn = postgres15.create_database("seq_scan")
    postgres15.psql((FOLDER / "schema.sql").read_text(), dsn)
    with psycopg.connect(dsn, autocommit=True) as opened:
        yield opened


def candidate_of(case: str) -> IndexCandidate | NoCandidate:
    text = (FOLDER / f"{case}.json").read_text()
    plans = read_plans(RecordedPlan(text=text, format="json", origin=case, source=0))
    workload = Workload(
        statements=(),
        stats=(),
        coverage=Coverage(),
        target=Target(ms=CASES[case].get("target_ms", 100.0)),
        verdict=Verdict(None, None, None, "none", "unknown", 0, "no executions"),
        plans=plans,
    )
    (finding,) = SelectiveSeqScan().detect(workload).findings
    assert isinstance(finding.evidence, SeqScanEvidence)
    return candidate_for_scan(finding.evidence)


@pytest.mark.parametrize("case", INDEXED)
def test_the_advised_index_is_used(case: str, connection: psycopg.Connection) -> None:
    candidate = candidate_of(case)
    assert isinstance(candidate, IndexCandidate)
    for statement in (*candidate.prerequisites, candidate.sql, f"ANALYZE {candidate.table}"):
        connection.execute(statement)
    try:
        with connection.transaction(force_rollback=True):
            for setting in CASES[case].get("set", []):
                connection.execute(f"SET LOCAL {setting}")
            row = connection.execute(f"EXPLAIN (FORMAT JSON) {CASES[case]['sql']}").fetchone()
        assert row is not None
        assert f'"{candidate.name}"' in json.dumps(row[0])
    finally:
        connection.execute(f'DROP INDEX "{candidate.name}"')


@pytest.mark.parametrize("case", sorted(REWRITTEN))
def test_a_slip_gets_no_index(case: str) -> None:
    assert isinstance(candidate_of(case), NoCandidate)
