"""`pg95 report --redis`: jobs and cache in the main report; a Redis that is down, and passwords."""

import json
from pathlib import Path
from typing import Any

import pytest
import redis
from click.testing import CliRunner, Result

from analyzer.cli import cli
from analyzer.errors import ServerError, UsageError
from analyzer.sources.redis import bullmq
from analyzer.sources.redis.bullmq import read_queues

DATA = Path(__file__).parents[1] / "data"
LOG = DATA / "prisma" / "prisma" / "query_events.jsonl"
MONITOR = DATA / "redis" / "monitor.txt"
NOBODY = "redis://127.0.0.1:1/0"
T = 1_795_338_000_000


def report(*arguments: object, **environment: str) -> Result:
    return CliRunner().invoke(cli, ["report", *map(str, arguments)], env=environment)


def with_a_job(url: str) -> None:
    client: Any = redis.Redis.from_url(url)
    client.flushall()
    client.hset("bull:mail:meta", "version", "bullmq:6.7.0")
    times = {"timestamp": T, "processedOn": T + 40, "finishedOn": T + 90, "ats": 1}
    client.hset("bull:mail:1", mapping={"name": "send", "data": '{"to": "eve@x.org"}', **times})
    client.zadd("bull:mail:completed", {"1": T + 90})
    client.close()


def test_jobs_and_cache_are_in_every_view(redis_url: str, tmp_path: Path) -> None:
    with_a_job(redis_url)
    outputs = [tmp_path / name for name in ("r.json", "r.html", "r.md")]
    given = [part for path in outputs for part in ("-o", path)]
    assert report(LOG, MONITOR, "--redis", redis_url, *given).exit_code == 0
    document = json.loads(outputs[0].read_text())
    (job,) = document["jobs"]
    assert (job["queue"], job["name"], job["wait_ms"]["p95"]) == ("mail", "send", 40)
    rate = document["cache"]["hit_rate"]
    assert (round(rate["value"], 3), rate["method"], rate["verdict"]) == (
        0.483,
        "monitor",
        "missed",
    )
    assert document["cache"]["simulated"]["executions_left_out"] == 0
    for path in outputs[1:]:
        text = path.read_text()
        assert "Cache hit rate 48.3 % of 60 reads" in text
        assert "mail:send" in text
        assert "eve@x.org" not in text
    board = {one["id"]: one["verdict"] for one in document["scoreboard"]["metrics"]}
    assert (board["p95"], board["cache-hit-rate"]) == ("met", "missed")
    assert board["schema-in-sync"] == "unknown"
    again = CliRunner().invoke(cli, ["report", str(LOG), "--format", "json"])
    assert "cache" not in json.loads(again.stdout)


def test_a_redis_that_is_down_costs_its_own_part() -> None:
    done = report(LOG, "--redis", NOBODY, "--format", "json")
    assert done.exit_code == 0
    document = json.loads(done.stdout)
    warnings = "\n".join(document["coverage"]["warnings"])
    assert f"no jobs of queues: Redis at {NOBODY}" in warnings
    assert f"no facts of the cache: Redis at {NOBODY}" in warnings
    assert document["statements"]
    assert isinstance(report("--redis", NOBODY).exception, ServerError)


@pytest.mark.parametrize(
    "url", ["redis://me:s3cret@127.0.0.1:1/0", "redis://127.0.0.1:1/0?password=s3cret"]
)
def test_a_password_is_taken_from_the_environment_alone(url: str) -> None:
    refused = report(LOG, "--redis", url)
    assert isinstance(refused.exception, UsageError)
    assert "PG95_REDIS_URL" in str(refused.exception)
    assert "s3cret" not in f"{refused.exception}{refused.output}"
    done = report(LOG, "--format", "json", PG95_REDIS_URL=url)
    assert done.exit_code == 0
    assert "no jobs of queues" in done.output
    assert "s3cret" not in done.output


def test_what_tells_of_a_cache_alone_is_no_report() -> None:
    done = report(MONITOR)
    assert isinstance(done.exception, UsageError)
    assert "pg95 cache" in str(done.exception)
    assert "--redis" in str(report("--follow", LOG, "--redis", NOBODY).exception)


def test_time_is_bounded(redis_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    with_a_job(redis_url)
    found = read_queues(redis_url, seconds=0)
    assert found.attempts == []
    assert any("SCAN was ended" in one or "are left out" in one for one in found.warnings)
    ticks = iter([0.0, 0.0, 0.0, 0.0, 99.0, 99.0, 99.0, 99.0, 99.0])
    monkeypatch.setattr(bullmq.time, "monotonic", lambda: next(ticks, 99.0))
    found = read_queues(redis_url, ["mail"])
    assert any("1 jobs are left out" in one for one in found.warnings)
