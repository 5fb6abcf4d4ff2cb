"""How fast plans are read, their figures computed and findings made: 10,000 plans of 27 nodes.

    make bench-plans                                       all four formats
    make bench-plans BENCH="--plans 1000 --format json"    less

Prints CPU microseconds a plan: *read* is from the text to the tree with the figures of all nodes, *findings* all rules
of analyzer/detectors/plans/ on it. Plans are read and judged some hundreds at a time, as a run has no more
of most logs, with the settings that `pg95` runs with. The generated plans (plan_documents.py) are as PostgreSQL prints them; writing them is not measured.
"""

import argparse
import gc
import statistics
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from analyzer.cli import settle
from analyzer.detectors.plans import plan_detectors
from analyzer.model.coverage import Coverage
from analyzer.model.plan import Plan, RecordedPlan
from analyzer.model.target import Target, Verdict
from analyzer.model.workload import Workload
from analyzer.plans import read_plans
from benchmarks.plan_documents import as_json, as_text, as_xml, as_yaml, plan_document

_WRITERS: dict[str, Callable[[dict[str, Any]], str]] = {
    "json": as_json,
    "text": as_text,
    "yaml": as_yaml,
    "xml": as_xml,
}
_AIM_US = 250.0  # a plan, with findings
_BATCH = 500
_UNKNOWN = Verdict(None, None, None, "none", "unknown", 0, "no executions")


def main() -> None:
    """Measure and print a table."""
    options = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    options.add_argument("--plans", type=int, default=10_000)
    options.add_argument("--format", choices=_WRITERS, action="append")
    asked = options.parse_args()
    settle()
    nodes = list(_read("json", [as_json(plan_document(0))])[0].root.walk())
    print(f"{asked.plans} plans of {len(nodes)} nodes; aim: {_AIM_US:.0f} µs a plan")
    print(f"{'format':<8}{'kB':>6}{'read µs':>10}{'findings µs':>13}{'both µs':>10}")
    for form in asked.format or _WRITERS:
        read_us, findings_us, size = _measured(form, asked.plans)
        both = read_us + findings_us
        print(
            f"{form.upper():<8}{size / 1000:>6.1f}{read_us:>10.0f}{findings_us:>13.0f}{both:>10.0f}"
        )


def _measured(form: str, count: int) -> tuple[float, float, float]:
    """Microseconds for reading and findings, the median batch's, and bytes of a plan."""
    rounds, sizes = [], []
    for start in range(0, count, _BATCH):
        seeds = range(start, min(count, start + _BATCH))
        texts = [_WRITERS[form](plan_document(seed)) for seed in seeds]
        gc.collect()
        begin = time.process_time()
        plans = _read(form, texts)
        between = time.process_time()
        found = _found(plans)
        end = time.process_time()
        if not found:
            raise RuntimeError("no finding in plans that have one each")
        rounds.append(((between - begin) / len(texts) * 1e6, (end - between) / len(texts) * 1e6))
        sizes.append(statistics.fmean(map(len, texts)))
    read_us, findings_us = zip(*rounds, strict=True)
    return statistics.median(read_us), statistics.median(findings_us), statistics.fmean(sizes)


def _read(form: str, texts: Sequence[str]) -> list[Plan]:
    return [read_plans(RecordedPlan(text, form, "bench", 0))[0] for text in texts]


def _found(plans: Sequence[Plan]) -> int:
    workload = Workload((), (), Coverage(), Target(ms=100.0), _UNKNOWN, plans=plans)
    return sum(len(rule.detect(workload).findings) for rule in plan_detectors())


if __name__ == "__main__":
    main()
