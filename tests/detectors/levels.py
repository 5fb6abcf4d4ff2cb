"""A server whose resolvers each load their own rows, all of a level at once, on a pool of connections.

No test itself: what a GraphQL server without batching sends, timed by a simulation of its pool, as a
csvlog with the milliseconds that log_line_prefix has by default.
"""

import heapq
import random
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path

Done = Callable[[float], None]

# Each level's statement, and how many rows it returns for each row of the level above.
LEVELS = (
    ("SELECT id, name FROM shelves WHERE room_id = {}", 10),
    ("SELECT id, title FROM books WHERE shelf_id = {}", 4),
    ("SELECT id, stars FROM reviews WHERE book_id = {}", 3),
    ("SELECT id, name FROM answers WHERE review_id = {}", 0),
)
OTHERS = 5  # kinds of requests that load nothing in loops, for each that does


@dataclass
class Pool:
    """Connections that run one statement at a time; what finds none free waits."""

    chance: random.Random
    free: list[int]
    rows: list[tuple[float, float, int, str]] = field(default_factory=list)
    _waiting: deque[tuple[str, Done]] = field(default_factory=deque)
    _events: list[tuple[float, int, Done]] = field(default_factory=list)
    _numbers: Iterator[int] = field(default_factory=count)

    def query(self, at: float, text: str, done: Done) -> None:
        """Run a statement as soon as a connection is free, then go on with `done`."""
        if not self.free:
            self._waiting.append((text, done))
            return
        connection = self.free.pop(0)
        until = at + self.chance.uniform(0.0002, 0.0009)
        self.rows.append((at, until, connection, text))

        def ended(now: float) -> None:
            self.free.append(connection)
            if self._waiting:
                self.query(now + 0.0001, *self._waiting.popleft())
            done(now + 0.0003)

        heapq.heappush(self._events, (until, next(self._numbers), ended))

    def run(self) -> None:
        """Until nothing runs any more."""
        while self._events:
            at, _, ended = heapq.heappop(self._events)
            ended(at)


def _load(pool: Pool, at: float, key: int, tag: str, done: Done) -> None:
    """One request that loads all levels, each row's children at once."""
    running = 0

    def level(at: float, depth: int, key: int) -> None:
        nonlocal running
        running += 1
        text, returned = LEVELS[depth]

        def got(now: float) -> None:
            nonlocal running
            for number in range(returned):
                level(now, depth + 1, key * returned + number)
            running -= 1
            if not running:
                done(now)

        pool.query(at, text.format(key) + tag, got)

    level(at, 0, key)


def traffic(
    path: Path, requests: int, *, tagged: bool = False, at_once: int = 1, pause_s: float = 0.03,
    others: int = OTHERS,
) -> str:  # fmt: skip
    """Write the log of so many requests, some of them at once, each behind a pause."""
    chance = random.Random(requests)  # noqa: S311 - the same log in every run
    pool = Pool(chance, list(range(10)))
    waiting = iter(range(requests))

    def begin(at: float) -> None:
        number = next(waiting, None)
        if number is None:
            return
        tag = f" /*traceparent='00-{number + 1:032x}-{1:016x}-01'*/" if tagged else ""

        def end(now: float) -> None:
            begin(now + pause_s * chance.uniform(0.5, 1.5))

        def known(now: float) -> None:
            kind = number % (others + 1)
            if kind == 0:
                _load(pool, now, number, tag, end)
                return
            one, two = (
                f"SELECT a FROM things_{kind} WHERE id = {number}{tag}",
                f"SELECT b FROM extras{tag}",
            )
            pool.query(now, one, lambda then: pool.query(then, two, end))

        pool.query(at, f"SELECT token FROM sessions WHERE key = 'k{number}'{tag}", known)

    for number in range(at_once):
        begin(1 + number / 7)
    pool.run()
    path.write_text("".join(written(pool.rows)))
    return str(path)


def written(rows: list[tuple[float, float, int, str]]) -> list[str]:
    """Lines of a csvlog, of executions: begun and ended (seconds), connection, text."""
    rows.sort(key=lambda row: row[1])
    return [
        f'2026-11-22 08:{int(end // 60):02d}:{end % 60:06.3f} UTC,"app","app",{connection},'
        f'"127.0.0.1:{connection}",a.{connection},{number},"SELECT",2026-11-22 07:00:00 UTC,3/1,0,LOG,00000,'
        f'"duration: {(end - begun) * 1000:.3f} ms  statement: {_quoted(text)}",,,,,,,,,"web","client backend",,0\n'
        for number, (begun, end, connection, text) in enumerate(rows, 1)
    ]


def _quoted(text: str) -> str:
    return text.replace('"', '""')
