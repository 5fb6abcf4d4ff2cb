"""How large a history gets in a year of nights, and what it costs to write and to ask.

    python benchmarks/history.py [--statements 2000] [--nights 365] [--whole 21] [--calls 10000000]
        [--history PATH]

Each night has 24 hours of every statement: calls follow Zipf's law (the busiest statement has most),
durations are log-normal with a median and a spread of each statement's own. With them come a run, its
findings and a snapshot of the counters. The last `--whole` nights are written as `pg95 nightly` writes
them, with retention and vacuum, and only those are timed. Of the nights before, of which retention
would leave days, the days are written, which are the same rows. Figures of two nights take turns.
At last a real night comes, a log of all statements read by the nightly job, in turns with reports of
it alone: what a night costs beyond them. (`--history` on a server is written and asked, without that.)
"""

import argparse
import tempfile
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from history_night import cost, names_in, write_log

from analyzer.history import open_store
from analyzer.history.keeping import trend_rows
from analyzer.history.retention import DAY_STEPS
from analyzer.model.histogram import STEPS, Histogram
from analyzer.model.history import HOUR_US, Figures, HourFigures, Run, StatementName
from analyzer.model.snapshot import IndexUse, ServerIdentity, Snapshot, TableUse
from analyzer.model.statement import StatementCounters

if TYPE_CHECKING:
    from collections.abc import Sequence

    from analyzer.model.columns import Floats, Rows

WHOLE = 21  # nights
_ROUNDS = 3
_BEGIN_US = 3 * HOUR_US  # nights begin at three o'clock, so that their windows are no days
FIRST_US = 20_000 * 24 * HOUR_US
DAY_US = 24 * HOUR_US
SERVER = ServerIdentity("postgresql://bench@localhost/shop", "7", 150000, FIRST_US)


class Traffic:
    """Statements with their share of the calls and their durations."""

    def __init__(self, names: "Sequence[StatementName]", calls: int, seed: int = 95) -> None:
        statements = len(names)
        self.random = np.random.default_rng(seed)
        shares = 1 / np.arange(1, statements + 1)
        self.calls: Rows = np.maximum(shares / shares.sum() * calls / 24, 1).astype(np.int64)
        self.middle: Floats = self.random.normal(1.0, 2.0, statements)  # binary logarithm of ms
        self.spread: Floats = self.random.uniform(0.3, 1.5, statements)
        self.names = names
        self.counted = np.zeros(statements, dtype=np.int64)
        self._nights: dict[int, list[HourFigures]] = {}
        self._folded: dict[int, list[HourFigures]] = {}

    def hours(self, day: int) -> list[HourFigures]:
        """A night's rows."""
        start_us = FIRST_US + day * DAY_US
        made = self._made(day % 2)
        return [replace(one, start_us=start_us + one.start_us) for one in made]

    def days(self, day: int) -> list[HourFigures]:
        """What retention leaves of a night."""
        start_us = FIRST_US + day * DAY_US
        if day % 2 not in self._folded:
            parts: dict[StatementName | None, list[Figures]] = {}
            for one in self._made(day % 2):
                parts.setdefault(one.statement, []).append(one.figures)
            self._folded[day % 2] = [
                HourFigures(name, 0, _coarser(name, Figures.merged(some)), 24)
                for name, some in parts.items()
            ]
        return [replace(one, start_us=start_us) for one in self._folded[day % 2]]

    def _made(self, turn: int) -> list[HourFigures]:
        if turn not in self._nights:
            self._nights[turn] = list(self._draw())
        return self._nights[turn]

    def _draw(self) -> Iterator[HourFigures]:
        for hour in range(24):
            parts = []
            for number, name in enumerate(self.names):
                figures = self._figures(number)
                parts.append(figures)
                yield HourFigures(name, hour * HOUR_US, figures)
            merged = Figures.merged(parts)
            if merged is not None:
                yield HourFigures(None, hour * HOUR_US, merged)

    def _figures(self, number: int) -> Figures:
        calls = int(self.random.poisson(self.calls[number])) + 1
        drawn = min(calls, 20_000)  # a shape is known by then; the rest is scaled
        logarithms = self.random.normal(self.middle[number], self.spread[number], drawn)
        buckets, counts = np.unique(
            np.ceil(logarithms * STEPS).astype(np.int64), return_counts=True
        )
        counts = counts * calls // drawn
        total_ms = float(np.exp2(logarithms).sum()) * calls / drawn
        low, high = float(np.exp2(logarithms.min())), float(np.exp2(logarithms.max()))
        return Figures(
            calls, total_ms, Histogram(buckets, counts), calls, low, high, total_ms**2 / calls
        )

    def snapshot(self, day: int) -> Snapshot:
        """The counters at the end of a night."""
        self.counted += self.calls * 24
        rows = [
            StatementCounters(
                name.sql,
                str(7_000_000_000 + n),
                int(self.counted[n]),
                float(self.counted[n]) * 1.73,
                0.031,
                912.7,
                1.73,
                2.2,
                int(self.counted[n]) * 3,
                None,
                "shop",
                "app",
                shared_blocks_hit=int(self.counted[n]) * 4,
                shared_blocks_read=n,
                temp_blocks_written=0,
                wal_bytes=n * 77,
            )
            for n, name in enumerate(self.names)
        ]
        use = [int(one) for one in self.random.integers(0, 1 << 30, 10)]
        tables = [
            TableUse("shop", f"t{n}", *use, FIRST_US + day, FIRST_US, None) for n in range(300)
        ]
        indexes = [
            IndexUse("shop", f"t{n}", f"t{n}_pkey", use[0] + n, use[1] + n, n, n)
            for n in range(600)
        ]
        return Snapshot(SERVER, FIRST_US + (day + 1) * DAY_US, rows, tables=tables, indexes=indexes)


