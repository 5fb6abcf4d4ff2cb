"""`pg95 ack`: accept a finding, with a reason, in a file that is reviewed like code."""

from typing import TYPE_CHECKING, Any

import click

from analyzer.cli._say import show
from analyzer.errors import UsageError
from analyzer.report.json_text import json_text

if TYPE_CHECKING:
    from pathlib import Path

    from analyzer.model.acknowledgement import Acknowledgement


@click.command(
    epilog="""\b
Examples:
  pg95 ack n-plus-one-0123456789ab --reason "nightly export, row by row on purpose"
  pg95 ack repeated-query-0123456789ab --reason "cache comes with 3.2" --until 2027-01-31 --ticket SHOP-123
  pg95 ack --list
  pg95 ack --remove n-plus-one-0123456789ab
\b
A comment in the statement does the same without a file, for one detector, several, or all:
  SELECT … /* pg95:ignore n-plus-one */
""",
)
@click.argument("keys", nargs=-1, metavar="[KEY]...")
@click.option("--reason", metavar="TEXT", help="Why it is accepted.")
@click.option(
    "--until",
    metavar="DATE",
    help="The last day on which it is accepted (2027-01-31); then it counts again.",
)
@click.option("--ticket", metavar="REF", help="Where the work on it is tracked.")
@click.option("--list", "listed", is_flag=True, help="Show what is acknowledged.")
@click.option("--remove", is_flag=True, help="Take the keys out.")
@click.option(
    "--acknowledged",
    metavar="FILE",
    help="The file. [default: .pg95/acknowledged.toml here or above, else a new one at the top of the git checkout]",
)
@click.option("--format", type=click.Choice(("table", "json")), help="How to print what is there.")
def ack(**given: Any) -> None:
    """Acknowledge findings: reports then count and fold them, and --fail-on passes them over.

    KEY is the finding's key, as reports show it. It hangs on the shape of the statements, not on
    the columns that they select, and so survives deploys. The file belongs into git.
    """
    from pathlib import Path

    from analyzer.sources import acknowledgements as file

    here = Path.cwd()
    named = Path(given["acknowledged"]) if given["acknowledged"] else None
    path = named or file.find(here) or file.place_for_new(here)
    entries = file.read(path)
    _check(given)
    if not given["listed"]:
        told = _removed(given, entries, path) if given["remove"] else _added(given, entries)
        file.write(path, entries.values())
        for line in told:
            click.echo(line, err=given["format"] == "json")
    if given["listed"] or given["format"]:
        _show(path, entries, given["format"])
    elif not given["listed"]:
        click.echo(f"{path}: {len(entries)} acknowledged; commit it with your code")


def _check(given: dict[str, Any]) -> None:
    """Refuse options that mean nothing together."""
    details = [name for name in ("reason", "until", "ticket") if given[name]]
    if given["listed"] and (given["keys"] or given["remove"] or details):
        raise UsageError("--list shows what is there: give it alone")
    if not given["listed"] and not given["keys"]:
        raise UsageError("give a finding's KEY (reports show it), or --list")
    if given["remove"] and details:
        raise UsageError(f"--remove takes no --{details[0]}")
    if not given["listed"] and not given["remove"] and not given["reason"]:
        raise UsageError("give --reason: why is it accepted?")


def _added(given: dict[str, Any], entries: "dict[str, Acknowledgement]") -> list[str]:
    from datetime import UTC, datetime

    from analyzer.detectors import all_detectors
    from analyzer.sources.acknowledgements import checked

    ids = tuple(f"{detector.id}-" for detector in all_detectors())
    told = []
    for key in given["keys"]:
        entry = checked(key, given["reason"], given["until"], given["ticket"])
        if entry.expired(datetime.now(UTC).date()):
            raise UsageError(f"--until {entry.until} is over: give a day to come")
        told.append(f"{entry.key}: {'changed' if entry.key in entries else 'acknowledged'}")
        if not entry.key.startswith(ids):
            told.append(f"{entry.key}: no detector of this pg95 gives such a key; is it mistyped?")
        entries[entry.key] = entry
    return told


def _removed(
    given: dict[str, Any], entries: "dict[str, Acknowledgement]", path: "Path"
) -> list[str]:
    unknown = [key for key in given["keys"] if key not in entries]
    if unknown:
        raise UsageError(
            f"{path} has no {', '.join(unknown)}: `pg95 ack --list` shows what is there"
        )
    for key in given["keys"]:
        entries.pop(key, None)
    return [f"{key}: removed" for key in given["keys"]]


def _show(path: "Path", entries: "dict[str, Acknowledgement]", form: str | None) -> None:
    from analyzer.model.acknowledgement import as_fields

    found = [entries[key] for key in sorted(entries)]
    if form == "json":
        listed = [{"key": entry.key, **as_fields(entry)} for entry in found]
        document = {"schema_version": 1, "file": str(path), "acknowledged": listed}
        click.echo(json_text(document))
        return
    for entry in found:
        ticket = f", ticket {entry.ticket}" if entry.ticket else ""
        until = f", until {entry.until}" if entry.until else ""
        show(f"{entry.key}: {entry.reason}{ticket}{until}")
    if not found:
        click.echo(f"{path}: nothing is acknowledged")
