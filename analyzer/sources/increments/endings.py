"""Where reading stops in a log that is being written: behind its last entry that is surely whole."""

import os
from collections.abc import Callable

from analyzer.patterns import regex
from analyzer.sources.detection import Recognised
from analyzer.sources.logs.framing import LONGEST_ENTRY_BYTES
from analyzer.sources.logs.prefix import SEVERITIES
from analyzer.sources.workers.cuts import begins

_WINDOW_BYTES = 1 << 20
_LINE_FRAMED = ("csvlog", "jsonlog")  # a csvlog's reader tells itself what it could not use
# An entry's first line in a wrapped log; those that follow it have no severity of their own.
_WRAPPED_START = regex(
    rb"[^\n]*?(?<![A-Z])(?!DETAIL|STATEMENT|HINT|CONTEXT|QUERY|LOCATION)(?:" + SEVERITIES + rb"):  "
)

Begins = Callable[[bytes, int], bool]


def end_of_whole(descriptor: int, start: int, size: int, known: Recognised) -> int:
    """Up to where the bytes of a file from `start` on are whole entries; at most `size`.

    An stderr log's last entry may still be written on, and what belongs to it may follow, so it is
    left for the next time. Records of csvlog, jsonlog and application logs end with their line.
    """
    if known.wrapping is None and known.format == "stderr":
        return _last(descriptor, start, size, lambda data, place: begins(data, place, known))
    if known.wrapping is not None and known.format not in _LINE_FRAMED:
        return _last(descriptor, start, size, _begins_wrapped)
    return _last(descriptor, start, size, None)


def _begins_wrapped(data: bytes, place: int) -> bool:
    return _WRAPPED_START.match(data, place) is not None


def _last(descriptor: int, start: int, size: int, found: Begins | None) -> int:
    """The last beginning of a line from `start` on that is `found` to begin an entry.

    Without one, and where none is found in as many bytes as an entry may have, any line's will do.
    """
    window = _WINDOW_BYTES
    while True:
        low = max(start, size - window)
        # One byte before tells whether a line begins at `low`.
        before = 1 if low else 0
        data = os.pread(descriptor, size - low + before, low - before)
        any_line = data.rfind(b"\n") + 1
        place = any_line
        while place > before and found is not None and not found(data, place):
            place = data.rfind(b"\n", 0, place - 1) + 1
        if place > before:
            return low - before + place
        if low == start:
            return start
        if window >= LONGEST_ENTRY_BYTES:
            return low - before + any_line if any_line > before else start
        window *= 2
