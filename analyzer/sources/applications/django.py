"""Django's `django.db.backends` at DEBUG: `(0.001) SELECT …; args=(…); alias=default`.

The message is the same in every formatter; what stands before it tells time, process and thread if
the formatter has them. The SQL is as it was executed, values and newlines in it. The time is when a
call ended, its duration has three digits. Where django.server logs to the same place, its line
(`"GET /books/ HTTP/1.1" 200`) ends a request: the calls before it are its own, as long as they are of
one session.
"""

import re
from collections.abc import Iterator
from typing import ClassVar

from analyzer.model.names import plain_path
from analyzer.patterns import regex
from analyzer.records import changing, record
from analyzer.sources.applications.calls import CallSink, tagged
from analyzer.sources.applications.evidence import is_quoted, seen
from analyzer.sources.applications.lines import LineReader
from analyzer.sources.applications.prefixes import ANSI, LONGEST, Prefixes
from analyzer.sources.applications.python_values import end_of_value
from analyzer.sources.logs.text import text_of
from analyzer.sql.comments import trace_number

# The beginning of an entry: its duration in seconds, behind anything, and the first word of SQL.
_ENTRY = regex(
    rb"(?P<prefix>[^\n(]{0,300}(?:\((?!\d{1,9}\.\d{3}\) )[^\n(]{0,100}){0,5})\((?P<seconds>\d{1,9}\.\d{3})\) "
    rb"(?=(?:SELECT|INSERT|UPDATE|DELETE|WITH|BEGIN|COMMIT|ROLLBACK|SAVEPOINT|RELEASE|SET|DECLARE|FETCH|"
    rb"CLOSE|CREATE|ALTER|DROP|EXPLAIN|COPY|MERGE|VALUES|TRUNCATE|LOCK|CALL|SHOW|REFRESH|ANALYZE|VACUUM|"
    rb"\(|/\*|--)(?:\b|[^\w]))",
    re.IGNORECASE,
)
_ARGS = "; args="
_ALIAS = regex(r"(?:; alias=[\w.-]{1,100})?\s*")
_REQUEST = regex(rb'"(?P<method>[A-Z]{3,10}) (?P<path>[^ "]{1,2000}) HTTP/\d(?:\.\d)?" \d{3} ')
_LONGEST_ENTRY = 8 << 20
_MOST_WAITING = 10_000  # calls of one request that wait for its line
_CANDIDATES = 50  # places at which the parameters may begin


@changing
class _Waiting:
    """An entry whose end is not seen yet."""

    lines: list[bytes]
    offset: int
    number: int
    size: int
    tries: int = 0  # lines at which it may have ended


@record
class _Call:
    sql: str
    start_us: int | None
    duration_ms: float
    session: str
    trace: int
    line: int


class DjangoReader(LineReader):
    """Reads a log with the messages of django.db.backends in it."""

    NAME: ClassVar[str] = "django"
    WHAT: ClassVar[str] = "a log of django.db.backends"

    def __init__(self, sink: CallSink) -> None:
        """As a LineReader."""
        super().__init__(sink)
        self._prefixes = Prefixes(sink.clock)
        self._waiting: _Waiting | None = None
        self._calls: list[_Call] = []  # of the request whose line is not seen yet

    @staticmethod
    def evidence(lines: list[bytes]) -> str | None:
        """Why a log is taken for Django's, None if it is not."""
        begins = seen(lines, _begins)
        ends = sum(b"; args=" in line for line in lines)
        if not begins or not ends:
            return None
        return f"{min(begins, ends)} sample lines are (seconds) SQL; args="

    @staticmethod
    def before(lines: list[bytes]) -> Iterator[bytes]:
        """What stands before the messages in some lines."""
        for line in lines:
            if found := _ENTRY.match(ANSI.sub(b"", line)):
                yield found["prefix"]

    def line(self, line: bytes, offset: int, size: int) -> None:
        """As a LineReader does."""
        line = ANSI.sub(b"", line) if b"\x1b" in line else line
        if _ENTRY.match(line):
            self.interrupted()
            self._waiting = _Waiting([line], offset, self.number, size)
        elif self._waiting is not None:
            self._waiting.lines.append(line)
            self._waiting.size += size
        else:
            self._other(line, size)
            return
        if b"; args=" in line:
            self._waiting.tries += 1
            if self._complete():
                self._waiting = None
                return
        if self._waiting.size > _LONGEST_ENTRY or self._waiting.tries > _CANDIDATES:
            self.interrupted()

    def interrupted(self) -> None:
        """An entry that has not ended is not understood."""
        waiting, self._waiting = self._waiting, None
        if waiting is not None:
            first = waiting.lines[0]
            self.sink.unparsed(first, waiting.number, waiting.offset, waiting.size)

    def finish(self) -> None:
        """Calls behind the last request's line."""
        self._release(0, "")

    def _complete(self) -> bool:
        """Record what waits, if it is a whole entry."""
        waiting = self._waiting
        if waiting is None:
            return False
        head = _ENTRY.match(waiting.lines[0])
        if head is None:
            return False
        text = text_of(b"\n".join(waiting.lines)[head.end() :]).replace("\r\n", "\n")
        sql = _statement(text)
        if sql is None:
            return False
        said = self._prefixes.read(head["prefix"][:LONGEST])
        duration_ms = float(head["seconds"]) * 1000
        start_us = None if said.at_us is None else said.at_us - round(duration_ms * 1000)
        self.sink.entry(waiting.size)
        self._calls.append(
            _Call(sql, start_us, duration_ms, said.session, said.trace, waiting.number)
        )
        if len(self._calls) >= _MOST_WAITING:
            self._release(0, "")
        return True

    def _other(self, line: bytes, size: int) -> None:
        request = _REQUEST.search(line)
        if request is None:
            self.sink.foreign(size)
            return
        self.sink.entry(size)
        route = f"{request['method'].decode()} {plain_path(text_of(request['path']))}"
        self._release(trace_number(f"{self.sink.coverage.path}:{self.number}"), route)

    def _release(self, trace: int, route: str) -> None:
        """Record the calls that waited, as those of a request."""
        if len({call.session for call in self._calls}) > 1:  # nobody knows whose line it is
            trace, route = 0, ""
        tags = tagged({"route": route})
        for call in self._calls:
            self.sink.call(
                call.sql,
                start_us=call.start_us,
                duration_ms=call.duration_ms,
                speaker=self.sink.speaker(call.session),
                line=call.line,
                trace=call.trace or trace,
                tags=tags,
            )
        self._calls.clear()


def _begins(line: bytes) -> bool:
    found = _ENTRY.match(ANSI.sub(b"", line))
    return found is not None and not is_quoted(found["prefix"])


def _statement(text: str) -> str | None:
    """The SQL of a whole message `SQL; args=VALUES[; alias=NAME]`; None if it is not whole.

    The SQL and the values may both contain such a text. Looked for from the end: it is where there is
    nothing but one value behind it, and where quotes are closed before it.
    """
    place = len(text)
    for _ in range(_CANDIDATES):
        place = text.rfind(_ARGS, 0, place)
        if place < 0:
            return None
        start = place + len(_ARGS)
        end = start + 4 if text.startswith("None", start) else end_of_value(text, start)
        if end > 0 and _ALIAS.fullmatch(text, end) and text.count("'", 0, place) % 2 == 0:
            return text[:place]
    return None
