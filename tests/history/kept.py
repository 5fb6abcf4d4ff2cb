"""What tests put into a store."""

from typing import Any

from analyzer.model.columns import Floats
from analyzer.model.histogram import Histogram
from analyzer.model.history import HOUR_US, Figures, HourFigures, StatementName

MIDNIGHT_US = 20_000 * 24 * HOUR_US  # 2024-10-04 00:00 UTC


def named(shape: str, lineage: str = "", sql: str = "SELECT $1") -> StatementName:
    return StatementName(shape, shape[:16], lineage or f"lineage-{shape}", sql, "select", ("t",))


def figures(values: Floats, **more: object) -> Figures:
    known: dict[str, Any] = {
        "calls": len(values),
        "samples": len(values),
        "total_ms": float(values.sum()),
        "min_ms": float(values.min()),
        "max_ms": float(values.max()),
        "squares": float((values**2).sum()),
    }
    return Figures(histogram=Histogram.of(values), **(known | more))


def hour(
    number: int,
    values: Floats,
    statement: StatementName | None = None,
    **more: object,
) -> HourFigures:
    return HourFigures(statement, MIDNIGHT_US + number * HOUR_US, figures(values, **more))
