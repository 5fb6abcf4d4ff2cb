"""`pg95 report --follow`: findings as they come, until it is told to stop."""

import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import click

from analyzer.cli._conditions import fail_conditions
from analyzer.cli._failures import CONDITION
from analyzer.cli._options import pipeline_options
from analyzer.cli._output import terminal
from analyzer.cli._say import say
from analyzer.errors import InputError, UsageError
from analyzer.report.json_text import json_text

if TYPE_CHECKING:
    from analyzer.following.follower import Follower
    from analyzer.following.watch import Watch

_POLL_SECONDS = 0.1
_SHOWN = 20  # findings in the summary
_SCHEMA_VERSION = 1


def follow(given: dict[str, Any]) -> None:
    """Follow the inputs until SIGINT or SIGTERM, then say what there was; exits.

    Raises:
        UsageError: an option that needs a whole input. InputError: there is nothing to follow.
    """
    conditions = _checked(given)
    from analyzer.following.follower import Follower
    from analyzer.following.watch import Watch

    options = pipeline_options(given)
    follower, watch = Follower(options), Watch(options.inputs)
    as_json = given["format"] == "json"
    put = _put_json if as_json else _put_text
    if not as_json:  # before the first burst, not after it
        from analyzer.report.views import _terminal, focused  # noqa: F401
    with _stopping() as stop:
        files = watch.start(time.monotonic())
        if not files and not any(_is_open(name) for name in options.inputs):
            raise InputError(
                f"{', '.join(options.inputs)}: no file to follow; name logs, or their folder"
            )
        if options.read.since_us is None:
            _say(follower.skip(_now_us()))
        else:
            _tell(follower, put)
        _say([f"following {_named(files)}; Ctrl-C ends it"])
        _loop(watch, follower, stop, put)
    _summarise(follower, as_json=as_json)
    found = "findings" in conditions and bool(follower.seen)
    click.get_current_context().exit(CONDITION if found else 0)


def _checked(given: dict[str, Any]) -> set[str]:
    """The conditions of --fail-on; what says nothing while logs are followed is refused."""
    for option in (
        "dsn",
        "live",
        "history",
        "save_history",
        "output",
        "explain",
        "explain_analyze",
    ):
        if given.get(option):
            raise UsageError(
                f"--follow prints findings as they come: leave out --{option.replace('_', '-')}"
            )
    told = click.get_current_context().get_parameter_source("redis_url")
    if told is click.core.ParameterSource.COMMANDLINE:
        raise UsageError("--follow prints findings as they come: leave out --redis")
    if not given["inputs"]:
        raise UsageError("--follow what? Give log files, or their folder")
    if "-" in given["inputs"] or any("://" in name for name in given["inputs"]):
        raise UsageError(
            "--follow reads files of this machine: write the stream into one, and follow that"
        )
    if given["format"] not in (None, "table", "json"):
        raise UsageError(
            "--follow prints for a terminal, or with --format json a line for each finding"
        )
    conditions = fail_conditions(given["fail_on"])
    if conditions - {"findings"}:
        raise UsageError("--follow can --fail-on findings only")
    return conditions


def _is_open(name: str) -> bool:
    """Whether files may still come: of a folder, or a pattern."""
    from pathlib import Path

    return Path(name).is_dir() or any(sign in name for sign in "*?[")


def _named(files: Sequence[str]) -> str:
    return files[0] if len(files) == 1 else f"{len(files)} files"


@contextmanager
def _stopping() -> Iterator[threading.Event]:
    """An event that SIGINT and SIGTERM set; a second one ends at once."""
    stop = threading.Event()

    def end(number: int, _frame: object) -> None:
        if stop.is_set():
            raise KeyboardInterrupt
        stop.set()
        signal.signal(number, signal.default_int_handler)

    before = {one: signal.signal(one, end) for one in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield stop
    finally:
        for one, handler in before.items():
            signal.signal(one, handler)


def _loop(watch: "Watch", follower: "Follower", stop: threading.Event, put: "Put") -> None:
    """Look ten times a second; what is there when it is stopped is read once more."""
    while not stop.wait(_POLL_SECONDS):
        if watch.is_due(time.monotonic()):
            _tell(follower, put)
            watch.done(time.monotonic())
    _tell(follower, put)


Put = Callable[[dict[str, Any]], None]


def _tell(follower: "Follower", put: Put) -> None:
    document, notes = follower.read(_now_us())
    _say(notes)
    if document is not None and document["findings"]:
        put(document)
        sys.stdout.flush()


def _now_us() -> int:
    return time.time_ns() // 1000


def _say(notes: Sequence[str]) -> None:
    for note in notes:
        say(" ".join(note.split()))


def _put_json(document: dict[str, Any]) -> None:
    """A line for each finding: when it was told, of which time, and the finding as in report.json."""
    for finding in document["findings"]:
        line = {
            "schema_version": _SCHEMA_VERSION,
            "at": datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z"),
            "window": document["window"],
            "redaction": document["redaction"],
            "finding": finding,
        }
        click.echo(json_text(line, on_one_line=True))


def _put_text(document: dict[str, Any]) -> None:
    from analyzer.report.formats import moment
    from analyzer.report.views import focused
    from analyzer.report.views._terminal import to_text

    width, colour = terminal()
    click.echo(moment(document["window"]["to"]))
    alone = {**document, "detectors": []}  # what a short burst cannot show is not worth a line
    click.echo(to_text(focused.findings(alone, width, ""), width, colour=colour), nl=False)


def _summarise(follower: "Follower", *, as_json: bool) -> None:
    """What there was in all: on stdout for people, a last line for programs."""
    totals = follower.totals
    ranked = sorted(follower.seen.values(), key=lambda one: (-one.total_ms, one.key))
    if as_json:
        rows = [asdict(one) for one in ranked]
        line = {"schema_version": _SCHEMA_VERSION, "summary": {**asdict(totals), "seen": rows}}
        click.echo(json_text(line, on_one_line=True))
        return
    from analyzer.report.formats import count, ms, one_line, plural

    click.echo(
        f"{plural(totals.executions, 'execution')} in {plural(totals.bursts, 'burst')}, "
        f"{plural(totals.findings, 'finding')}"
    )
    for one in ranked[:_SHOWN]:
        click.echo(
            f"  [{one.severity}] {one_line(one.title)}: {plural(one.bursts, 'burst')}, "
            f"{count(one.round_trips)} round trips, {ms(one.total_ms)} ({one_line(one.key)})"
        )
    if len(ranked) > _SHOWN:
        click.echo(f"  {plural(len(ranked) - _SHOWN, 'more finding')}")
