"""SQLAlchemy's echo (the logger sqlalchemy.engine at INFO): SQL, then its parameters.

    2026-11-26 12:00:00,123 INFO sqlalchemy.engine.Engine SELECT books.id
    FROM books WHERE books.author_id = %(author_id_1)s
    2026-11-26 12:00:00,123 INFO sqlalchemy.engine.Engine [cached since 1.2s ago] {'author_id_1': 5}

The bracket tells how the SQL was compiled, not how long it ran: such a log has no durations. Any
formatter will do that puts something before the message; which text that is, is learnt from the
lines that have parameters. Lines of one thread belong together where the formatter tells threads.
"""

import re
from collections.abc import Iterable, Iterator
from typing import ClassVar

from analyzer.patterns import regex
from analyzer.records import changing
from analyzer.sources.applications.calls import CallSink
from analyzer.sources.applications.evidence import seen
from analyzer.sources.applications.lines import LineReader
from analyzer.sources.applications.prefixes import ANSI, LONGEST, TIME, Prefixes, Said
from analyzer.sources.applications.python_values import numbered, parameters
from analyzer.sources.logs.framing import Block
from analyzer.sources.logs.text import text_of

_HOW = (
    rb"\[(?:generated in|cached since|no key|caching disabled|raw sql|dialect [\w.+]{1,60} )"
    rb"[^\]\n]{0,160}\] ?"
)
_PARAMETERS = regex(_HOW)
_LINE = regex(rb"[^\n]{0,%d}?(?=%s)" % (LONGEST, _HOW))
_DIGITS = regex(rb"\d+")
_LOGGER = regex(rb"\b(?:INFO|DEBUG)\b|sqlalchemy")
_TRANSACTION = regex(
    r"(BEGIN|COMMIT|ROLLBACK|SAVEPOINT \w{1,100}|RELEASE SAVEPOINT \w{1,100}"
    r"|ROLLBACK TO SAVEPOINT \w{1,100})(?: \([\w ]{1,40}\)| using .{0,80})?"
)
_RAW = b"[raw sql]"
_TEMPLATES = 64
_MOST_PENDING = 1_000
_LONGEST_SQL = 8 << 20


@changing
class _Statement:
    """SQL whose parameters are not seen yet."""

    said: Said
    lines: list[bytes]
    number: int
    offset: int
    size: int


