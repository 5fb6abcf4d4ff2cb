"""The only wiring: gather → workload → detect → advise → report document.

options.py    what a run is asked to do
gathering.py  inputs and servers are opened, and all is read of them but executions
analysis.py   the rest; it is imported when processes that read are at work
result.py     what a run gives
"""

from collections.abc import Sequence

from analyzer.model.recording import Recording
from analyzer.model.work import Observer
from analyzer.pipeline.gathering import gather_all
from analyzer.pipeline.options import More, Options, Progress
from analyzer.pipeline.result import Result, only
from analyzer.sources.workers.side_by_side import reading
from analyzer.sql.keys import StatementKeyTable

__all__ = ["More", "Options", "Progress", "Result", "only", "run"]


def run(
    options: Options, progress: Progress | None = None, observers: Sequence[Observer] = ()
) -> Result:
    """Do the main job.

    Args:
        options: what to read and how.
        progress: told how far it is.
        observers: shown all executions on the way, slice by slice.

    Raises:
        InputError: no input could be read. ServerError: the server named cannot be used and there
            is no other input.
    """
    recording = Recording(keys=StatementKeyTable())
    read = gather_all(options, recording, progress)
    with reading(read.gathering.streams, options.workers, recording, progress) as links:
        from analyzer.pipeline.analysis import analyse  # noqa: PLC0415 - a tenth of a second: others read meanwhile

        return analyse(options, recording, read, links, progress, observers)
