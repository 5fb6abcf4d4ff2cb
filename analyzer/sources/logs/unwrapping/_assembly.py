"""Messages that PostgreSQL cut up for syslog, put together again.

PostgreSQL hands syslog at most 900 bytes at a time (PG_SYSLOG_LIMIT in elog.c). It cuts at every
newline, and longer lines before the last white space that still fits, or in the middle of a word
that alone is too long. `[n-m]` before each piece is the message's number in its process and the
piece's in its message; the pieces of several processes come mixed.
"""

from collections.abc import Iterable

from analyzer.patterns import regex
from analyzer.sources.logs.framing import LONGEST_ENTRY_BYTES
from analyzer.sources.logs.unwrapping._entries import (
    Missing,
    begins_entry,
    begins_further_line,
    continued,
    entry_lines,
    missing,
)
from analyzer.sources.logs.unwrapping._stamps import Stamps

_LIMIT = 900
_CLIPPED = 4  # bytes that a cut may lie before the limit, for a character of several bytes
_WHOLE_LIMIT = 7800  # bytes; rsyslog keeps 8 KB of a record unless told otherwise
_RECENT = 2000  # messages that are kept for pieces that come late
_WORD = regex(rb"\s?\S*")
_UNNUMBERED = b"#"  # stands for the message's number where only pieces are numbered


def _cut_in_line(last: bytes, text: bytes) -> bool:
    """Whether `text` is the rest of the line that began with `last`.

    Only then would the first word of `text` not have fitted behind it. As a line may end by chance
    where it would have been cut: a cut is before white space, unless there was none to cut at; and
    a TAB is a newline's, unless the line has others.
    """
    word = _WORD.match(text)
    if len(last) > _LIMIT or len(last) + (word.end() if word else 0) <= _LIMIT - _CLIPPED:
        return False
    if text[:1] == b"\t":
        return b"\t" in last[1:]
    return text[:1].isspace() or (len(last) > _LIMIT - _CLIPPED and len(last.split(None, 1)) == 1)


class Assembly:
    """Messages of many origins (a host's process), given out in the order in which they began."""

    def __init__(self) -> None:
        """Begin with none."""
        self._out: list[bytes] = []
        self._parts: dict[int, list[bytes]] = {}
        # By origin, its last message: index, its number, its last piece's number and text.
        self._open: dict[bytes, tuple[int, bytes, int, bytes]] = {}
        self._grown: dict[int, int] = {}  # message: how many had begun when it last grew
        self._held = 0

    def begin(self, origin: bytes, number: bytes, head: bytes, text: bytes) -> None:
        """A message begins; `head` goes before its lines' prefixes."""
        self._open[origin] = (len(self._out), number, 1, text)
        if b"\n" in text:
            text = entry_lines(head, text)
        elif head:
            text = head + text
        self._out.append(text)

    def go_on(self, origin: bytes, number: bytes, piece: int, head: bytes, text: bytes) -> bool:
        """The next piece of the origin's message; False if what comes before it is not there."""
        known = self._open.get(origin)
        if known is None or known[1] != number or known[2] + 1 != piece:
            return False
        index, _, _, last = known
        if text[:1] != b"\t" and begins_further_line(text, self._out[index][len(head) :]):
            joined = b"\n" + head + text
        elif _cut_in_line(last, text):
            joined = text
        else:
            joined = b"\n" + continued(text)
        self._append(index, joined)
        self._open[origin] = (index, number, piece, text)
        return True

    def add_line(self, origin: bytes, head: bytes, text: bytes) -> bool:
        """A whole line of the origin's message, not numbered; False if there is no message."""
        known = self._open.get(origin)
        if known is None:
            return False
        index, number, piece, _ = known
        first = self._out[index][len(head) :].partition(b"\n")[0]
        self._append(index, entry_lines(head, first + b"\n" + text)[len(head) + len(first) :])
        self._open[origin] = (index, number, piece, text)
        return True

    def extend(self, origin: bytes, text: bytes) -> bool:
        """The rest of the origin's last line; False if there is no message."""
        known = self._open.get(origin)
        if known is None:
            return False
        self._append(known[0], text)
        return True

    def _append(self, index: int, joined: bytes) -> None:
        parts = self._parts.get(index)
        if parts is None:
            parts = self._parts[index] = [self._out[index]]
        parts.append(joined)
        self._grown[index] = len(self._out)
        self._held += len(joined)

    def take(self, *, last: bool) -> bytes:
        """What is complete, each message with its newline; everything if it is the `last` time.

        A message is taken for complete when many have begun since and it has not grown.
        """
        for index, parts in self._parts.items():
            self._out[index] = b"".join(parts)
        out, parted = self._out, self._parts
        stay = len(out) if last or self._held > LONGEST_ENTRY_BYTES else len(out) - _RECENT
        kept = sorted(n for n, begun in self._grown.items() if n < stay < begun)
        kept += range(max(stay, 0), len(out))
        place = {old: new for new, old in enumerate(kept)}
        self._out = [out[n] for n in kept]
        self._parts = {place[n]: [out[n]] for n in parted if n in place}
        self._open = {
            origin: (place[known[0]], *known[1:])
            for origin, known in self._open.items()
            if known[0] in place
        }
        self._held = sum(len(parts[0]) for parts in self._parts.values())
        self._grown = {}
        given = [text for n, text in enumerate(out) if n not in place]
        given.append(b"")
        return b"\n".join(given)


