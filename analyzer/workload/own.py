"""pg95's own sessions, and the names that all sessions go by."""

from collections.abc import Sequence

import numpy as np

from analyzer.model.columns import Column, Flags, distinct

OWN_APPLICATION = "pg95"


class OwnSessions:
    """Recognises pg95's own application name among the recording's names."""

    def __init__(self, names: Sequence[str]) -> None:
        self._names = names
        self._looked_at = 0
        self._number: int | None = None
        self._seen: set[int] = set()

    def rows(self, application: Column) -> Flags:
        """Marks the rows of pg95's own sessions."""
        for number in range(self._looked_at, len(self._names)):
            if self._names[number] == OWN_APPLICATION:
                self._number = number
        self._looked_at = len(self._names)
        self._seen.update(distinct(application[application >= 0]).tolist())
        if self._number is None:
            return np.zeros(len(application), dtype=bool)
        flags: Flags = application == self._number
        return flags

    def seen(self) -> tuple[str, ...]:
        """The application names of all rows so far, sorted."""
        return tuple(sorted(self._names[number] for number in self._seen))
