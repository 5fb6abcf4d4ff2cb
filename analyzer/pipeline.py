"""The only wiring: gather → workload → detect → advise → report document."""

import logging
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from analyzer.advice import recommend
from analyzer.advice.indexes import recommend_for_scan
from analyzer.detectors import Detector, LoopFinder, ValueSamples, all_detectors
from analyzer.errors import AnalyzerError, InputError
from analyzer.indexes.advice import advise_indexes, candidates_for
from analyzer.model.catalog import Catalog
from analyzer.model.evidence import SeqScanEvidence
from analyzer.model.finding import Finding, Outcome, Status
from analyzer.model.index_candidate import IndexCandidate, NoCandidate
from analyzer.model.plan import Plan, PlanShelf
from analyzer.model.recording import Recording
from analyzer.model.sampling import LoggingSettings
from analyzer.model.target import Target
from analyzer.model.workload import Workload
from analyzer.plans.reader import PartlyUnreadError, read_plans
from analyzer.report.document import build_document
from analyzer.sources.inputs import Gathering, gather
from analyzer.sources.options import ReadOptions
from analyzer.sql.keys import StatementKeyTable
from analyzer.workload.build import WorkloadBuilder
from analyzer.workload.slices import slices

Progress = Callable[[str, int, int | None], None]
_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Options:
    """What one run is asked to do (docs/commands.md says what each option means)."""

    inputs: Sequence[str] = ()
    read: ReadOptions = field(default_factory=ReadOptions)
    live: bool = False
    dsn: str | None = None
    schema: str | None = None
    target: Target = field(default_factory=Target)
    log_min_duration_ms: float | None = None
    sampled: LoggingSettings = field(default_factory=LoggingSettings)
    redact: str = "strict"
    max_index_width: int = 3
    workers: int = 1


@dataclass(frozen=True, slots=True)
class Result:
    """A run's outcome: the workload, findings with their advice (worst first) and the document."""

    workload: Workload
    findings: Sequence[Finding]
    outcomes: Mapping[str, Outcome]
    document: dict[str, Any]


def run(options: Options, progress: Progress | None = None) -> Result:
    """Do the main job.

    Raises:
        InputError: no input could be read. ServerError: the server named cannot be used and there
            is no other input.
    """
    recording = Recording(keys=StatementKeyTable())
    gathered = _gather(options, recording, progress)
    loops = LoopFinder(recording.catalog)
    values = ValueSamples()
    workload = _build(options, recording, gathered, (loops, values), progress)
    if progress:
        progress("detectors", 0, None)
    outcomes = detect(workload, all_detectors(loops, values))
    found = [finding for outcome in outcomes.values() for finding in outcome.findings]
    candidates = candidates_for(found, workload, max_width=options.max_index_width)
    findings = sorted(
        (_advised(finding, workload, candidates) for finding in found),
        key=_urgency,
    )
    document = build_document(
        workload,
        findings,
        outcomes,
        indexes=advise_indexes(candidates, findings, workload),
        redact=options.redact,
    )
    return Result(workload, findings, outcomes, document)


def _advised(
    finding: Finding, workload: Workload, candidates: Mapping[str, IndexCandidate | NoCandidate]
) -> Finding:
    """The finding with its recommendations; those of scans need their index candidate."""
    candidate = candidates.get(finding.key)
    if candidate is None or not isinstance(finding.evidence, SeqScanEvidence):
        return replace(finding, recommendations=recommend(finding, workload))
    made = recommend_for_scan(finding.evidence, candidate, workload.catalog)
    return replace(finding, recommendations=made)


def _urgency(finding: Finding) -> tuple[float, float, str]:
    """Worst first: severity, then what fixing it saves, then a stable order."""
    impact = finding.impact
    saving = impact.saving_ms if impact.saving_ms is not None else impact.total_ms
    return -finding.severity.rank, -(saving or 0.0), finding.key


@dataclass(frozen=True, slots=True)
class _Gathered:
    """Inputs that are open to be read, and what the server says that it logs."""

    gathering: Gathering
    logged: LoggingSettings | None


def _gather(options: Options, recording: Recording, progress: Progress | None) -> _Gathered:
    """Fill the recording with all but executions; those come when the streams are read."""
    gathering = gather(options.inputs, options.read, recording, progress)
    known = recording.catalog
    if options.schema:
        known = _read_schema(options.schema).completed_by(known)
    logged = None
    if options.live or options.dsn:
        logged = _gather_server(options, recording)
        live = recording.catalog
        known = live.completed_by(known) if live is not None and live is not known else known
    recording.catalog = known
    return _Gathered(gathering, logged)


