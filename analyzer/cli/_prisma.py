"""What `pg95 schema` and `pg95 migrations` share: where the server is, printing, conditions."""

import json
from collections.abc import Callable
from typing import Any

import click

from analyzer.cli._output import terminal
from analyzer.errors import UsageError


def conditions(text: str, known: tuple[str, ...]) -> set[str]:
    """The names of --fail-on.

    Raises:
        UsageError: one is unknown.
    """
    names = {name.strip() for name in text.split(",")}
    unknown = names - set(known)
    if unknown:
        raise UsageError(f"--fail-on takes {', '.join(known)}, not {', '.join(sorted(unknown))}")
    return names


def print_document(
    document: dict[str, Any],
    form: str,
    show: Callable[[dict[str, Any], int], Any],
    render: Callable[[dict[str, Any]], str],
) -> None:
    """Warnings on stderr; the document as JSON, Markdown or for a terminal on stdout."""
    for warning in document["warnings"]:
        click.echo(f"pg95: warning: {warning}", err=True)
    if form == "json":
        click.echo(json.dumps(document, indent=1, ensure_ascii=False))
    elif form == "markdown":
        click.echo(render(document), nl=False)
    else:
        from analyzer.report.views._terminal import to_text

        width, colour = terminal()
        click.echo(to_text(show(document, width), width, colour=colour), nl=False)
