"""Everything but executions: those come when the streams are read."""

from dataclasses import replace

from analyzer.errors import AnalyzerError
from analyzer.model.index_request import AdvisedWorkload, IndexRequest
from analyzer.model.recording import Recording
from analyzer.model.sampling import LoggingSettings
from analyzer.model.snapshot import CounterWindow
from analyzer.pipeline.options import Options, Progress
from analyzer.records import record
from analyzer.sources.inputs import Gathering, gather
from analyzer.sources.options import ReadOptions
from analyzer.sources.schema.files import read_schema_file
from analyzer.workload.counter_inputs import count_snapshots


@record
class Gathered:
    """Inputs that are open to be read, what the server says that it logs, and queries given for index advice."""

    gathering: Gathering
    logged: LoggingSettings | None
    queries: AdvisedWorkload | None = None


def gather_all(options: Options, recording: Recording, progress: Progress | None) -> Gathered:
    """Fill the recording with all but executions; those come when the streams are read."""
    queries = _queries(options.indexes, recording) if options.indexes else None
    read = options.read
    if options.window is not None:
        read = _within(read, options.window)
        recording.counter_windows.append(options.window)
        recording.counters += options.window.counters
    recording.asked_us = (read.since_us, read.until_us)
    gathering = gather(options.inputs, read, recording, progress)
    if options.more is not None:
        gathering.streams += options.more(recording, progress)
    count_snapshots(recording)
    known = recording.catalog
    if options.schema:
        known = read_schema_file(options.schema).completed_by(known)
    if options.blueprint is not None and options.indexes and options.indexes.what_if == "clone":
        from analyzer.sources.blueprint_catalog import catalog_of  # noqa: PLC0415 - few runs pay for it

        known = catalog_of(options.blueprint()).completed_by(known)
    logged = None
    if options.live or options.dsn:
        logged = _gather_server(options, recording)
        live = recording.catalog
        known = live.completed_by(known) if live is not None and live is not known else known
    recording.catalog = known
    return Gathered(gathering, logged, queries)


def _queries(request: IndexRequest, recording: Recording) -> AdvisedWorkload | None:
    """The queries of a folder, if it is one that index advice is asked for."""
    from analyzer.sources.queries import read_queries  # noqa: PLC0415 - only runs about indexes pay for it

    return read_queries(request, recording)


def _within(read: ReadOptions, window: CounterWindow) -> ReadOptions:
    """What is read of logs, and no more than the counters' window."""
    since = [us for us in (read.since_us, window.from_us) if us is not None]
    until = [us for us in (read.until_us, window.to_us) if us is not None]
    return replace(read, since_us=max(since), until_us=min(until))


def _gather_server(options: Options, recording: Recording) -> LoggingSettings | None:
    """A server's counters and catalog; gives its settings of what is logged, if it was reached."""
    from analyzer.sources.postgres import gather_server  # noqa: PLC0415 - only runs with a server pay for psycopg

    try:
        settings = gather_server(options.dsn, recording, options.replicas)
    except AnalyzerError as error:
        if not options.inputs:
            raise
        recording.coverage.warnings.append(f"no facts from the server: {error}")
        return None
    return settings.logged
