"""BullMQ's queues in a real Redis: hashes, events, what is left out, and refusals."""

import json
from collections.abc import Iterator
from typing import Any, TypeAlias
from urllib.parse import urlsplit

import pytest
import redis
from click.testing import CliRunner

from analyzer.cli import cli
from analyzer.errors import ServerError, UsageError
from analyzer.sources.redis import bullmq
from analyzer.sources.redis.bull_events import attempts_in
from analyzer.sources.redis.bullmq import read_queues

Client: TypeAlias = Any  # redis-py types answers as awaitable or not
T = 1_795_338_000_000


@pytest.fixture
def client(redis_url: str) -> Iterator[Client]:
    made: Client = redis.Redis.from_url(redis_url)
    made.flushall()
    yield made
    made.flushall()
    made.close()


def put(client: Client, queue: str, job: str, place: str, **fields: object) -> None:
    """A job as BullMQ keeps it."""
    client.hset(f"bull:{queue}:meta", "version", "bullmq:6.7.0")
    client.hset(
        f"bull:{queue}:{job}", mapping={"name": "send", "data": "{}", "opts": "{}", **fields}
    )
    if place in ("wait", "active"):
        client.lpush(f"bull:{queue}:{place}", job)
    else:
        client.zadd(f"bull:{queue}:{place}", {job: float(str(fields.get("finishedOn", T)))})


def test_hashes_tell_waits_runs_and_states(client: Client, redis_url: str) -> None:
    delayed = json.dumps({"delay": 500})
    put(client, "mail", "1", "completed", timestamp=T, processedOn=T + 40, finishedOn=T + 90, ats=1)
    put(
        client,
        "mail",
        "2",
        "completed",
        timestamp=T,
        processedOn=T + 520,
        finishedOn=T + 530,
        ats=1,
        opts=delayed,
    )
    put(client, "mail", "3", "failed", timestamp=T, processedOn=T + 900, finishedOn=T + 950, ats=4)
    put(client, "mail", "4", "wait", timestamp=T)
    put(client, "mail", "5", "active", timestamp=T, processedOn=T + 7, ats=1)
    client.zadd("bull:mail:completed", {"gone": T})
    client.pexpire("bull:mail:1", 60_000)
    before = client.pttl("bull:mail:1")
    told = {one.job: one for one in read_queues(redis_url).attempts}
    assert 0 < client.pttl("bull:mail:1") <= before
    assert set(told) == {"1", "2", "3", "4", "5"}
    waits = {
        job: (one.started_us - one.ready_us) // 1000
        for job, one in told.items()
        if one.ready_us and one.started_us
    }
    assert waits == {"1": 40, "2": 20, "5": 7}  # of a job tried four times it is not known
    assert [told[n].outcome for n in "12345"] == [
        "completed",
        "completed",
        "failed",
        "waiting",
        "active",
    ]
    assert (told["3"].number, told["3"].ready_us, told["4"].started_us) == (4, None, None)


def test_nothing_is_written_and_every_question_is_bounded(
    client: Client, redis_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bullmq, "MOST_JOBS", 3)
    monkeypatch.setattr(bullmq, "MOST_EVENTS", 4)
    for n in range(9):
        put(
            client,
            "mail",
            str(n),
            "completed",
            timestamp=T,
            processedOn=T + n,
            finishedOn=T + 100 + n,
            ats=1,
        )
        client.xadd("bull:mail:events", {"event": "active", "jobId": f"e{n}"}, id=f"{T + n}-0")
    client.config_resetstat()
    found = read_queues(redis_url)
    assert sorted({one.job for one in found.attempts}) == ["6", "7", "8", "e5", "e6", "e7", "e8"]
    assert "the newest 3 of 9 jobs are read" in found.warnings[0]
    asked = {name.removeprefix("cmdstat_") for name in client.info("commandstats")}
    reading = {"scan", "zcard", "llen", "zrevrange", "hello", "lrange", "hmget", "xrevrange"}
    assert (
        asked - {"client|setname", "client|setinfo", "select", "info", "config|resetstat"}
        <= reading
    )


