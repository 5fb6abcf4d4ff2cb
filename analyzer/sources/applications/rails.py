r"""Rails' log: what Active Record logs at DEBUG, and the requests and jobs around it.

    Started GET "/books" for 127.0.0.1 at 2026-11-26 12:00:00 +0000
    Processing by BooksController#index as HTML
      Book Load (0.3ms)  SELECT "books".* FROM "books" LIMIT $1  [["LIMIT", 10]]
    Completed 200 OK in 12ms (ActiveRecord: 0.3ms)

Plain or in colour, as Rails' own or Ruby's formatter writes it, with tags (`[request id] [ActiveJob]
[ImportJob] [job id]`) or without. Lines with one tag belong to one request; without tags, requests
are taken to follow each other. The time of a call is when it ended where each line has a time, else it is
counted up from its request's beginning. What Rails answers from its query cache is no call.
"""

import json
import re
from collections.abc import Iterator
from typing import ClassVar

from analyzer.patterns import regex
from analyzer.records import changing
from analyzer.sources.applications.calls import CallSink, tagged
from analyzer.sources.applications.console import FURTHER
from analyzer.sources.applications.evidence import seen
from analyzer.sources.applications.lines import LineReader
from analyzer.sources.applications.prefixes import ANSI
from analyzer.sources.logs.text import text_of
from analyzer.sql.comments import trace_number

_FORMATTER = regex(
    rb"[DIWEFAU], \[(?P<time>\d{4}-\d\d-\d\dT[\d:.]{8,20}) #(?P<process>\d{1,10})\] +[A-Z]{3,7} -- [^:\n]{0,60}: "
)
_TAGS = regex(rb"(?:\[[^\]\n]{1,200}\] ){1,12}")
_CALL = regex(
    rb"  (?:(?P<name>[A-Z\xc2-\xf4][^()\n]{0,200}) )?\((?P<ms>\d{1,9}\.\d{1,6})ms\)  (?=\S)| {3}\((?P<bare>\d{1,9}\.\d{1,6})ms\)  (?=\S)"
)
_STARTED = regex(
    rb'Started [A-Z]{3,10} "[^\n]{0,4000}" for [^\n]{0,60}?\bat (?P<time>\d{4}-\d\d-\d\d \d\d:\d\d:\d\d [+-]\d{4})'
)
_PROCESSING = regex(rb"Processing by (?P<action>[\w:]{1,200}#\w{1,200}) as ")
_ENDED = regex(rb"Completed \d{3} ")
_OTHER = regex(
    rb"\s*$|#|  ?(?:Parameters: |Render|\xe2\x86\xb3 |CACHE |Redirected |Sent |Filter chain |Rendering )"
    rb"|(?:Performing|Performed|Enqueued|Error performing|Redirected|Rendered) "
)
_RESET, _COLOUR = b"\x1b[0m", b"\x1b[1m"
_JOB = regex(rb"\[ActiveJob\] \[(?P<job>[\w:]{1,200})\] \[(?P<id>[\w-]{1,64})\] ")
_UUID = regex(rb"\[([0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12})\] ")
_BINDS = "  [["
_STRING_OR_NIL = regex(r'"(?:[^"\\]++|\\.)*+(?:"|\\?\Z)|\bnil\b', re.DOTALL)
_RUBY_ESCAPE = regex(r"\\(?:([ea])|([#'])|u\{([0-9a-f]{1,6})\}|x([0-9A-F]{2}))")
_LONGEST_SQL = 8 << 20
_CANDIDATES = 50
_MOST_REQUESTS = 10_000


@changing
class _Request:
    """One that is running: its number, the time up to which its calls have come, its route."""

    trace: int = 0
    at_us: int | None = None
    route: str = ""
    job: str = ""


