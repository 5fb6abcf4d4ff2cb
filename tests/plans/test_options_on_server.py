"""What PostgreSQL 18 adds to a plan when asked for all it knows, in all four formats: one plan."""

from collections.abc import Iterator, Mapping

import psycopg
import pytest
from plan_texts import stable
from test_formats_on_server import explained

from analyzer.model.plan import Plan
from analyzer.plans.counters import IO_TIMES, counter, exclusive

FORMATS = ("TEXT", "YAML", "XML")
STATEMENT = """
    WITH most AS MATERIALIZED (SELECT a, max(id) AS id FROM opt_t GROUP BY a)
    SELECT t.*, most.id FROM opt_t t JOIN most USING (a)
    WHERE t.b < (SELECT avg(b) FROM opt_t) ORDER BY t.c LIMIT 900
"""
WRITING = "INSERT INTO opt_log SELECT id, c FROM opt_t WHERE a = 3 RETURNING id"
OPTIONS = {
    "all": "ANALYZE, BUFFERS, VERBOSE, SETTINGS, WAL, MEMORY, SERIALIZE TEXT, SUMMARY, TIMING OFF, ",
    "binary": "ANALYZE, SERIALIZE BINARY, ",
    "no buffers": "ANALYZE, BUFFERS OFF, TIMING OFF, ",
    "no costs": "ANALYZE, COSTS OFF, ",
    "memory": "MEMORY, ",
    "generic": "GENERIC_PLAN, VERBOSE, ",
}
SETUP = (
    "CREATE TABLE opt_t (id int, a int, b int, c text)",
    "INSERT INTO opt_t SELECT n, n % 10, n % 100, repeat('x', 40) || n FROM generate_series(1, 20000) n",
    "CREATE TABLE opt_log (id int PRIMARY KEY, c text)",
    "SET work_mem = '64kB'",
    "SET track_io_timing = on",
    "SET max_parallel_workers_per_gather = 0",
    "VACUUM ANALYZE opt_t",
)
COUNTED = (
    *("Shared Hit Blocks", "Shared Read Blocks", "Shared Dirtied Blocks", "Shared Written Blocks"),
    *("Temp Read Blocks", "Temp Written Blocks", "WAL Records", "WAL FPI", "WAL Bytes", *IO_TIMES),
)


@pytest.fixture(scope="module")
def connection(postgres18: object) -> Iterator[psycopg.Connection]:
    with psycopg.connect(postgres18.dsn, autocommit=True) as opened:  # type: ignore[attr-defined]
        opened.execute("CREATE DATABASE plan_options")
    dsn = postgres18.dsn.rpartition("/")[0] + "/plan_options"  # type: ignore[attr-defined]
    with psycopg.connect(dsn, autocommit=True) as opened:
        for sql in SETUP:
            opened.execute(sql)  # type: ignore[call-overload]
        yield opened


def beside(plan: Plan) -> dict[str, object]:
    """What stands beside the tree, as the names of its keys: figures differ from run to run.

    Blocks are left out: TEXT says them only where there were some, and the first run reads catalogs.
    """
    told = {
        key: sorted(name for name in value if "Blocks" not in name and "I/O" not in name)
        if isinstance(value, Mapping)
        else type(value)
        for key, value in plan.extra.items()
    }
    return {key: value for key, value in told.items() if value}


@pytest.mark.parametrize("asked", OPTIONS)
def test_all_formats_say_the_same(connection: psycopg.Connection, asked: str) -> None:
    sql = STATEMENT.replace("900", "$1") if asked == "generic" else STATEMENT
    expected = explained(connection, OPTIONS[asked], sql, "JSON")
    for form in FORMATS:
        plan = explained(connection, OPTIONS[asked], sql, form)
        assert stable(plan) == stable(expected), form
        assert beside(plan) == beside(expected), form
        assert plan.settings == expected.settings, form
        assert (plan.execution_ms is None) == (expected.execution_ms is None), form
    if asked == "all":
        assert set(expected.settings) >= {"work_mem"}
        assert expected.extra["Serialization"]["Output Volume"] > 0  # type: ignore[index]
        assert expected.extra["Planning"]["Memory Used"] > 0  # type: ignore[index]
        assert expected.total_ms is None
    if asked == "binary":
        assert expected.extra["Serialization"]["Format"] == "binary"  # type: ignore[index]
        assert expected.extra["Serialization"]["Time"] >= 0  # type: ignore[index]


@pytest.mark.parametrize("form", ["JSON", *FORMATS])
@pytest.mark.parametrize("sql", [STATEMENT, WRITING], ids=["a read", "a write"])
def test_counters_of_nodes_sum_to_the_roots(
    connection: psycopg.Connection, sql: str, form: str
) -> None:
    connection.execute("TRUNCATE opt_log")
    plan = explained(connection, "ANALYZE, BUFFERS, WAL, VERBOSE, ", sql, form)
    nodes = list(plan.root.walk())
    told = set()
    for name in COUNTED:
        own = exclusive(nodes, name)
        assert sum(own) == pytest.approx(counter(plan.root, name), abs=0.01), name
        told |= {name} if sum(own) else set()
    if sql == STATEMENT:
        assert told >= {"Shared Hit Blocks", "Temp Written Blocks", "Temp Read Blocks"}
        (scan,) = [node for node in nodes if node.type == "CTE Scan"]
        (made,) = [node for node in nodes if node.subplan_name == "CTE most"]
        assert made.payers == (scan.id,)
    else:
        assert told >= {"Shared Dirtied Blocks", "WAL Records", "WAL Bytes"}
        assert exclusive(nodes, "WAL Records")[0] > 2000
