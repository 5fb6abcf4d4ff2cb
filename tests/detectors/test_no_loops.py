"""Polls, attempts and jobs of a real program on SQLAlchemy's pool, and what looks like them and is a finding.

tests/data/no_loops/program.py is the program, and take.py beside it took the logs.
"""

import ast
from pathlib import Path

import pytest

from analyzer.model.ruled_out import Verdict
from analyzer.pipeline import Options, Result, run

DATA = Path(__file__).parents[1] / "data" / "no_loops"
LOOPS = {"n-plus-one", "repeated-lookup", "repeated-query", "write-loop"}
READY, STOCK = "jobs", "stock"

# By behaviour the tables of the SELECTs that have a verdict, how often each ran, and its units of work.
VERDICTS: dict[str, tuple[Verdict, dict[str, tuple[int, int]]]] = {
    "job": (Verdict.BATCH_JOB, {"orders": (40, 40), "customers": (40, 40)}),
    "job_pooled": (Verdict.BATCH_JOB, {"orders": (40, 40), "customers": (40, 40)}),
    "job_reads": (Verdict.BATCH_JOB, {"orders": (40, 40), "customers": (40, 40)}),
    "job_reads_pooled": (Verdict.BATCH_JOB, {"orders": (40, 40), "customers": (40, 40)}),
    "job_tagged": (Verdict.BATCH_JOB, {"orders": (40, 40), "customers": (40, 40)}),
    "job_locks": (Verdict.BATCH_JOB, {"orders": (40, 40)}),
    "poll_steady": (Verdict.POLLING, {READY: (60, 1)}),
    "poll_steady_pooled": (Verdict.POLLING, {READY: (80, 2)}),
    "poll_jitter": (Verdict.POLLING, {READY: (60, 1)}),
    "poll_jitter_pooled": (Verdict.POLLING, {READY: (80, 2)}),
    "poll_backoff": (Verdict.POLLING, {READY: (60, 13)}),
    "poll_autocommit": (Verdict.POLLING, {READY: (60, 1)}),
    "retry": (Verdict.RETRY, {STOCK: (8, 1)}),
    "retry_pooled": (Verdict.RETRY, {STOCK: (24, 6)}),
}
FOUND = {
    "job_locks": {"write-loop"},  # the rows are written one by one, whatever the job reads
    "job_inserts": {"write-loop"},
    "request_reads": {"n-plus-one"},
    "autocommit_reads": {"n-plus-one"},
    "repeated_slowly": {"repeated-query"},
    "repeated_alone": {"repeated-query"},
}


def judged(behaviour: str) -> Result:
    path, schema = DATA / f"{behaviour}.log.xz", DATA / "schema.sql"
    return run(Options([str(path)], schema=str(schema), log_min_duration_ms=0))


def _table(sql: str) -> str:
    return sql.split("FROM ")[1].split(maxsplit=1)[0]


@pytest.mark.parametrize("behaviour", VERDICTS)
def test_what_is_no_loop_has_its_verdict(behaviour: str) -> None:
    result = judged(behaviour)
    verdict, expected = VERDICTS[behaviour]
    told = result.outcomes["n-plus-one"].ruled_out
    assert {one.verdict for one in told} == {verdict}
    statements = result.document["statements"]
    texts = {one["shape_id"]: one["sql"] for one in statements}
    ran = {_table(texts[one.shape_id]): (one.executions, one.requests) for one in told}
    assert ran == expected
    found = {one.detector for one in result.findings} & LOOPS
    assert found == FOUND.get(behaviour, set())


@pytest.mark.parametrize("behaviour", sorted(FOUND.keys() - VERDICTS.keys()))
def test_what_looks_like_it_is_found(behaviour: str) -> None:
    result = judged(behaviour)
    assert {one.detector for one in result.findings} & LOOPS == FOUND[behaviour]
    assert result.outcomes["n-plus-one"].ruled_out == ()


def test_every_behaviour_of_the_program_was_taken_and_is_judged() -> None:
    program = ast.parse((DATA / "program.py").read_text(encoding="utf-8"))
    functions = {
        one.name
        for one in program.body
        if isinstance(one, ast.FunctionDef) and [each.arg for each in one.args.args][:1] == ["url"]
    }
    judged_here = VERDICTS.keys() | FOUND.keys()
    assert functions - {"engine", "plain", "_poll_beside"} == judged_here
    assert {path.name.removesuffix(".log.xz") for path in DATA.glob("*.xz")} == judged_here
