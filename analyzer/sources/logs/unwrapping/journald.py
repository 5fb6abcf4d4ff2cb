"""systemd's journal as JSON (`journalctl -o json --all`): PostgreSQL's syslog messages or stderr.

MESSAGE is a text, or a list of bytes where it is no printable UTF-8; without --all, one longer
than 4 KB is null. What came through syslog is numbered and cut up as in a syslog file; of stderr,
each line is a record, continued by records of its process that begin with a TAB.
"""

from analyzer.patterns import regex
from analyzer.sources.logs.unwrapping._assembly import Messages
from analyzer.sources.logs.unwrapping._entries import begins_entry
from analyzer.sources.logs.unwrapping._json import JsonUnwrapper
from analyzer.sources.logs.unwrapping._stamps import Stamps
from analyzer.sources.logs.unwrapping._texts import encoded

NUMBERED = regex(rb"\[(\d{1,20})(?:-(\d{1,9}))?\] ")
_SERVERS = frozenset(("postgres", "postgresql", "postmaster"))
_PROGRAMS = 10_000


def numbered(text: bytes) -> tuple[bytes, bytes, bytes]:
    """Give n and m of the [n-m] before a message (b"" where they lack), and the message."""
    found = NUMBERED.match(text)
    if found is None:
        return b"", b"", text
    return found[1], found[2] or b"", text[found.end() :]


def _field(value: dict[str, object], *names: str) -> str:
    """The first of those fields that the record has, "" if it has none."""
    for name in names:
        field = value.get(name)
        if isinstance(field, list) and field and isinstance(field[-1], str):
            field = field[-1]  # one that was given several times
        if isinstance(field, str) and field:
            return field
    return ""


def message_of(value: dict[str, object]) -> bytes | None:
    """The MESSAGE, None if there is none that can be read."""
    message = value.get("MESSAGE")
    if isinstance(message, str):
        return encoded(message)
    if isinstance(message, list):
        try:
            return bytes(message)
        except (TypeError, ValueError):
            return None
    return None


class JournaldUnwrapper(JsonUnwrapper):
    """Unwraps PostgreSQL's records of a journal; those of other programs are counted apart."""

    name = "journald"
    title = "systemd journal (JSON)"

    def _begin(self) -> None:
        self._stamps = Stamps(self._timezone, self._now)
        self._messages = Messages(self._stamps)
        self._programs: set[str] = set(_SERVERS)
        self._unfinished: set[bytes] = set()  # origins whose last line goes on in the next record

    def _learn(self, values: list[dict[str, object]]) -> None:
        if self._messages.learnt:
            return
        samples = []
        for value in values:
            text = message_of(value)
            if text is not None and self._server(value, text):
                process = self._process(value)
                number, piece, text = numbered(text)
                if piece in (b"", b"1"):
                    samples.append((process, Messages.told(process, number, piece, text)[1]))
        self._messages.learn(samples)

    def _server(self, value: dict[str, object], text: bytes) -> bool:
        """Whether a record is PostgreSQL's, by its program's name or by what it writes."""
        program = _field(value, "CONTAINER_NAME", "SYSLOG_IDENTIFIER", "_COMM")
        if program in self._programs or _field(value, "_COMM") in _SERVERS:
            return True
        unit = _field(value, "_SYSTEMD_UNIT", "UNIT")
        if not (NUMBERED.match(text) or unit.startswith("postgres") or value.get("CONTAINER_NAME")):
            return False
        if not begins_entry(numbered(text)[2]):
            return False
        if len(self._programs) < _PROGRAMS:
            self._programs.add(program)
        return True

    def _process(self, value: dict[str, object]) -> bytes:
        """The server process, b"" where the record's is its container's or starter's."""
        if value.get("CONTAINER_NAME"):
            return b""
        process = _field(value, "SYSLOG_PID", "_PID")
        return process.encode() if process.isascii() and process.isdigit() else b""

    def _take(self, value: dict[str, object]) -> bool | None:
        text = message_of(value)
        if text is None:
            if _field(value, "SYSLOG_IDENTIFIER", "_COMM") not in self._programs:
                return None
            self.account.remark(
                "a message was left out of the export; journalctl -o json --all gives it"
            )
            return False
        if not self._server(value, text):
            return None
        process = self._process(value)
        origin = (
            encoded(_field(value, "_HOSTNAME"))
            + b" "
            + (process or encoded(_field(value, "CONTAINER_NAME", "SYSLOG_IDENTIFIER")))
        )
        partial = value.get("_LINE_BREAK") == "line-max" or bool(
            value.get("CONTAINER_PARTIAL_MESSAGE")
        )
        if origin in self._unfinished:
            if not partial:
                self._unfinished.discard(origin)
            return self._messages.assembly.extend(origin, text)
        if partial and len(self._unfinished) < _PROGRAMS:
            self._unfinished.add(origin)
        stamp = _field(value, "_SOURCE_REALTIME_TIMESTAMP", "__REALTIME_TIMESTAMP").encode()
        return self._messages.record(origin, process, stamp, *numbered(text))

    def _given(self, *, last: bool) -> bytes:
        return self._messages.assembly.take(last=last)