class SqlalchemyReader(LineReader):
    """Reads a log with the messages of sqlalchemy.engine in it."""

    NAME: ClassVar[str] = "sqlalchemy"
    WHAT: ClassVar[str] = "SQLAlchemy's echo"

    def __init__(self, sink: CallSink) -> None:
        """As a LineReader."""
        super().__init__(sink)
        self._prefixes = Prefixes(sink.clock)
        self._templates: set[bytes] = set()
        self._begins: re.Pattern[bytes] | None = None
        self._pending: dict[tuple[str, int], _Statement] = {}
        self._open: _Statement | None = None  # the record that further lines belong to

    @staticmethod
    def evidence(lines: list[bytes]) -> str | None:
        """Why a log is taken for SQLAlchemy's, None if it is not."""
        count = seen(lines, lambda line: _template(line) is not None)
        return f"{count} sample lines have parameters as SQLAlchemy logs them" if count else None

    @staticmethod
    def before(lines: list[bytes]) -> Iterator[bytes]:
        """What stands before the messages in some lines."""
        plain = [ANSI.sub(b"", line) for line in lines]
        templates = {found for line in plain if (found := _template(line)) is not None}
        begins = _any_of(templates)
        for line in plain if templates else ():
            if said := begins.match(line):
                yield said[0]

    def begin(self, block: Block) -> None:
        """Learn what stands before messages from all lines with parameters."""
        if block.cut or len(self._templates) >= _TEMPLATES:
            return
        before = len(self._templates)
        for found in _PARAMETERS.finditer(block.data):
            least = max(0, found.start() - 2 * LONGEST)
            start = block.data.rfind(b"\n", least, found.start()) + 1
            if start == 0 and least > 0:
                continue
            template = _template(ANSI.sub(b"", block.data[start : found.end()]))
            if template is not None:
                self._templates.add(template)
                if len(self._templates) >= _TEMPLATES:
                    break
        if len(self._templates) > before:
            self._begins = _any_of(self._templates)

    def line(self, line: bytes, offset: int, size: int) -> None:
        """As a LineReader does."""
        line = ANSI.sub(b"", line) if b"\x1b" in line else line
        head = self._begins.match(line) if self._begins else None
        if head is None:
            self._further(line, size)
            return
        said = self._prefixes.read(head[0])
        key = (said.session, said.trace)
        found = _PARAMETERS.match(line, head.end())
        waiting = self._pending.pop(key, None)
        if waiting is not None and waiting is self._open:
            self._open = None
        if found is None:
            self._drop(waiting)
            self._begun(key, _Statement(said, [line[head.end() :]], self.number, offset, size))
        elif waiting is None:
            self.sink.unparsed(line, self.number, offset, size)  # its SQL is missing
            self._open = None
        else:
            self._call(waiting, found[0], text_of(line[found.end() :].rstrip(b"\r")), size)

    def _begun(self, key: tuple[str, int], statement: _Statement) -> None:
        """A message that is SQL, or none at all."""
        told = _TRANSACTION.fullmatch(text_of(statement.lines[0].rstrip(b"\r")))
        if told:
            self._open = None
            self._record(statement, told[1], None)
            self.sink.entry(statement.size)
            return
        if len(self._pending) >= _MOST_PENDING:
            self._drop(self._pending.pop(next(iter(self._pending))))
        self._pending[key] = self._open = statement

    def _further(self, line: bytes, size: int) -> None:
        """A line that begins no message: more of the SQL before it, or another program's."""
        if self._open is None:
            self.sink.foreign(size)
            return
        self._open.lines.append(line)
        self._open.size += size
        if self._open.size > _LONGEST_SQL:
            self.interrupted()

    def _call(self, statement: _Statement, how: bytes, values: str, size: int) -> None:
        sql = text_of(b"\n".join(statement.lines)).replace("\r\n", "\n").removesuffix("\r")
        if how.startswith(_RAW) and values in ("()", "{}", "[]"):
            names: list[str] = []  # the driver gets it as it is
        else:
            sql, names = numbered(sql)
        self.sink.entry(statement.size + size)
        self._record(statement, sql, parameters(values, names))

    def _record(self, statement: _Statement, sql: str, values: str | None) -> None:
        said = statement.said
        self.sink.call(
            sql,
            start_us=said.at_us,
            duration_ms=None,
            speaker=self.sink.speaker(said.session),
            line=statement.number,
            parameters=values,
            trace=said.trace,
        )

    def _drop(self, statement: _Statement | None) -> None:
        """A message without parameters is no SQL, but something else that was logged."""
        if statement is not None:
            self.sink.foreign(statement.size)

    def interrupted(self) -> None:
        """What waits for its parameters will not see them."""
        for statement in self._pending.values():
            first = statement.lines[0]
            self.sink.unparsed(first, statement.number, statement.offset, statement.size)
        self._pending.clear()
        self._open = None


def _any_of(templates: Iterable[bytes]) -> re.Pattern[bytes]:
    return re.compile(b"(?:%s)" % b"|".join(sorted(templates)))


def _template(line: bytes) -> bytes | None:
    """What stands before a line's parameters, as a pattern in which numbers may be others."""
    found = _LINE.match(line)
    if found is None or not found[0]:
        return None
    prefix = found[0]
    if not (_LOGGER.search(prefix) or TIME.search(text_of(prefix))):
        return None
    return rb"\d+".join(re.escape(part) for part in _DIGITS.split(prefix))
