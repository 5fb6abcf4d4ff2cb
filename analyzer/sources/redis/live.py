"""A live Redis: INFO, whether BullMQ shares it, and a bounded sample of MONITOR. Nothing is written."""

import time
from collections.abc import Iterator
from typing import Any

from analyzer.model.cache import RedisInfo
from analyzer.sources.redis.connection import connected, place_of
from analyzer.sources.redis.info import read_info

_MOST_COMMANDS = 200_000
_SCANNED = 1_000


def read_live(url: str, monitor_seconds: float) -> tuple[RedisInfo, list[str]]:
    """INFO, and MONITOR's lines for so many seconds (none for 0).

    MONITOR costs a busy instance much of its speed, so it is asked for only where the user gives a time;
    it ends after 200,000 commands.

    Args:
        url: redis://user@host:port/0; a password belongs into REDISCLI_AUTH.
        monitor_seconds: how long.

    Raises:
        ServerError: Redis cannot be reached or refuses. UsageError: redis-py is not installed.
    """
    with connected(url, 10 + monitor_seconds) as client:
        fields = client.info("stats") | client.info("memory")
        text = "\r\n".join(f"{name}:{value}" for name, value in fields.items())
        shared = _has_bull_keys(client)
        lines = list(_monitored(client, monitor_seconds)) if monitor_seconds else []
        return read_info(text, place_of(client), shared=shared), lines


def _has_bull_keys(client: Any) -> bool:  # noqa: ANN401 - redis-py is imported late
    """Whether BullMQ keeps queues here, by one step of SCAN for its keys."""
    _, keys = client.scan(cursor=0, match="bull:*", count=_SCANNED)
    return bool(keys)


def _monitored(client: Any, seconds: float) -> Iterator[str]:  # noqa: ANN401 - redis-py is imported late
    """MONITOR's lines, as `redis-cli MONITOR` prints them."""
    ends = time.monotonic() + seconds
    with client.monitor() as monitor:
        connection = monitor.connection
        for _ in range(_MOST_COMMANDS):
            left = ends - time.monotonic()
            if left <= 0 or not connection.can_read(timeout=left):
                return
            one = monitor.next_command()
            address = f"{one['client_address']}:{one['client_port']}"
            client_name = "lua" if one["client_type"] == "lua" else address
            words = " ".join(f'"{word}"' for word in one["command"].split(" "))
            yield f"{one['time']:.6f} [{one['db']} {client_name}] {words}"
