"""The four promises after a night: measured, beside what they were in the nights before."""

import glob
from collections.abc import Sequence
from typing import Any

from analyzer.errors import AnalyzerError
from analyzer.history.promises import promise_trend
from analyzer.model.history import Run
from analyzer.nightly.scoreboard_settings import ScoreboardSettings
from analyzer.nightly.settings import Server
from analyzer.promises import compared, hit_rate, schema_of
from analyzer.report.scoreboard import scoreboard
from analyzer.sources.redis.facts import CacheFacts
from analyzer.sources.schema.project import read_project


def add_scoreboard(
    document: dict[str, Any],
    settings: ScoreboardSettings,
    servers: Sequence[Server],
    runs: Sequence[Run],
    facts: CacheFacts,
) -> None:
    """Fill in `scoreboard`: the metrics of `pg95 scoreboard`, each with its `trend` of earlier nights.

    `facts` are what a Redis tells of the cache; files of the configuration add to them. What cannot be read is
    a warning there, and its metric unknown.
    """
    warnings: list[str] = []
    _add_files(facts, settings, warnings)
    schema = _schema(settings, servers, warnings)
    rate = hit_rate(facts, settings.hit_target)
    # The error of a failed migration may quote the data, which no report holds.
    board = scoreboard(document, rate, schema, [*facts.warnings, *warnings], shows_values=False)
    trend = promise_trend(runs)
    for metric in board["metrics"]:
        metric["trend"] = trend.get(metric["id"], [])
    document["scoreboard"] = {"metrics": board["metrics"], "warnings": board["warnings"]}


def _add_files(facts: CacheFacts, settings: ScoreboardSettings, warnings: list[str]) -> None:
    for pattern in settings.cache:
        names = sorted(glob.glob(pattern))  # noqa: PTH207 - the pattern may be absolute
        if not names:
            warnings.append(f"{pattern}: no such file, so it tells nothing of the cache")
        for name in names:
            try:
                if not facts.take(name):
                    warnings.append(f"{name}: is nothing that tells of a cache (docs/cache.md)")
            except AnalyzerError as error:
                warnings.append(str(error))


def _schema(
    settings: ScoreboardSettings, servers: Sequence[Server], warnings: list[str]
) -> dict[str, Any] | None:
    """What `pg95 schema` says; None where it is not configured, or cannot be had tonight."""
    server = next((one for one in servers if one.name == settings.server), None)
    if settings.prisma is None or (settings.dump is None and server is None):
        return None
    dumps = [] if settings.dump is None else [settings.dump]
    try:
        project = read_project(schema_of(settings.prisma))
        found = compared(project, dumps, None if server is None else server.dsn)
    except AnalyzerError as error:
        warnings.append(f"schema and database were not compared: {error}")
        return None
    warnings += found["warnings"]
    return found
