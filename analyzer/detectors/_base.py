"""What a detector is, and small things that several need."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Protocol

from analyzer.model.evidence import ExampleExecution
from analyzer.model.finding import Finding, Outcome, Status
from analyzer.model.workload import Workload
from analyzer.sql.parameters import split_parameters


class Detector(Protocol):
    """Finds one kind of trouble in a workload.

    The module's docstring says what it finds, why it hurts, how it decides, when it is wrong and
    what to do; `id` is the name that findings, documents and options use.
    """

    id: str

    def detect(self, workload: Workload) -> Outcome:
        """Judge the workload: found, clean, or not-applicable with the reason."""
        ...


def examples_of(workload: Workload, rows: Sequence[int]) -> tuple[ExampleExecution, ...]:
    """Executions (row numbers) as evidence, in the order given."""
    columns = workload.executions
    found = []
    for row in rows:
        execution = columns.iloc[row]
        number = int(execution["parameters"])
        at = datetime.fromtimestamp(int(execution["start_us"]) / 1e6, UTC)
        found.append(
            ExampleExecution(
                at=at.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
                session=workload.sessions[int(execution["session"])],
                duration_ms=float(execution["duration_ms"]),
                shape_id=workload.statements[int(execution["statement"])].shape_id,
                parameters=split_parameters(workload.parameters[number]) if number >= 0 else (),
            )
        )
    return tuple(found)


def routes_of(workload: Workload, requests: Sequence[int]) -> tuple[str, ...]:
    """The routes that requests (numbers) came from, most frequent first."""
    table = workload.requests
    routes = table.loc[table["request"].isin(requests), "route"].dropna()
    return tuple(str(route) for route in routes.value_counts().index[:5])


def incomplete_log(workload: Workload) -> str | None:
    """Why the input cannot show loops of statements, None if it can."""
    if workload.executions.empty:
        return "no executions in the input: counters and plans do not show which statements follow each other; give a log of all statements (log_min_duration_statement = 0) or the application's query log"
    censored = workload.coverage.log_min_duration_ms
    if censored and not (workload.executions["clock"] == 1).any():
        return f"the log leaves out statements faster than {censored:g} ms, which hides nearly all loops; log all statements for a while (log_min_duration_statement = 0)"
    return None


def answer(findings: Sequence[Finding], workload: Workload) -> Outcome:
    """A loop detector's outcome: clean only if the input could have shown a loop."""
    if findings:
        return Outcome(Status.FOUND, tuple(findings))
    reason = incomplete_log(workload)
    if reason:
        return Outcome(Status.NOT_APPLICABLE, reason=reason)
    return Outcome(Status.CLEAN)
