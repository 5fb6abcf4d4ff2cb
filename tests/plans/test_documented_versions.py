"""Plans of versions of which no server was at hand, written after their documentation: 9.6 and 19."""

import json

import pytest

from analyzer.model.plan import Plan, RecordedPlan
from analyzer.plans import read_plans

TEXT_9_6 = """\
                                        QUERY PLAN
------------------------------------------------------------------------------------------
 Gather  (cost=1000.00..217018.43 rows=1 width=97) (actual time=0.700..150.200 rows=1 loops=1)
   Workers Planned: 2
   Workers Launched: 2
   ->  Parallel Seq Scan on accounts  (cost=0.00..216018.33 rows=1 width=97) (actual time=90.100..140.300 rows=0 loops=3)
         Filter: (filler ~~ '%x%'::text)
         Rows Removed by Filter: 333333
 Planning time: 0.181 ms
 Execution time: 150.501 ms
(8 rows)
"""
SCAN_9_6 = {
    "Node Type": "Seq Scan",
    "Parent Relationship": "Outer",
    "Parallel Aware": True,
    "Relation Name": "accounts",
    "Alias": "accounts",
    "Startup Cost": 0.0,
    "Total Cost": 216018.33,
    "Plan Rows": 1,
    "Plan Width": 97,
    "Actual Startup Time": 90.1,
    "Actual Total Time": 140.3,
    "Actual Rows": 0,
    "Actual Loops": 3,
    "Filter": "(filler ~~ '%x%'::text)",
    "Rows Removed by Filter": 333333,
}
JSON_9_6 = {
    "Plan": {
        "Node Type": "Gather",
        "Parallel Aware": False,
        "Startup Cost": 1000.0,
        "Total Cost": 217018.43,
        "Plan Rows": 1,
        "Plan Width": 97,
        "Actual Startup Time": 0.7,
        "Actual Total Time": 150.2,
        "Actual Rows": 1,
        "Actual Loops": 1,
        "Workers Planned": 2,
        "Workers Launched": 2,
        "Single Copy": False,
        "Plans": [SCAN_9_6],
    },
    "Planning Time": 0.181,
    "Triggers": [],
    "Execution Time": 150.501,
}
TEXT_19 = """\
Nested Loop  (cost=0.43..100.00 rows=10 width=8) (actual time=0.100..2.000 rows=10.00 loops=1)
  Buffers: shared hit=30 read=4
  I/O: count=2 waits=1 size=2.00 inprogress=1.50
  WAL: records=3 fpi=1 bytes=8300 fpi bytes=8192 buffers full=1
  ->  Seq Scan on o  (cost=0.00..50.00 rows=10 width=8) (actual time=0.050..1.000 rows=10.00 loops=1)
        Prefetch: avg=1.50 max=3 capacity=16
  ->  Memoize  (cost=0.43..1.00 rows=1 width=4) (actual time=0.010..0.020 rows=1.00 loops=10)
        Cache Key: o.cid
        Cache Mode: logical
        Estimates: capacity=8 distinct keys=4 lookups=10 hit percent=60.00%
        Hits: 6  Misses: 4  Evictions: 0  Overflows: 0  Memory Usage: 1kB
        ->  Result  (cost=0.00..0.00 rows=0 width=0) (actual time=0.001..0.001 rows=0.00 loops=4)
              Replaces: Scan on c
              One-Time Filter: false
Planning Time: 0.200 ms
Execution Time: 2.100 ms
"""


def read(text: str, form: str) -> Plan:
    (plan,) = read_plans(RecordedPlan(text, form, "p", 0))
    return plan


@pytest.mark.parametrize("form", ["text", "json"])
def test_9_6(form: str) -> None:
    plan = read(TEXT_9_6 if form == "text" else json.dumps([JSON_9_6]), form)
    assert (plan.planning_ms, plan.execution_ms, plan.total_ms) == (0.181, 150.501, 150.2)
    assert (plan.wrapped, plan.truncated) == (False, False)
    gather, scan = plan.root.walk()
    assert (gather.workers_planned, gather.workers_launched) == (2, 2)
    assert (scan.relation, scan.processes, scan.parallel_aware) == ("accounts", 3, True)
    assert scan.rows_removed_by_filter == 333333
    assert scan.rows_digits == 0


def test_19() -> None:
    plan = read(TEXT_19, "text")
    loop, scan, memoize, result = plan.root.walk()
    assert (loop.extra["WAL FPI"], loop.extra["WAL FPI Bytes"]) == (1, 8192)
    assert loop.shared_read_blocks == 4
    assert memoize.extra["Estimated Hit Percent"] == 60.0
    assert memoize.extra["Cache Misses"] == 4
    assert result.extra["Replaces"] == "Scan on c"
    assert scan.extra["Prefetch"] == "avg=1.50 max=3 capacity=16"  # not known: kept as it is
    assert sum(node.self_ms or 0.0 for node in plan.root.walk()) == pytest.approx(2.0)
