"""What a run makes of what was gathered: workload → detectors → advice → report document.

It takes a while to import, for which `run` does not wait before others read.
"""

import logging
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Self

from analyzer.advice import Stacks
from analyzer.advice.advised import advised
from analyzer.detectors import Detector, LoopFinder, ValueSamples, all_detectors
from analyzer.errors import AnalyzerError, InputError
from analyzer.indexes.advice import advise_indexes, advise_tried, candidates_for
from analyzer.indexes.remembered import Answers, Remembered
from analyzer.indexes.settled import settled
from analyzer.indexes.tables import diagnose, with_partitioned
from analyzer.indexes.verified import verify
from analyzer.model.acknowledgement import Acknowledgements
from analyzer.model.catalog import Catalog
from analyzer.model.explain import ExplainRequest, Sample
from analyzer.model.finding import Finding, Outcome, Status, worst_first
from analyzer.model.history import HourFigures
from analyzer.model.index_advice import IndexAdvice
from analyzer.model.index_request import CAREFUL_PAGE_PRICE, AdvisedWorkload, IndexRequest
from analyzer.model.recording import Recording
from analyzer.model.work import Observer, WorkSlice
from analyzer.model.workload import Workload
from analyzer.pipeline.gathering import Gathered
from analyzer.pipeline.options import Options, Progress
from analyzer.pipeline.result import Result
from analyzer.plans.recorded import read_recorded
from analyzer.report.document import build_document
from analyzer.sources.acknowledgements import find as find_acknowledged
from analyzer.sources.acknowledgements import read as read_acknowledged
from analyzer.sources.workers.side_by_side import searching
from analyzer.workload.acknowledged import note_acknowledged
from analyzer.workload.build import WorkloadBuilder
from analyzer.workload.checks import note_checks
from analyzer.workload.constants import ConstantValues
from analyzer.workload.explained import SlowestExecutions, samples_of, with_live_plans
from analyzer.workload.filter_values import FilterSearches
from analyzer.workload.fixes import savings_of, with_saving
from analyzer.workload.hours import HourTable
from analyzer.workload.planned import advised_workload
from analyzer.workload.savings import SavingFigures
from analyzer.workload.simulation import Simulation
from analyzer.workload.slices import slices

_log = logging.getLogger(__name__)


def analyse(
    options: Options,
    recording: Recording,
    read: Gathered,
    links: Sequence[Connection] = (),
    progress: Progress | None = None,
    observers: Sequence[Observer] = (),
) -> Result:
    """All that is made of what was gathered, and of the executions that its streams give.

    Args:
        options: what to read and how.
        recording: what was gathered is in it.
        read: the inputs, open to be read.
        links: connections to the processes that read them.
        progress: told how far it is.
        observers: shown all executions on the way, slice by slice.
    """
    hours = HourTable() if options.keep_hours else None
    wanted = options.explain or options.indexes or options.verify
    slowest, texts = SlowestExecutions() if wanted else None, recording.keys.texts
    constants = ConstantValues(recording.catalog) if options.indexes else None
    filters = FilterSearches() if options.indexes else None
    own = (hours, slowest, constants, filters)
    shown = [*observers, *(one for one in own if one is not None)]
    workload, simulation, searches = _build(options, recording, read, links, shown)
    if options.explain is not None and slowest is not None:
        workload = _explained(options, options.explain, workload, (slowest, texts))
    if filters is not None:
        workload = replace(workload, filter_values=filters.by_filter())
    workload = with_partitioned(workload)
    if progress:
        progress("detectors", 0, None)
    outcomes = detect(workload, all_detectors(searches.loops, searches.values))
    found = [finding for outcome in outcomes.values() for finding in outcome.findings]
    candidates = candidates_for(found, workload, max_width=options.max_index_width)
    stacks = Stacks(workload)
    known = _acknowledgements(options, workload)
    found = [_known(finding, known) for finding in found]
    savings = savings_of(found, workload, simulation, options.rtt_ms)
    findings = sorted(
        (advised(with_saving(one, savings), workload, candidates, stacks) for one in found),
        key=worst_first,
    )
    note_acknowledged(findings, known, workload)
    advice = advise_indexes(candidates, findings, workload, show_values=options.redact == "off")
    if options.indexes is not None and slowest is not None:
        asked = read.queries or advised_workload(workload, slowest, texts, constants)
        said = len(workload.coverage.warnings)
        advise = partial(_tried, options, (workload, asked, said, Answers()), advice, progress)
        if options.verify is None:
            advice = advise(frozenset())
    if options.verify is not None and slowest is not None:
        samples = read.queries.samples if read.queries else samples_of(workload, slowest, texts)
        judge = _judge(options, options.verify, (workload, samples), progress)
        advice = settled(advise, judge) if options.indexes else judge(advice)
    document = build_document(
        workload,
        findings,
        outcomes,
        indexes=advice,
        diagnoses=diagnose(workload, advice, every=options.every_table),
        redact=options.redact,
        savings=savings,
    )
    return Result(workload, findings, outcomes, document, _hours(hours, workload))


