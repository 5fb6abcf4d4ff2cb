"""`pg95 ticket`: a finding as the body of an issue, ready to be pasted or filed."""

import sys
from pathlib import Path
from typing import Any

import click

from analyzer.cli._say import say
from analyzer.errors import InputError, UsageError
from analyzer.patterns import regex
from analyzer.report.json_text import json_text

_ENDINGS = {"markdown": ".md", "jira": ".txt"}
_NAMED = 10  # keys in a message
_NAME = regex(r"[^A-Za-z0-9._-]")


@click.command(
    epilog="""\b
Examples:
  pg95 ticket report.json --finding n-plus-one-0123456789ab
  pg95 ticket report.json --finding n-plus-one --format jira | xclip      the only one that begins so
  pg95 ticket report.json --all -o tickets/                               one file for each finding
  pg95 report app.log -o - --format json | pg95 ticket - --all -o tickets/
  gh issue create --title "N+1 in /orders" --body-file <(pg95 ticket report.json --finding KEY)
""",
)
@click.argument("report", metavar="REPORT")
@click.option("--finding", "key", metavar="KEY", help="The finding's key, or its beginning.")
@click.option(
    "--all", "every", is_flag=True, help="Every finding that counts, one file each (needs -o)."
)
@click.option(
    "--format",
    "form",
    type=click.Choice(("markdown", "jira", "json")),
    default="markdown",
    show_default=True,
    help="jira: wiki markup. json: title, body in Markdown and what the finding has.",
)
@click.option(
    "-o", "--output", metavar="PATH", help="A file, or with --all a folder, instead of stdout."
)
def ticket(**given: Any) -> None:
    """Write a ready issue body for a finding of a report.json (or -, stdin).

    Title, what, evidence, fix, how to verify, how it was measured. It is redacted as the report
    is, and fits what GitHub (64 KB) and Jira (32,767 characters) take.
    """
    if given["every"] == bool(given["key"]):
        raise UsageError("give --finding KEY, or --all")
    if given["every"] and not given["output"] and given["form"] != "json":
        raise UsageError("--all writes one file for each finding: give a folder with -o")
    document = _load(given["report"])
    if given["every"]:
        _write_all(document, given["form"], given["output"])
        return
    finding = _chosen(document, given["key"], given["report"])
    text = _text(document, finding, given["form"])
    if given["output"] in (None, "-"):
        click.echo(text, nl=False)
    else:
        _write(Path(given["output"]), text)


def _load(name: str) -> dict[str, Any]:
    from analyzer.report.document import load

    try:
        raw = sys.stdin.buffer.read() if name == "-" else Path(name).read_bytes()
        return load(raw.decode("utf-8"))
    except OSError as error:
        raise InputError(f"{name}: cannot be read ({error.strerror})") from error
    except (InputError, UnicodeDecodeError) as error:
        raise InputError(f"{name}: {error}") from error


def _chosen(document: dict[str, Any], key: str, name: str) -> dict[str, Any]:
    """The finding with that key, or the only one whose key begins so.

    Raises:
        UsageError: there is none, or there are several.
    """
    findings: list[dict[str, Any]] = document["findings"]
    exact = [one for one in findings if one["key"] == key]
    found = exact or [one for one in findings if one["key"].startswith(key)]
    if len(found) == 1:
        return found[0]
    if not found:
        known = ", ".join(one["key"] for one in findings[:_NAMED]) or "no finding at all"
        more = f" and {len(findings) - _NAMED} more" if len(findings) > _NAMED else ""
        raise UsageError(f"{name} has no finding {key}: it has {known}{more}")
    keys = ", ".join(one["key"] for one in found[:_NAMED])
    raise UsageError(f"{len(found)} findings of {name} begin with {key}: {keys}")


def _text(document: dict[str, Any], finding: dict[str, Any], form: str) -> str:
    if form == "json":
        return json_text(_fields(document, finding)) + "\n"
    from analyzer.report.tickets.content import ticket as blocks
    from analyzer.report.tickets.markup import write

    return write(blocks(document, finding), form)


def _fields(document: dict[str, Any], finding: dict[str, Any]) -> dict[str, Any]:
    """A ticket for a program that files it: title, labels and the body in Markdown."""
    return {
        "schema_version": 1,
        "key": finding["key"],
        "title": finding["title"],
        "labels": [finding["detector"], f"severity:{finding['severity']}"],
        "body": _text(document, finding, "markdown"),
    }


def _write_all(document: dict[str, Any], form: str, folder: str | None) -> None:
    from analyzer.report.wording import open_findings

    findings = open_findings(document)
    if form == "json" and folder in (None, "-"):
        tickets = [_fields(document, finding) for finding in findings]
        listed = {"schema_version": 1, "tickets": tickets}
        click.echo(json_text(listed))
        return
    place = Path(str(folder))
    try:
        place.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InputError(f"-o {place}: no folder can be made there ({error.strerror})") from error
    for finding in findings:
        # A key is letters, digits and hyphens; a report.json from elsewhere may say anything.
        name = _NAME.sub("_", finding["key"]).lstrip(".")[:100]
        path = place / f"{name}{_ENDINGS.get(form, '.json')}"
        _write(path, _text(document, finding, form))
        say(f"{path}: {finding['title']}")
    if not findings:
        click.echo("No finding counts in this report: nothing was written.", err=True)


def _write(path: Path, text: str) -> None:
    try:
        path.write_text(text, encoding="utf-8")
    except OSError as error:
        raise InputError(f"-o {path}: cannot be written ({error.strerror})") from error
