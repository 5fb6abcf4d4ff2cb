"""Whose turn it is, among the threads that read inputs into one recording."""

import threading
from typing import Self


class Turn:
    """A lock around the tables that the inputs of a run share.

    A thread takes its turn for whatever it does to them, and pauses it while it waits or works on
    its own. Until `is_shared` is set there is only one thread, and nothing to take turns about.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self.is_shared = False

    def __enter__(self) -> Self:
        if self.is_shared:
            self._lock.acquire()
        return self

    def __exit__(self, *_: object) -> None:
        if self.is_shared:
            self._lock.release()

    def pause(self) -> None:
        """Let others have their turn, until `resume`."""
        if self.is_shared:
            self._lock.release()

    def resume(self) -> None:
        """Wait for the turn again."""
        if self.is_shared:
            self._lock.acquire()
