"""When something was written to some files, and when the writing paused."""

import os
from collections.abc import Sequence
from dataclasses import field

from analyzer.records import changing
from analyzer.sources.expansion import expand

QUIET_SECONDS = 0.3  # without a byte written, a burst is over
LONGEST_SECONDS = 3.0  # what never pauses is looked at that often
LOOK_SECONDS = 1.0  # how often names are looked up anew: a log that was rotated has a new file
_State = dict[str, tuple[int, int, int]]


@changing
class Watch:
    """Whether there is a burst to be read. `paths` are files, folders and globs; times are seconds that only grow."""

    paths: Sequence[str]
    _files: list[str] = field(default_factory=list)
    _looked: float = float("-inf")
    _state: _State = field(default_factory=dict)
    _began: float | None = None  # when the first byte of what is not read yet was seen
    _changed: float = 0.0

    def start(self, now: float) -> list[str]:
        """Take the files as they are for read; gives their names."""
        self._state = self._look(now)
        return list(self._state)

    def is_due(self, now: float) -> bool:
        """Look at the files: whether a burst ended, or goes on for so long that it is read now."""
        state = self._look(now)
        if state != self._state:
            self._state, self._changed = state, now
            self._began = now if self._began is None else self._began
        if self._began is None:
            return False
        return now - self._changed >= QUIET_SECONDS or now - self._began >= LONGEST_SECONDS

    def done(self, now: float) -> None:
        """What there was has been read; of a burst that goes on, the last entry may not have been."""
        self._began = None if now - self._changed >= QUIET_SECONDS else now

    def _look(self, now: float) -> _State:
        if now - self._looked >= LOOK_SECONDS:
            self._files = [path for path, _ in expand(self.paths)]
            self._looked = now
        state = {}
        for path in self._files:
            try:
                status = os.stat(path)  # noqa: PTH116 - ten times a second, of many files
            except OSError:
                self._looked = float("-inf")  # it was rotated: look for its new name at once
                continue
            state[path] = (status.st_ino, status.st_size, status.st_mtime_ns)
        return state