@changing
class _Call:
    """A call whose SQL may go on in the next line."""

    request: _Request
    lines: list[bytes]
    duration_ms: float
    ended_us: int | None
    process: str
    number: int
    offset: int
    size: int
    cached: bool
    formatted: bool
    counted: tuple[int, int] = (0, 0)  # quotes in so many of the lines

    def quotes(self) -> int:
        """How many single quotes there are; each line is looked at once."""
        seen, quotes = self.counted
        quotes += sum(line.count(b"'") for line in self.lines[seen:])
        self.counted = len(self.lines), quotes
        return quotes


class RailsReader(LineReader):
    """Reads the log of a Rails application."""

    NAME: ClassVar[str] = "rails"
    WHAT: ClassVar[str] = "the log of a Rails application"

    def __init__(self, sink: CallSink) -> None:
        """As a LineReader."""
        super().__init__(sink)
        self._requests: dict[bytes, _Request] = {}
        self._call: _Call | None = None

    @staticmethod
    def evidence(lines: list[bytes]) -> str | None:
        """Why a log is taken for Rails', None if it is not."""
        calls, requests = seen(lines, _is_call), seen(lines, _begins_request)
        if not calls and requests < 2:  # noqa: PLR2004  # some text that mentions it once
            return None
        return f"{calls} sample lines have Active Record's calls, {requests} begin requests"

    @staticmethod
    def before(lines: list[bytes]) -> Iterator[bytes]:
        """The times that stand before the messages in some lines, or at which requests began."""
        for line in lines:
            time, _process, _tags, message = _parts(line)
            if time:
                yield time
            elif found := _STARTED.match(ANSI.sub(b"", message)):
                yield found["time"]

    def line(self, line: bytes, offset: int, size: int) -> None:
        """As a LineReader does."""
        time, process, tags, message = _parts(line)
        plain = ANSI.sub(b"", message)
        found = _CALL.match(plain)
        if found is None and self._goes_on(line, formatted=bool(time)):
            self._add(line, size)
            return
        self._end_call()
        request = self._requests.get(tags) or self._new(tags)
        if found is not None:
            self._call = _Call(
                request,
                [message],
                float(found["ms"] or found["bare"]),
                self.sink.clock.read(time.replace(b"T", b" ").decode()) if time else None,
                process,
                self.number,
                offset,
                size,
                cached=(found["name"] or b"").startswith(b"CACHE"),
                formatted=bool(time),
            )
        elif self._told(tags, request, plain):
            self.sink.entry(size)
        else:
            self.sink.foreign(size)

    def _add(self, line: bytes, size: int) -> None:
        """A line more of the SQL."""
        call = self._call
        if call is None:
            return
        call.lines.append(line)
        call.size += size
        if call.size > _LONGEST_SQL:
            self.sink.unparsed(call.lines[0], call.number, call.offset, call.size)
            self._call = None

    def _goes_on(self, line: bytes, *, formatted: bool) -> bool:
        """Whether a line is more of the SQL before it."""
        call = self._call
        if call is None:
            return False
        last = call.lines[-1].rstrip(b"\r")
        if _COLOUR in call.lines[0]:  # SQL ends where its colour does
            colour = last.rfind(_COLOUR)
            return last.find(_RESET, colour + 1) < 0
        if call.formatted:
            return not formatted
        if call.quotes() % 2:
            return True
        further = FURTHER.match(line) and not _OTHER.match(line)
        return bool(further) and not last.endswith(b"]]")

    def interrupted(self) -> None:
        """The last call has ended."""
        self._end_call()

    def _new(self, tags: bytes) -> _Request:
        """The request of tags that were not seen before; without tags, of none that began."""
        if len(self._requests) >= _MOST_REQUESTS:
            self._requests.clear()
        request = self._requests[tags] = _Request()
        job, ids = _JOB.search(tags), _UUID.findall(tags)
        if job:
            request.trace = trace_number(job["id"].decode())
            request.job = job["job"].decode()
            outer = self._requests.get(tags[: job.start()])
            request.at_us = outer.at_us if outer else None
        elif ids:
            request.trace = trace_number(ids[0].decode())
        elif tags:
            request.trace = trace_number(f"{self.sink.coverage.path}:{text_of(tags)}")
        return request

    def _told(self, tags: bytes, request: _Request, plain: bytes) -> bool:
        """Whether a line tells of a request, which is taken note of."""
        if found := _STARTED.match(plain):
            begun = self._requests[tags] = self._new(tags)
            begun.trace = begun.trace or trace_number(f"{self.sink.coverage.path}:{self.number}")
            begun.at_us = self.sink.clock.read(found["time"].decode())
            return True
        if found := _PROCESSING.match(plain):
            request.route = found["action"].decode()
            return True
        if _ENDED.match(plain):
            self._requests.pop(tags, None)
            return True
        return False

    def _end_call(self) -> None:
        call, self._call = self._call, None
        if call is None:
            return
        self.sink.entry(call.size)
        if call.cached:
            return
        text = ANSI.sub(b"", b"\n".join(call.lines)).replace(b"\r\n", b"\n")
        head = _CALL.match(text)
        sql, values = _binds(text_of(text[head.end() if head else 0 :]).rstrip())
        request, took_us = call.request, round(call.duration_ms * 1000)
        start_us = None if call.ended_us is None else call.ended_us - took_us
        if start_us is None and request.at_us is not None:
            start_us = request.at_us
            request.at_us += took_us
        self.sink.call(
            sql,
            start_us=start_us,
            duration_ms=call.duration_ms,
            speaker=self.sink.speaker(call.process),
            line=call.number,
            parameters=values,
            trace=request.trace,
            tags=tagged({"route": request.route, "job": request.job}),
        )


