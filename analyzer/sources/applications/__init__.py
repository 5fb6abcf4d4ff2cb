"""Query logs that applications write: one file per framework.

A new one is a file with a `LineReader` (NAME, WHAT, `evidence` and `before` for logs of text), a line in `_READERS`,
and its name in LOG_FORMATS of analyzer/cli/_options.py. A reader is imported when it is needed: most
runs read PostgreSQL's logs alone.
"""

import importlib
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Protocol, cast

from analyzer.sources.applications.calls import CallSink

if TYPE_CHECKING:
    from analyzer.sources.applications.lines import LineReader

__all__ = [
    "JSON_LINES",
    "OTEL_SPANS",
    "PRISMA_EVENTS",
    "READERS",
    "TEXTS",
    "CallSink",
    "text_format",
]

PRISMA_EVENTS, OTEL_SPANS, JSON_LINES = "prisma-events", "otel-spans", "json-lines"
_READERS = {  # by name: module and class
    PRISMA_EVENTS: "prisma.PrismaEventReader",
    "prisma-stdout": "prisma_stdout.PrismaStdoutReader",
    "django": "django.DjangoReader",
    "rails": "rails.RailsReader",
    "sqlalchemy": "sqlalchemy.SqlalchemyReader",
    "sequelize": "sequelize.SequelizeReader",
    "typeorm": "typeorm.TypeormReader",
    OTEL_SPANS: "otel_spans.OtelSpanReader",
    JSON_LINES: "mapped.MappedReader",
}
# Logs of text, in the order in which they are asked whether a log is theirs.
TEXTS = ("rails", "django", "sqlalchemy", "prisma-stdout", "sequelize", "typeorm")


class TextFormat(Protocol):
    """A log of text, which is known by what its lines look like."""

    def evidence(self, lines: list[bytes], /) -> str | None:
        """Why lines are taken for this format's, None if they are not."""
        ...

    def before(self, lines: list[bytes], /) -> Iterator[bytes]:
        """What stands before the messages in some lines, where alone a time is the log's own."""
        ...


class _Readers(Mapping[str, "type[LineReader]"]):
    """The readers by the name of their format."""

    def __getitem__(self, name: str) -> "type[LineReader]":
        module, _, reader = _READERS[name].partition(".")
        found = getattr(importlib.import_module(f"{__name__}.{module}"), reader)
        return cast("type[LineReader]", found)

    def __contains__(self, name: object) -> bool:
        return name in _READERS

    def __iter__(self) -> Iterator[str]:
        return iter(_READERS)

    def __len__(self) -> int:
        return len(_READERS)


READERS = _Readers()


def text_format(name: str) -> TextFormat:
    """One of TEXTS."""
    return cast("TextFormat", READERS[name])
