"""Query logs that applications write: one file per framework.

A new one is a file with a `LineReader` (NAME, WHAT, `evidence` for logs of text), a line in READERS,
and its name in LOG_FORMATS of analyzer/cli/_options.py.
"""

from collections.abc import Mapping
from typing import Protocol

from analyzer.sources.applications.calls import CallSink
from analyzer.sources.applications.django import DjangoReader
from analyzer.sources.applications.lines import LineReader
from analyzer.sources.applications.mapped import MappedReader
from analyzer.sources.applications.otel_spans import OtelSpanReader
from analyzer.sources.applications.prisma import PrismaEventReader
from analyzer.sources.applications.prisma_stdout import PrismaStdoutReader
from analyzer.sources.applications.rails import RailsReader
from analyzer.sources.applications.sequelize import SequelizeReader
from analyzer.sources.applications.sqlalchemy import SqlalchemyReader
from analyzer.sources.applications.typeorm import TypeormReader

__all__ = ["READERS", "TEXTS", "CallSink", "LineReader"]


class TextFormat(Protocol):
    """A log of text, which is known by what its lines look like."""

    @property
    def NAME(self) -> str:  # noqa: N802 - a constant of the reader's class
        """The name of the format."""
        ...

    def evidence(self, lines: list[bytes], /) -> str | None:
        """Why lines are taken for this format's, None if they are not."""
        ...


TEXTS: tuple[TextFormat, ...] = (
    RailsReader,
    DjangoReader,
    SqlalchemyReader,
    PrismaStdoutReader,
    SequelizeReader,
    TypeormReader,
)
READERS: Mapping[str, type[LineReader]] = {
    one.NAME: one
    for one in (
        *(PrismaEventReader, PrismaStdoutReader, DjangoReader, RailsReader, SqlalchemyReader),
        *(SequelizeReader, TypeormReader, OtelSpanReader, MappedReader),
    )
}
