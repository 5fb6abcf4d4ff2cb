"""Jobs and cache from the Redis of pg95.toml: what is new since the last night, and where its URL may be."""

import json
import time
from pathlib import Path
from typing import Any

import pytest
import redis
from click.testing import CliRunner
from growing import written

from analyzer.cli import cli
from analyzer.configuration import read_configuration
from analyzer.errors import UsageError
from analyzer.nightly.settings import read_settings

CONFIG = """
[history]
path = "history.db"
[[logs]]
name = "app"
paths = ["app.log"]
settle_minutes = 0
[outputs]
json = "report.json"
latest = "none"
[scoreboard]
"""


def night(folder: Path, *more: str, **environment: str) -> tuple[dict[str, Any], str]:
    (folder / "pg95.toml").write_text(CONFIG + "\n".join(more))
    log = folder / "app.log"
    size = log.stat().st_size if log.exists() else 0
    log.write_bytes(written("stderr", 1, 50 + size // 50))
    done = CliRunner().invoke(
        cli, ["nightly", "--config", str(folder / "pg95.toml")], env=environment
    )
    assert done.exit_code == 0, done.output
    return json.loads((folder / "report.json").read_text()), done.output


def add_job(client: Any, number: int) -> None:  # noqa: ANN401 - redis-py's answers may be awaitable
    now = int(time.time() * 1000)
    client.hset("bull:mail:meta", "version", "bullmq:6.7.0")
    times = {"timestamp": now, "processedOn": now + 1, "finishedOn": now + 2, "ats": 1}
    client.hset(f"bull:mail:{number}", mapping={"name": "send", "data": "{}", **times})
    client.zadd("bull:mail:completed", {str(number): now + 2})


def test_each_night_has_the_jobs_since_the_one_before(redis_url: str, tmp_path: Path) -> None:
    client: Any = redis.Redis.from_url(redis_url)
    client.flushall()
    add_job(client, 1)
    client.get("nothing")
    given = '[[redis]]\nname = "queue"\nurl_env = "TEST_REDIS"'
    document, _ = night(tmp_path, given, TEST_REDIS=redis_url)
    assert [(one["queue"], one["jobs"]) for one in document["jobs"]] == [("mail", 1)]
    assert document["cache"]["hit_rate"]["method"] == "info"
    time.sleep(0.01)
    add_job(client, 2)
    add_job(client, 3)
    document, _ = night(tmp_path, given, TEST_REDIS=redis_url)
    assert [(one["queue"], one["jobs"]) for one in document["jobs"]] == [("mail", 2)]
    client.flushall()
    client.close()


def test_a_redis_that_is_down_is_a_warning_without_its_password(tmp_path: Path) -> None:
    (tmp_path / "url").write_text("redis://me:s3cret@127.0.0.1:1/0\n")
    document, said = night(tmp_path, '[[redis]]\nname = "queue"\nurl_file = "url"')
    warnings = "\n".join(document["coverage"]["warnings"])
    assert "redis queue: no jobs of queues: Redis at redis://127.0.0.1:1/0" in warnings
    assert "redis queue: nothing of its cache" in warnings
    assert "s3cret" not in said + json.dumps(document)


@pytest.mark.parametrize(
    ("given", "why"),
    [
        ('url = "redis://a:b@host/0"', "has a password"),
        ('url = "redis://host/0?password=b"', "has a password"),
        ("", "missing or given twice"),
        ('url = "redis://host/0"\nurl_env = "A"', "missing or given twice"),
        ('url = "redis://host/0"\njobs = false\ncache = false', "both off"),
        ('url = "redis://host/0"\nqueue = "a"', "did you mean queues"),
    ],
)
def test_what_is_refused(tmp_path: Path, given: str, why: str) -> None:
    (tmp_path / "pg95.toml").write_text(CONFIG + f'[[redis]]\nname = "queue"\n{given}')
    with pytest.raises(UsageError, match=why):
        read_settings(read_configuration(str(tmp_path / "pg95.toml")))