class Messages:
    """Records of syslog's kind, from whatever brought them, as stderr entries.

    `learn` finds out what the inner lines lack; that is put before each of them.
    """

    def __init__(self, stamps: Stamps) -> None:
        """`stamps` reads the outer times."""
        self.assembly = Assembly()
        self.long = 0  # messages that were not cut up, and whose end a daemon may have cut off
        self._stamps = stamps
        self._missing: Missing | None = None
        self._complete = False  # whether nothing lacks

    @property
    def learnt(self) -> bool:
        """Whether it is known what the inner lines lack."""
        return self._missing is not None

    def learn(self, samples: Iterable[tuple[bytes, bytes]]) -> None:
        """Find out from (process id, text) of records; nothing if there is no entry in them."""
        self._missing = lacks = missing(samples)
        self._complete = lacks is not None and not (lacks.time or lacks.process)

    @staticmethod
    def told(process: bytes, number: bytes, piece: bytes, text: bytes) -> tuple[bytes, bytes]:
        """The message's number and text: [n] may be no number, but a prefix that begins [%p]."""
        if number == process and not piece and number and begins_entry(text):
            return b"", b"[%s] %s" % (number, text)
        return number, text

    def head(self, stamp: bytes, process: bytes) -> bytes | None:
        """What goes before an inner line, None if the outer time cannot be read."""
        lacks = self._missing
        if lacks is None or self._complete:
            return b""
        named = b"[%s] " % process if lacks.process and process else b""
        if not lacks.time:
            return named
        time = self._stamps.read(stamp)
        return None if time is None else b"%s %s" % (time, named)

    def record(
        self,
        origin: bytes,
        process: bytes,
        stamp: bytes,
        number: bytes,
        piece: bytes,
        text: bytes,
    ) -> bool:
        """One record of PostgreSQL's; False if it cannot become part of an entry.

        `number` and `piece` are n and m of its [n-m], empty where it has none; [n] alone is
        `number`.
        """
        head = b"" if self._complete else self.head(stamp, process)
        if head is None:
            return False
        if piece == b"1":
            self.assembly.begin(origin, number, head, text)
            return True
        if piece:
            return self.assembly.go_on(origin, number, int(piece), head, text)
        number, text = self.told(process, number, piece, text)
        return self._unnumbered(origin, head, number, text)

    def _unnumbered(self, origin: bytes, head: bytes, number: bytes, text: bytes) -> bool:
        """A record with [n], which is a message's or a piece's number, or with none."""
        entry = begins_entry(text)
        if entry and len(text) >= _WHOLE_LIMIT:
            self.long += 1
        if not number:  # syslog_split_messages and syslog_sequence_numbers are off, or stderr
            if entry or not self.assembly.add_line(origin, head, text):
                return self._whole(origin, head, text, entry=entry)
            return True
        if entry or number == b"1":
            self.assembly.begin(origin, _UNNUMBERED, head, text)
            return True
        return self.assembly.go_on(origin, _UNNUMBERED, int(number), head, text)

    def _whole(self, origin: bytes, head: bytes, text: bytes, *, entry: bool) -> bool:
        if entry:
            self.assembly.begin(origin, b"", head, text)
        return entry
