"""The command line: exit codes, messages, outputs, help."""

import json
import lzma
import os
import subprocess
import sys
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from analyzer.cli import cli

DATA = Path(__file__).parents[1] / "data"
CAPTURE = DATA / "nplusone" / "django" / "nested.csv"


def pg95(
    *arguments: object, stdin: bytes = b"", **environment: str
) -> "subprocess.CompletedProcess[bytes]":
    return subprocess.run(
        [sys.executable, "-m", "analyzer", *map(str, arguments)],
        check=False,
        capture_output=True,
        input=stdin,
        env={**os.environ, **environment},
    )


@pytest.mark.parametrize("name", cli.list_commands(click.Context(cli)))
def test_every_command_has_help_with_examples(name: str) -> None:
    shown = CliRunner().invoke(cli, [name, "--help"])
    assert shown.exit_code == 0
    assert "Examples:" in shown.output
    assert f"pg95 {name}" in shown.output


def test_report_writes_every_format_and_says_where(tmp_path: Path) -> None:
    paths = [tmp_path / f"r.{ending}" for ending in ("html", "json", "md", "csv")]
    done = pg95("report", CAPTURE, *[part for path in paths for part in ("-o", path)])
    assert done.returncode == 0, done.stderr
    text = done.stdout.decode()
    assert "P95 < 100 ms (statements " in text
    assert "N+1: 47 × reviews by book_id" in text
    for path in paths:
        assert f"Report: {path}" in text
        assert path.stat().st_size > 500
    assert json.loads(paths[1].read_text())["schema_version"] == 1


def test_json_alone_loads_no_view(tmp_path: Path) -> None:
    """What views are made with takes longer to import than a small log to analyse."""
    loaded = (
        "import sys; from analyzer.cli import cli; "
        f"cli(['report', {str(CAPTURE)!r}, '-o', {str(tmp_path / 'r.json')!r}], standalone_mode=False); "
        "print('loaded:', *(name.partition('.')[0] for name in sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", loaded], check=True, capture_output=True)
    packages = set(done.stdout.decode().partition("loaded:")[2].split())
    assert "pglast" in packages
    assert not packages & {"jinja2", "rich", "sqlglot", "psycopg", "pandas"}


def test_numpy_starts_no_threads_that_nothing_needs(tmp_path: Path) -> None:
    started = (
        "import atexit, os, sys; from analyzer.cli import main; "
        f"sys.argv = ['pg95', 'report', {str(CAPTURE)!r}, '-o', {str(tmp_path / 'r.json')!r}]\n"
        "atexit.register(lambda: print('tasks:', len(os.listdir('/proc/self/task'))))\n"
        "main()"
    )
    done = subprocess.run([sys.executable, "-c", started], check=True, capture_output=True)
    assert done.stdout.decode().partition("tasks:")[2].split() == ["1"]


@pytest.mark.parametrize("command", ["report", "top", "nplusone", "plans", "indexes"])
def test_json_is_one_document_and_nothing_else(command: str) -> None:
    done = pg95(command, CAPTURE, "--format", "json")
    assert done.returncode == 0, done.stderr
    document = json.loads(done.stdout)
    assert list(document) == list(json.loads(pg95("report", CAPTURE, "--format", "json").stdout))


@pytest.mark.parametrize("command", ["report", "top", "nplusone", "plans", "indexes"])
def test_tables_are_plain_when_piped(command: str) -> None:
    done = pg95(command, CAPTURE, "--format", "table", COLUMNS="100")
    assert done.returncode == 0, done.stderr
    assert b"\x1b" not in done.stdout
    assert max(len(line) for line in done.stdout.decode().splitlines()) <= 100


def test_no_room_to_write_is_no_defect() -> None:
    with Path("/dev/full").open("wb") as full:
        done = subprocess.run(
            [sys.executable, "-m", "analyzer", "report", CAPTURE, "--format", "json"],
            check=False,
            stdout=full,
            stderr=subprocess.PIPE,
        )
    assert done.returncode == 3
    assert b"cannot write: No space left on device; free some room" in done.stderr
    assert b"defect" not in done.stderr


def test_stdin_and_the_same_bytes_twice() -> None:
    first = pg95("report", "-", "--format", "json", stdin=CAPTURE.read_bytes())
    second = pg95("report", "-", "--format", "json", stdin=CAPTURE.read_bytes())
    assert first.returncode == 0, first.stderr
    assert first.stdout == second.stdout


def test_compressed_input_is_the_same_workload(tmp_path: Path) -> None:
    packed = tmp_path / "nested.csv.xz"
    packed.write_bytes(lzma.compress(CAPTURE.read_bytes()))
    plain, other = (
        json.loads(pg95("report", path, "--format", "json").stdout) for path in (CAPTURE, packed)
    )
    assert plain["statements"] != []
    assert plain["findings"] == other["findings"]
    assert plain["target"] == other["target"]


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"", "empty"),
        (b"\x7fELF\x02\x01\x01\x00" + bytes(range(256)) * 40, "binary"),
        (b"Dear diary,\ntoday nothing happened.\n", "--log-line-prefix"),
    ],
    ids=["empty", "binary", "wrong format"],
)
def test_an_input_that_is_none_ends_with_3_alone_and_is_a_warning_beside_others(
    content: bytes, says: str, tmp_path: Path
) -> None:
    bad = tmp_path / "bad.log"
    bad.write_bytes(content)
    alone = pg95("report", bad, "-o", tmp_path / "r.json")
    assert alone.returncode == 3
    assert "bad.log" in alone.stderr.decode()
    assert says in alone.stderr.decode()
    assert b"Traceback" not in alone.stderr
    assert not (tmp_path / "r.json").exists()
    beside = pg95("report", bad, CAPTURE, "--format", "json")
    assert beside.returncode == 0
    coverage = json.loads(beside.stdout)["coverage"]
    assert any("bad.log" in warning for warning in coverage["warnings"])
    assert coverage["executions"] > 0


