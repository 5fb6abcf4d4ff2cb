"""`pg95 diff`: two reports, or two windows of the history, compared."""

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import click

from analyzer.cli._conditions import FAIL_ON, fail_conditions
from analyzer.cli._failures import CONDITION
from analyzer.cli._history import history_option, place
from analyzer.cli._options import moment
from analyzer.cli._output import terminal
from analyzer.errors import InputError, UsageError
from analyzer.report.json_text import json_text

if TYPE_CHECKING:
    from collections.abc import Iterator

    from analyzer.history.difference import Picture
    from analyzer.history.reading import Reader

_DAY_US = 86_400_000_000

_FAIL_ON = tuple(one for one in FAIL_ON if one != "requests")  # a history has none


@click.command(
    epilog="""\b
Examples:
  pg95 diff before.json after.json                     two reports
  pg95 diff main.json branch.json --format markdown    for a pull request
  pg95 diff 2026-11-19 2026-11-20                      two days of the history
  pg95 diff 2026-11-01..2026-11-08 2026-11-08..2026-11-15 --fail-on regression
""",
)
@click.argument("before", metavar="A")
@click.argument("after", metavar="B")
@history_option
@click.option(
    "--target-ms",
    type=click.FloatRange(min=0, min_open=True),
    help="The target of a time of the history. [default: that of the newest run]",
)
@click.option(
    "--quantile",
    type=click.FloatRange(0, 1, min_open=True),
    help="Its quantile. [default: that of the newest run]",
)
@click.option("--format", "form", type=click.Choice(("table", "markdown", "json")), default="table")
@click.option(
    "--fail-on",
    metavar="WHAT",
    default="never",
    show_default=True,
    help="Exit 1 on: regression (a statement slower, or the target no longer met), new (findings), target (missed or unknown in B), findings (in B); several with commas.",
)
def diff(**given: Any) -> None:
    """Say what changed from A to B: the verdict, statements slower or faster, findings.

    A and B are report.json files, or times of the history: a day, or FROM..TO (from FROM on, before
    TO; whole hours of UTC). A statement counts as slower or faster only where that is more than
    chance (docs/history.md).
    """
    from analyzer.history.difference import difference
    from analyzer.report.views import difference as view
    from analyzer.report.views._terminal import to_text

    conditions = fail_conditions(given["fail_on"], compares=True, among=_FAIL_ON)
    with _sides(given) as (before, after):
        document = difference(before, after)
    if given["form"] == "json":
        click.echo(json_text(document))
    elif given["form"] == "markdown":
        click.echo(view.render(document), nl=False)
    else:
        width, colour = terminal()
        click.echo(to_text(view.show(document, width), width, colour=colour), nl=False)
    click.get_current_context().exit(CONDITION if _holds(document, conditions) else 0)


def _holds(document: dict[str, Any], conditions: set[str]) -> bool:
    findings = document["findings"]
    counting = {name: any(one["severity"] != "info" for one in findings[name]) for name in findings}
    held = {
        "regression": document["regression"],
        "new": counting["new"],
        "findings": counting["new"] or counting["ongoing"],
        "target": document["after"]["target"]["verdict"] != "met",
    }
    return any(held[name] for name in conditions)


@contextmanager
def _sides(given: dict[str, Any]) -> "Iterator[tuple[Picture, Picture]]":
    """Both sides; the history is opened where one of them is a time of it."""
    names = (given["before"], given["after"])
    windows = [None if _is_file(name) else _window(name) for name in names]
    if not any(windows):
        yield _side(given, names[0], None, None), _side(given, names[1], None, None)
        return
    from analyzer.history import open_store

    with open_store(place(given["history"]), make=False) as store, store.reading() as reader:
        yield (
            _side(given, names[0], windows[0], reader),
            _side(given, names[1], windows[1], reader),
        )


def _side(
    given: dict[str, Any], name: str, window: tuple[int, int] | None, reader: "Reader | None"
) -> "Picture":
    from pathlib import Path

    from analyzer.history.difference import of_document, of_window
    from analyzer.history.overview import usual_target
    from analyzer.report.document import load

    if window is not None and reader is not None:
        target_ms, quantile = usual_target(reader.runs())
        target_ms, quantile = given["target_ms"] or target_ms, given["quantile"] or quantile
        return of_window(reader, *window, target_ms, quantile)
    try:
        return of_document(load(Path(name).read_text(encoding="utf-8")), name)
    except OSError as error:
        raise InputError(f"{name}: cannot be read ({error.strerror})") from error
    except (InputError, UnicodeDecodeError) as error:
        raise InputError(f"{name}: {error}") from error


def _is_file(name: str) -> bool:
    from pathlib import Path

    return Path(name).exists() or name.endswith(".json")


def _window(name: str) -> tuple[int, int]:
    """A day, or FROM..TO, as µs since 1970.

    Raises:
        UsageError: it is neither, or ends before it begins.
    """
    first, dots, last = name.partition("..")
    try:
        from_us = moment(first, None, "a time")
        to_us = moment(last, None, "a time") if dots else None
    except UsageError as error:
        raise UsageError(
            f"{name!r} is no file, no day (2026-11-20) and no window (2026-11-20..2026-11-22)"
        ) from error
    if from_us is None:
        raise UsageError(f"{name!r} has no beginning")
    to_us = from_us + _DAY_US if to_us is None else to_us
    if to_us <= from_us:
        raise UsageError(f"{name!r} ends before it begins")
    return from_us, to_us
