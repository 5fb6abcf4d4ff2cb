"""Query logs that are printed: a word, the statement, what belongs to it, on one line or on several.

A statement is printed as it is, newlines in it. It goes on in lines that are indented or begin as a
clause does, and where a quote is open; anything else is another program's line.
"""

import re
from abc import abstractmethod
from collections.abc import Iterator
from typing import ClassVar

from analyzer.patterns import regex
from analyzer.sources.applications.calls import CallSink
from analyzer.sources.applications.evidence import is_quoted, seen
from analyzer.sources.applications.lines import LineReader
from analyzer.sources.applications.prefixes import ANSI, LONGEST, Prefixes
from analyzer.sources.logs.text import text_of

FURTHER = regex(
    rb"[ \t]+\S|\)|(?:FROM|WHERE|AND|OR|JOIN|LEFT|RIGHT|INNER|OUTER|CROSS|FULL|ON|ORDER|GROUP|HAVING|LIMIT|OFFSET"
    rb"|SELECT|UNION|INTERSECT|EXCEPT|VALUES|SET|RETURNING|WITH|USING|WINDOW|FOR|AS|CASE|WHEN|THEN|ELSE|END)\b",
    re.IGNORECASE,
)
_LONGEST_SQL = 8 << 20
# A word and a statement are in any text about queries: so many such lines, or such a share, make a log.
_ENOUGH = 3
_SHARE = 0.25


class Waiting:
    """A printed statement that may go on in the next line."""

    __slots__ = ("_quotes", "_seen", "lines", "number", "offset", "size")

    def __init__(self, line: bytes, number: int, offset: int, size: int) -> None:
        self.lines = [line]
        self.number = number
        self.offset = offset
        self.size = size
        self._seen = 0
        self._quotes = 0

    def add(self, line: bytes, size: int) -> bool:
        """One line more; False if it has become too much."""
        self.lines.append(line)
        self.size += size
        return self.size <= _LONGEST_SQL

    def is_open(self) -> bool:
        """Whether a single quote is open; each line is looked at once."""
        self._quotes += sum(line.count(b"'") for line in self.lines[self._seen :])
        self._seen = len(self.lines)
        return self._quotes % 2 == 1

    def text(self) -> str:
        """All lines as text, without colours."""
        joined = b"\n".join(self.lines).replace(b"\r\n", b"\n")
        return text_of(ANSI.sub(b"", joined)).rstrip()


class ConsoleReader(LineReader):
    """Reads a printed query log; a format says how an entry begins and what is in it."""

    HEAD: ClassVar[re.Pattern[bytes]]  # its first line up to the statement, with `prefix` before it

    def __init__(self, sink: CallSink) -> None:
        """As a LineReader."""
        super().__init__(sink)
        self.prefixes = Prefixes(sink.clock)
        self._waiting: Waiting | None = None

    @classmethod
    def evidence(cls, lines: list[bytes]) -> str | None:
        """Why a log is taken for this format's, None if it is not."""
        count = seen(lines, cls._is_own)
        if not count or (count < _ENOUGH and count < _SHARE * len(lines)):
            return None
        return f"{count} sample lines begin as {cls.WHAT} does"

    @classmethod
    def _is_own(cls, line: bytes) -> bool:
        found = cls.HEAD.match(ANSI.sub(b"", line))
        return found is not None and not is_quoted(found["prefix"])

    @classmethod
    def before(cls, lines: list[bytes]) -> Iterator[bytes]:
        """What stands before the messages in some lines."""
        for line in lines:
            if found := cls.HEAD.match(ANSI.sub(b"", line)):
                yield found["prefix"]

    def line(self, line: bytes, offset: int, size: int) -> None:
        """As a LineReader does."""
        line = ANSI.sub(b"", line) if b"\x1b" in line else line
        if self.HEAD.match(line):
            self.interrupted()
            self._waiting = Waiting(line, self.number, offset, size)
        elif self._waiting is not None and self._goes_on(self._waiting, line):
            if not self._waiting.add(line, size):
                waiting, self._waiting = self._waiting, None
                self.sink.unparsed(waiting.lines[0], waiting.number, waiting.offset, waiting.size)
        else:
            self.interrupted()
            self.sink.foreign(size)

    def _goes_on(self, waiting: Waiting, line: bytes) -> bool:
        if self.ends(waiting.lines[-1].rstrip(b"\r")):
            return False
        return waiting.is_open() or FURTHER.match(line) is not None

    def interrupted(self) -> None:
        """The entry before has ended."""
        waiting, self._waiting = self._waiting, None
        if waiting is None:
            return
        head = self.HEAD.match(waiting.lines[0])
        self.sink.entry(waiting.size)
        if head is not None:
            body = waiting.text()[len(text_of(head[0])) :]
            self.take(head, head["prefix"][:LONGEST], body, waiting.number)

    @staticmethod
    @abstractmethod
    def ends(line: bytes) -> bool:
        """Whether a line is sure to be the last of an entry."""

    @abstractmethod
    def take(self, head: re.Match[bytes], prefix: bytes, body: str, number: int) -> None:
        """Record the call of a whole entry: what its first line began with, and all behind that."""