def test_missing_file_and_unreachable_server() -> None:
    missing = pg95("report", "/nonexistent/app.log")
    assert missing.returncode == 3
    assert b"/nonexistent/app.log" in missing.stderr
    dsn = "postgresql://reader:hunter2@127.0.0.1:9/app"
    alone = pg95("report", "--dsn", dsn)
    assert alone.returncode == 3
    assert b"127.0.0.1" in alone.stderr
    assert b"hunter2" not in alone.stderr + alone.stdout
    beside = pg95("report", CAPTURE, "--dsn", dsn, "--format", "json")
    assert beside.returncode == 0
    assert any(
        "127.0.0.1" in warning for warning in json.loads(beside.stdout)["coverage"]["warnings"]
    )
    assert b"hunter2" not in beside.stderr + beside.stdout


@pytest.mark.parametrize(
    "arguments",
    [
        ["report"],
        ["report", str(CAPTURE), "-o", "report.pdf"],
        ["report", str(CAPTURE), "--since", "yesterday-ish"],
        ["report", str(CAPTURE), "--fail-on", "everything"],
        ["report", str(CAPTURE), "--fail-on", "regression"],
        ["nosuch"],
        ["report", str(CAPTURE), "--nosuch"],
    ],
)
def test_usage_errors_are_2(arguments: list[str], tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "analyzer", *arguments],
        check=False,
        capture_output=True,
        cwd=tmp_path,
    )
    assert done.returncode == 2, done.stderr
    assert done.stderr.startswith((b"pg95:", b"Usage:"))
    assert list(tmp_path.iterdir()) == []


def test_fail_on(tmp_path: Path) -> None:
    report = ["report", CAPTURE, "-o", tmp_path / "r.json"]
    assert pg95(*report, "--fail-on", "target").returncode == 0
    assert pg95(*report, "--fail-on", "target", "--target-ms", "0.001").returncode == 1
    assert pg95(*report, "--fail-on", "findings").returncode == 1
    assert pg95(*report, "--fail-on", "never").returncode == 0
    clean = DATA / "nplusone" / "django" / "eager_in.csv"
    assert pg95("report", clean, "-o", tmp_path / "c.json", "--fail-on", "findings").returncode == 0
    counters = DATA / "nplusone" / "django" / "nested.pgss.json"
    unknown = pg95(
        "report", counters, "-o", tmp_path / "u.json", "--fail-on", "target", "--target-ms", "0.4"
    )
    assert json.loads((tmp_path / "u.json").read_text())["target"]["verdict"] == "unknown"
    assert unknown.returncode == 1


def test_since_and_until_cut_the_window() -> None:
    whole = json.loads(pg95("report", CAPTURE, "--format", "json").stdout)
    start, end = whole["window"]["from"], whole["window"]["to"]
    none = pg95("report", CAPTURE, "--since", "2030-01-01", "--format", "json")
    assert none.returncode in (0, 3)
    part = json.loads(
        pg95("report", CAPTURE, "--since", start, "--until", end, "--format", "json").stdout
    )
    assert 0 < part["coverage"]["executions"] <= whole["coverage"]["executions"]


def test_index_sql_is_runnable_lines() -> None:
    sample = DATA / "prisma" / "pglog" / "default_client.json"
    schema = DATA / "prisma" / "schema" / "schema.prisma"
    done = pg95("indexes", sample, "--schema", schema, "--format", "sql")
    assert done.returncode == 0, done.stderr
    lines = [line for line in done.stdout.decode().splitlines() if not line.startswith("--")]
    assert lines
    assert all(
        line.startswith("CREATE INDEX CONCURRENTLY") and line.endswith(";") for line in lines
    )
    assert any("containers" in line and "project_id" in line for line in lines)


def test_top_orders_and_limits() -> None:
    done = pg95("top", CAPTURE, "--by", "calls", "-n", "1", COLUMNS="120")
    assert b"reviews" in done.stdout
    assert b"more statement" in done.stdout


def test_demo_needs_nothing(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "analyzer", "demo"], check=False, capture_output=True, cwd=tmp_path
    )
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "pg95-report.html").stat().st_size > 10_000


def test_a_closed_pipe_is_no_error() -> None:
    command = f"{sys.executable} -m analyzer report {CAPTURE} --format json | head -c 10"
    done = subprocess.run(
        ["bash", "-o", "pipefail", "-c", command], check=False, capture_output=True
    )
    assert done.stderr == b""


def test_redaction_is_the_default() -> None:
    strict = pg95("report", CAPTURE, "--format", "json").stdout.decode()
    shown = pg95("report", CAPTURE, "--no-redact", "--format", "json").stdout.decode()
    assert '"redaction": "strict"' in strict
    assert (
        json.loads(strict)["findings"][0]["evidence"]["examples"][0]["parameters"]
        != json.loads(shown)["findings"][0]["evidence"]["examples"][0]["parameters"]
    )
