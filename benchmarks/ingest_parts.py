"""The parts of the ingestion benchmark: each runs programs and adds to the results."""

import argparse
import json
import os
import shutil
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path

from log_formats import FILE_NAMES
from measuring import MB, Usage, copy_entries, machine, progress, run
from peers import (
    CHECKOUT,
    INSTALL_PGBADGER,
    compile_modules,
    pg95,
    pgbadger,
    pgbadger_version,
    scanner_of,
    wrong_figures,
)
from results import Comparison, Results, Runs

PARTS = ("compare", "scan", "growth", "workers", "reference")
GROWTH_POINTS = 6
GROWTH_FROM_MB = 10.0
REFERENCE_MB = 100.0  # the reference's rate is known from less than the whole
INGEST = Path(__file__).with_name("ingest.py")


class Bench:
    """One benchmark run in a folder; each part adds to `results`."""

    def __init__(self, options: argparse.Namespace, folder: Path) -> None:
        """Look at the machine and at what is installed before anything runs."""
        self.options = options
        self.folder = folder
        self.output = folder / "report.json"
        self.version = pgbadger_version()
        compile_modules()
        when = datetime.now(UTC).date().isoformat()
        peer = self.version or f"not installed ({INSTALL_PGBADGER})"
        self.results = Results({"date": when, **machine(), "pgBadger": peer})
        if not self.version:
            progress(f"pgBadger is not installed: no ratios. Install it with: {INSTALL_PGBADGER}")

    def generate(self, mb: float, formats: list[str], name: str) -> Path:
        """Logs of `mb` in a folder of their own. In a process of its own, to keep this one small."""
        place = self.folder / name
        _need_room(self.folder, int(mb * MB) * len(formats))
        progress(f"generating {mb:g} MB of {', '.join(formats)}")
        generator = Path(__file__).with_name("make_log.py")
        words = ["--mb", str(mb), "--seed", str(self.options.seed), "--formats", ",".join(formats)]
        run([sys.executable, generator, place, *words], cwd=CHECKOUT)
        os.sync()  # else the kernel writes it to the disk while something is timed
        return place

    def piece(self, log: Path, mb: float, log_format: str) -> Path:
        """The first whole entries of a log, or the log itself where it is hardly larger."""
        if log.stat().st_size <= mb * MB * 1.02:
            return log
        target = self.folder / f"piece{log.suffix}"
        with log.open("rb") as source:
            copy_entries(source, target, int(mb * MB), log_format)
        return target

    def compare(self, logs: Path) -> None:
        """pg95 over the whole log and pgBadger over its slice, in turns."""
        truth = json.loads((logs / "truth.json").read_text(encoding="utf-8"))["formats"]
        for log_format in self.options.formats:
            log = logs / FILE_NAMES[log_format]
            part = self.piece(log, self.options.slice_mb, log_format)
            comparison = Comparison(
                log_format,
                whole=Runs(log.stat().st_size),
                sliced=Runs(part.stat().st_size),
                peer=Runs(part.stat().st_size) if self.version else None,
            )
            for turn in range(self.options.runs):
                progress(f"{log_format}: run {turn + 1} of {self.options.runs}")
                self._turn(comparison, log, part, peer_first=bool(turn % 2))
                pg95_wrong = wrong_figures(self.folder / "whole.json", truth[log_format])
                comparison.wrong = comparison.wrong or pg95_wrong
            comparison.scanner = scanner_of(self.folder / "whole.json")
            self.results.comparisons.append(comparison)

    def _turn(self, comparison: Comparison, log: Path, part: Path, *, peer_first: bool) -> None:
        """One pair; who runs first alternates, so that a drifting machine favours neither."""
        for is_peer in (peer_first, not peer_first):
            if not is_peer:
                comparison.whole.usages.append(pg95([log], self.folder / "whole.json"))
            elif comparison.peer is not None:
                used = pgbadger(part, self.folder / "peer.json", comparison.log_format)
                comparison.peer.usages.append(used)
        comparison.sliced.usages.append(pg95([part], self.output))

    def scan(self, logs: Path) -> None:
        """The reading alone: no start-up, no workload, no report."""
        for log_format in self.options.formats:
            log = logs / FILE_NAMES[log_format]
            progress(f"{log_format}: the scan alone")
            runs = Runs(log.stat().st_size)
            for _ in range(self.options.runs):
                told = self.folder / "scan.json"
                used = run(
                    [sys.executable, INGEST, "--scan-only", log, "--scan-result", told],
                    cwd=CHECKOUT,
                )
                answer = json.loads(told.read_text(encoding="utf-8"))
                if "missing" in answer:
                    self.results.notes.append(f"The scan alone: {answer['missing']}.")
                    return
                runs.usages.append(Usage(answer["cpu_s"], answer["wall_s"], used.peak_bytes))
            self.results.scans[log_format] = runs

    def growth(self, logs: Path) -> None:
        """CPU and memory over sizes, for one format."""
        name = self.options.growth_format
        self.results.growth_format = name
        to_mb = self.options.to_mb or self.options.mb
        log = self._large(logs, name)
        first_mb = min(GROWTH_FROM_MB, to_mb / 8)
        step = (to_mb / first_mb) ** (1 / (GROWTH_POINTS - 1))
        for mb in [first_mb * step**n for n in range(GROWTH_POINTS)]:
            part = self.piece(log, mb, name)
            runs = Runs(part.stat().st_size)
            progress(f"growth: {runs.mb:.1f} MB")
            runs.usages = [pg95([part], self.output) for _ in range(self.options.runs)]
            self.results.growth.append(runs)

    def _large(self, logs: Path, name: str) -> Path:
        """The largest log that was asked for, made when it is first needed."""
        to_mb, formats = self.options.to_mb or self.options.mb, self.options.formats
        if to_mb <= self.options.mb and name in formats:
            return logs / FILE_NAMES[name]
        known = self.folder / "large" / FILE_NAMES[name]
        return known if known.exists() else self.generate(to_mb, [name], "large") / known.name

    def workers(self, logs: Path) -> None:
        """Wall clock of one worker and of two, in turns: over four files cut from one log, and over that.

        It is the largest log, as start-up and report are one process's, in three times as many turns as CPU time needs.
        """
        name = self.options.growth_format
        log = self._large(logs, name)
        size = log.stat().st_size
        place = self.folder / "four"
        place.mkdir()
        with log.open("rb") as source:
            files = [place / f"{n}{log.suffix}" for n in range(4)]
            for file in files:
                # The last may take what the cuts left over.
                copy_entries(source, file, size if file == files[-1] else size // 4, name)
        os.sync()  # as above
        self.results.workers_mb = size / MB
        for inputs, pairs in ((place, self.results.workers), (log, self.results.workers_one)):
            turns = 3 * self.options.runs
            for turn in range(turns):
                progress(f"workers, {inputs.name}: run {turn + 1} of {turns}")
                times: dict[int, Usage] = {}
                for count in (1, 2) if turn % 2 else (2, 1):
                    times[count] = pg95([inputs], self.output, "--workers", str(count))
                pairs.append((times[1], times[2]))
                if inputs is log:
                    self.results.at_once.append(2 * times[1].wall_s / self._two_at_once(log))

    def _two_at_once(self, log: Path) -> float:
        """Seconds that two reports in a process each take at once: what the machine has for two."""
        began = time.monotonic()
        with ThreadPoolExecutor() as both:
            found = [both.submit(pg95, [log], self.folder / f"at_once_{n}.json") for n in range(2)]
        for one in found:
            one.result()
        return time.monotonic() - began

    def reference(self, logs: Path) -> None:
        """The reader without the compiled module."""
        for log_format in self.options.formats:
            progress(f"{log_format}: the pure-Python reference")
            part = self.piece(logs / FILE_NAMES[log_format], REFERENCE_MB, log_format)
            runs = Runs(part.stat().st_size)
            for _ in range(self.options.runs):
                runs.usages.append(pg95([part], self.output, pure_python=True))
            self.results.references[log_format] = (runs, scanner_of(self.output))


def _need_room(folder: Path, size_bytes: int) -> None:
    free = shutil.disk_usage(folder).free
    if free < size_bytes * 2:
        raise SystemExit(
            f"{size_bytes / MB:.0f} MB of logs need {size_bytes * 2 / MB:.0f} MB of room, and "
            f"{free / MB:.0f} MB are free: give another --folder, or a smaller --mb"
        )
