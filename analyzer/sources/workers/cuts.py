"""Where a log may be cut into ranges that are read side by side: at the beginning of an entry.

What looks like the beginning of a record may stand inside a text in a csvlog. That shows when the
range before has been read: it must end where the next one begins (see folding.py).
"""

import os

from analyzer.sources.detection import Recognised
from analyzer.sources.logs.csvlog import RECORD_START
from analyzer.sources.logs.framing import FLUSH_BYTES
from analyzer.sources.logs.prefix import BELONGING

RANGE_BYTES = 4 * FLUSH_BYTES
_WINDOW_BYTES = 1 << 20


def ranges_of(descriptor: int, size: int, known: Recognised, step: int) -> list[tuple[int, int]]:
    """Ranges (from, up to) that together make the file, about `step` bytes each.

    Each but the first begins with an entry, at or soon behind a multiple of `step`.
    """
    starts = [0]
    for position in range(step, size, step):
        start = _start(descriptor, position, size, known)
        if start is not None and start > starts[-1]:
            starts.append(start)
    return list(zip(starts, [*starts[1:], size], strict=True))


def _start(descriptor: int, position: int, size: int, known: Recognised) -> int | None:
    """The first beginning of an entry at or behind `position`, None where none is seen soon.

    There is another one soon behind it, so that the next block of the input has its end.
    """
    window = os.pread(descriptor, min(_WINDOW_BYTES, size - position + 1), position - 1)
    place = window.find(b"\n") + 1
    start = None
    while place:
        if begins(window, place, known):
            if start is not None:
                return start
            start = position - 1 + place
        place = window.find(b"\n", place) + 1
    return None


def begins(window: bytes, place: int, known: Recognised) -> bool:
    """Whether what looks like the beginning of an entry stands at that place of an unwrapped log."""
    if known.format == "csvlog":
        return RECORD_START.match(window, place) is not None
    if known.format == "jsonlog":
        return window.startswith(b"{", place)
    found = known.prefix.entry.match(window, place) if known.prefix is not None else None
    return found is not None and found["severity"] not in BELONGING
