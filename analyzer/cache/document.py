"""What `pg95 cache` found, as plain JSON values."""

from collections.abc import Callable, Sequence
from dataclasses import asdict
from typing import Any

from analyzer import __version__
from analyzer.cache.code import code_for
from analyzer.model.cache import CacheCandidate, CacheMeasure
from analyzer.model.workload import Workload

SCHEMA_VERSION = 1


def cache_document(
    measured: CacheMeasure,
    found: Sequence[CacheCandidate],
    workload: Workload | None,
    stack_of: Callable[[str], str | None],
    *,
    seconds: float,
    left_out: int,
    warnings: Sequence[str],
) -> dict[str, Any]:
    """The document: `hit_rate` with its parts, `candidates` with outcomes and code.

    `simulated` says over what the candidates were replayed: null without a log.
    """
    return {
        "schema_version": SCHEMA_VERSION,
        "tool": {"name": "pg95", "version": __version__},
        "hit_rate": measure_part(measured),
        "simulated": None
        if workload is None
        else {"seconds": round(seconds, 3), "executions_left_out": left_out},
        "candidates": []
        if workload is None
        else [_candidate(one, workload, stack_of) for one in found],
        "warnings": list(warnings),
    }


def measure_part(measured: CacheMeasure) -> dict[str, Any]:
    """A hit rate as JSON: rates are 0..1."""
    return {
        "value": measured.rate,
        "target": measured.target,
        "verdict": measured.verdict,
        "method": measured.method,
        "reads": measured.reads,
        "origin": measured.origin,
        "note": measured.note,
        "uses": [
            {"name": use.name, "reads": use.reads, "hits": use.hits, "rate": use.rate}
            for use in measured.uses
        ],
    }


def _candidate(
    one: CacheCandidate, workload: Workload, stack_of: Callable[[str], str | None]
) -> dict[str, Any]:
    statements = {statement.shape_id: statement for statement in workload.statements}
    statement = statements[one.shape_id]
    tables = list(statement.facts.tables)
    language, code = code_for(one, statement.sql, tables, stack_of(statement.sql))
    return {
        **asdict(one),
        "saved_by_route": [
            {"route": name, "saved_ms": saved} for name, saved in one.saved_by_route
        ],
        "sql": statement.sql,
        "tables": tables,
        "writers": [
            {"shape_id": shape, "sql": statements[shape].sql}
            for shape in one.writers
            if shape in statements
        ],
        "language": language,
        "code": code,
    }
