"""Columns that are used where they were written: memory in which a reader's scanner leaves them for another process.

It has slots, each for the columns of one chunk, and a byte of each says whether it is in use. The process that reads
takes a free one for the rows to come. When it has handed them on, the slot is free again as soon as the other process has
no array in it any more. Where no slot is free, columns are copied (ring.py): nobody waits for one.
"""

import ctypes
import mmap

from analyzer.model.columns import Column
from analyzer.model.executions import ExecutionChunk
from analyzer.sources.workers.ring import shared_file

# What a reader hands on at once is 2.7 MB of a usual log. What is not used takes no memory.
SLOT_BYTES = 4 << 20
_SLOTS = 16  # a slice that is gathered, and what the reader is ahead
_FREE, _IN_USE = 0, 1


class Slot(ctypes.Array[ctypes.c_ubyte]):
    """A slot as memory that arrays look at: free again when the last of these is gone, unless it was handed on."""

    _type_ = ctypes.c_ubyte
    _length_ = SLOT_BYTES

    number = -1
    _states: memoryview | None = None

    def held_by(self, states: memoryview, number: int) -> "Slot":
        """It is the slot of that number, and in `states` is to be said when it is free."""
        self._states, self.number = states, number
        return self

    def hand_on(self) -> None:
        """From now on it is another process's to say when it is free."""
        self._states = None

    def __del__(self) -> None:
        if self._states is not None:
            # No lock: the other process has to find this and to scan some text before it writes here again.
            self._states[self.number] = _FREE

    def place_of(self, column: Column) -> int | None:
        """Where in the slot a column is; None of one that is elsewhere."""
        at = int(column.__array_interface__["data"][0]) - ctypes.addressof(self)
        return at if 0 <= at <= SLOT_BYTES - column.nbytes and column.flags.c_contiguous else None


def slot_of(chunk: ExecutionChunk) -> Slot | None:
    """The slot in which a chunk's columns are; None if they are this process's."""
    base = chunk.columns["key"].base
    owner = base.obj if isinstance(base, memoryview) else base
    return owner if isinstance(owner, Slot) else None


class Slots:
    """The slots that a reader and the process that uses what it reads share."""

    def __init__(self, descriptor: int) -> None:
        """Map the slots of a file from `made`."""
        self._memory = mmap.mmap(descriptor, 0)
        self._states = memoryview(self._memory)[:_SLOTS]

    @staticmethod
    def made() -> int:
        """A file of free slots; its descriptor."""
        return shared_file(mmap.PAGESIZE + _SLOTS * SLOT_BYTES)

    def lend(self) -> Slot | None:
        """A slot that nobody uses; None if there is none."""
        number = bytes(self._states).find(_FREE)
        if number < 0:
            return None
        self._states[number] = _IN_USE
        return self.used(number)

    def used(self, number: int) -> Slot:
        """The slot of that number, which this process is to free."""
        slot = Slot.from_buffer(self._memory, mmap.PAGESIZE + number * SLOT_BYTES)
        return slot.held_by(self._states, number)
