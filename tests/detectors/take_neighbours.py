"""Takes the captures of tests/data/neighbours again: `python take_neighbours.py HOST PORT LOG`.

HOST and PORT are those of a scratch PostgreSQL that logs every statement to LOG (stderr format with
`user@database/` in its prefix) and has pg_stat_statements loaded. For each behaviour of
neighbours_shop.py: a new database, the log of its run, and where rows matter the counters.
"""

import subprocess
import sys
import time
from pathlib import Path

import psycopg

FOLDER = Path(__file__).resolve().parents[1] / "data" / "neighbours"
PROGRAM = Path(__file__).with_name("neighbours_shop.py")
COUNTED = ("everything", "bounded", "count_by_len", "count_by_count", "export_and_list")
BEHAVIOURS = (
    *("update_or_create_loop", "delete_loop", "copy_with_lazy_reads", "bulk_writes"),
    *("executemany", "retries"),
    *("progress", "streaming", "one_insert_a_request"),
    *("deep_pages", "page_walk", "first_pages", "offset_zero"),
    *COUNTED,
    *("chatty", "reads_before", "idle", "idle_elsewhere", "cancelled"),
)
COUNTERS = """
SELECT row_to_json(s)::text FROM pg_stat_statements s
WHERE dbid = (SELECT oid FROM pg_database WHERE datname = current_database())
  AND (query LIKE 'SELECT "%' OR query LIKE 'DECLARE%' OR query LIKE 'FETCH%')
ORDER BY queryid"""


def take(host: str, port: str, log: Path, name: str) -> None:
    """Capture one behaviour."""
    database = f"shop_{name}"
    server = f"host={host} port={port} user=postgres"
    with psycopg.connect(f"{server} dbname=postgres", autocommit=True) as connection:
        connection.execute(f"DROP DATABASE IF EXISTS {database} WITH (FORCE)")
        connection.execute(f"CREATE DATABASE {database}")
        connection.execute(f"ALTER DATABASE {database} SET auto_explain.log_min_duration = -1")
    with psycopg.connect(f"{server} dbname={database}", autocommit=True) as connection:
        connection.execute("SET log_min_duration_statement = -1")
        connection.execute((FOLDER / "schema.sql").read_text())
        connection.execute("CREATE EXTENSION pg_stat_statements; SELECT pg_stat_statements_reset()")
        begin = log.stat().st_size
        subprocess.run([sys.executable, PROGRAM, host, port, database, name], check=True)
        time.sleep(0.5)  # the logging collector writes a little later
        if name in COUNTED:
            rows = [row for (row,) in connection.execute(COUNTERS)]
            (FOLDER / f"{name}.jsonl").write_text("".join(f"{row}\n" for row in rows))
    lines, mine = log.read_bytes()[begin:].decode().splitlines(keepends=True), False
    kept = []
    for line in lines:
        if not line.startswith("\t"):
            mine = f"@{database}/" in line
        if mine:
            kept.append(line)
    (FOLDER / f"{name}.log").write_text("".join(kept))


def main() -> None:
    """Capture all behaviours, or those that are named."""
    host, port, log, *names = sys.argv[1:]
    for name in names or BEHAVIOURS:
        take(host, port, Path(log), name)


if __name__ == "__main__":
    main()
