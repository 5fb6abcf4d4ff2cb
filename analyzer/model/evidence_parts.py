"""What several kinds of evidence are made of."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Spread:
    """Smallest, middle and largest of a set of counts."""

    min: float
    median: float
    max: float


@dataclass(frozen=True, slots=True)
class ExampleExecution:
    """One execution shown as evidence. `at` is ISO 8601 in UTC, None where the log has no times.

    `parameters` are raw values.

    Views and report.json show parameters only as the redaction mode allows.
    """

    at: str | None
    session: str
    duration_ms: float
    shape_id: str
    parameters: tuple[str, ...]
