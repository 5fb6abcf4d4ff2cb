"""Index advice beside that of other advisors, judged by a program that knows none of them.

    make bench-indexes JUDGE=evaluate.py SETS=folder BENCH="--dsn 'host=… user=postgres dbname=tpch'"

The judge takes `--dsn --queries --skip --set --indexes FILE…` and prints what each set of CREATE INDEX
makes of a workload, by HypoPG. Beside it lie schema.sql, pk.sql and queries/ of TPC-H. The database of
`--dsn`, on a scratch server with HypoPG, is made and loaded at scale 1 if it is not there: that takes
`tpchgen-cli` on PATH (pip install tpchgen-cli), psql and 3 GB. Queries 2, 17 and 20 are left out: 20
alone would be nearly all of the cost.
"""

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from measuring import run
from psycopg import conninfo

CHECKOUT = Path(__file__).resolve().parents[1]
BUDGETS_MB = (500, 1000, 2000)
SKIPPED = ("2", "17", "20")
SETTINGS = {"max_parallel_workers_per_gather": "0", "work_mem": "64MB"}
TABLES = ("region", "nation", "part", "supplier", "partsupp", "customer", "orders", "lineitem")


def main() -> None:
    """Load what is missing, ask pg95 for each budget, and let the judge compare."""
    options = _options()
    judge = Path(options.judge).resolve()
    _load(options.dsn, judge.parent)
    with tempfile.TemporaryDirectory(prefix="pg95-bench-") as folder:
        queries = Path(folder) / "queries"
        shutil.copytree(judge.parent / "queries", queries)
        for name in SKIPPED:
            (queries / f"{name}.sql").unlink(missing_ok=True)
        sets = [_advised(options, queries, mb, Path(folder)) for mb in options.budget]
        sets += sorted(Path(options.sets).glob("*.sql"))
        command = [sys.executable, judge, "--dsn", options.dsn, "--queries", queries]
        for name, value in SETTINGS.items():
            command += ["--set", f"SET {name} = '{value}'"]
        if options.real:
            command += ["--real", "--runs", str(options.real)]
            sets = sets[: len(options.budget)]
        subprocess.run([*command, "--indexes", *sets], check=True)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--judge", required=True)
    parser.add_argument("--sets", required=True, help="a folder of other advisors' sets, *.sql")
    parser.add_argument("--dsn", required=True, help="a scratch database; made if it is missing")
    parser.add_argument(
        "--real",
        type=int,
        metavar="RUNS",
        help="build pg95's sets and run the queries so often before and with each: the judge lists those "
        "that get slower than 1.1 times. One after the other, so the machine has to be idle",
    )
    parser.add_argument(
        "--verify",
        metavar="DSN",
        help="have pg95 verify its sets on this server: another one than that of --dsn, with the same data (a "
        "copy of its data directory); judged is what that leaves of them",
    )
    parser.add_argument("--verify-seconds", default="600")
    parser.add_argument("--budget", type=int, nargs="*", default=BUDGETS_MB, help="in MB")
    return parser.parse_args()


def _advised(options: argparse.Namespace, queries: Path, budget_mb: int, folder: Path) -> Path:
    """Ask pg95 for a set, print what that took, and write the set down."""
    answer = folder / f"pg95_{budget_mb}.json"
    settings = " ".join(f"-c {name}={value}" for name, value in SETTINGS.items())
    asked = [sys.executable, "-m", "analyzer", "indexes", "--queries", queries]
    asked += ["--dsn", options.dsn, "--what-if", "hypopg"]
    asked += ["--size-model", "hypopg", "--budget", f"{budget_mb}MB"]
    if options.verify:
        asked += ["--verify", options.verify, "--verify-seconds", options.verify_seconds]
    shell = f"exec \"$@\" --format json > '{answer}'"
    used = run(["sh", "-c", shell, "sh", *asked], cwd=CHECKOUT, environment={"PGOPTIONS": settings})
    advice = json.loads(answer.read_text())["indexes"]
    print(
        f"pg95 {budget_mb} MB: {len(advice['create'])} indexes, {advice['what_if_calls']} what-if calls, "
        f"{used.wall_s:.1f} s ({used.cpu_s:.1f} s CPU){'' if advice['finished'] else ', cut short'}"
    )
    if advice["verification"]:
        _tell(advice["verification"])
    written = folder / f"pg95_{budget_mb}.sql"
    written.write_text("\n".join(one["sql"] for one in advice["create"]) + "\n")
    return written


def _tell(found: dict[str, Any]) -> None:
    """What was measured of a set that was verified: each statement, and what it cost the set."""
    for one in sorted(found["statements"], key=lambda one: one["before_ms"] / one["after_ms"]):
        print(
            f"  {one['after_ms'] / one['before_ms']:.2f} times: {one['name']} {one['before_ms']:.0f} ms to "
            f"{one['after_ms']:.0f} ms ({one['rounds']} pairs{'' if one['clear'] else ', not clear'})"
        )
    for name, slower in found["rejected"].items():
        print(f"  rejected: {name}: {', '.join(str(one['surprise']) for one in slower)}")
    sums = [sum(one[side] for one in found["statements"]) for side in ("before_ms", "after_ms")]
    print(
        f"  {found['same_plan']} statements kept their plan; the others {sums[0]:.0f} ms to {sums[1]:.0f} ms"
        f"{'' if found['finished'] else '; the time was over'}"
    )


def _load(dsn: str, schema: Path) -> None:
    """Make and fill the database, unless it is there."""
    name = str(conninfo.conninfo_to_dict(dsn)["dbname"])
    server = conninfo.make_conninfo(dsn, dbname="postgres")
    if name in _psql(server, "-Atc", "SELECT datname FROM pg_database").splitlines():
        return
    with tempfile.TemporaryDirectory(prefix="pg95-tpch-") as data:
        subprocess.run(["tpchgen-cli", "-s", "1", "--output-dir", data], check=True)
        _psql(server, "-c", f'CREATE DATABASE "{name}"')
        _psql(dsn, "-c", "CREATE EXTENSION hypopg", "-f", str(schema / "schema.sql"))
        for table in TABLES:
            rows = f"sed 's/|$//' '{Path(data) / table}.tbl'"  # lines end in a delimiter
            _psql(dsn, "-c", rf"\copy {table} FROM PROGRAM '{_quoted(rows)}' (DELIMITER '|')")
    _psql(dsn, "-f", str(schema / "pk.sql"), "-c", "VACUUM (FREEZE, ANALYZE)")


def _quoted(text: str) -> str:
    return text.replace("'", "''")


def _psql(dsn: str, *options: str) -> str:
    command = ["psql", "-X", "-q", "-v", "ON_ERROR_STOP=1", "-d", dsn, *options]
    return subprocess.run(
        command, check=True, capture_output=True, text=True, env=dict(os.environ)
    ).stdout


if __name__ == "__main__":
    main()
