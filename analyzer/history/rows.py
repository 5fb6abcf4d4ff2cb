"""Rows of tables as the types of the model, and the other way round."""

import json
from typing import Any

import sqlalchemy as sa

from analyzer.model.histogram import Histogram
from analyzer.model.history import Figures, Run, StatementName

HourKey = tuple[int, int, int, int]  # start_hour, hours, statement, client


def as_json(value: object) -> str:
    """JSON that takes no more room than it must, the same for the same value."""
    return json.dumps(value, separators=(",", ":"), sort_keys=True)


def storable(text: str) -> str:
    r"""A text that every database takes: lone surrogates as `\udcxx`, NUL as U+2400."""
    return text.encode("utf-8", "backslashreplace").decode().replace("\0", "\u2400")


def figures_of(row: sa.Row[Any]) -> Figures:
    """A row of statement_hour as figures."""
    return Figures(
        calls=row.calls,
        total_ms=row.total_ms,
        histogram=Histogram.from_bytes(row.histogram),
        samples=row.samples,
        min_ms=row.min_ms,
        max_ms=row.max_ms,
        squares=row.squares,
        untimed=row.untimed,
        floor_ms=row.floor_ms,
        client=bool(row.client),
    )


def row_of(key: HourKey, made: Figures) -> dict[str, Any]:
    """Figures as a row of statement_hour."""
    start_hour, hours, number, client = key
    return {
        "start_hour": start_hour,
        "hours": hours,
        "statement": number,
        "client": client,
        "calls": made.calls,
        "samples": made.samples,
        "untimed": made.untimed,
        "total_ms": made.total_ms,
        "squares": made.squares,
        "min_ms": made.min_ms,
        "max_ms": made.max_ms,
        "floor_ms": made.floor_ms,
        "histogram": made.histogram.to_bytes(),
    }


def statement_of(row: sa.Row[Any]) -> StatementName:
    """A row of statement."""
    known = (row.shape_id, row.fingerprint, row.lineage, row.sql, row.kind)
    return StatementName(*known, tables=tuple(json.loads(row.tables)))


def statement_row(statement: StatementName) -> dict[str, Any]:
    """A statement as a row."""
    return {
        "shape_id": statement.shape_id,
        "fingerprint": statement.fingerprint,
        "lineage": statement.lineage,
        "sql": storable(statement.sql),
        "kind": statement.kind,
        "tables": as_json(list(statement.tables)),
    }


def run_of(row: sa.Row[Any]) -> Run:
    """A row of run."""
    return Run(
        kind=row.kind,
        made_us=row.made_us,
        from_us=row.from_us,
        to_us=row.to_us,
        target=json.loads(row.target),
        log_set=row.log_set,
        errors=row.errors,
        judged=tuple(json.loads(row.judged)),
        id=row.id,
    )


def run_row(run: Run) -> dict[str, Any]:
    """A run as a row, without its number."""
    return {
        "kind": run.kind,
        "log_set": run.log_set,
        "made_us": run.made_us,
        "from_us": run.from_us,
        "to_us": run.to_us,
        "errors": run.errors,
        "judged": as_json(list(run.judged)),
        "target": as_json({key: v for key, v in run.target.items() if key != "histogram"}),
    }
