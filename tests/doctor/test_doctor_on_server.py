"""`pg95 doctor` on real servers: what it says, that its fixes run, and that it changes nothing."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Protocol

import pytest
from click.testing import CliRunner, Result

from analyzer.cli import cli
from analyzer.sources.postgres.connection import BEGIN


class Server(Protocol):
    """What these tests use of tests/conftest.py's server."""

    dsn: str
    host: str
    port: int

    def psql(self, sql: str, dsn: str | None = None) -> str: ...

    def create_database(self, name: str) -> str: ...

    def flush_logs(self) -> None: ...

    def log_path(self, log_format: str = "stderr") -> Path: ...


def run(*arguments: str) -> Result:
    return CliRunner().invoke(cli, arguments, catch_exceptions=False)


def checks(dsn: str, *more: str) -> dict[str, dict[str, Any]]:
    done = run("doctor", "--dsn", dsn, "--format", "json", *more)
    assert done.exit_code == 0
    return {one["id"]: one for one in json.loads(done.stdout)["checks"]}


@pytest.fixture(scope="module", params=["postgres15", "postgres18"])
def server(request: pytest.FixtureRequest) -> Iterator[Server]:
    found: Server = request.getfixturevalue(request.param)
    yield found
    found.psql("ALTER SYSTEM RESET ALL")
    found.psql("SELECT pg_reload_conf()")


@pytest.fixture(scope="module")
def shop(server: Server) -> str:
    dsn = server.create_database("doctor_shop")
    server.psql(
        "CREATE EXTENSION pg_stat_statements; CREATE TABLE items (id int PRIMARY KEY);"
        "SELECT count(*) FROM items",
        dsn,
    )
    return dsn


def test_a_server_that_logs_everything_is_fine(server: Server, shop: str) -> None:
    found = checks(shop, "--strict")
    essential = {name: one for name, one in found.items() if one["essential"]}
    assert {one["status"] for one in essential.values()} == {"ok"}
    assert set(essential) >= {"preloaded", "extension", "privileges", "query-ids", "coverage"}
    assert "every execution is logged" in found["coverage"]["text"]
    assert "in schema public" in found["extension"]["text"]
    assert found["prefix"]["status"] == "ok"
    assert found["auto-explain"]["text"] == "auto_explain logs plans from 5 ms on"
    assert found["io-timing"]["status"] == "warning"
    assert server.psql("SHOW track_io_timing") == "off"


def test_a_weak_role_is_told_what_it_needs(server: Server, shop: str) -> None:
    server.psql("DROP ROLE IF EXISTS doctor_weak; CREATE ROLE doctor_weak LOGIN")
    dsn = f"postgresql://doctor_weak@{server.host}:{server.port}/doctor_shop"
    found = checks(dsn)
    assert found["privileges"]["status"] == "missing"
    assert found["privileges"]["fixes"] == ['GRANT pg_read_all_stats TO "doctor_weak";']
    assert found["settings-seen"]["fixes"] == ['GRANT pg_monitor TO "doctor_weak";']
    assert run("doctor", "--dsn", dsn, "--strict").exit_code == 1
    server.psql("CREATE ROLE doctor_group; GRANT pg_monitor TO doctor_group")
    inherit = "WITH INHERIT FALSE" if server.psql("SHOW server_version_num") > "160000" else ""
    server.psql(f"GRANT pg_read_all_stats TO doctor_weak {inherit}")
    if not inherit:
        server.psql("ALTER ROLE doctor_weak NOINHERIT")
    outside = checks(dsn)["privileges"]
    assert "does not inherit" in outside["text"]
    for fix in outside["fixes"]:
        server.psql(fix)
    assert checks(dsn)["privileges"]["status"] == "ok"
    server.psql("DROP ROLE doctor_weak; DROP ROLE doctor_group")
    assert shop


def test_a_missing_extension_is_told(server: Server) -> None:
    dsn = server.create_database("doctor_bare")
    done = run("doctor", "--dsn", dsn, "--strict")
    assert done.exit_code == 1
    assert "✗ pg_stat_statements is not installed in database doctor_bare" in done.stdout
    assert "Essential and missing, so that no verdict is sure: extension." in done.stdout
    found = checks(dsn)["extension"]
    server.psql(found["fixes"][0], dsn)
    assert checks(dsn)["extension"]["status"] == "ok"
    server.psql("DROP DATABASE doctor_bare WITH (FORCE)")


