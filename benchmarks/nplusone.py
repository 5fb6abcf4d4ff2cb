"""Measure what the search for loops costs beside reading and counting a log.

    python benchmarks/nplusone.py [--mb 200] [--runs 3] [LOG…]

Reads a generated stderr log (or those named) as `pg95 report` does, in this process, and prints the
CPU seconds of the whole, of finding requests, of the search, and of the detectors that watch beside
it. The share is against the rest: reading, keying, figures, report. Medians of the runs.
"""

import argparse
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, ParamSpec, TypeVar

from log_formats import FILE_NAMES
from make_log import make_log

from analyzer.detectors import _loops, _neighbours
from analyzer.pipeline import Options, run
from analyzer.workload import openers

P = ParamSpec("P")
R = TypeVar("R")
PARTS: tuple[tuple[str, type[Any], str], ...] = (
    ("requests", openers.Openers, "begins"),
    ("search for loops", _loops.LoopFinder, "_search"),
    ("watchers beside it", _neighbours.Neighbours, "observe"),
)


def timed(function: Callable[P, R], name: str, spent: dict[str, float]) -> Callable[P, R]:
    """The same function, its CPU seconds added to `spent`."""

    def measured(*arguments: P.args, **named: P.kwargs) -> R:
        begun = time.process_time()
        try:
            return function(*arguments, **named)
        finally:
            spent[name] += time.process_time() - begun

    return measured


def measure(log: Path) -> dict[str, float]:
    """CPU seconds of one run, by part."""
    spent = dict.fromkeys((name for name, _, _ in PARTS), 0.0)
    originals = [getattr(owner, method) for _, owner, method in PARTS]
    for (name, owner, method), original in zip(PARTS, originals, strict=True):
        setattr(owner, method, timed(original, name, spent))
    try:
        begun = time.process_time()
        run(Options(inputs=[str(log)]))
        spent["whole"] = time.process_time() - begun
    finally:
        for (_, owner, method), original in zip(PARTS, originals, strict=True):
            setattr(owner, method, original)
    return spent


def report(log: Path, runs: int) -> None:
    """Measure a log several times and print a table."""
    measured = [measure(log) for _ in range(runs)]
    spent = {name: statistics.median(one[name] for one in measured) for name in measured[0]}
    rest = spent["whole"] - sum(spent[name] for name, _, _ in PARTS)
    print(f"{log.name}, {log.stat().st_size / 1e6:.0f} MB, median of {runs} runs\n")
    print("| part | CPU s | share of the rest |\n| --- | --- | --- |")
    for name, _, _ in PARTS:
        print(f"| {name} | {spent[name]:.2f} | {spent[name] / rest:.0%} |")
    print(f"| the rest | {rest:.2f} | |\n| the whole | {spent['whole']:.2f} | |\n")


def main() -> None:
    """Read the command line and measure."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument(
        "logs", nargs="*", type=Path, help="logs to read instead of a generated one"
    )
    parser.add_argument("--mb", type=float, default=200, help="size of the generated log")
    parser.add_argument("--runs", type=int, default=3, help="of each log; medians count")
    options = parser.parse_args()
    for log in options.logs:
        report(log, options.runs)
    if not options.logs:
        with tempfile.TemporaryDirectory(prefix="pg95-bench-") as folder:
            make_log(Path(folder), options.mb, 1, ["stderr"])
            report(Path(folder) / FILE_NAMES["stderr"], options.runs)


if __name__ == "__main__":
    main()
