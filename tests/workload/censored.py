"""Logs of slow executions and counters of all, as a server would have written them of one window."""

import csv
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np

from analyzer.pipeline import Options, run
from analyzer.sources.options import ReadOptions

START = datetime(2026, 11, 22, 8, tzinfo=UTC)
QUERIES = {
    "orders": "SELECT total FROM orders WHERE id = {}",
    "books": "SELECT title FROM books WHERE isbn = {}",
    "stock": "UPDATE stock SET amount = amount - 1 WHERE book = {}",
}


@dataclass(frozen=True)
class Window:
    """A log and counters, as inputs for pg95."""

    log: Path
    counters: Path
    threshold_ms: float | None

    def document(self, *inputs: Path, **options: object) -> dict[str, Any]:
        """The report of both, or of `inputs`; `options` are the pipeline's."""
        read = ReadOptions(log_line_prefix="%m [%p] ")
        given = {"log_min_duration_ms": self.threshold_ms, "read": read, **options}
        paths = [str(path) for path in inputs or (self.log, self.counters)]
        return run(Options(inputs=paths, **given)).document


def durations(values: np.ndarray) -> np.ndarray:
    """As a server measures and logs them: whole microseconds."""
    rounded: np.ndarray = np.maximum(np.round(values, 3), 0.001)
    return rounded


def written(
    folder: Path,
    ran: Mapping[str, np.ndarray],
    threshold_ms: float,
    *,
    counted: Mapping[str, np.ndarray] | None = None,
    given: bool = True,
) -> Window:
    """Of the executions `ran` by table, a log from a threshold on; the counters count `counted` (all).

    `given`: the threshold is said, else pg95 has to infer it.
    """
    log, counters = folder / "postgresql.log", folder / "pg_stat_statements.csv"
    _write_log(log, ran, threshold_ms)
    with counters.open("w", encoding="utf-8", newline="") as file:
        rows = csv.writer(file)
        names = ("total", "min", "max", "mean", "stddev")
        rows.writerow(
            ("queryid", "query", "calls", *(f"{name}_exec_time" for name in names), "rows")
        )
        for number, (table, values) in enumerate((counted or ran).items(), 1):
            figures = (values.sum(), values.min(), values.max(), values.mean(), values.std())
            query = QUERIES[table].format("$1")
            rows.writerow(
                (number, query, len(values), *map(repr, map(float, figures)), len(values))
            )
    return Window(log, counters, threshold_ms if given else None)


def _write_log(path: Path, ran: Mapping[str, np.ndarray], threshold_ms: float) -> None:
    lines = []
    for table, values in ran.items():
        for place in np.flatnonzero(values >= threshold_ms).tolist():
            at = (START + timedelta(milliseconds=40 * place)).strftime("%Y-%m-%d %H:%M:%S.%f")[:-3]
            query = QUERIES[table].format(place)
            lines.append(
                f"{at} UTC [{100 + place % 7}] LOG:  duration: {values[place]:.3f} ms  "
                f"statement: {query}\n"
            )
    # A log without any slow statement still says that the server ran.
    lines.append("2026-11-22 08:00:00.000 UTC [1] LOG:  checkpoint starting: time\n")
    path.write_text("".join(sorted(lines)), encoding="utf-8")
