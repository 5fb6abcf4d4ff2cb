"""Takes the plans of tests/data/plans/findings again: `python take_findings.py DSN [FINDING …]`.

The server is a scratch one that the user names, started with autovacuum = off and shared_buffers = 16MB;
its database has the tables of schema.sql (psql -f), or, with pgvector, that of vectors.sql. Cases of another major version are left alone.
"""

import json
import sys
from pathlib import Path

import psycopg

FOLDER = Path(__file__).resolve().parents[1] / "data" / "plans" / "findings"
EXPLAIN = "ANALYZE, BUFFERS, FORMAT JSON"
QUIET = ("max_parallel_workers_per_gather = 0", "jit = off")


def take(connection: psycopg.Connection, case: dict[str, object]) -> list[object]:
    """The plans of a case's statements, each on its last run; nothing stays written."""
    for sql in case.get("before", []):
        connection.execute(sql)
    plans: list[object] = []
    with connection.transaction(force_rollback=True), connection.cursor() as cursor:
        for setting in (*QUIET, *case.get("set", [])):
            cursor.execute(f"SET LOCAL {setting}")
        for one in case["sql"] if isinstance(case["sql"], list) else [case["sql"]]:
            several = {"sql": one, "text": one} if isinstance(one, str) else one
            sql = several["sql"]
            for setting in several.get("set", []):
                cursor.execute(f"SET LOCAL {setting}")
            for _ in range(case.get("runs", 2)):
                cursor.execute("SAVEPOINT before_run")
                cursor.execute(f"EXPLAIN ({case.get('explain', EXPLAIN)}) {sql}")
                row = cursor.fetchone()
                cursor.execute("ROLLBACK TO before_run")
            told = {"Query Text": several["text"]} if isinstance(case["sql"], list) else {}
            plans.append({**told, **row[0][0]})
    return plans


def main() -> None:
    """One file per case: `<finding>.<case>.json`."""
    wanted = sys.argv[2:]
    with psycopg.connect(sys.argv[1], autocommit=True) as connection:
        version = connection.info.server_version // 10_000
        vectors = (
            connection.execute("SELECT FROM pg_extension WHERE extname = 'vector'").rowcount == 1
        )
        for finding, cases in json.loads((FOLDER / "cases.json").read_text()).items():
            for name, case in cases.items() if not wanted or finding in wanted else ():
                here = (case.get("version", 15), case.get("vectors", False)) == (version, vectors)
                if "sql" in case and here:
                    path = FOLDER / f"{finding}.{name}.json"
                    plans = take(connection, case)
                    path.write_text(json.dumps(plans, separators=(",", ":")) + "\n")
                    sys.stdout.write(f"{path.name}\n")


if __name__ == "__main__":
    main()
