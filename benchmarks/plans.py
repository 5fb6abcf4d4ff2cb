"""How fast plans are read, and their figures and findings computed: 10,000 plans of 27 nodes.

    make bench-plans                  all
    make bench-plans BENCH="--plans 1000"

The plans are generated, each with figures of its own: a parallel aggregate over joins, with buffers, as
EXPLAIN (ANALYZE, BUFFERS) prints it in TEXT, and the same as compact JSON. Writing them is not measured.
"""

import argparse
import gc
import json
import random
import statistics
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from analyzer.model.plan import RecordedPlan
from analyzer.plans import read_plans
from analyzer.plans.text_format import documents

TABLES = 8
NODES = 27
AIM_US = 250.0  # a plan, with findings
ROUNDS = 3


def plan_text(seed: int) -> str:
    """One plan: Limit, Sort, aggregates, Gather, and eight tables joined by hashes."""
    chance = random.Random(seed)  # noqa: S311 - figures, not secrets
    lines: list[str] = []

    def node(depth: int, what: str, *details: str) -> None:
        rows = chance.randrange(1, 200_000)
        cost, ms = chance.uniform(1, 90_000), chance.uniform(0.01, 900)
        column = 0 if depth == 0 else 6 * depth - 4
        arrow = "->  " if depth else ""
        lines.append(
            f"{' ' * column}{arrow}{what}  (cost={cost:.2f}..{cost + 100:.2f} rows={rows} width=42) "
            f"(actual time={ms:.3f}..{ms * 2:.3f} rows={chance.randrange(1, 200_000)}.00 loops=1)"
        )
        buffers = f"Buffers: shared hit={chance.randrange(90_000)} read={chance.randrange(900)}"
        inside = " " * (column + (6 if depth else 2))
        lines.extend(f"{inside}{detail}" for detail in (*details, buffers))

    node(0, "Limit")
    node(1, "Sort", "Sort Key: (sum(o.amount)) DESC", "Sort Method: quicksort  Memory: 25kB")
    node(2, "Finalize HashAggregate", "Group Key: c.email", "Batches: 1  Memory Usage: 161kB")
    node(3, "Gather", "Workers Planned: 2", "Workers Launched: 2")
    node(4, "Partial HashAggregate", "Group Key: c.email", "Batches: 1  Memory Usage: 161kB")
    for number in range(TABLES - 1):
        node(5 + number, "Hash Join", f"Hash Cond: (t{number}.id = t{number + 1}.other_id)")
    bottom = 5 + TABLES - 1
    node(
        bottom,
        "Parallel Seq Scan on t0",
        "Filter: (state = 'new'::text)",
        "Rows Removed by Filter: 90",
    )
    for number in range(TABLES - 1, 0, -1):
        depth = 5 + number
        node(depth, "Hash", "Buckets: 32768  Batches: 1  Memory Usage: 1194kB")
        node(
            depth + 1,
            f"Index Scan using t{number}_pkey on t{number}",
            f"Index Cond: (id < {number})",
        )
    lines.append("Planning Time: 1.234 ms")
    lines.append(f"Execution Time: {chance.uniform(900, 2000):.3f} ms")
    return "\n".join(lines) + "\n"


def measured(
    name: str, texts: Sequence[str], form: str, work: Callable[[RecordedPlan], object]
) -> float:
    """Microseconds a plan: the median of some rounds over all of them."""
    plans = [RecordedPlan(text=text, format=form, origin="bench", source=0) for text in texts]
    rounds = []
    for _ in range(ROUNDS):
        gc.collect()
        begin = time.process_time()
        for plan in plans:
            work(plan)
        rounds.append((time.process_time() - begin) / len(plans) * 1e6)
    size = statistics.fmean(map(len, texts)) / 1000
    took = statistics.median(rounds)
    print(f"{name:<28}{size:>8.1f} kB{took:>9.0f} µs a plan")
    return took


def main() -> None:
    """Measure and print a table."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--plans", type=int, default=10_000)
    count = options.parse_args().plans
    texts = [plan_text(seed) for seed in range(count)]
    nodes = len(list(read_plans(RecordedPlan(texts[0], "text", "bench", 0))[0].root.walk()))
    print(f"{count} plans of {nodes} nodes; aim: {AIM_US:.0f} µs each, findings included")
    measured("TEXT: tree and figures", texts, "text", read_plans)
    compact = [json.dumps([next(documents(text)).document]) for text in texts]
    measured("JSON: tree and figures", compact, "json", read_plans)


if __name__ == "__main__":
    main()
