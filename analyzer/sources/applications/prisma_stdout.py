"""What Prisma prints with `log: ['query']`: `prisma:query SELECT …`, without parameters.

Neither a time nor a duration is printed; events have both (analyzer.sources.applications.prisma).
"""

import re
from typing import ClassVar

from analyzer.patterns import regex
from analyzer.sources.applications.console import ConsoleReader

_ALONE = tuple(b"prisma:query " + one for one in (b"BEGIN", b"COMMIT", b"ROLLBACK"))


class PrismaStdoutReader(ConsoleReader):
    """Reads Prisma's output."""

    NAME: ClassVar[str] = "prisma-stdout"
    WHAT: ClassVar[str] = "what Prisma prints (prisma:query)"
    HEAD = regex(rb"(?P<prefix>[^\n]{0,300}?)prisma:query ")

    @staticmethod
    def ends(line: bytes) -> bool:
        """As a ConsoleReader says."""
        return line.endswith((b"*/", *_ALONE))

    def take(self, head: re.Match[bytes], prefix: bytes, body: str, number: int) -> None:  # noqa: ARG002 - as the base says
        """As a ConsoleReader does."""
        said = self.prefixes.read(prefix)
        self.sink.call(
            body,
            start_us=said.at_us,
            duration_ms=None,
            speaker=self.sink.speaker(said.session),
            line=number,
            trace=said.trace,
        )
