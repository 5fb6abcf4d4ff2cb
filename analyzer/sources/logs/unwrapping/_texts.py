"""Texts of stderr entries out of records that have a time and no process: clouds' log services."""

from collections.abc import Sequence
from itertools import pairwise

from analyzer.sources.logs.framing import LONGEST_ENTRY_BYTES
from analyzer.sources.logs.unwrapping._entries import (
    begins_further_line,
    entry_lines,
    missing,
)
from analyzer.sources.logs.unwrapping._stamps import Stamps


class Texts:
    """Entries of one export, with the outer time where the inner prefix has none.

    A record can hold a whole entry, or one line of it. In an export with the newest first, an
    entry's further lines come before it: they wait for it, and follow it in what is given out.
    """

    def __init__(self, stamps: Stamps) -> None:
        """`stamps` reads the outer times."""
        self._stamps = stamps
        self._untimed = False
        self._descending = False
        self._learnt = False
        self._out: list[bytes] = []
        self._waiting: list[bytes] = []
        self._waiting_bytes = 0

    def learn(self, samples: Sequence[tuple[bytes, bytes]]) -> None:
        """Find out from (stamp, text) what the prefix lacks and which way time runs."""
        if self._learnt:
            return
        lacks = missing((b"", text) for _, text in samples)
        if lacks is None:
            return
        self._learnt = True
        self._untimed = lacks.time
        stamps = [self._stamps.read(stamp) or b"" for stamp, _ in samples]
        self._descending = sum((a > b) - (a < b) for a, b in pairwise(stamps)) > 0

    def add(self, stamp: bytes, text: bytes) -> bool:
        """Take the text of one record; False if its time is needed and cannot be read."""
        head = b""
        if self._untimed:
            time = self._stamps.read(stamp)
            if time is None:
                return False
            head = time + b" "
        further = text[:1] == b"\t" or begins_further_line(text)
        lines = text.rstrip(b"\n") if text[:1] == b"\t" else entry_lines(head, text)
        if self._descending and further and self._waiting_bytes < LONGEST_ENTRY_BYTES:
            self._waiting.append(lines)
            self._waiting_bytes += len(lines)
            return True
        self._out.append(lines)
        self._release()
        return True

    def take(self, *, last: bool) -> bytes:
        """What is complete, each line with its newline; everything if it is the `last` time."""
        if last:
            self._release()
        if not self._out:
            return b""
        given = b"\n".join(self._out) + b"\n"
        self._out.clear()
        return given

    def _release(self) -> None:
        self._out.extend(reversed(self._waiting))
        self._waiting.clear()
        self._waiting_bytes = 0


def encoded(text: str) -> bytes:
    """A JSON text as UTF-8; a lone surrogate becomes an escape."""
    return text.encode("utf-8", "backslashreplace")
