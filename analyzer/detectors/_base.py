"""What a detector is, and small things that several need."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Protocol

from analyzer.model.evidence_parts import ExampleExecution
from analyzer.model.executions import FIRST_TIME_US
from analyzer.model.finding import Finding, Outcome, Status
from analyzer.model.work import WorkSlice
from analyzer.model.workload import Workload
from analyzer.sql.parameters import split_parameters


class Detector(Protocol):
    """Finds one kind of trouble in a workload.

    The module's docstring says what it finds, why it hurts, how it decides, when it is wrong and
    what to do; `id` is the name that findings, documents and options use. The workload has figures
    alone: what follows from single executions was found while they passed by (LoopFinder).
    """

    id: str

    def detect(self, workload: Workload) -> Outcome:
        """Judge the workload: found, clean, or not-applicable with the reason."""
        ...


def examples_of(work: WorkSlice, rows: Sequence[int]) -> tuple[ExampleExecution, ...]:
    """Executions (row numbers of a slice) as evidence, in the order given."""
    found = []
    for row in rows:
        number = int(work.parameters[row])
        found.append(
            ExampleExecution(
                at=_moment(int(work.start_us[row])),
                session=work.sessions[int(work.session[row])],
                duration_ms=float(work.duration_ms[row]),
                shape_id=work.statements[int(work.statement[row])].shape_id,
                parameters=split_parameters(work.texts[number]) if number >= 0 else (),
            )
        )
    return tuple(found)


def _moment(start_us: int) -> str | None:
    if start_us < FIRST_TIME_US:
        return None
    at = datetime.fromtimestamp(start_us / 1e6, UTC)
    return at.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def incomplete_log(workload: Workload) -> str | None:
    """Why the input cannot show loops of statements, None if it can."""
    if workload.traffic.executions == 0:
        return "no executions in the input: counters and plans do not show which statements follow each other; give a log of all statements (log_min_duration_statement = 0) or the application's query log"
    sampling = workload.coverage.sampling
    if sampling is not None and workload.traffic.client == 0:
        share = f"{100 * sampling.rate:.3g} %"
        if sampling.by == "transaction":
            return f"the log holds {share} of the transactions: it shows loops inside one, but not those of statements outside transactions; log all statements for a while (log_min_duration_statement = 0)"
        return f"the log holds {share} of the statements, drawn one by one, which hides nearly all loops; log all statements for a while (log_min_duration_statement = 0)"
    censored = workload.coverage.log_min_duration_ms
    if censored and workload.traffic.client == 0:
        return f"the log leaves out statements faster than {censored:g} ms, which hides nearly all loops; log all statements for a while (log_min_duration_statement = 0)"
    return None


def with_unique_keys(findings: Sequence[Finding]) -> tuple[Finding, ...]:
    """Statements that differ in target lists only share lineages: the later ones get a number."""
    seen: dict[str, int] = {}
    kept = []
    for finding in sorted(findings, key=lambda one: (one.key, one.shape_ids)):
        number = seen[finding.key] = seen.get(finding.key, 0) + 1
        kept.append(finding if number == 1 else replace(finding, key=f"{finding.key}-{number}"))
    return tuple(kept)


def answer(findings: Sequence[Finding], workload: Workload) -> Outcome:
    """A loop detector's outcome: clean only if the input could have shown a loop."""
    if findings:
        return Outcome(Status.FOUND, with_unique_keys(findings))
    reason = incomplete_log(workload)
    if reason:
        return Outcome(Status.NOT_APPLICABLE, reason=reason)
    return Outcome(Status.CLEAN)
