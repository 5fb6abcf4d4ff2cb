"""What a run is asked to do."""

from collections.abc import Callable, Sequence
from dataclasses import field
from datetime import date

from analyzer.model.blueprint import Blueprint
from analyzer.model.explain import VERIFY_SECONDS, ExplainRequest
from analyzer.model.index_request import IndexRequest
from analyzer.model.recording import Recording
from analyzer.model.sampling import LoggingSettings
from analyzer.model.snapshot import CounterWindow
from analyzer.model.target import METHODS, PatternTarget, Target
from analyzer.records import record
from analyzer.sources.one_input import ExecutionStream
from analyzer.sources.options import ReadOptions

Progress = Callable[[str, int, int | None], None]
More = Callable[[Recording, Progress | None], Sequence[ExecutionStream]]


@record
class Options:
    """What one run is asked to do (docs/commands.md says what each option means).

    `window` are counters between two snapshots of the server that wrote the logs, which are read over
    that time only and have to hold all of it.
    """

    inputs: Sequence[str] = ()
    read: ReadOptions = field(default_factory=ReadOptions)
    live: bool = False
    dsn: str | None = None
    replicas: Sequence[str] = ()
    verify: str | None = None  # a scratch server
    verify_seconds: float = VERIFY_SECONDS
    announce: Callable[[str], None] | None = None  # is told what is done on it
    schema: str | None = None
    target: Target = field(default_factory=Target)
    targets: Sequence[PatternTarget] = ()
    method: str = METHODS[0]
    window: CounterWindow | None = None
    log_min_duration_ms: float | None = None
    sampled: LoggingSettings = field(default_factory=LoggingSettings)
    redact: str = "strict"
    max_index_width: int = 3
    every_table: bool = False
    workers: int = 1
    rtt_ms: float | None = None
    acknowledged: str | None = None
    keep_hours: bool = False
    explain: ExplainRequest | None = None
    indexes: IndexRequest | None = None
    blueprint: Callable[[], Blueprint] | None = None  # what a clone for index advice is built from
    more: More | None = None  # adds facts to the recording; gives streams beside the inputs
    today: date | None = None
