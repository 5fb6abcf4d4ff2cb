"""JSON records out of an export: one to a line, in an array, or pretty-printed, in bounded memory.

Records can lie in a list inside an object ({"records": [{…}, …]}): that object is no record, what
its list holds is. Where something is broken, reading begins again at the next line that begins an
object.
"""

import json
from collections.abc import Iterator
from typing import BinaryIO

from analyzer.patterns import regex
from analyzer.records import record
from analyzer.sources.logs.framing import LONGEST_ENTRY_BYTES, blocks, lines
from analyzer.sources.logs.text import json_text_of
from analyzer.sources.logs.unwrapping._base import BLOCK_BYTES, Unwrapper

# The lists in which exports put their records.
LISTS = ("records", "events", "logEvents", "entries", "result", "results", "data", "logs")

# A repeated group that is not possessive would remember each of its rounds: no room for that.
_STRING = rb'"[^"\\\n]*+"|"(?:[^"\\\n]|\\.)*+"'
_TOKEN = regex(_STRING + rb'|[{}"]')
_LIST = rb'\{(?=\s*+"(?:' + "|".join(LISTS).encode() + rb')"\s*+:\s*+\[)'
_BETWEEN = regex(
    rb"[\s,:\]}\[]++|\xef\xbb\xbf|null|true|false|-?\d[\d.eE+-]*+|" + _STRING + rb"|" + _LIST
)
_RESUME = regex(rb"\n[ \t]*,?[ \t]*(?=\{)")
_IN_LIST = regex(rb"\s*" + _LIST)
_OPEN = regex(rb"[\[{,]\s*\Z")
_DEEPEST = 200  # objects within objects
_FIRST_LINES = 20
HEAD_BYTES = 1 << 16


@record
class Record:
    """An outer record, or bytes that are none (`value` is None), and where they were."""

    value: dict[str, object] | None
    data: bytes
    offset: int
    size: int
    line: int


def parsed(data: bytes) -> dict[str, object] | None:
    """The JSON object that some bytes are, None if they are none."""
    try:
        value = json.loads(data)
    except UnicodeDecodeError:
        try:
            value = json.loads(json_text_of(data))
        except (ValueError, RecursionError):
            return None
    except (ValueError, RecursionError):
        return None
    return value if isinstance(value, dict) else None


class Objects:
    """The objects of a stream that is not one object to a line."""

    def __init__(self, stream: BinaryIO, first: bytes) -> None:
        """Read `first`, and then the rest of `stream`."""
        self._stream = stream
        self._data = first
        self._start = 0  # in _data
        self._offset = 0  # of _data in the input
        self._line = 1  # at _counted
        self._counted = 0  # in _data
        self._ended = False

    def read(self) -> Iterator[Record]:
        """All of them, and what is broken."""
        while True:
            self._start = self._between()
            if self._start >= len(self._data):
                if not self._more():
                    return
                continue
            record = self._record()
            if record is not None:
                yield record

    def _between(self) -> int:
        """The end of what lies between objects; a string or word may be cut by the data's end."""
        position = self._start
        while found := _BETWEEN.match(self._data, position):
            position = found.end()
        return position

    def _more(self) -> bool:
        """Read on, forgetting what was used; False at the input's end."""
        held = len(self._data) - self._start  # as much again, so that no byte is seen many times
        chunk = b"" if self._ended else read_first(self._stream, max(BLOCK_BYTES, held))
        self._ended = not chunk
        self._line += self._data.count(b"\n", self._counted, self._start)
        self._counted = 0
        self._offset += self._start
        self._data = self._data[self._start :] + chunk
        self._start = 0
        return bool(chunk)

    def _record(self) -> Record | None:
        """The object that begins here, or what is broken; None if more has to be read first."""
        end, broken = self._extent()
        if end < 0 and not broken:
            if len(self._data) - self._start <= LONGEST_ENTRY_BYTES and not self._ended:
                self._more()
                return None
            broken = True
        if broken:
            return self._skipped(max(end, self._start + 1))
        data = self._data[self._start : end]
        return self._taken(parsed(data), end)

    def _extent(self) -> tuple[int, bool]:
        """The object's end (-1 not there yet), or where it is broken and True."""
        if self._data[self._start : self._start + 1] != b"{":
            cut = not self._ended and len(self._data) - self._start < LONGEST_ENTRY_BYTES
            if cut and self._data.find(b"\n", self._start) < 0:
                return -1, False
            return self._start, True
        depth = 0
        for token in _TOKEN.finditer(self._data, self._start):
            kind = token.group()
            if kind == b"{":
                depth += 1
                if depth > _DEEPEST:
                    return token.end(), True
            elif kind == b"}":
                depth -= 1
                if not depth:
                    return token.end(), False
            elif len(kind) == 1:  # a string without its end
                newline = self._data.find(b"\n", token.end())
                return (newline, True) if newline >= 0 else (-1, False)
        return -1, False

    def _skipped(self, position: int) -> Record:
        """What is broken, up to the next line that begins an object (or what has been read)."""
        found = _RESUME.search(self._data, position)
        return self._taken(None, found.end() if found else len(self._data))

    def _taken(self, value: dict[str, object] | None, end: int) -> Record:
        start = self._start
        self._line += self._data.count(b"\n", self._counted, start)
        self._counted = start
        self._start = end
        return Record(value, self._data[start:end], self._offset + start, end - start, self._line)


