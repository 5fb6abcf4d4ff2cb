"""Who reads what: a byte in shared memory for each part, set once by the process that takes it."""

import fcntl
import mmap
import os
from collections.abc import Iterator
from contextlib import contextmanager

from analyzer.sources.workers.ring import shared_file

PARENT = 255
MOST_WORKERS = 254


class Claims:
    """The claims of one run. A lock on the file is given back by the kernel if its holder dies."""

    def __init__(self, descriptor: int, count: int) -> None:
        """Map the claims on `count` parts, from part 0 on in the order in which they are needed."""
        self.descriptor = descriptor
        self.count = count
        self._memory = mmap.mmap(descriptor, max(count, 1))
        self._next = 0

    @classmethod
    def made(cls, count: int) -> "Claims":
        """Claims that nobody has made yet."""
        return cls(shared_file(max(count, 1)), count)

    def take(self, number: int, holder: int) -> int:
        """Claim a part if nobody has it; who has it now."""
        with self._locked():
            if not self._memory[number]:
                self._memory[number] = holder
            return self._memory[number]

    def take_next(self, holder: int) -> int | None:
        """Claim the first part that nobody has; its number, None if there is none left."""
        with self._locked():
            while self._next < self.count and self._memory[self._next]:
                self._next += 1
            if self._next == self.count:
                return None
            self._memory[self._next] = holder
            return self._next

    def close(self) -> None:
        """Unmap the claims, and close their file."""
        self._memory.close()
        os.close(self.descriptor)

    @contextmanager
    def _locked(self) -> Iterator[None]:
        fcntl.lockf(self.descriptor, fcntl.LOCK_EX)
        try:
            yield
        finally:
            fcntl.lockf(self.descriptor, fcntl.LOCK_UN)