def _coarser(name: StatementName | None, figures: Figures | None) -> Figures:
    assert figures is not None  # noqa: S101 - each has 24 hours
    if name is None:
        return figures
    return replace(figures, histogram=figures.histogram.coarser(DAY_STEPS))


def document(day: int) -> dict[str, object]:
    """A report with 60 findings, one of them of this day alone."""
    findings = [
        {
            "key": f"n-plus-one-{n or f'day{day}'}",
            "detector": "n-plus-one",
            "status": None,
            "severity": "high",
            "confidence": 0.9,
            "title": f"N+1: 20 × items after orders, number {n}",
            "shape_ids": [f"{n:016x}"],
            "fingerprints": [],
            "tables": ["t1"],
            "routes": ["GET /orders"],
            "evidence": {"parent_shape_id": f"{n:016x}", "occurrences": 30, "executions": 600},
            "impact": {"total_ms": 812.25, "saving_ms": 700.5},
        }
        for n in range(60)
    ]
    statements = [
        {"shape_id": f"{n:016x}", "lineage": f"{n:016x}", "samples": 9, "calls": 9}
        for n in range(60)
    ]
    return {
        "findings": findings,
        "statements": statements,
        "plans": [],
        "detectors": [{"id": "n-plus-one", "status": "found"}],
    }


def main() -> None:
    """Write the nights, and print a table."""
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("--statements", type=int, default=2_000)
    options.add_argument("--nights", type=int, default=365)
    options.add_argument("--whole", type=int, default=WHOLE, help="nights written in full")
    options.add_argument("--calls", type=int, default=10_000_000, help="executions in a day")
    options.add_argument(
        "--history", help="a path or postgresql://…; a temporary file if not given"
    )
    given = options.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        where = given.history or str(Path(folder) / "history.db")
        log = Path(folder) / "app.log"
        start_us = FIRST_US + given.nights * DAY_US
        write_log(log, given.statements, start_us)
        traffic = Traffic(names_in(log), given.calls)
        first_whole = max(given.nights - given.whole, 0)
        for day in range(first_whole):
            write(where, traffic, day, traffic.days(day))
        whole = range(first_whole, given.nights)
        spent = [write(where, traffic, day, traffic.hours(day)) for day in whole]
        print(
            f"{given.statements:,} statements, {given.calls:,} executions a day, {given.nights} nights"
        )
        print(
            f"CPU of a night's transaction and vacuum: median {np.median(spent):.2f} s, most {max(spent):.2f} s"
        )
        if not where.startswith("postgres"):
            size = sum(
                file.stat().st_size for file in Path(where).parent.glob(Path(where).name + "*")
            )
            print(f"size: {size / 2**20:.0f} MiB")
        ask(where, given.statements)
        if not where.startswith("postgres"):
            tell_cost(Path(where), log, start_us)


def tell_cost(where: Path, log: Path, start_us: int) -> None:
    """What a real night costs beyond a report of the same log."""
    rounds = cost(where, log, start_us, _ROUNDS)
    for one in rounds:
        print(
            f"a night of {log.stat().st_size / 1e6:.0f} MB: CPU {one.night_cpu_s:.2f} s (elapsed {one.night_s:.1f} s), "
            f"a report of it: CPU {one.report_cpu_s:.2f} s (elapsed {one.report_s:.1f} s)"
        )
    beyond = np.median([one.night_cpu_s - one.report_cpu_s for one in rounds])
    print(f"a night's own cost: CPU {beyond:.2f} s (median of {len(rounds)})")


def write(where: str, traffic: Traffic, day: int, hours: list[HourFigures]) -> float:
    """A night; gives its seconds of CPU, without those in which the traffic is made."""
    snapshot, report = traffic.snapshot(day), document(day)
    at_us = FIRST_US + (day + 1) * DAY_US
    begun = time.process_time()
    with open_store(where) as store, store.lock():
        with store.transaction() as night:
            night.add_hours(hours)
            run = night.add_run(
                Run(
                    "nightly",
                    at_us,
                    at_us - DAY_US - _BEGIN_US,
                    at_us - _BEGIN_US,
                    {"ms": 100.0, "quantile": 0.95, "value_ms": 41.0, "verdict": "met"},
                    "app",
                )
            )
            night.update_findings(report, run, at_us)
            night.add_snapshot(snapshot)
            night.set_positions("old", {"postgresql.log": {"offset": day}})
            night.retain(at_us)
        store.vacuum()
    return time.process_time() - begun


def ask(where: str, statements: int) -> None:
    """Time the questions that `pg95 history` asks: elapsed, and CPU of this process."""
    asked = {"everything": None, "the busiest statement": [1], "a rare statement": [statements]}
    with open_store(where) as store, store.reading() as reader:
        for label, numbers in asked.items():
            times = []
            for _ in range(5):
                begun, cpu = time.perf_counter(), time.process_time()
                rows = trend_rows(reader, 100.0, 0.95, 0, numbers)
                times.append((time.perf_counter() - begun, time.process_time() - cpu))
            first, best = 1000 * times[0][0], 1000 * min(elapsed for elapsed, _ in times)
            cpu_ms = 1000 * float(np.median([used for _, used in times]))
            told = f"{first:.0f} ms first, {best:.0f} ms then, CPU {cpu_ms:.0f} ms"
            print(f"trend of {label}: {told} ({len(rows)} days)")
        begun, cpu = time.perf_counter(), time.process_time()
        reader.latest_snapshot(SERVER.address)
        elapsed, used = time.perf_counter() - begun, time.process_time() - cpu
        print(f"the newest snapshot: {1000 * elapsed:.0f} ms, CPU {1000 * used:.0f} ms")


if __name__ == "__main__":
    main()