def read_first(stream: BinaryIO, size: int) -> bytes:
    """The first `size` bytes, fewer only at the end."""
    first = bytearray()
    while len(first) < size and (chunk := stream.read(size - len(first))):
        first += chunk
    return bytes(first)


def one_to_a_line(head: bytes) -> bool:
    """Whether a text that begins so has one whole JSON object to a line.

    The last object of an array stands on a line of its own as well, so the first line counts: a
    list or an object that begins there and goes on is none. A cut line may come first.
    """
    some = [line for line in head.removeprefix(b"\xef\xbb\xbf").splitlines() if line.strip()]
    if not some or some[0].lstrip()[:1] == b"[" or _OPEN.search(some[0]) or _IN_LIST.match(some[0]):
        return False
    return any(parsed(line) is not None for line in some[:_FIRST_LINES])


def records_of(value: dict[str, object]) -> list[dict[str, object]]:
    """The records that an object holds in a list, or itself."""
    for name in LISTS:
        held = value.get(name)
        if isinstance(held, list) and held and all(isinstance(one, dict) for one in held):
            return held
    return [value]


class JsonUnwrapper(Unwrapper):
    """Unwraps an export whose records are JSON objects; a format says what one of them means."""

    def _unwrapped(self) -> Iterator[bytes]:
        self._begin()
        for batch in self._batches():
            self._learn(
                [one for whole in batch if whole.value for one in self._records(whole.value)]
            )
            for whole in batch:
                self._one(whole)
            yield self._given(last=False)
        yield self._given(last=True)
        self._conclude()

    def _batches(self) -> Iterator[list[Record]]:
        """The input's records, some at a time."""
        first = read_first(self._raw, BLOCK_BYTES)
        if one_to_a_line(first[:HEAD_BYTES] if b"\n" in first[:HEAD_BYTES] else first):
            yield from self._lines(first)
            return
        batch: list[Record] = []
        size = 0
        for whole in Objects(self._raw, first).read():
            batch.append(whole)
            size += whole.size
            if size >= BLOCK_BYTES:
                yield batch
                batch, size = [], 0
        yield batch

    def _lines(self, first: bytes) -> Iterator[list[Record]]:
        number = 1
        for block in blocks(self.small_reads(first), tabs=False):
            if block.cut:
                self.account.remark("a record was too long to be read")
                yield [Record(None, block.data[:-1], block.offset, block.length, number)]
                number += 1
                continue
            batch = []
            for line, offset, size in lines(block):
                if line and not line.isspace():
                    value = parsed(line if line[:1] == b"{" else line.lstrip(b"\xef\xbb\xbf"))
                    batch.append(Record(value, line, offset, size, number))
                number += 1
            yield batch

    def _one(self, record: Record) -> None:
        if record.value is None:
            self.account.unparsed(record.data, record.line, record.offset, record.size)
            return
        outcomes = [self._take(value) for value in self._records(record.value)] or [None]
        if bad := outcomes.count(False):
            size = record.size * bad // len(outcomes)
            self.account.unparsed(record.data, record.line, record.offset, size)
        if foreign := outcomes.count(None):
            self.account.foreign_lines += foreign - 1
            self.account.foreign(record.size * foreign // len(outcomes))

    def _records(self, value: dict[str, object]) -> list[dict[str, object]]:
        """The records that an outer object holds, often itself."""
        return records_of(value)

    def _begin(self) -> None:
        """Prepare, before the first record."""

    def _learn(self, values: list[dict[str, object]]) -> None:
        """Look at records that are about to be taken."""

    def _take(self, value: dict[str, object]) -> bool | None:
        """Take one record: None if it is another program's, False if it cannot be unwrapped."""
        raise NotImplementedError

    def _given(self, *, last: bool) -> bytes:
        """What came of the records so far (all of them, the `last` time), and is given out now."""
        raise NotImplementedError

    def _conclude(self) -> None:
        """Say what is to be said, after the last record."""
