"""Executions on the server's clock by who asked for them: database, user and application."""

from collections.abc import Mapping

import numpy as np

from analyzer.model.columns import Column, Rows, numbered_rows
from analyzer.model.executions import Clock
from analyzer.workload.tails import Ranked, ranked_groups
from analyzer.workload.totals import Arrays, Durations, named, part_of

SPEAKERS = ("database", "user", "application")  # columns, and dimensions of targets
MOST = 5_000  # speakers told apart; an application may give itself a new name each time
_OTHERS = (-1, -1, -1)


class SpeakerFigures:
    """Durations by (database, user, application), numbers into the recording's names; merges."""

    def __init__(self) -> None:
        self._numbers: dict[tuple[int, ...], int] = {_OTHERS: 0}
        self._durations = Durations()

    def add(self, columns: Mapping[str, Column], numbered: tuple[Rows, Rows]) -> None:
        """Executions: columns database, user, application, clock, duration_ms, octaves and micros.

        `numbered` are a row of each speaker and the number of each row's (numbered_rows).
        """
        server = columns["clock"] == Clock.SERVER
        if not server.any():
            return
        if not server.all():
            names = (*SPEAKERS, *("duration_ms", "octaves", "micros"))
            columns = {name: columns[name][server] for name in names}
            numbered = numbered_rows(*(columns[name] for name in SPEAKERS))
        self._durations.add(
            self._groups(columns, *numbered),
            columns["duration_ms"],
            columns["octaves"],
            columns["micros"],
        )

    def _groups(self, columns: Mapping[str, Column], some: Rows, inverse: Rows) -> Rows:
        speakers = [columns[name] for name in SPEAKERS]
        labels = zip(*(speaker[some].tolist() for speaker in speakers), strict=True)
        groups: Rows = np.array([self._number(label) for label in labels])[inverse]
        return groups

    def _number(self, speaker: tuple[int, ...]) -> int:
        if speaker not in self._numbers and len(self._numbers) >= MOST:
            return 0
        return self._numbers.setdefault(speaker, len(self._numbers))

    def ranked(self) -> Mapping[str, Mapping[int, list[Ranked]]]:
        """By dimension and the number of a name, durations of its executions, in order, in parts."""
        groups = ranked_groups(self._durations)
        found: dict[str, Mapping[int, list[Ranked]]] = {}
        for place, dimension in enumerate(SPEAKERS):
            parts: dict[int, list[Ranked]] = {}
            for speaker, number in self._numbers.items():
                if number in groups and speaker[place] >= 0:
                    parts.setdefault(speaker[place], []).append(groups[number])
            found[dimension] = parts
        return found

    def arrays(self) -> Arrays:
        """All that there is, as arrays."""
        speakers = np.array(list(self._numbers), dtype=np.int64)
        return {"speakers": speakers} | named("durations", self._durations.arrays())

    def absorb(self, arrays: Arrays) -> None:
        """Add what another gave as arrays, of the same names."""
        numbers = np.array([self._number(tuple(one)) for one in arrays["speakers"].tolist()])
        self._durations.absorb(part_of(arrays, "durations"), numbers)
