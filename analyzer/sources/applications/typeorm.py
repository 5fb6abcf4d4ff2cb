"""What TypeORM prints with `logging: ['query']`: `query: SELECT … -- PARAMETERS: [1]`, plain or in colour.

No durations are printed (`maxQueryExecutionTime` prints those of slow queries only).
"""

import json
import re
from typing import ClassVar

from analyzer.patterns import regex
from analyzer.sources.applications.console import ConsoleReader

_PARAMETERS = " -- PARAMETERS: "
_ALONE = tuple(b"query: " + one for one in (b"START TRANSACTION", b"COMMIT", b"ROLLBACK"))
_CANDIDATES = 50


class TypeormReader(ConsoleReader):
    """Reads TypeORM's output."""

    NAME: ClassVar[str] = "typeorm"
    WHAT: ClassVar[str] = "what TypeORM prints (query: … -- PARAMETERS)"
    HEAD = regex(
        rb"(?P<prefix>[^\n]{0,300}?)\bquery: (?=(?i:SELECT|INSERT|UPDATE|DELETE|WITH|START TRANSACTION|BEGIN|COMMIT"
        rb"|ROLLBACK|SAVEPOINT|RELEASE|SET|CREATE|ALTER|DROP|SHOW|TRUNCATE)\b)",
    )

    @staticmethod
    def ends(line: bytes) -> bool:
        """As a ConsoleReader says."""
        return (line.endswith(b"]") and b" -- PARAMETERS: [" in line) or line.endswith(_ALONE)

    def take(self, head: re.Match[bytes], prefix: bytes, body: str, number: int) -> None:  # noqa: ARG002 - as the base says
        """As a ConsoleReader does."""
        said = self.prefixes.read(prefix)
        sql, parameters = _split(body)
        self.sink.call(
            sql,
            start_us=said.at_us,
            duration_ms=None,
            speaker=self.sink.speaker(said.session),
            line=number,
            parameters=parameters,
            trace=said.trace,
        )


def _split(body: str) -> tuple[str, str | None]:
    """The statement and its parameters; both may contain what stands between them."""
    place = len(body)
    for _ in range(_CANDIDATES):
        place = body.rfind(_PARAMETERS, 0, place)
        if place < 0:
            return body, None
        values = body[place + len(_PARAMETERS) :]
        try:
            json.loads(values, strict=False)
        except (ValueError, RecursionError):
            continue
        return body[:place], values
    return body, None
