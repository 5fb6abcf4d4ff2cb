"""What a night reads: counters of servers since the last snapshot, and what is new in logs."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from analyzer.errors import InputError, ServerError
from analyzer.model.coverage import SourceCoverage
from analyzer.model.log_position import LogPosition
from analyzer.model.recording import Recording
from analyzer.nightly.settings import Server
from analyzer.records import record
from analyzer.sources.increments.contents import LogFiles
from analyzer.sources.increments.gathering import NewEntries
from analyzer.sources.increments.portion import Found
from analyzer.sources.inputs import ExecutionStream, gather
from analyzer.sources.opening import Progress
from analyzer.workload.counter_window import window

if TYPE_CHECKING:
    from analyzer.history.reading import Reader
    from analyzer.model.cancelled import StatementTimeouts
    from analyzer.model.catalog import Catalog
    from analyzer.model.snapshot import CounterWindow, Snapshot

Tell = Callable[[str], None]
_STEP_US = 15 * 60_000_000  # how long after its night began a snapshot of it was taken at most


class TornError(InputError):
    """A log was truncated while it was read: what was read of it does not count."""


@record
class Look:
    """A server as it is now: its catalog, a snapshot, and what was counted since an earlier one.

    `timeouts` are those that it gives to sessions.

    `in_step`: that was taken with the last night, so what is new in the logs is of the same time, but
    for the moment between taking a snapshot and reading on.
    """

    name: str
    snapshot: "Snapshot"
    catalog: "Catalog"
    window: "CounterWindow | None"
    warnings: Sequence[str]
    in_step: bool = False
    timeouts: "StatementTimeouts | None" = None


def look(server: Server, reader: "Reader | None", last_night_us: int | None) -> Look:
    """Look at a server; `reader` has its earlier snapshots, that of the last night among them.

    Raises:
        ServerError: it cannot be reached or refuses.
    """
    from analyzer.sources.postgres.catalog import read_catalog  # noqa: PLC0415 - only nights with a server pay for psycopg
    from analyzer.sources.postgres.connection import connect, describe  # noqa: PLC0415 - as above
    from analyzer.sources.postgres.snapshot import take_snapshot  # noqa: PLC0415 - as above
    from analyzer.sources.postgres.timeouts import read_timeouts  # noqa: PLC0415 - as above

    with connect(server.dsn) as connection:
        before = None
        if reader is not None:
            until_us = None if last_night_us is None else last_night_us + _STEP_US
            before = reader.latest_snapshot(describe(connection), until_us)
        snapshot = take_snapshot(server.dsn, known=None if before is None else before.texts())
        catalog = read_catalog(connection)
        timeouts = read_timeouts(connection)
    since = None if before is None else window(before, snapshot)
    caveats = () if since is None else since.caveats
    warnings = [*catalog.warnings, *snapshot.warnings, *caveats]
    return Look(
        server.name,
        snapshot,
        catalog.catalog,
        since,
        [f"server {server.name}: {one}" for one in warnings],
        in_step=last_night_us is not None
        and before is not None
        and before.taken_us >= last_night_us,
        timeouts=timeouts,
    )


def look_at_all(
    servers: Sequence[Server], reader: "Reader | None", last_night_us: int | None, tell: Tell
) -> tuple[list[Look], list[str]]:
    """Look at each server; one that is down is a warning, and the night goes on.

    `last_night_us` is when the last night began (µs since 1970, UTC).
    """
    looks, warnings = [], []
    for server in servers:
        tell(f"server {server.name}: taking a snapshot")
        try:
            found = look(server, reader, last_night_us)
        except ServerError as error:
            warnings.append(f"server {server.name}: no counters of this night: {error}")
            continue
        looks.append(found)
        if found.window is None:
            tell(f"server {server.name}: its first snapshot; counters of a window come next time")
    return looks, warnings


class NightInputs:
    """Gives the pipeline what a night reads (pipeline.Options.more), and tells how far that was."""

    def __init__(
        self,
        looks: Sequence[Look],
        found: Sequence[Found],
        notes: Sequence[str],
        logging_server: str | None = None,
        *,
        is_all: bool = False,
        again: Sequence[LogFiles] = (),
    ) -> None:
        """`logging_server` wrote the logs; `is_all`: there is nothing else that was read before.

        `again` are logs to be read whole instead.
        """
        self._looks = looks
        self._found = found
        self._notes = notes
        self._logging_server = logging_server
        self._is_all = is_all
        self._again = again
        self._new: NewEntries | None = None
        self._recording: Recording | None = None

    def __call__(
        self, recording: Recording, progress: Progress | None
    ) -> Sequence[ExecutionStream]:
        """Fill the recording; the streams of what is new."""
        self._recording = recording
        recording.coverage.warnings += self._notes
        for one in self._looks:
            self._add(one, recording)
        if self._again:
            return [
                stream
                for log in self._again
                for stream in gather(log.paths, log.options, recording, progress).streams
            ]
        self._new = NewEntries(self._found, recording, progress)
        return self._new.streams

    def _add(self, one: Look, recording: Recording) -> None:
        recording.coverage.warnings += one.warnings
        recording.catalog = (
            one.catalog
            if recording.catalog is None
            else recording.catalog.completed_by(one.catalog)
        )
        if one.name == self._logging_server:
            recording.timeouts = one.timeouts
        if one.window is None:
            return
        source = len(recording.coverage.sources)
        recording.coverage.sources.append(
            SourceCoverage(
                path=one.snapshot.server.address,
                format="pg_stat_statements",
                detected_by="two snapshots",
                entries=len(one.window.counters),
            )
        )
        recording.counters += [replace(row, source=source) for row in one.window.counters]
        if one.name == self._logging_server and one.in_step:
            # The logs were read from where they ended at the last night's snapshot, so they hold all of
            # the time since, whether something slow ran at its ends or not.
            recording.counter_windows.append(one.window)
            recording.asked_us = (one.window.from_us, one.window.to_us)

    def positions(self) -> list[LogPosition]:
        """How far what is new was read, when the pipeline has run.

        Raises:
            TornError: a file was truncated while it was read.
            InputError: nothing of it could be read, and there is nothing else.
        """
        if self._new is None or self._recording is None:
            return []
        if self._new.torn:
            raise TornError(
                f"{', '.join(self._new.torn)}: truncated while it was read; run pg95 nightly again"
            )
        failures = [one.failure for one in self._recording.coverage.sources if one.failure]
        if self._is_all and failures and len(failures) == len(self._recording.coverage.sources):
            raise InputError("\n".join(failures[:3]))
        return self._new.positions()