def test_every_fix_runs_and_helps(server: Server, shop: str) -> None:
    bad = {
        "log_min_duration_statement": "-1",
        "log_line_prefix": "%t ",
        "log_statement": "mod",
        "log_min_error_statement": "panic",
        "log_duration": "on",
        "log_error_verbosity": "terse",
        "log_parameter_max_length": "0",
        "compute_query_id": "off",
        "pg_stat_statements.track": "none",
        "pg_stat_statements.track_utility": "off",
        "auto_explain.log_min_duration": "-1",
    }
    for name, value in bad.items():
        server.psql(f"ALTER SYSTEM SET {name} = '{value}'")
    server.psql("SELECT pg_reload_conf(); SELECT pg_sleep(0.3)")
    ill = checks(shop)
    expected = {"coverage", "prefix", "log-statement", "log-duration", "verbosity", "parameters"}
    expected |= {
        "log-min-error-statement",
        "query-ids",
        "track",
        "track-utility",
        "auto-explain",
        "io-timing",
        "events",
    }
    assert {name for name, one in ill.items() if one["status"] != "ok"} >= expected
    assert ill["coverage"]["fixes"][0] == "ALTER SYSTEM SET log_min_duration_statement = '50ms';"
    assert "%p" in ill["prefix"]["text"]
    for one in ill.values():
        for fix in one["fixes"]:
            server.psql(fix, shop)
    server.psql("SELECT pg_sleep(0.3)")
    well = checks(shop)
    left = {name for name, one in well.items() if one["status"] != "ok" and name in expected}
    assert left == set()
    assert "tail-exact" in well["coverage"]["text"]
    server.psql("ALTER SYSTEM RESET ALL")
    server.psql("SELECT pg_reload_conf(); SELECT pg_sleep(0.3)")


def test_settings_of_roles_and_databases_are_told(server: Server, shop: str) -> None:
    server.psql("ALTER DATABASE doctor_shop SET log_min_duration_statement = 500")
    done = run("doctor", "--dsn", shop)
    assert "! database doctor_shop has log_min_duration_statement = 500 of its own" in done.stdout
    server.psql("ALTER DATABASE doctor_shop RESET log_min_duration_statement")


def test_the_plan_fits_its_budget_and_its_commands_run(server: Server, shop: str) -> None:
    done = run("doctor", "--dsn", shop, "--format", "json", "--plan-logging", "--budget", "1GB/day")
    plan = json.loads(done.stdout)["plan"]
    chosen = plan["chosen"]
    assert chosen["fits"] == "surely"
    assert chosen["high_bytes"] <= plan["budget_bytes"] == 2**30
    volumes = [one["likely_bytes"] for one in plan["options"] if not one["rate"]]
    assert volumes == sorted(volumes, reverse=True)
    commands = [*chosen["commands"], *plan["narrower"], *plan["revert"]]
    commands += [*plan["window"]["open"], *plan["window"]["revert"]]
    for command in commands:
        server.psql(command, shop)
    server.psql("ALTER ROLE postgres RESET ALL; ALTER SYSTEM RESET ALL")
    for name in ("doctor_shop", "postgres"):
        server.psql(f"ALTER DATABASE {name} RESET ALL")
    server.psql("SELECT pg_reload_conf(); SELECT pg_sleep(0.3)")
    text = run("doctor", "--dsn", shop, "--plan-logging", "--budget", "1GB/day").stdout
    assert "To take it back:" in text


READ_ONLY = re.compile(r"(?:--[^\n]*\n)*(?:SELECT /\* pg95 \*/|ROLLBACK AND CHAIN /\* pg95 \*/$)")


def test_nothing_but_read_only_statements_come_from_pg95(
    server: Server, shop: str, tmp_path: Path
) -> None:
    server.psql("ALTER DATABASE doctor_shop SET log_statement = 'all'")
    server.flush_logs()
    start = server.log_path("jsonlog").stat().st_size
    files = [str(tmp_path / name) for name in ("one.json", "report.json")]
    assert run("snapshot", "--dsn", shop, "-o", files[0], "--database", "postgres").exit_code == 0
    assert run("doctor", "--dsn", shop, "--plan-logging").exit_code == 0
    assert run("report", "--dsn", shop, "-o", files[1]).exit_code == 0
    server.flush_logs()
    entries = server.log_path("jsonlog").read_bytes()[start:].splitlines()
    texts: dict[str, list[str]] = {}
    for entry in map(json.loads, entries):
        if entry.get("application_name") == "pg95":
            said = re.match(
                r"(?s)(?:duration: \S+ ms  )?(?:statement|execute \S+): (.*)", entry["message"]
            )
            if said:
                texts.setdefault(entry["session_id"], []).append(said[1])
    assert len(texts) == 4  # the snapshot's two databases, the doctor, the report
    for said in texts.values():
        assert said[0] == BEGIN
        assert [text for text in said[1:] if not READ_ONLY.match(text)] == []
    server.psql("ALTER DATABASE doctor_shop RESET ALL")
