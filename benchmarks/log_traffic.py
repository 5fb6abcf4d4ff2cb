"""Simulated traffic: sessions that connect, send requests and leave, beside the server's own work.

Every process is a generator that yields how many µs it waits for its next step; the clock always
runs the process that is due first, so entries come in the order in which a server logs them and
sessions interleave. All chance comes from one seeded source: one seed gives one stream.
"""

import heapq
from collections.abc import Iterator
from itertools import accumulate, count
from random import Random

from log_formats import Entry, Process
from log_journal import Journal, utc
from log_shapes import TABLES, Shape, Shapes
from log_statements import Statements

START_US = 1_767_571_200_000_000  # 2026-01-05 00:00 UTC, a Monday
SESSIONS = 150
PICKS = 20_000  # drawn once among the everyday shapes
CHECKPOINT_US = 300_000_000
VACUUM_US = 40_000_000
LEAVE_SHARE = 0.004  # of a client's requests, before which it disconnects
CLIENTS = (  # user, database, application
    ("app", "shop", "web"),
    ("app", "shop", "web"),
    ("worker", "shop", "jobs"),
    ("report", "dwh", "bi"),
)


class Traffic:
    """All processes of a server and the chance that moves them."""

    def __init__(self, rng: Random, shapes: Shapes, journal: Journal) -> None:
        """Draw the mix of shapes once: few are frequent, most are rare."""
        self._rng = rng
        self._random = rng.random
        self._shapes = shapes
        self._journal = journal
        self._run = Statements(rng, journal).run
        self._pids = count(4000)
        weights = list(accumulate(1 / (n + 1) ** 0.8 for n in range(len(shapes.everyday))))
        self._picks = rng.choices(shapes.everyday, cum_weights=weights, k=PICKS)

    def run(self) -> None:
        """Let time pass until the journal is full."""
        journal = self._journal
        journal.now_us = START_US
        lives = [self._client(n) for n in range(SESSIONS)]
        lives += [self._checkpointer(), self._autovacuum()]
        queue = [(START_US + int(self._random() * 2e6), n, life) for n, life in enumerate(lives)]
        heapq.heapify(queue)
        while not journal.full:
            due, number, life = queue[0]
            journal.now_us = due
            heapq.heapreplace(queue, (due + next(life), number, life))
            journal.settle()

    # What clients do.

    def _client(self, number: int) -> Iterator[int]:
        """One connection after the other, each with some requests."""
        while True:
            process, began_us = self._connect(number), self._journal.now_us
            while self._random() >= LEAVE_SHARE:
                yield 20_000 + int(self._random() * 600_000)
                yield from self._request(process)
            yield 1000
            self._disconnect(process, began_us)
            yield 50_000

    def _connect(self, number: int) -> Process:
        write = self._journal.write
        process = self._process(number + 3, "not initialized")
        process.host = f"10.0.{number % 4}.{number + 1}"
        process.port = 30_000 + int(self._random() * 30_000)
        process.introduce()
        text = f"connection received: host={process.host} port={process.port}"
        write(process, Entry(text, ""), "connection-received")
        process.kind = "client backend"
        process.user, process.database, process.application = CLIENTS[number % len(CLIENTS)]
        process.introduce()
        text = (
            f"connection authorized: user={process.user} database={process.database} "
            f"application_name={process.application}"
        )
        write(process, Entry(text, "authentication"), "connection-authorized")
        return process

    def _disconnect(self, process: Process, began_us: int) -> None:
        minutes, ms = divmod((self._journal.now_us - began_us) // 1000, 60_000)
        text = (
            f"disconnection: session time: {minutes // 60}:{minutes % 60:02d}:{ms / 1000:06.3f} "
            f"user={process.user} database={process.database} host={process.host} port={process.port}"
        )
        self._journal.write(process, Entry(text, "idle"), "connection-disconnected")

    def _request(self, process: Process) -> Iterator[int]:
        """A unit of work: a few statements, a transaction, or a list and a loop over it."""
        random = self._random
        comment = ""
        if random() < 0.1:
            trace = self._rng.getrandbits(128)
            comment = (
                f" /*route='%2Fapi%2Fv1',traceparent='00-{trace:032x}-{trace >> 64 | 1:016x}-01'*/"
            )
        kind = random()
        if kind < 0.08:
            yield from self._load(process, comment)
        elif kind < 0.3:
            yield from self._transaction(process, comment)
        elif kind < 0.33:
            yield from self._run(process, self._shapes.control["SELECT 1"], "")
        else:
            for _ in range(1 + int(random() * 5)):
                yield 200 + int(random() * 3000)
                yield from self._run(process, self._pick(), comment)

    def _load(self, process: Process, comment: str) -> Iterator[int]:
        """A list, then one statement per row of it: N+1."""
        random, loads = self._random, self._shapes.loads
        parent, child = loads[int(random() * len(loads))]
        yield from self._run(process, parent, comment)
        for _ in range(5 + int(random() * 45)):
            yield 100 + int(random() * 500)
            yield from self._run(process, child, comment)

    def _transaction(self, process: Process, comment: str) -> Iterator[int]:
        random, control = self._random, self._shapes.control
        process.serial += 1
        process.local, process.in_block = process.serial, True
        yield from self._run(process, control["BEGIN"], "")
        process.transaction = 700_000 + self._journal.entries
        failed = False
        for _ in range(1 + int(random() * 6)):
            yield 100 + int(random() * 900)
            failed = yield from self._run(process, self._pick(), comment)
            if failed:
                break
        yield 100
        process.transaction = process.local = 0  # it is over by the time that its end is logged
        yield from self._run(process, control["ROLLBACK" if failed else "COMMIT"], "")
        process.in_block = False

    def _pick(self) -> Shape:
        return self._picks[int(self._random() * PICKS)]

    # What the server does by itself.

    def _checkpointer(self) -> Iterator[int]:
        process = self._process(1, "checkpointer")
        process.introduce()
        while True:
            yield CHECKPOINT_US // 2
            self._journal.write(process, Entry("checkpoint starting: time", ""))
            yield CHECKPOINT_US // 2
            text = (
                f"checkpoint complete: wrote {int(self._random() * 9000)} buffers (12.3%); "
                "0 WAL file(s) added, 0 removed, 9 recycled; write=149.713 s, sync=0.012 s, "
                "total=149.751 s; sync files=80, longest=0.004 s, average=0.001 s; "
                "distance=147456 kB, estimate=150214 kB"
            )
            self._journal.write(process, Entry(text, ""), "checkpoint")

    def _autovacuum(self) -> Iterator[int]:
        while True:
            yield int(VACUUM_US * (0.5 + self._random()))
            process = self._process(2, "autovacuum worker")
            process.introduce()
            table = TABLES[int(self._random() * len(TABLES))]
            text = (
                f'automatic vacuum of table "shop.public.{table}": index scans: 1\n'
                "pages: 0 removed, 5406 remain, 5406 scanned (100.00% of total)\n"
                f"tuples: {int(self._random() * 9000)} removed, 240000 remain, 0 are dead but not yet removable\n"
                "avg read rate: 0.000 MB/s, avg write rate: 1.318 MB/s\n"
                "system usage: CPU: user: 0.11 s, system: 0.00 s, elapsed: 0.13 s"
            )
            self._journal.write(process, Entry(text, ""), "autovacuum")

    def _process(self, number: int, kind: str) -> Process:
        pid, now_us = next(self._pids), self._journal.now_us
        return Process(
            pid=pid,
            session_id=f"{now_us // 1_000_000:x}.{pid:x}",
            start=f"{utc(now_us)} UTC",
            number=number,
            kind=kind,
        )
