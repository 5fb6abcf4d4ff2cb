"""A sample of Redis MONITOR: reads and hits by prefix of the key, scripts left out.

A line is `1795338009.810232 [0 127.0.0.1:46008] "get" "project:200:containers"`; what a Lua script does has
`lua` in place of the address, and is BullMQ's bookkeeping, not the application's. MONITOR does not say
whether a GET found something: a read is a miss where the same key is SET within a few seconds after,
which is what cache-aside does. A miss that nobody fills counts as a hit; a key that is refreshed ahead of
time counts as a miss.
"""

import re
from collections import deque
from collections.abc import Iterable
from dataclasses import field
from typing import TypeAlias

from analyzer.model.cache import CacheUse
from analyzer.model.names import is_value
from analyzer.patterns import regex
from analyzer.records import changing

_LINE = regex(
    r'(\d{9,11}\.\d{1,6}) \[\d+ ([^\]]{1,100})\] "([A-Za-z]{1,20})"(?: "((?:[^"\\]|\\.){0,2000}))?'
)
_VARIABLE = regex(r"[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}|[0-9a-f]{16,}|\d+", re.IGNORECASE)
_READS = frozenset({"get", "getex", "hget", "hgetall", "json.get"})
_WRITES = frozenset({"set", "setex", "psetex", "setnx", "hset", "hmset", "json.set"})
_LONGEST_KEY = 2_000
_FILL_SECONDS = 5.0
_QUEUE = "bull:"
_MOST_AT_ONCE = 100
_MOST_OPEN = (
    100_000  # reads that wait for a write: more than that in five seconds is no cache's sample
)


# Times of reads by key that a write may show to be misses.
_Waiting: TypeAlias = dict[str, deque[float]]


@changing
class MonitorSample:
    """Reads and hits by prefix; `lines` that were read, `scripted` ones that scripts ran, `unread` ones."""

    uses: dict[str, list[int]] = field(default_factory=dict)
    lines: int = 0
    scripted: int = 0
    unread: int = 0
    seconds: float = 0.0
    queues: set[str] = field(default_factory=set)

    def by_prefix(self) -> list[CacheUse]:
        """The uses, most read first."""
        found = [
            CacheUse(name, reads, reads - misses) for name, (reads, misses) in self.uses.items()
        ]
        return sorted(found, key=lambda use: (-use.reads, use.name))


def looks_like_monitor(head: str) -> bool:
    """Whether a text begins as MONITOR's output does."""
    return any(_LINE.match(line) for line in head.splitlines()[:5])


def read_monitor(lines: Iterable[str]) -> MonitorSample:
    """Count reads and misses of a capture, in one pass."""
    sample = MonitorSample()
    waiting: _Waiting = {}
    first: float | None = None
    for line in lines:
        found = _LINE.match(line)
        if found is None:
            sample.unread += line.strip() not in ("", "OK")
            continue
        sample.lines += 1
        at, client, command, key = float(found[1]), found[2], found[3].lower(), found[4] or ""
        first = at if first is None else first
        sample.seconds = max(sample.seconds, at - first)
        if key.startswith(_QUEUE):
            sample.queues.add(key.split(":")[1])
        if client == "lua":
            sample.scripted += 1
        elif not key.startswith(_QUEUE):
            _count(sample, waiting, at, command, key)
    return sample


def _count(sample: MonitorSample, waiting: _Waiting, at: float, command: str, key: str) -> None:
    if command in _READS:
        prefix = prefix_of(key)
        sample.uses.setdefault(prefix, [0, 0])[0] += 1
        if len(waiting) >= _MOST_OPEN:
            for old in [one for one, times in waiting.items() if at - times[-1] > _FILL_SECONDS]:
                del waiting[old]
        if len(waiting) < _MOST_OPEN:
            # Two that miss at once both fill the entry.
            waiting.setdefault(key, deque(maxlen=_MOST_AT_ONCE)).append(at)
    elif command in _WRITES and key in waiting:
        then = waiting[key].popleft()
        if not waiting[key]:
            del waiting[key]
        if at - then <= _FILL_SECONDS:
            sample.uses[prefix_of(key)][1] += 1


def prefix_of(key: str) -> str:
    """A key with what varies in it as *: `project:200:containers` is `project:*:containers`."""
    parts = _VARIABLE.sub("*", key[:_LONGEST_KEY]).split(":")
    return ":".join("*" if is_value(part) else part for part in parts)[:100]
