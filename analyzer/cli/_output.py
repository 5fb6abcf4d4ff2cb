"""Where results go: files by their ending, stdout by --format, and a summary for people."""

import os
import shutil
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from analyzer.cli._say import say
from analyzer.errors import InputError, UsageError
from analyzer.report.formats import one_line
from analyzer.report.json_text import json_text

if TYPE_CHECKING:
    from analyzer.pipeline import Result

FORMATS = ("html", "json", "markdown", "csv", "table")
_ENDINGS = {
    ".html": "html",
    ".htm": "html",
    ".json": "json",
    ".md": "markdown",
    ".markdown": "markdown",
    ".csv": "csv",
    ".txt": "table",
}


def progress() -> Callable[[str, int, int | None], None] | None:
    """A progress line on stderr if it is a terminal; None otherwise."""
    if not sys.stderr.isatty():
        return None

    def show(what: str, done: int, total: int | None) -> None:
        share = f" {100 * done / total:.0f} %" if total else ""
        size = f" {done / 2**20:,.0f} MB" if done >= 2**20 else ""
        width = shutil.get_terminal_size().columns - 1
        click.echo("\r\x1b[K" + one_line(f"{what}{size}{share}")[:width], nl=False, err=True)

    return show


def clear_progress() -> None:
    """Remove the progress line."""
    if sys.stderr.isatty():
        click.echo("\r\x1b[K", nl=False, err=True)


def render(document: dict[str, Any], form: str) -> str:
    """The document in a format; tables as wide as the terminal, coloured only on one."""
    from analyzer.report.views import RENDERERS

    if form == "table":
        from analyzer.report.views import table

        width, colour = terminal()
        return table.render(document, width, colour=colour)
    return RENDERERS[form](document)


def terminal() -> tuple[int, bool]:
    """The columns of stdout, and whether it takes colours (a terminal, and no NO_COLOR)."""
    colour = sys.stdout.isatty() and not os.environ.get("NO_COLOR")
    return shutil.get_terminal_size((120, 40)).columns, colour


def form_of(path: str, given: str | None) -> str:
    """The format that a file's ending asks for; --format decides for other endings.

    Raises:
        UsageError: neither says.
    """
    found = _ENDINGS.get(Path(path).suffix.lower()) or given
    if found is None:
        raise UsageError(f"-o {path}: give a name ending in .html, .json, .md or .csv, or --format")
    return found


def write_all(document: dict[str, Any], outputs: Sequence[str], given: str | None) -> None:
    """Write the document to every output ("-" is stdout), each in its format."""
    forms = [(path, form_of(path, given) if path != "-" else given or "table") for path in outputs]
    for path, form in forms:
        text = render(document, form)
        if path == "-":
            click.echo(text, nl=not text.endswith("\n"))
            continue
        try:
            Path(path).write_text(text, encoding="utf-8")
        except OSError as error:
            raise InputError(f"-o {path}: cannot be written ({error.strerror})") from error


def tell_warnings(result: "Result") -> None:
    """Warnings of the coverage, on stderr."""
    for warning in result.document["coverage"]["warnings"]:
        say(f"warning: {warning}")
    if result.document["redaction"] == "off":
        say("warning: not redacted: what is written holds values from your data")


def print_document(
    document: dict[str, Any],
    form: str,
    show: Callable[[dict[str, Any], int], Any],
    render: Callable[[dict[str, Any]], str],
) -> None:
    """Warnings on stderr; the document as JSON, Markdown or for a terminal on stdout."""
    for warning in document["warnings"]:
        say(f"warning: {warning}")
    if form == "json":
        click.echo(json_text(document))
    elif form == "markdown":
        click.echo(render(document), nl=False)
    else:
        from analyzer.report.views._terminal import to_text

        width, colour = terminal()
        click.echo(to_text(show(document, width), width, colour=colour), nl=False)