def _parts(line: bytes) -> tuple[bytes, str, bytes, bytes]:
    """A line's time, process, tags and message; all but the last may be empty."""
    found = _FORMATTER.match(line)
    start = found.end() if found else 0
    tags = _TAGS.match(line, start)
    end = tags.end() if tags else start
    time, process = (found["time"], found["process"].decode()) if found else (b"", "")
    return time, process, tags[0] if tags else b"", line[end:]


def _is_call(line: bytes) -> bool:
    return _CALL.match(ANSI.sub(b"", _parts(line)[-1])) is not None


def _begins_request(line: bytes) -> bool:
    plain = ANSI.sub(b"", _parts(line)[-1])
    return _STARTED.match(plain) is not None or _PROCESSING.match(plain) is not None


def _binds(text: str) -> tuple[str, str | None]:
    """The SQL of a call and its parameters as a JSON array; as they are where they are no such list.

    The SQL and the values may both contain what looks like its beginning: looked for from the end.
    """
    place, first = len(text), -1
    for _ in range(_CANDIDATES):
        place = text.rfind(_BINDS, 0, place)
        if place < 0:
            break
        first = place
        pairs = _ruby_list(text[place + 2 :])
        if pairs is not None:
            return text[:place], json.dumps([pair[1] for pair in pairs])
    if first >= 0 and text.endswith("]]"):
        return text[:first], text[first + 2 :]
    return text, None


def _ruby_list(text: str) -> list[list[object]] | None:
    """A list of [name, value] as Ruby's inspect writes it; None if it is none."""
    if not text.endswith("]]"):
        return None
    try:
        found = json.loads(_STRING_OR_NIL.sub(_as_json, text), strict=False)
    except (ValueError, RecursionError):
        return None
    pair = 2
    good = isinstance(found, list) and all(
        isinstance(one, list) and len(one) == pair for one in found
    )
    return found if good else None


def _as_json(found: re.Match[str]) -> str:
    return "null" if found[0] == "nil" else _RUBY_ESCAPE.sub(_unescaped, found[0])


def _unescaped(found: re.Match[str]) -> str:
    control, plain, code, byte = found.groups()
    if control:
        return "\\u001b" if control == "e" else "\\u0007"
    if plain:
        return plain
    number = int(code or byte, 16)
    return json.dumps(chr(number))[1:-1] if number <= 0x10FFFF else ""  # noqa: PLR2004  # the last character
