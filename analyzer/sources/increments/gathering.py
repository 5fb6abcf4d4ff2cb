"""What is new in logs, as streams for the pipeline."""

from collections.abc import Sequence

from analyzer.model.coverage import SourceCoverage
from analyzer.model.log_position import LogPosition
from analyzer.model.recording import Recording
from analyzer.sources.increments.portion import Found, Portion
from analyzer.sources.one_input import ExecutionStream, Input
from analyzer.sources.opening import Progress


class NewEntries:
    """Streams of what was found to be new; `positions`, when all were read, tells how far that was."""

    def __init__(
        self, found: Sequence[Found], recording: Recording, progress: Progress | None = None
    ) -> None:
        """Recognise the files; each has a source in the recording's coverage."""
        self.streams: list[ExecutionStream] = []
        self._portions: list[Portion] = []
        self._recording = recording
        for one in found:
            coverage = SourceCoverage(one.path)
            recording.coverage.sources.append(coverage)
            portion = Portion(one)
            self._portions.append(portion)
            reading = Input(
                one.path, recording, coverage, one.options, found=False, portion=portion
            )
            stream = reading.open(progress)
            if stream is not None:
                self.streams.append(stream)

    @property
    def torn(self) -> list[str]:
        """Files that were truncated while they were read: half an entry of them may have been counted."""
        return [one.found.path for one in self._portions if one.is_torn]

    def positions(self) -> list[LogPosition]:
        """Where each content was read up to; one that could not be read stays where it was.

        Called once, when the streams have been read.
        """
        found = []
        for portion in self._portions:
            before = portion.found.before
            if portion.lost_waiting:
                self._recording.coverage.warnings.append(
                    f"{before.path}: {portion.lost_waiting} statements were logged long before their "
                    "duration and could not be joined with it; log_min_duration_statement = 0 logs "
                    "both together"
                )
            if portion.after is not None:
                found.append(portion.after)
            elif before.offset:
                found.append(before)
        return found
