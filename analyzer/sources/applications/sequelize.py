"""What Sequelize prints: `Executing (default): SELECT …;`.

With `benchmark: true` it is `Executed (default): SELECT …; Elapsed time: 3ms`, printed when the call
ended. In the brackets stands the id of a transaction, or `default`. With `logQueryParameters` bound values
follow the semicolon.
"""

import json
import re
from typing import ClassVar

from analyzer.patterns import regex
from analyzer.sources.applications.console import ConsoleReader

_ELAPSED = regex(r" Elapsed time: (\d{1,9}(?:\.\d{1,6})?)ms$")
_BOUND = regex(r"; (?=[\"\d\[{ntf-])")
_ENDED = regex(rb" Elapsed time: [\d.]{1,16}ms$")
_TAIL = 40  # bytes of a line in which that stands
_CANDIDATES = 50


class SequelizeReader(ConsoleReader):
    """Reads Sequelize's output."""

    NAME: ClassVar[str] = "sequelize"
    WHAT: ClassVar[str] = "what Sequelize prints (Executing (default): …)"
    HEAD = regex(
        rb"(?P<prefix>[^\n]{0,300}?)\bExecut(?:ing|ed) \((?P<connection>default|[0-9a-f-]{36}|[\w-]{1,64})\): "
    )

    @staticmethod
    def ends(line: bytes) -> bool:
        """As a ConsoleReader says."""
        return line.endswith(b";") or _ENDED.search(line[-_TAIL:]) is not None

    def take(self, head: re.Match[bytes], prefix: bytes, body: str, number: int) -> None:
        """As a ConsoleReader does."""
        said = self.prefixes.read(prefix)
        elapsed = _ELAPSED.search(body)
        duration_ms = float(elapsed[1]) if elapsed else None
        sql, parameters = _split(body[: elapsed.start()] if elapsed else body)
        start_us = said.at_us
        if start_us is not None and duration_ms is not None:
            start_us -= round(duration_ms * 1000)
        connection = head["connection"].decode()
        names = (said.session, "" if connection == "default" else connection)
        self.sink.call(
            sql,
            start_us=start_us,
            duration_ms=duration_ms,
            speaker=self.sink.speaker(" ".join(filter(None, names))),
            line=number,
            parameters=parameters,
            trace=said.trace,
        )


def _split(body: str) -> tuple[str, str | None]:
    """The statement, and the values bound to it as a JSON array."""
    for found, _ in zip(_BOUND.finditer(body), range(_CANDIDATES), strict=False):
        if body.count("'", 0, found.start()) % 2 == 0:
            values = f"[{body[found.end() :]}]"
            try:
                json.loads(values, strict=False)
            except (ValueError, RecursionError):
                continue
            return body[: found.start()], values
    return body.removesuffix(";"), None
