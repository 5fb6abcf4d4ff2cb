"""Wrapped logs through the whole chain: the figures of the same run's own jsonlog."""

import json
import lzma
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from analyzer.pipeline import Options, run

FOLDER = Path(__file__).parent.parent / "data/logs/wrapped"
EXECUTION = re.compile(r"duration: ([0-9.]+) ms  (?:statement|execute [^:]*): ")
PHASE = re.compile(r"duration: [0-9.]+ ms  (parse|bind) ")


def content(name: str) -> bytes:
    return lzma.decompress((FOLDER / f"{name}.xz").read_bytes())


def truth() -> dict[str, Any]:
    """Counted in PostgreSQL's jsonlog of the run, message by message."""
    entries = [json.loads(line) for line in content("numbered.json").splitlines()]
    messages = [entry["message"] for entry in entries]
    durations = [float(found[1]) for text in messages if (found := EXECUTION.match(text))]
    phases = [found[1] for text in messages if (found := PHASE.match(text))]
    return {
        "executions": len(durations),
        "total_ms": round(sum(durations), 3),
        "parse": phases.count("parse"),
        "bind": phases.count("bind"),
        "errors": sum(entry["error_severity"] == "ERROR" for entry in entries),
    }


def figures(document: dict[str, Any]) -> dict[str, Any]:
    (source,) = document["coverage"]["sources"]
    total_ms = sum(statement["total_ms"] for statement in document["statements"])
    counts = {name: source[name] for name in ("executions", "parse", "bind", "errors")}
    return {**counts, "total_ms": round(total_ms, 3)}


def cloud_logging(log: bytes) -> bytes:
    record = {"logName": "p/postgres.log", "insertId": "x", "timestamp": "2026-11-23T06:52:40Z"}
    return b"".join(
        json.dumps({**record, "textPayload": line.decode()}).encode() + b"\n"
        for line in log.splitlines()
    )


def cloudnativepg(log: bytes) -> bytes:
    names = {"timestamp": "log_time", "pid": "process_id", "line_num": "session_line_num"}
    names |= {"user": "user_name", "dbname": "database_name", "state_code": "sql_state_code"}
    names |= {"statement": "query"}
    records = (
        {names.get(key, key): str(value) for key, value in json.loads(line).items()}
        for line in log.splitlines()
    )
    return b"".join(
        json.dumps({"logger": "postgres", "msg": "record", "record": record}).encode() + b"\n"
        for record in records
    )


def kubernetes(log: bytes) -> bytes:
    return b"".join(
        b"2026-11-22T08:00:00.123456789Z stderr F " + line + b"\n" for line in log.splitlines()
    )


@pytest.mark.parametrize(
    ("name", "wrap", "kind"),
    [
        ("numbered.bsd.log", bytes, "syslog"),
        ("numbered.iso.log", bytes, "syslog"),
        ("numbered.ietf.log", bytes, "syslog"),
        ("numbered.stderr.log", cloud_logging, "cloudsql"),
        ("numbered.json", cloudnativepg, "cnpg"),
        ("numbered.stderr.log", kubernetes, "cri"),
    ],
)
def test_a_wrapped_log_gives_the_figures_of_the_servers_own(
    tmp_path: Path, name: str, wrap: Callable[[bytes], bytes], kind: str
) -> None:
    path = tmp_path / name
    data = wrap(content(name))
    path.write_bytes(data)
    document = run(Options(inputs=[str(path)])).document
    assert figures(document) == truth()
    (source,) = document["coverage"]["sources"]
    assert source["format"] == kind
    assert (source["bytes"], source["bytes_unparsed"], source["unparsed_lines"]) == (
        len(data),
        0,
        0,
    )


@pytest.mark.parametrize("name", ["bare.bsd.log", "bare.iso.log", "pieces.bsd.log", "journal.json"])
def test_all_forms_of_one_workload_have_as_many_executions(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    path.write_bytes(content(name))
    document = run(Options(inputs=[str(path)])).document
    found = figures(document)
    expected = truth()
    for figure in ("executions", "parse", "bind", "errors"):
        assert found[figure] == expected[figure]
    assert any(
        "other programs than PostgreSQL" in text for text in document["coverage"]["warnings"]
    )


def test_a_wrapped_log_and_the_servers_own_are_views_of_one_run(tmp_path: Path) -> None:
    for name in ("numbered.iso.log", "numbered.json"):
        (tmp_path / name).write_bytes(content(name))
    document = run(Options(inputs=[str(tmp_path)])).document
    total_ms = sum(statement["total_ms"] for statement in document["statements"])
    assert round(total_ms, 3) == truth()["total_ms"]
