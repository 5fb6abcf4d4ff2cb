"""Scores that the detectors of loops share."""

import pandas as pd

from analyzer.model.evidence import Spread
from analyzer.model.finding import Severity

TIGHT_GAP_MS = 20.0  # the application does little between two round trips
_MANY = 50
_SOME = 15


def typical_gap_ms(rows: pd.DataFrame, within: list[str]) -> float | None:
    """Time from the end of an execution to the start of the next in its session: round trip and client.

    `within` are the columns that must stay the same beside the session. The lower quartile, so
    that pauses for the application's own work do not count; None where nothing follows.
    """
    ordered = rows.sort_values([*within, "session", "end_us", "line"])
    same = (ordered["session"].diff() == 0) & (ordered[within].diff() == 0).all(axis=1)
    gaps = ((ordered["start_us"] - ordered["end_us"].shift()) / 1000)[same].clip(lower=0)
    return float(gaps.quantile(0.25)) if len(gaps) else None


def tight_gap(rows: pd.DataFrame) -> bool:
    """Whether the executions follow each other as a loop's do."""
    gap = typical_gap_ms(rows, ["request"])
    return gap is not None and gap <= TIGHT_GAP_MS


def scope_of(rows: pd.DataFrame) -> str:
    """trace, transaction or session: what holds the executions together."""
    if (rows["trace"] >= 0).all():
        return "trace"
    return "transaction" if (rows["transaction"] >= 0).all() else "session"


def loop_severity(executions: float) -> Severity:
    """By the round trips of one occurrence."""
    if executions >= _MANY:
        return Severity.MEDIUM
    return Severity.LOW if executions >= _SOME else Severity.INFO


def spread(counts: pd.Series) -> Spread:
    """Smallest, middle and largest of some counts."""
    return Spread(float(counts.min()), float(counts.median()), float(counts.max()))
