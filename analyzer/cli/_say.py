"""Words for people on stderr and stdout: texts of logs and servers come without power over a terminal."""

import click

from analyzer.report.formats import neutralise


def say(text: str) -> None:
    """A message of pg95 on stderr, which quotes what it was given."""
    click.echo(neutralise(f"pg95: {text}"), err=True)


def show(text: str) -> None:
    """A text for people on stdout, without colours."""
    click.echo(neutralise(text))
