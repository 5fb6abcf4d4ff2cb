"""The figures of a run, or of a part of it: what adds up over slices, as one thing."""

import io
from typing import TypeAlias

import numpy as np

from analyzer.workload.figures import StatementFigures
from analyzer.workload.speakers import SpeakerFigures
from analyzer.workload.totals import Arrays, Durations, named, part_of
from analyzer.workload.traffic import RequestFigures, TrafficFigures

_Part: TypeAlias = StatementFigures | TrafficFigures | RequestFigures | SpeakerFigures | Durations


class Figures:
    """Sums over executions in whole units of work; merges in any order.

    Statements, sources and routes are spoken of by their numbers in the tables of one run.
    `client` are the durations of all client calls, those that the server's log covers too.
    """

    def __init__(self) -> None:
        self.statements = StatementFigures()
        self.traffic = TrafficFigures()
        self.requests = RequestFigures()
        self.speakers = SpeakerFigures()
        self.client = Durations()

    def to_bytes(self) -> bytes:
        """All figures as bytes (NumPy's npz, no pickles), for `merge_bytes` of another."""
        arrays: Arrays = {}
        for name, part in self._parts().items():
            arrays |= named(name, part.arrays())
        file = io.BytesIO()
        np.savez(file, allow_pickle=False, **arrays)
        return file.getvalue()

    def merge_bytes(self, data: bytes) -> None:
        """Add the figures of another part of the run, as its `to_bytes` wrote them.

        Raises:
            ValueError: the bytes are no such figures.
        """
        from zipfile import BadZipFile  # noqa: PLC0415 - NumPy's files are archives; few runs read one

        try:
            with np.load(io.BytesIO(data), allow_pickle=False) as file:
                arrays = {name: file[name] for name in file.files}
        except (OSError, EOFError, BadZipFile) as error:
            raise ValueError(f"these bytes are no figures: {error}") from error
        for name, part in self._parts().items():
            part.absorb(part_of(arrays, name))

    def _parts(self) -> dict[str, _Part]:
        return {
            "statements": self.statements,
            "traffic": self.traffic,
            "requests": self.requests,
            "speakers": self.speakers,
            "client": self.client,
        }
