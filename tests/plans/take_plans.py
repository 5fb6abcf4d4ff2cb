"""Takes the plans of tests/data/plans/{seq_scan,figures} again: `python take_plans.py DSN`.

The server is a scratch one that the user names; its database gets the tables of schema.sql.
"""

import json
import sys
from pathlib import Path

import psycopg

PLANS = Path(__file__).resolve().parents[1] / "data" / "plans"
FOLDER = PLANS / "seq_scan"
EXPLAIN = "ANALYZE, BUFFERS, FORMAT JSON"


def take(connection: psycopg.Connection, case: dict[str, object]) -> str:
    """The plan of a case on its second run, as text; nothing stays written."""
    with connection.transaction(force_rollback=True), connection.cursor() as cursor:
        for setting in case.get("set", []):
            cursor.execute(f"SET LOCAL {setting}")
        for _ in range(2):
            cursor.execute(f"EXPLAIN ({case.get('explain', EXPLAIN)}) {case['sql']}")
            row = cursor.fetchone()
    return json.dumps(row[0], indent=2) + "\n"


def main() -> None:
    """Build the tables, then write one file per case."""
    with psycopg.connect(sys.argv[1], autocommit=True) as connection:
        for statement in (FOLDER / "schema.sql").read_text().split(";\n"):
            connection.execute(statement)
        for name, case in json.loads((FOLDER / "cases.json").read_text()).items():
            (FOLDER / f"{name}.json").write_text(take(connection, case))
        for name, sql in json.loads((PLANS / "figures" / "cases.json").read_text()).items():
            (PLANS / "figures" / f"{name}.json").write_text(take(connection, {"sql": sql}))


if __name__ == "__main__":
    main()
