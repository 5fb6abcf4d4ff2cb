"""What a worker is asked to read."""

from analyzer.model.coverage import SourceCoverage
from analyzer.records import record
from analyzer.sources.detection import Recognised
from analyzer.sources.increments.portion import Portion
from analyzer.sources.options import ReadOptions


@record
class Part:
    """An input, or a range of it: `path` is as the user gave it, `source` its number in the run.

    A range is read from the open file `descriptor`, from byte `start` up to `stop`; `is_last` tells
    that the input ends there. Of a log that grows, `portion` is what is new in it. `first_us` is the time of an input's first
    entry, if it is known.
    """

    path: str
    source: int
    coverage: SourceCoverage
    options: ReadOptions
    known: Recognised
    descriptor: int | None = None
    start: int = 0
    stop: int = 0
    is_last: bool = False
    portion: Portion | None = None
    first_us: int | None = None
