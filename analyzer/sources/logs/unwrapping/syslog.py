"""PostgreSQL's messages in a syslog file: RFC 3164, its variant with ISO times, and RFC 5424.

    Nov 22 08:00:00 db1 postgres[77]: [5-1] 2026-11-22 08:00:00.123 UTC [77] LOG:  …
    2026-11-22T08:00:00.123456+00:00 db1 postgres[77]: [5-2] #011…
    <134>1 2026-11-22T08:00:00.123456Z db1 postgres 77 - - [5-3] #011…

`<pri>` may stand before the first two as well, and RFC 6587's length before all three. rsyslog
writes control characters as `#` and three octal digits. Crunchy Bridge, Neon and Aiven forward
such logs.
"""

from collections.abc import Iterator, Sequence
from typing import ClassVar

from analyzer.patterns import regex
from analyzer.sources.logs.framing import Block, blocks
from analyzer.sources.logs.unwrapping._assembly import Messages
from analyzer.sources.logs.unwrapping._base import Unwrapper
from analyzer.sources.logs.unwrapping._entries import begins_entry, begins_further_line
from analyzer.sources.logs.unwrapping._stamps import Stamps

_STAMP = (
    rb"(?:[A-Z][a-z][a-z] [ \d]\d (?:\d{4} )?\d\d:\d\d:\d\d(?:[.,]\d{1,9})?"
    rb"|\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:[.,]\d{1,9})?(?:Z|[+-]\d\d:?\d\d)?)"
)
_LEAD = rb"(?:\d{1,9} (?=<))?(?:<\d{1,3}>)?(?:1 (?=\d{4}-))?"
# A host is left out by some; Heroku leaves out the colon.
_BSD_ORIGIN = rb"(?:\S{1,255} )?[^\s\[\]:]{1,128}(?:\[[^\s\]]{1,128}\]:?|:)"
_IETF_ORIGIN = rb"\S{1,255} \S{1,128} \S{1,128}(?= )"
_STRUCTURED = rb"(?:-|(?:\[[^\]\\\n]{0,1000}(?:\\.[^\]\\\n]{0,1000}){0,30}\]){1,30})"
_HEADER = (
    _LEAD + rb"(" + _STAMP + rb") (?:(" + _BSD_ORIGIN + rb") ?"
    rb"|(" + _IETF_ORIGIN + rb") \S{1,64} " + _STRUCTURED + rb" {0,2}(?:\xef\xbb\xbf)?)"
)
_COLOR = rb"(?:\[[A-Z][A-Z\d_]{0,127}\] )?"  # Heroku's name for the database
HEADER = regex(_HEADER)
_RECORDS = regex(
    rb"(" + _HEADER + _COLOR + rb"(?:\[(\d{1,20})(?:-(\d{1,9}))?\] )?([^\n]*)|[^\n]*)\n"
)
_STAMPED = regex(_LEAD + _STAMP + rb" ")
_ORIGIN = regex(rb"(?:\S{1,255} )?([^\s\[\]:]{1,128})(?:\[([^\s\]]{1,128})\])?:?")
SERVERS = frozenset((b"postgres", b"postgresql", b"postmaster"))
_FURTHER_LINES = 1000  # of an entry that are looked for
_ORIGINS = 100_000  # remembered at a time
_Record = tuple[bytes, bytes, bytes, bytes, bytes, bytes, bytes]


def program(origin: bytes) -> tuple[bytes, bytes]:
    """The program and its process, b"" if unclear.

    `origin` is `host program[process]:` (the host may lack) or RFC 5424's `host program process`.
    """
    parts = origin.split(b" ")
    if len(parts) == 3:  # noqa: PLR2004  # host, program, process
        return parts[1], parts[2]
    found = _ORIGIN.fullmatch(origin)
    return (found[1], found[2] or b"") if found else (b"", b"")


def unescaped(text: bytes) -> bytes:
    """A text without rsyslog's escapes of TAB and newline.

    `#012` can be a colour in SQL: it is a newline only where PostgreSQL would write one.
    """
    text = text.replace(b"#011", b"\t").replace(b"#012\t", b"\n\t")
    first, *rest = text.split(b"#012", _FURTHER_LINES)
    if rest and not rest[-1]:
        rest.pop()  # the newline at an entry's end
    joined = [first]
    joined += ((b"\n" if begins_further_line(part) else b"#012") + part for part in rest)
    return b"".join(joined)


