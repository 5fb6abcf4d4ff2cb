"""Captures of real servers: the same facts from every format, and as many as there are."""

import json
import math
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest

from analyzer.sql.tree import fingerprint

Reading = Callable[..., Any]  # into a recording: conftest.Read

MIXED = ("mixed.log.xz", "mixed.csv.xz", "mixed.json.xz")


@pytest.mark.parametrize("name", MIXED)
def test_mixed_gives_its_truth(data: Path, read: Reading, name: str) -> None:
    truth = json.loads((data / "logs/truth.json").read_bytes())["mixed"]
    found = read(data / "logs" / name)
    source, executions = found.source, found.executions
    assert source.entries == truth["records"]
    assert source.executions == len(executions) == truth["statement"] + truth["execute"]
    assert (source.parse, source.bind, source.plans) == (
        truth["parse"],
        truth["bind"],
        truth["plan"],
    )
    assert round(sum(executions.duration_ms), 3) == truth["dur_statement_execute_ms"]
    for name_of, place in (("p50_ms", 0.5), ("p95_ms", 0.95), ("p99_ms", 0.99), ("max_ms", 1)):
        nearest = math.ceil(place * len(executions)) - 1
        assert sorted(executions.duration_ms)[nearest] == truth[name_of]
    unique = {fingerprint(found.keys.texts[key]) for key in set(executions.key)}
    assert len(unique) == truth["fingerprints_pglast"]
    assert source.errors == truth["errors"]
    assert found.events()["temp-file", ""] == truth["tempfiles"]
    assert source.bytes_unparsed == source.unparsed_lines == source.truncated == 0
    phases = found.recording.phases.values()
    assert sum(totals.parses for totals in phases) == truth["parse"]
    assert sum(totals.binds for totals in phases) == truth["bind"]


def test_mixed_is_the_same_in_every_format(data: Path, read: Reading) -> None:
    views = []
    for name in MIXED:
        found = read(data / "logs" / name)
        columns = found.executions
        views.append(
            Counter(
                zip(
                    columns.end_us,
                    columns.duration_ms,
                    found.statements,
                    found.parameters,
                    strict=True,
                )
            )
        )
    assert views[0] == views[1] == views[2]


def test_the_prefix_of_mixed_is_detected_and_told(data: Path, read: Reading) -> None:
    found = read(data / "logs/mixed.log.xz")
    assert "'%m [%p] %q%u@%d app=%a '" in found.source.detected_by
    names = found.recording.names
    applications = {names.get(n) for n in found.executions.application}
    assert "my app: [x] 13" in applications


@pytest.mark.parametrize(
    ("run", "executions", "phases", "plans", "total_ms"),
    [("default_client", 127, 120, 5, 594.353), ("sqlcommenter", 80, 75, 4, 570.191)],
)
@pytest.mark.parametrize("ending", ["stderr.log", "csv", "json"])
def test_the_prisma_server_logs(
    data: Path,
    read: Reading,
    run: str,
    ending: str,
    executions: int,
    phases: int,
    plans: int,
    total_ms: float,
) -> None:
    found = read(data / "prisma/pglog" / f"{run}.{ending}")
    source = found.source
    assert (source.executions, source.parse, source.bind) == (executions, phases, phases)
    assert source.plans == len(found.recording.plans) == plans
    assert {plan.format for plan in found.recording.plans} == {"json"}
    assert all(json.loads(plan.text)["Plan"] for plan in found.recording.plans)
    assert round(sum(found.executions.duration_ms), 3) == total_ms
    assert all(found.executions.query_id)


def test_comments_are_kept_beside_the_statement(data: Path, read: Reading) -> None:
    found = read(data / "prisma/pglog/sqlcommenter.stderr.log")
    comments = found.recording.comments.texts
    assert any("route='%2Fapi%2Fn1_seq'" in comment for comment in comments)


@pytest.mark.parametrize("version", [14, 16, 18])
@pytest.mark.parametrize("ending", ["log", "csv", "json"])
def test_auto_explain_gives_plans_in_four_formats(
    data: Path, read: Reading, version: int, ending: str
) -> None:
    if (version, ending) == (14, "json"):
        return  # PostgreSQL 14 has no jsonlog
    found = read(data / "plans/version-matrix" / f"auto_explain-pg{version}.{ending}")
    formats = Counter(plan.format for plan in found.recording.plans)
    assert formats == {"text": 3, "json": 3, "yaml": 3, "xml": 3}
    assert found.source.executions == 0
    assert found.source.entries == 17
    assert all(plan.duration_ms and plan.at_us and plan.session for plan in found.recording.plans)


def test_plans_are_the_same_in_every_format(data: Path, read: Reading) -> None:
    folder = data / "plans/version-matrix"
    texts = [
        [plan.text for plan in read(folder / f"auto_explain-pg16.{ending}").recording.plans]
        for ending in ("log", "csv", "json")
    ]
    assert texts[0] == texts[1] == texts[2]


@pytest.mark.parametrize("orm", ["django", "prisma7", "sequelize"])
def test_nplusone_slices_agree_between_stderr_and_csvlog(
    data: Path, read: Reading, orm: str
) -> None:
    folder = data / "nplusone" / orm
    for log in sorted(folder.glob("*.log")):
        one, other = read(log), read(log.with_suffix(".csv"))
        assert one.source.executions == other.source.executions > 0
        rows = []
        for found in (one, other):
            ends = found.executions.end_us
            rows.append(by_session(found.sessions, ends, found.statements, found.parameters))
        assert rows[0] == rows[1]  # %c is csvlog's session_id
        assert sorted(one.recording.names.texts) == sorted(other.recording.names.texts)


def by_session(
    sessions: Sequence[str], *columns: Sequence[object]
) -> dict[str, list[tuple[object, ...]]]:
    """Each session's executions in order; sessions may be interleaved differently."""
    rows: dict[str, list[tuple[object, ...]]] = {}
    for session, *row in zip(sessions, *columns, strict=True):
        rows.setdefault(session, []).append(tuple(row))
    return rows