def _gather_server(options: Options, recording: Recording) -> LoggingSettings | None:
    """A server's counters and catalog; gives its settings of what is logged, if it was reached."""
    from analyzer.sources.postgres import gather_server  # noqa: PLC0415 - only runs with a server pay for psycopg

    try:
        settings = gather_server(options.dsn, recording)
    except AnalyzerError as error:
        if not options.inputs:
            raise
        recording.coverage.warnings.append(f"no facts from the server: {error}")
        return None
    return LoggingSettings(
        settings.log_min_duration_statement_ms,
        settings.log_min_duration_sample_ms,
        settings.log_statement_sample_rate,
        settings.log_transaction_sample_rate,
    )


def _build(
    options: Options,
    recording: Recording,
    gathered: _Gathered,
    observers: Sequence[LoopFinder | ValueSamples],
    progress: Progress | None,
) -> Workload:
    """Read all executions, slice by slice: each is counted, shown to the observers and let go."""
    builder = WorkloadBuilder(recording, options.target)
    streams = gathered.gathering.streams
    reading: AbstractContextManager[object] = nullcontext()
    if options.workers > 1:
        from analyzer.sources.workers.pool import Workers  # noqa: PLC0415 - few runs pay for it

        reading = Workers(streams, options.workers, recording, progress)
    with reading:
        for chunk, last in slices(streams):
            work = builder.add(chunk, last=last)
            for observer in observers:
                observer.observe(work)
    _note_checks(recording)
    if options.inputs:
        gathered.gathering.finish()
    server = gathered.logged if builder.seen else None
    return builder.finish(
        _read_plans(recording), options.log_min_duration_ms, options.sampled, server
    )


def _note_checks(recording: Recording) -> None:
    """How the cache of statement texts held when some of its answers were checked."""
    keys, coverage = recording.keys, recording.coverage
    coverage.keys_checked, coverage.keys_disagreed = keys.checked, keys.disagreed
    if keys.disagreed:
        coverage.warnings.append(
            f"{keys.disagreed} of {keys.checked} statements that were looked up by their text without "
            "literals have another fingerprint than the one they were counted under; please report it"
        )


def _read_schema(path: str) -> Catalog:
    """A schema from SQL or schema.prisma, told apart by its ending."""
    from analyzer.sources.schema import prisma, sql  # noqa: PLC0415 - only runs with --schema need them

    try:
        text = Path(path).read_bytes().decode("utf-8", "backslashreplace")
    except OSError as error:
        raise InputError(f"--schema {path}: cannot be read ({error.strerror})") from error
    reader = prisma.read_schema if path.endswith(".prisma") else sql.read_schema
    catalog = reader(text, path)
    if not catalog.tables:
        raise InputError(
            f"--schema {path}: no table in it; give SQL with CREATE TABLE (pg_dump --schema-only) or a schema.prisma"
        )
    return catalog


def _read_plans(recording: Recording) -> list[Plan]:
    """All plans that can be read; what can't is a warning, once for each input and reason."""
    plans: list[Plan] = []
    failures: dict[tuple[str, str], list[str]] = {}
    for recorded in recording.plans:
        try:
            plans += read_plans(recorded)
        except InputError as error:
            if isinstance(error, PartlyUnreadError):
                plans += error.plans
            _where, _, reason = str(error).removeprefix(recorded.origin).partition(": ")
            failures.setdefault((recorded.origin, reason), []).append(str(error))
    if recording.plans.left_out:
        recording.coverage.warnings.append(
            f"{recording.plans.left_out} plans of auto_explain were left out: of each statement "
            f"the {PlanShelf.PLANS_KEPT} slowest are read"
        )
    for (origin, reason), messages in failures.items():
        told = messages[0] if len(messages) == 1 else f"{origin}: {len(messages)} times: {reason}"
        recording.coverage.warnings.append(f"not every plan was read: {told}")
    return plans


def detect(workload: Workload, detectors: Sequence[Detector]) -> dict[str, Outcome]:
    """Each detector's answer by its id; one that fails costs its own answer, never the report."""
    outcomes: dict[str, Outcome] = {}
    for detector in detectors:
        try:
            outcomes[detector.id] = detector.detect(workload)
        except Exception as error:  # noqa: BLE001 - whatever it is, the reader is told and the rest goes on
            _log.exception("detector %s failed", detector.id)
            reason = f"{type(error).__name__}: {error}"
            outcomes[detector.id] = Outcome(Status.ERROR, reason=reason)
    return outcomes


def only(result: Result, detectors: Sequence[str]) -> Result:
    """The result with the findings of some detectors alone, for commands with one subject."""
    kept = {name: result.outcomes[name] for name in detectors if name in result.outcomes}
    findings = [finding for finding in result.findings if finding.detector in kept]
    keys = {finding.key for finding in findings}
    document = {
        **result.document,
        "findings": [entry for entry in result.document["findings"] if entry["key"] in keys],
        "detectors": [entry for entry in result.document["detectors"] if entry["id"] in kept],
    }
    return replace(result, findings=findings, outcomes=kept, document=document)
