"""What a worker is asked to read."""

from dataclasses import dataclass

from analyzer.model.coverage import SourceCoverage
from analyzer.sources.detection import Recognised
from analyzer.sources.options import ReadOptions


@dataclass(frozen=True, slots=True)
class Part:
    """A whole input: `path` is as the user gave it, `source` its number in the run's coverage."""

    path: str
    source: int
    coverage: SourceCoverage
    options: ReadOptions
    known: Recognised
