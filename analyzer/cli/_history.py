"""What commands that look into a history have in common."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from analyzer.history.reading import Reader
    from analyzer.pipeline import Result

USERS = "default"
history_option: Callable[[Any], Any] = click.option(
    "--history",
    metavar="PATH",
    envvar="PG95_HISTORY",
    help="The history: a file, postgresql://user@host/database, or default, the user's own.",
)


def place(given: str | None) -> str | None:
    """What --history means to open_store: None is the user's own."""
    return None if given in (None, USERS) else given


def remember(result: "Result", given: str | None, *, save: bool) -> None:
    """Tell in the report what the history knows, and store the report with `save`.

    Where the history has its time already, the report says so, and nothing is stored.
    """
    from datetime import UTC, datetime

    from analyzer.history import open_store
    from analyzer.history.keeping import keep, kept_already, look_back, show_trends

    document = result.document
    with open_store(place(given), make=save) as store:
        if not save:
            with store.reading() as reader:
                look_back(reader, document)
                add_promise_trend(reader, document)
            return
        now_us = int(datetime.now(UTC).timestamp() * 1e6)
        with store.transaction() as night:
            look_back(night, document)
            add_promise_trend(night, document)
            already = kept_already(night, document)
            if already is not None:
                document["coverage"]["warnings"].append(already)
                return
            keep(night, document, result.hours, now_us)
            show_trends(night, document)
            night.retain(now_us)
        store.vacuum()
        click.echo(f"pg95: saved to the history {store.name}", err=True)


def add_promise_trend(reader: "Reader", document: dict[str, Any]) -> None:
    """What each metric of a scoreboard was in the runs of a history, as its `trend`."""
    board = document.get("scoreboard")
    if not board:
        return
    from analyzer.history.promises import promise_trend, runs_alike

    trend = promise_trend(runs_alike(reader.runs()))
    for metric in board["metrics"]:
        metric["trend"] = trend.get(metric["id"], [])
