"""The report in a terminal: verdict, actions, findings and statements, as wide as it is told.

Texts of a document are never read as rich's markup, and escape sequences in them show as text.
"""

from typing import Any

from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from analyzer.report.coverage_words import coverage_sentences
from analyzer.report.explain_words import explained_sentence, refusals
from analyzer.report.formats import count, ms, one_line, percent, plural
from analyzer.report.job_words import jobs_of
from analyzer.report.layout import brief
from analyzer.report.values import Document
from analyzer.report.verdict_words import overall_headline, overall_state
from analyzer.report.views import jobs, scoreboard
from analyzer.report.views._terminal import terminal, written
from analyzer.report.wording import (
    accepted_lines,
    actions,
    cause,
    if_fixed,
    interval,
    method,
    open_findings,
    part_lines,
    requests_phrase,
    severities,
    silent_lines,
    since_lines,
    state,
    value,
)

_ROOMY = 100  # columns from which on the minor figures have room too
_FINDINGS = 20
_STATEMENTS = 20
_STATE_STYLES = {"met": "bold green", "missed": "bold red"}
_SEVERITY_STYLES = {"critical": "bold red", "high": "red", "medium": "yellow"}


def render(document: Document, console_width: int = 100, *, colour: bool = False) -> str:
    """The report as lines of at most `console_width` columns (40 at least).

    `colour` adds ANSI colours; whether the terminal wants them is for the caller to know.
    """
    console = terminal(console_width, colour=colour)
    _verdict(console, document)
    _actions(console, document)
    _savings(console, document)
    _since(console, document)
    _findings(console, document)
    _statements(console, document)
    _jobs(console, document)
    _promises(console, document)
    _silent(console, document)
    return written(console)


def _verdict(console: Console, document: Document) -> None:
    target = document["target"]
    verdict = overall_state(document)
    line = f"{verdict.upper()}  {overall_headline(document)}"
    console.print(Text(line, style=_STATE_STYLES.get(verdict, "bold yellow")))
    console.print(Text(_figures("statements", target, plural(target["executions"], "execution"))))
    if target["request"]:
        request = target["request"]
        console.print(Text(_figures("requests", request, requests_phrase(request))))
    if target["client"]:
        client = target["client"]
        console.print(Text(_figures("client", client, plural(client["executions"], "execution"))))
    for number, line in enumerate(part_lines(document)):
        console.print(Text(f"{'' if number else 'targets':<12}{line}"))
    tally = ", ".join(f"{count(number)} {name}" for name, number in severities(document))
    console.print(Text(f"findings    {tally or 'none'}"))
    console.print(Text(f"coverage    {' '.join(coverage_sentences(document))}"))
    if explained := explained_sentence(document):
        console.print(Text(f"explained   {explained}"))
        for number, reason in refusals(document):
            console.print(Text(f"{'':<12}{number} not, or not run: {reason}"))
    if document.get("redaction") == "off":
        console.print(Text("NOT REDACTED: values from your data are shown", style="bold yellow"))


def _figures(name: str, measured: dict[str, Any], of: str) -> str:
    bounds = interval(measured)
    how = f"{method(measured['method'])}{', ' + bounds if bounds else ''}"
    return f"{name:<12}{value(measured)} ({state(measured)}; {of}; {how})"


def _actions(console: Console, document: Document) -> None:
    steps = actions(document)
    if not steps:
        return
    console.print()
    console.print(Text("Do first", style="bold"))
    for position, step in enumerate(steps, start=1):
        said = one_line(f"{step['do']}: {step['saves']}{cause(step)} ({step['key']})")
        console.print(Text(f"{position}. {said}"))


def _savings(console: Console, document: Document) -> None:
    lines = if_fixed(document)
    if lines:
        console.print()
        console.print(Text("If the loops are fixed", style="bold"))
    for line in lines:
        console.print(Text(f"  {line}"))


def _since(console: Console, document: Document) -> None:
    lines = since_lines(document)
    if lines:
        console.print()
    for line in lines:
        console.print(Text(line))


def _grid(title: str) -> Table:
    return Table(
        title=Text(title, style="bold"),
        title_justify="left",
        box=box.SIMPLE_HEAD,
        pad_edge=False,
        padding=(0, 1),
        expand=False,
    )


def _findings(console: Console, document: Document) -> None:
    findings = open_findings(document)
    if not findings:
        _accepted(console, document)
        return
    table = _grid("Findings")
    table.add_column("Severity", no_wrap=True)
    table.add_column("Finding", ratio=1, overflow="fold")
    roomy = console.width >= _ROOMY
    if roomy:
        table.add_column("Round trips", justify="right", no_wrap=True)
        table.add_column("Time", justify="right", no_wrap=True)
    table.add_column("Key", overflow="fold")
    for finding in findings[:_FINDINGS]:
        severity = one_line(finding["severity"])
        impact = finding["impact"]
        figures = [Text(count(impact["round_trips"])), Text(ms(impact["total_ms"]))]
        table.add_row(
            Text(severity, style=_SEVERITY_STYLES.get(severity, "")),
            Text(one_line(finding["title"])),
            *(figures if roomy else ()),
            Text(one_line(finding["key"])),
        )
    console.print()
    console.print(table)
    _more(console, len(findings) - _FINDINGS, "finding")
    _accepted(console, document)


def _accepted(console: Console, document: Document) -> None:
    for line in accepted_lines(document):
        console.print(Text(line, style="dim"))


def _statements(console: Console, document: Document) -> None:
    statements = document["statements"]
    if not statements:
        return
    roomy = console.width >= _ROOMY
    names = ["Total", "Share", "Calls", "P50", "P95", "P99"] if roomy else ["Total", "Calls", "P95"]
    table = _grid("Statements by total time")
    for name in names:
        table.add_column(name, justify="right", no_wrap=True)
    table.add_column("Statement", ratio=1, overflow="fold")
    for statement in statements[:_STATEMENTS]:
        cells = {
            "Total": ms(statement["total_ms"]),
            "Share": percent(statement["share"]),
            "Calls": count(statement["calls"]),
            "P50": ms(statement["p50_ms"]),
            "P95": ms(statement["p95_ms"]),
            "P99": ms(statement["p99_ms"]),
        }
        sql = brief(statement["sql"], 2 * console.width)
        table.add_row(*(Text(cells[name]) for name in names), Text(sql))
    console.print()
    console.print(table)
    _more(console, len(statements) - _STATEMENTS, "statement")


def _more(console: Console, left: int, what: str) -> None:
    if left > 0:
        console.print(Text(f"{plural(left, 'more ' + what)} in report.json"))


def _jobs(console: Console, document: Document) -> None:
    if jobs_of(document):
        console.print()
        console.print(Text("Jobs", style="bold"))
        console.print(*jobs.show(document, console.width), sep="\n")


def _promises(console: Console, document: Document) -> None:
    board = document.get("scoreboard")
    if board:
        console.print()
        console.print(*scoreboard.show(board, console.width), sep="\n")
        for warning in board["warnings"]:
            console.print(Text(f"warning: {one_line(warning)}"))


def _silent(console: Console, document: Document) -> None:
    """Checks that could not judge, and warnings: what the silence above does not mean."""
    unanswered = silent_lines(document)
    warnings = document["coverage"]["warnings"]
    if unanswered or warnings:
        console.print()
    for line in unanswered:
        console.print(Text(line))
    for warning in warnings:
        console.print(Text(f"warning: {one_line(warning)}"))