class SyslogUnwrapper(Unwrapper):
    """Unwraps a syslog file's records of PostgreSQL; those of other programs are counted apart."""

    name = "syslog"
    title = "syslog (RFC 3164, RFC 5424)"
    rewrites: ClassVar[bool] = False  # whether `_rewritten` has something to do

    def _unwrapped(self) -> Iterator[bytes]:
        self._stamps = Stamps(self._timezone, self._now)
        self._messages = Messages(self._stamps)
        self._processes: dict[bytes, bytes] = {}  # of the origins that are PostgreSQL
        self._programs = set(SERVERS)
        self._hosts: set[bytes] = set()
        self._last = b""  # the origin of the last record of PostgreSQL, b"" if another's came
        self._raw_tabs = False
        lines = 0
        for block in blocks(self.small_reads(), tabs=False):
            if block.cut:
                self.account.unparsed(block.data[:-1], lines + 1, block.offset, block.length)
                self.account.remark("a record was too long to be read")
            else:
                self._block(block, lines)
            lines += block.data.count(b"\n")
            yield self._messages.assembly.take(last=False)
        yield self._messages.assembly.take(last=True)
        self._conclude()

    def _conclude(self) -> None:
        if self._stamps.years:
            years = " and ".join(str(year) for year in sorted(self._stamps.years))
            self.account.remark(f"its times have no year; taken to be {years}")
        if self._messages.long:
            self.account.remark(
                f"messages of the length at which syslog daemons cut (8 KB): {self._messages.long}; "
                "their ends may lack, syslog_split_messages = on avoids that"
            )
        if len(self._hosts) > 1:
            self.account.remark(
                f"it mixes the logs of {len(self._hosts)} hosts, whose sessions are told apart "
                "by process id only"
            )

    def _block(self, block: Block, lines: int) -> None:
        """The hot path: one match and one call a record."""
        data = block.data
        self._raw_tabs = self._raw_tabs or b"\t" in data
        escapes = not self._raw_tabs and (b"#011" in data or b"#012" in data)
        records: Sequence[_Record] = _RECORDS.findall(data)
        if not self._messages.learnt:
            self._messages.learn(self._samples(records, escapes=escapes))
        take, processes = self._messages.record, self._processes
        crlf = records[0][0].endswith(b"\r")
        unended = -1 if block.ended else len(records) - 1
        changed = crlf or escapes or self.rewrites
        for position, (line, stamp, bsd, ietf, number, piece, text) in enumerate(records):
            origin = bsd or ietf
            process = processes.get(origin) if origin else None
            if process is None and origin:
                process = self._server(origin, number, text)
            if process is None:
                sound = self._stray(line, origin, ended=position != unended)
            else:
                self._last = origin
                if changed:
                    text = text.removesuffix(b"\r") if crlf else text  # noqa: PLW2901  # from here on
                    text = self._plain(stamp, process, number, text, escapes=escapes)  # noqa: PLW2901  # as above
                sound = take(origin, process, stamp, number, piece, text)
            if not sound:
                self._unparsed(block, records, position, lines)

    def _samples(
        self, records: Sequence[_Record], *, escapes: bool
    ) -> Iterator[tuple[bytes, bytes]]:
        """Process and text of the records that begin a message of PostgreSQL's."""
        for _, stamp, bsd, ietf, number, piece, text in records:
            origin = bsd or ietf
            process = self._server(origin, number, text) if origin else None
            if process is not None and piece in (b"", b"1"):
                whole = self._plain(stamp, process, number, text, escapes=escapes)
                yield process, Messages.told(process, number, piece, whole)[1]

    def _unparsed(
        self, block: Block, records: Sequence[_Record], position: int, lines: int
    ) -> None:
        line = records[position][0]
        offset = block.offset
        if self.account.first_unparsed is None:
            offset += sum(len(record[0]) + 1 for record in records[:position])
        last = position == len(records) - 1 and not block.ended
        size = len(line) + (not last)
        self.account.unparsed(line, lines + position + 1, offset, size)

    def _server(self, origin: bytes, number: bytes, text: bytes) -> bytes | None:
        """The process id (b"" unknown) if the record is PostgreSQL's; None if it is not.

        A program of another name (syslog_ident) is one that writes PostgreSQL's entries.
        """
        name, process = program(origin)
        if name not in self._programs:
            if not (number and begins_entry(text)):
                return None
            self._programs.add(name)
        process = process if process.isdigit() else b""
        self._remember(origin, process)
        return process

    def _plain(
        self, stamp: bytes, process: bytes, number: bytes, text: bytes, *, escapes: bool
    ) -> bytes:
        """A record's text as PostgreSQL wrote it, or could have."""
        if escapes and b"#01" in text:
            text = unescaped(text)
        return self._rewritten(stamp, process, number, text) if self.rewrites else text

    def _rewritten(self, _stamp: bytes, _process: bytes, _number: bytes, text: bytes) -> bytes:
        """The text with a prefix of its provider's made one that a log_line_prefix can say."""
        return text

    def _remember(self, origin: bytes, process: bytes) -> None:
        if len(self._processes) >= _ORIGINS:
            self._processes.clear()
        self._processes[origin] = process
        host, space, _ = origin.partition(b" ")
        if space and len(self._hosts) < _ORIGINS:
            self._hosts.add(host)

    def _stray(self, line: bytes, origin: bytes, *, ended: bool) -> bool:
        """A line that is no record of PostgreSQL's: another program's, or the rest of one.

        Some daemons write a message's newlines as they are.
        """
        if not origin and not _STAMPED.match(line):
            if not self._last or not (line[:1] == b"\t" or begins_further_line(line)):
                return False
            head = self._messages.head(b"", b"") or b""
            return self._messages.assembly.add_line(self._last, head, line)
        self._last = b""
        self.account.foreign(len(line) + ended)
        return True
