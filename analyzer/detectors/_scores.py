"""Scores that the detectors of loops share."""

from analyzer.detectors._figures import RowFigures
from analyzer.model.finding import Severity

TIGHT_GAP_MS = 20.0  # the application does little between two round trips
_MANY = 50
_SOME = 15


def tight_gap(rows: RowFigures) -> bool:
    """Whether the executions follow each other as a loop's do."""
    gap_ms = rows.gap_ms
    return gap_ms is not None and gap_ms <= TIGHT_GAP_MS


def loop_severity(executions: float) -> Severity:
    """By the round trips of one occurrence."""
    if executions >= _MANY:
        return Severity.MEDIUM
    return Severity.LOW if executions >= _SOME else Severity.INFO
