"""What the commands with one subject have in common."""

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import click

from analyzer.cli._conditions import exit_code, fail_conditions
from analyzer.cli._options import pipeline_options
from analyzer.cli._output import (
    clear_progress,
    progress,
    render,
    tell_warnings,
    terminal,
)

if TYPE_CHECKING:
    from analyzer.pipeline import Options, Result

Show = Callable[[dict[str, Any], int], Any]  # gives what rich can print


def run_focused(
    given: dict[str, Any],
    detectors: Sequence[str] | None,
    show: Show,
    own: Mapping[str, Callable[[dict[str, Any]], str]] | None = None,
    asks: "Callable[[Options], Options] | None" = None,
    adds: "Callable[[Result], None] | None" = None,
) -> None:
    """Run the pipeline, keep the findings of some detectors, and print: a table, or --format.

    `own` are formats that the command renders otherwise than a report, `asks` adds to the
    pipeline's options what only this command asks, `adds` to the document what only it has. Exits with 1 if a condition of --fail-on holds.
    """
    from analyzer.pipeline import only, run

    conditions = fail_conditions(given["fail_on"])
    options = pipeline_options(given)
    result = run(asks(options) if asks else options, progress())
    clear_progress()
    if detectors is not None:
        result = only(result, detectors)
    if adds is not None:
        adds(result)
    tell_warnings(result)
    form = given["format"]
    text = own[form](result.document) if own and form in own else _text(result.document, form, show)
    click.echo(text, nl=False)
    click.get_current_context().exit(exit_code(result.document, conditions))


def _text(document: dict[str, Any], form: str | None, show: Show) -> str:
    from analyzer.report.views import focused
    from analyzer.report.views._terminal import to_text

    if form == "sql":
        return focused.index_sql(document)
    if form not in (None, "table"):
        text = render(document, form)
        return text if text.endswith("\n") else text + "\n"
    width, colour = terminal()
    return to_text(show(document, width), width, colour=colour)
