"""How near a clone plans to the server that it is a clone of, and how soon it answers.

    python benchmarks/clone.py DSN QUERIES

Reads the schema and statistics of the database, builds the clone, and plans each query (`*.sql`) on both.
Nothing is written there. Prints of each query whether the plan has the same shape (nodes, tables and indexes) and
the ratio of the costs, clone ÷ server.
"""

import argparse
import json
import time
from pathlib import Path

import psycopg

from analyzer.model.index_request import IndexRequest
from analyzer.model.plan import Plan, PlanNode, RecordedPlan
from analyzer.model.recording import Recording
from analyzer.model.what_if import PlannedStatement
from analyzer.plans import read_plans
from analyzer.sources.postgres.blueprint import read_blueprint
from analyzer.sources.postgres.clone import open_clone
from analyzer.sources.queries import read_queries
from analyzer.sql.keys import StatementKeyTable

# What a clone is built from holds, too: no parallel workers, so that plans are compared and not counts of them.
SETTINGS = "-c max_parallel_workers_per_gather=0"


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("dsn", help="a server with data")
    parser.add_argument("queries", help="a folder of .sql files")
    given = parser.parse_args()
    dsn = psycopg.conninfo.make_conninfo(given.dsn, options=SETTINGS)
    workload = read_queries(
        IndexRequest(queries=str(Path(given.queries))), Recording(keys=StatementKeyTable())
    )
    begun, spent = time.monotonic(), time.process_time()
    blueprint = read_blueprint(dsn)
    with open_clone(blueprint) as clone, psycopg.connect(dsn) as server:
        took, own = time.monotonic() - begun, time.process_time() - spent
        print(f"open in {took:.1f} s ({own:.1f} s CPU of pg95's), PostgreSQL {clone.version}")
        same, ratios = 0, []
        for one in workload.statements if workload else ():
            found = clone.estimate(PlannedStatement("", one.planned.sql), ())
            plan = _explained(server, one.planned.sql)
            alike = found.plan is not None and _shape(found.plan.root) == _shape(plan.root)
            ratio = found.cost / (plan.root.total_cost or 1.0)
            same += alike
            ratios.append(ratio)
            print(f"{one.name}: {'same' if alike else 'another plan'}, {ratio:.2f}")
        print(f"{same} of {len(ratios)} plans, cost {min(ratios):.2f} to {max(ratios):.2f}")


def _explained(server: "psycopg.Connection[tuple[str]]", text: str) -> Plan:
    rows = server.execute(f"EXPLAIN (FORMAT JSON) {text}".encode(), binary=False).fetchall()
    server.rollback()
    document = rows[0][0]
    shown = document if isinstance(document, str) else json.dumps(document)
    return read_plans(RecordedPlan(shown, "json", "the server", source=-1))[0]


def _shape(node: PlanNode) -> tuple[object, ...]:
    return (node.type, node.relation, node.index, *(_shape(below) for below in node.children))


if __name__ == "__main__":
    main()
