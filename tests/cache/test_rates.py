"""Hit rates: from a capture with BullMQ in it, from INFO, from an application's log, from a live Redis."""

import json
import threading
import time
from pathlib import Path
from typing import Any

import pytest
import redis

from analyzer.cache.measure import measure
from analyzer.errors import InputError, ServerError
from analyzer.model.cache import CacheUse
from analyzer.sources.redis.events import looks_like_events, read_events
from analyzer.sources.redis.info import looks_like_info, read_info
from analyzer.sources.redis.live import read_live
from analyzer.sources.redis.monitor import looks_like_monitor, prefix_of, read_monitor

DATA = Path(__file__).parents[1] / "data" / "redis"
MONITOR = (DATA / "monitor.txt").read_text(encoding="utf-8")
INFO = (DATA / "info_stats_after.txt").read_text(encoding="utf-8")


def test_the_captures_true_rate_is_found_beside_bullmqs_reads() -> None:
    """60 reads of the application, 31 of them misses: 48.3 %; INFO says 148 of 234, 63.2 %."""
    assert looks_like_monitor(MONITOR[:4000])
    sample = read_monitor(MONITOR.splitlines())
    (use,) = sample.by_prefix()
    assert use == CacheUse("project:*:containers", 60, 29)
    assert sample.scripted == 302
    assert sample.queues == {"backups"}
    assert sample.unread == 0
    assert looks_like_info(INFO)
    info = read_info(INFO, "info.txt")
    assert (info.hits, info.misses, info.shared) == (148, 86, None)
    measured = measure([], sample.by_prefix(), info, 0.8)
    assert (measured.verdict, measured.method) == ("missed", "monitor")
    assert measured.rate == pytest.approx(29 / 60)
    assert "63.2%" in measured.note


@pytest.mark.parametrize(
    ("more", "shared", "verdict"),
    [
        ("", None, "unknown"),
        ("number_of_cached_scripts:7\r\n", True, "unknown"),
        ("cmdstat_evalsha:calls=18\r\n", True, "unknown"),
        ("number_of_cached_scripts:0\r\n", False, "missed"),
    ],
)
def test_info_alone_decides_only_where_nothing_else_reads(
    more: str,
    shared: bool | None,  # noqa: FBT001 - parametrized
    verdict: str,
) -> None:
    info = read_info(INFO + more, "info.txt")
    assert info.shared is shared
    measured = measure([], [], info, 0.6 if shared is not False else 0.8)
    assert measured.verdict == verdict
    assert measured.rate == pytest.approx(148 / 234)


def test_info_without_its_counters_is_refused() -> None:
    with pytest.raises(InputError, match="no keyspace_hits"):
        read_info("# Memory\r\nused_memory:1\r\n", "x")


def test_nothing_known_is_unknown_and_says_what_would_tell() -> None:
    measured = measure([], [], None, 0.8)
    assert (measured.rate, measured.verdict, measured.method) == (None, "unknown", "none")
    assert "MONITOR" in measured.note


def test_an_applications_log_is_counted_by_route() -> None:
    lines = [
        json.dumps({"ts": 1, "route": route, "op": "get", "key_prefix": "p:*", "hit": hit})
        for route, hit in [("/a", True)] * 9 + [("/a", False)] + [("/b", False)] * 2
    ]
    lines += [
        '{"ts": 1, "route": "/a", "op": "set", "key_prefix": "p:*"}',
        "",
        "garbage",
        "[1]",
        "[" * 100_000,
    ]
    assert looks_like_events(lines[0])
    assert not looks_like_events('{"hit": true}')
    events = read_events(lines)
    assert events.routes() == [CacheUse("/a", 10, 9), CacheUse("/b", 2, 0)]
    assert events.unread == 3
    measured = measure(events.routes(), [], None, 0.7)
    assert (measured.verdict, measured.reads) == ("met", 12)


@pytest.mark.parametrize(
    ("key", "prefix"),
    [
        ("user:42", "user:*"),
        ("u:c3535feb-aff2-9fcb-7c0d-20cbe94391c7:x", "u:*:x"),
        ("s:0123456789abcdef0123", "s:*"),
        ("plain", "plain"),
        ("mail:bob@mail.example:seen", "mail:*:seen"),
        ("session:eyJhbGciOiJIUzI1NiJ9", "session:*"),
    ],
)
def test_what_varies_in_a_key_is_left_out(key: str, prefix: str) -> None:
    assert prefix_of(key) == prefix


def test_hostile_and_broken_lines_cost_nothing() -> None:
    sample = read_monitor(
        ["OK", "", "x" * 100_000, '1795338009.8 [0 a] "get" "' + "\\\\" * 5000, "\x00"]
    )
    assert sample.lines <= 1
    assert sample.unread >= 2


def test_a_live_redis_is_asked_and_sampled(redis_url: str) -> None:
    client: Any = redis.Redis.from_url(redis_url)
    client.flushall()
    client.config_resetstat()
    client.set("user:1", "x")
    for _ in range(3):
        client.get("user:1")
    client.get("user:2")
    info, lines = read_live(redis_url, 0.2)
    assert (info.hits, info.misses, info.shared, lines) == (3, 1, False, [])
    client.hset("bull:mail:1", "name", "x")
    assert read_live(redis_url, 0)[0].shared is True
    client.close()


def test_monitor_of_a_live_redis_tells_reads_from_misses(redis_url: str) -> None:
    """Cache-aside goes on beside the sample: of four reads of a key, the first is a miss."""
    client: Any = redis.Redis.from_url(redis_url)
    stop = threading.Event()

    def serve() -> None:
        number = 0
        while not stop.is_set():
            number += 1
            for _ in range(4):
                if client.get(f"page:{number}:body") is None:
                    client.set(f"page:{number}:body", 'with spaces and "quotes"')
            client.eval("return redis.call('GET', KEYS[1])", 1, f"page:{number}:body")
            time.sleep(0.005)

    client.flushall()
    serving = threading.Thread(target=serve)
    serving.start()
    try:
        _, lines = read_live(redis_url, 1.0)
    finally:
        stop.set()
        serving.join()
        client.close()
    sample = read_monitor(lines)
    use = {one.name: one for one in sample.by_prefix()}["page:*:body"]
    assert use.reads > 20
    assert use.rate == pytest.approx(0.75, abs=0.05)
    assert sample.scripted > 5
    assert sample.unread == 0


def test_a_redis_that_is_not_there_is_named() -> None:
    with pytest.raises(ServerError, match=r"Redis at redis://127\.0\.0\.1:1/0"):
        read_live("redis://:secret@127.0.0.1:1/0", 0)
    with pytest.raises(ServerError) as found:
        read_live("redis://:secret@127.0.0.1:1/0", 0)
    assert "secret" not in str(found.value)