def test_a_database_without_queues_says_what_to_give(client: Client, redis_url: str) -> None:
    client.set("user:1", "x")
    found = read_queues(redis_url)
    assert not found.attempts
    assert "--bull-prefix" in found.warnings[-1]


def test_other_prefixes_and_names_with_signs_of_patterns(client: Client, redis_url: str) -> None:
    client.hset("{a*b}:q[1]:meta", "version", "x")
    client.hset("{a*b}:q[1]:1", mapping={"name": "n", "timestamp": T})
    client.lpush("{a*b}:q[1]:wait", "1")
    (one,) = read_queues(redis_url, prefix="{a*b}").attempts
    assert (one.queue, one.job, one.outcome) == ("q[1]", "1", "waiting")


def test_a_user_without_rights_is_told_what_to_allow(client: Client, redis_url: str) -> None:
    url = redis_url.replace("redis://", "redis://pg95@")
    client.acl_setuser(
        "pg95", enabled=True, passwords=["+pass"], keys=["bull:*"], commands=["+ping", "+client"]
    )
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("REDISCLI_AUTH", "pass")
        with pytest.raises(ServerError, match=r"ACL SETUSER pg95 ~bull:\* .*\+scan"):
            read_queues(url)
        patch.setenv("REDISCLI_AUTH", "wrong")
        with pytest.raises(ServerError, match="REDISCLI_AUTH") as found:
            read_queues(url)
        assert "wrong" not in str(found.value)
        patch.setenv("REDISCLI_AUTH", "pass")
        allowed = "+ping +hello +info +scan +hmget +zrevrange +zcard +lrange +llen +xrevrange +client|setname"
        client.acl_setuser(
            "pg95", enabled=True, passwords=["+pass"], keys=["bull:*"], commands=allowed.split()
        )
        put(client, "mail", "4", "wait", timestamp=T)
        assert len(read_queues(url).attempts) == 1
    client.acl_deluser("pg95")


def test_a_password_on_the_command_line_is_refused(redis_url: str) -> None:
    port = urlsplit(redis_url).port
    for command in ("jobs", "cache", "scoreboard"):
        done = CliRunner().invoke(cli, [command, "--redis", f"redis://u:secret@127.0.0.1:{port}/0"])
        assert isinstance(done.exception, UsageError)
        assert "REDISCLI_AUTH" in str(done.exception)
        assert "secret" not in str(done.exception)


def test_events_tell_each_attempt() -> None:
    def event(at: int, what: str, job: str = "1", **more: str) -> tuple[str, dict[str, str]]:
        return f"{T + at}-0", {"event": what, "jobId": job, **more}

    found = attempts_in(
        "q",
        [
            event(0, "completed", "0"),  # the stream begins within job 0
            event(0, "added", name="pay"),
            event(0, "waiting"),
            event(10, "active", prev="waiting"),
            event(30, "delayed", delay=str(T + 1030)),
            event(1040, "waiting", prev="delayed"),
            event(1050, "active", prev="waiting"),
            event(1060, "waiting", prev="active"),
            event(1070, "active", prev="waiting"),
            event(1090, "completed", prev="active"),
            event(2000, "added", "2", name="pay"),
            event(2000, "delayed", "2", delay=str(T + 9000)),
            event(2100, "nonsense", "2"),
            ("x-y", {"event": "active", "jobId": "3"}),
        ],
    )
    one = [attempt for attempt in found if attempt.job == "1"]
    times = [
        ((a.started_us or 0) - (a.ready_us or 0), (a.ended_us or 0) - (a.started_us or 0))
        for a in one
    ]
    assert times == [(10_000, 20_000), (20_000, 10_000), (10_000, 20_000)]
    assert [(a.number, a.outcome) for a in one] == [
        (1, "retried"),
        (2, "retried"),
        (3, "completed"),
    ]
    (two,) = [attempt for attempt in found if attempt.job == "2"]
    assert (two.started_us, two.outcome, two.ready_us) == (None, "waiting", (T + 9000) * 1000)
    assert {attempt.job for attempt in found} == {"1", "2"}
