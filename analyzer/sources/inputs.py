"""Read everything the user names: expand, recognise by content, dispatch, account.

Each input gets a SourceCoverage. One that gives nothing says why there, with the remedy, and as a
warning; only when no input gives anything is it an error.
"""

from collections.abc import Sequence

from analyzer.errors import InputError
from analyzer.model.coverage import SourceCoverage
from analyzer.model.recording import Recording
from analyzer.sources import detection
from analyzer.sources.expansion import expand, identity
from analyzer.sources.one_input import SKIPPED, ExecutionStream, Input
from analyzer.sources.opening import Progress, masked
from analyzer.sources.options import ReadOptions

__all__ = ["ExecutionStream", "Gathering", "gather"]


class Gathering:
    """Inputs that were recognised: documents are read already, logs are read through `streams`.

    `finish`, called when the streams have been read, raises if no input gave anything.
    """

    def __init__(self, sources: Sequence[SourceCoverage], streams: list[ExecutionStream]) -> None:
        self.streams = streams
        self._sources = sources

    def finish(self) -> None:
        """Check that something was read.

        Raises:
            InputError: no input gave anything; the message has the first reason and its remedy.
        """
        if not any(one.failure is None and one.format != SKIPPED for one in self._sources):
            raise InputError(_nothing(self._sources))


def gather(
    inputs: Sequence[str],
    options: ReadOptions,
    recording: Recording,
    progress: Progress | None = None,
) -> Gathering:
    """Recognise all `inputs` (files, folders, globs, "-"), and read them into `recording`.

    Plans, counters and schemas are read at once; logs as their streams are iterated over, so that
    no more than is looked at is held in memory.

    Args:
        inputs: as the user gave them.
        options: how to read.
        recording: is filled; its coverage gets one source for each input read or refused.
        progress: told (path, bytes read, size in bytes or None) as reading goes on.

    Raises:
        UsageError: an option has no meaning (no such time zone, a prefix without a time).
    """
    sources: list[SourceCoverage] = []
    streams: list[ExecutionStream] = []
    seen: set[str] = set()
    for path, found in expand(inputs):
        name = masked(path)
        if identity(path) in seen:
            recording.coverage.warnings.append(f"{name}: named twice, read once")
            continue
        seen.add(identity(path))
        coverage = SourceCoverage(name)
        sources.append(coverage)
        recording.coverage.sources.append(coverage)
        stream = Input(path, recording, coverage, options, found=found).open(progress)
        if stream is not None:
            streams.append(stream)
    return Gathering(sources, streams)


def _nothing(sources: Sequence[SourceCoverage]) -> str:
    """Why nothing could be read: the first reasons."""
    reasons = [source.failure for source in sources if source.failure]
    if not reasons:
        paths = ", ".join(source.path for source in sources[:3])
        return f"no input that can be read ({paths or 'no file'}); known are {detection.KNOWN}"
    more = f"\n({len(sources) - 3} more inputs gave nothing either)" if len(sources) > 3 else ""  # noqa: PLR2004  # a few are enough
    return "\n".join(reasons[:3]) + more
