"""A real Prisma 7 program with BullMQ's workers, on a real PostgreSQL and Redis, seen from all sides.

Waits and runs are held against what the program measured itself: the worker's own times enclose those.
"""

import json
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import redis
from click.testing import CliRunner
from prisma_program import Program, new_shop, prepare, run_node

from analyzer.cli import cli

if TYPE_CHECKING:
    from tests.conftest import Server

_BUSY_MS = (
    1500.0  # between a worker's own times and what its processor sees, on a machine with much to do
)


@dataclass(frozen=True, slots=True)
class Worked:
    """One run of the program: its logs, its Redis, and what it measured."""

    events: Path
    spans: Path
    redis: str
    measured: list[dict[str, Any]]


@pytest.fixture(scope="module")
def worked(
    tmp_path_factory: pytest.TempPathFactory, postgres15: "Server", redis_url: str
) -> Worked:
    folder = tmp_path_factory.mktemp("bullmq")
    program: Program = prepare(folder / "bullmq_shop")
    dsn = new_shop(postgres15, "bullmq_shop")
    events, spans = folder / "events.jsonl", folder / "spans.jsonl"
    client: Any = redis.Redis.from_url(redis_url)
    client.flushall()
    client.close()
    said = run_node(program, "jobs.ts", dsn, redis_url, str(events), str(spans))
    return Worked(events, spans, redis_url, json.loads(said))


def pg95(*arguments: object) -> dict[str, Any]:
    done = CliRunner().invoke(cli, [*map(str, arguments), "--format", "json"])
    assert done.exit_code == 0, (done.output, done.exception)
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def by_name(document: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {job["name"]: job for job in document["jobs"]}


def sources(worked: Worked) -> dict[str, list[object]]:
    return {
        "spans": [worked.spans],
        "redis": [worked.events, "--redis", worked.redis],
        "both": [worked.spans, "--redis", worked.redis],
    }


@pytest.mark.parametrize("source", ["spans", "redis", "both"])
def test_waits_and_runs_are_what_the_program_measured(worked: Worked, source: str) -> None:
    jobs = by_name(pg95("jobs", *sources(worked)[source]))
    assert set(jobs) == {"nightly", "batched", "flaky"}
    for name, job in jobs.items():
        mine = [one for one in worked.measured if one["job"] == name]
        assert job["attempts"] == len(mine)
        assert job["run_ms"]["count"] == len(mine)
        longest = max(one["ran_ms"] for one in mine)
        assert longest - 2 <= job["run_ms"]["max"] <= longest + _BUSY_MS
        waits = [one["waited_ms"] for one in mine if one["waited_ms"] is not None]
        if name != "flaky":  # later attempts wait as well
            assert job["wait_ms"]["count"] == len(waits)
            assert max(waits) - _BUSY_MS <= job["wait_ms"]["max"] <= max(waits) + 30
        assert job["states"]["completed"] == job["jobs"]


@pytest.mark.parametrize("source", ["spans", "redis", "both"])
def test_each_job_is_a_unit_of_its_own_and_its_loop_is_found(worked: Worked, source: str) -> None:
    document = pg95("jobs", *sources(worked)[source])
    jobs = by_name(document)
    assert {name: job["jobs"] for name, job in jobs.items()} == {
        "nightly": 4,
        "batched": 3,
        "flaky": 2,
    }
    assert jobs["nightly"]["round_trips"]["max"] == 9
    assert jobs["batched"]["round_trips"]["max"] == 2
    assert jobs["nightly"]["database_ms"]["count"] == 4
    (key,) = jobs["nightly"]["loops"]
    loop = next(one for one in document["findings"] if one["key"] == key)
    assert loop["detector"] == "n-plus-one"
    assert loop["evidence"]["occurrences"] == 4
    assert loop["evidence"]["children_per_occurrence"] == {"min": 8, "median": 8, "max": 8}
    assert not jobs["batched"]["loops"]


def test_the_spans_of_all_jobs_share_one_trace(worked: Worked) -> None:
    """Else the test above would hold with units told by trace."""
    spans = [json.loads(line) for line in worked.spans.read_text().splitlines()]
    traces = Counter(one["traceId"] for one in spans if one["name"].startswith("process"))
    assert len(traces) == 1
    assert traces.total() == 13


@pytest.mark.parametrize("source", ["spans", "redis", "both"])
def test_retries_that_repeat_queries_are_a_storm(worked: Worked, source: str) -> None:
    jobs = by_name(pg95("jobs", *sources(worked)[source]))
    retries = jobs["flaky"]["retries"]
    assert (retries["jobs"], retries["most_attempts"], retries["storm"]) == (2, 3, True)
    assert retries["repeated_executions"] == 2 * 2 * 5
    assert jobs["nightly"]["retries"]["repeated_executions"] == 0
    done = CliRunner().invoke(cli, ["jobs", *map(str, sources(worked)[source])])
    assert "Retry storm: attempts repeat 20 executions" in done.stdout


def test_redis_alone_tells_times_and_says_what_is_missing(worked: Worked) -> None:
    done = CliRunner().invoke(cli, ["jobs", "--redis", worked.redis, "--queue", "shop"])
    assert done.exit_code == 0, (done.output, done.exception)
    assert "shop:flaky" in done.stdout
    assert "Which statements the jobs ran is not known" in done.stdout