def _hours(hours: HourTable | None, workload: Workload) -> Sequence[HourFigures]:
    if hours is None:
        return ()
    coverage = workload.coverage
    return list(hours.finish(workload.statements, coverage.sampling, coverage.log_min_duration_ms))


def _acknowledgements(options: Options, workload: Workload) -> Acknowledgements:
    """What the team accepts: the file named or found from the current folder upward, and comments."""
    path = Path(options.acknowledged) if options.acknowledged else find_acknowledged(Path.cwd())
    if options.acknowledged and path is not None and not path.is_file():
        raise InputError(
            f"--acknowledged {path}: no such file; `pg95 ack KEY --acknowledged {path}` makes it"
        )
    entries = read_acknowledged(path) if path is not None else {}
    today = options.today or datetime.now(UTC).date()
    return Acknowledgements(entries, workload.ignored, today)


def _known(finding: Finding, known: Acknowledgements) -> Finding:
    return replace(finding, acknowledged=known.of(finding.key, finding.detector, finding.shape_ids))


def _explained(
    options: Options,
    request: ExplainRequest,
    workload: Workload,
    seen: tuple[SlowestExecutions, Sequence[str]],
) -> Workload:
    """The workload with a server's plans of what takes most time; without them if the server fails."""
    from analyzer.sources.postgres.explain import LiveExplainer  # noqa: PLC0415 - only runs with a server pay for psycopg

    try:
        return with_live_plans(workload, *seen, LiveExplainer(request.dsn or options.dsn), request)
    except AnalyzerError as error:
        workload.coverage.warnings.append(f"no plans from the server: {error}")
        return workload


def _judge(
    options: Options,
    scratch: str,
    about: tuple[Workload, Sequence[Sample]],
    progress: Progress | None,
) -> Callable[[IndexAdvice], IndexAdvice]:
    """What makes of advice what a scratch server measures of it; what cannot be asked of that is an error."""
    from analyzer.sources.postgres.verification import ScratchBench  # noqa: PLC0415 - only runs with a server pay for psycopg

    workload, samples = about
    bench = ScratchBench(
        scratch,
        options.dsn,
        options.announce or _log.info,
        live=options.live,
        max_seconds=options.verify_seconds,
        progress=progress,
    )
    return lambda advice: verify(advice, samples, bench, workload.catalog)


def _tried(
    options: Options,
    about: tuple[Workload, AdvisedWorkload, int, Answers],
    advice: IndexAdvice,
    progress: Progress | None,
    without: frozenset[str],
    *,
    careful: bool = False,
) -> IndexAdvice:
    """The advice chosen by asking a planner; that of rules where none can be asked.

    Asked again, `without` some indexes or `careful`, it takes back the warnings that it gave: those beyond the first
    ones. What was answered before is not asked again.
    """
    from analyzer.sources.postgres.what_if import open_what_if  # noqa: PLC0415 - only runs with a server pay for psycopg

    workload, statements, said, answers = about
    del workload.coverage.warnings[said:]
    request = replace(options.indexes or IndexRequest(), without=without)
    if careful:
        request = replace(request, page_price=CAREFUL_PAGE_PRICE)
    server = (options.dsn, options.live or bool(options.dsn))
    with open_what_if(request, server, options.blueprint, workload.coverage.warnings) as what_if:
        asked = what_if
        if what_if is not None and options.verify is not None:  # advice may be made anew
            asked = Remembered(what_if, answers)
        return advise_tried(asked, (workload, statements), advice, request, progress)


class _Searches:
    """What looks at slices and knows nothing else of a run, so that it may do so in a process of its own."""

    def __init__(self, catalog: Catalog | None) -> None:
        self.loops = LoopFinder(catalog)
        self.values = ValueSamples()
        self.savings = SavingFigures()

    def observe(self, work: WorkSlice) -> None:
        self.savings.add(work, self.loops.observe(work))
        self.values.observe(work)

    def result(self) -> Self:
        return self


def _build(
    options: Options,
    recording: Recording,
    read: Gathered,
    links: Sequence[Connection],
    observers: Sequence[Observer],
) -> tuple[Workload, Simulation, _Searches]:
    """Read all executions, slice by slice: each is counted, shown to the observers and let go."""
    builder = WorkloadBuilder(recording, options.target, options.targets, options.method)
    searches, streams = _Searches(recording.catalog), read.gathering.streams
    with searching(searches, options.workers if streams else 1, links) as search:
        for chunk, last in slices(streams, before=builder.carried):
            handed = [chunk]
            del chunk  # the builder's alone from here on: it lets go of what it has copied
            work = builder.add(handed.pop(), last=last)
            for observer in (search, *observers):
                observer.observe(work)
            del work  # or it would be held while the next is read
        note_checks(recording)
        if options.inputs:
            read.gathering.finish()
        server = read.logged if builder.seen else None
        settings = options.log_min_duration_ms, options.sampled, server
        workload = builder.finish(read_recorded(recording), *settings)
        searches = search.result()
    return workload, builder.simulation(searches.savings), searches


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
