"""The report as Markdown for a ticket: at most 64 KB, most important first, the rest counted.

Every text of a document is untrusted: it goes into code, or is escaped so that neither Markdown
nor HTML nor a mention of anybody comes of it.
"""

from collections.abc import Sequence
from typing import Any

from analyzer.report.coverage_words import coverage_sentences
from analyzer.report.explain_words import explained_sentence, refusals
from analyzer.report.formats import count, ms, percent, plural
from analyzer.report.layout import brief
from analyzer.report.sections.findings import figures
from analyzer.report.values import Document
from analyzer.report.verdict_words import overall_headline, overall_state
from analyzer.report.views._markdown_text import block, code, escape
from analyzer.report.views.cache import cache_text
from analyzer.report.views.jobs import jobs_text
from analyzer.report.views.markdown_indexes import indexes_text
from analyzer.report.views.scoreboard import board_text
from analyzer.report.wording import (
    VERIFIED,
    acceptance,
    acknowledged,
    actions,
    answers,
    cause,
    if_fixed,
    interval,
    method,
    open_findings,
    part_lines,
    requests_phrase,
    ruled_out_lines,
    saves,
    saving_detail,
    severities,
    since_lines,
    state,
    value,
)

__all__ = ["LIMIT_BYTES", "block", "code", "escape", "finding_text", "render"]

LIMIT_BYTES = 64 * 1024
_NOTE_BYTES = 200  # room for the line that counts what was left out
_HEAD_BYTES = 8 * 1024
_TAIL_BYTES = 16 * 1024
_FINDINGS_BYTES = 16 * 1024  # what they have at least, however long the rest is
_LEAST_BYTES = 2 * 1024  # of what follows them, each
_STATEMENTS = 20
_FINDINGS = 100
_LINE = 300
_WARNINGS = 30


def render(document: Document) -> str:
    """Verdict, actions, findings with their fixes, top statements, coverage; at most 64 KB."""
    parts = (_verdict(document), _actions(document), _savings(document), _since(document))
    head = [_within(part, _HEAD_BYTES) for part in parts]
    tail = (
        indexes_text(document),
        _statements(document),
        jobs_text(document),
        cache_text(document),
        board_text(document.get("scoreboard")),
        _coverage(document),
    )
    room = LIMIT_BYTES - _NOTE_BYTES - sum(_bytes(part) + 1 for part in head)
    shown = _fitting(tail, room - _FINDINGS_BYTES)
    findings = _findings(document, room - sum(_bytes(part) + 1 for part in shown))
    return "\n".join(part for part in (*head, *findings, *shown) if part)


def _fitting(parts: Sequence[str], room: int) -> list[str]:
    """The parts in `room` bytes: each as much as the ones before it leave, and as those behind it have to have."""
    shown = []
    for behind, part in zip(reversed(range(len(parts))), parts, strict=True):
        shown.append(_within(part, min(_TAIL_BYTES, room - behind * _LEAST_BYTES)))
        room -= _bytes(shown[-1]) + 1
    return shown


def _within(text: str, limit: int) -> str:
    """The text's first lines that fit `limit` bytes, with a note where some did not."""
    if _bytes(text) <= limit:
        return text
    kept: list[str] = []
    room = limit - _NOTE_BYTES
    lines = text.split("\n")
    for line in lines:
        room -= _bytes(line) + 1
        if room < 0:
            break
        kept.append(line)
    left = plural(len(lines) - len(kept), "more line")
    return "\n".join([*kept, "", f"*{left} in report.json.*", ""])


def _bytes(text: str) -> int:
    return len(text.encode("utf-8"))


def _verdict(document: Document) -> str:
    target = document["target"]
    lines = [f"# {overall_state(document).upper()}: {escape(overall_headline(document))}", ""]
    lines.append("| | value | verdict | of | method |\n|---|---:|---|---|---|")
    of = plural(target["executions"], "execution")
    lines.append(_figure_row("statements", target, of))
    request, client = target["request"], target["client"]
    if request:
        lines.append(_figure_row("requests", request, requests_phrase(request)))
    if client:
        of = plural(client["executions"], "execution")
        lines.append(_figure_row("client's clock", client, of))
    if parts := part_lines(document):
        lines += ["", "Targets:", "", *(f"- {escape(line)}" for line in parts)]
    tally = ", ".join(f"{count(number)} {name}" for name, number in severities(document))
    lines += ["", f"**Findings:** {tally or 'none'}\\", f"**Coverage:** {_covered(document)}"]
    if document.get("redaction") == "off":
        lines += ["", "**Not redacted: this text holds values from your data.**"]
    return "\n".join(lines) + "\n"


def _covered(document: Document) -> str:
    return " ".join(escape(sentence) for sentence in coverage_sentences(document))


def _figure_row(name: str, measured: dict[str, Any], of: str) -> str:
    bounds = interval(measured)
    how = method(measured["method"]) + (f", {bounds}" if bounds else "")
    cells = (name, value(measured), state(measured), of, how)
    return f"| {' | '.join(escape(cell) for cell in cells)} |"


def _actions(document: Document) -> str:
    steps = actions(document)
    if not steps:
        return "## Nothing to fix was found\n\n" + _answers(document)
    lines = [
        f"{position}. **{escape(step['do'])}**: {escape(step['saves'])}{escape(cause(step))} ({code(step['key'])})"
        for position, step in enumerate(steps, start=1)
    ]
    return "## Do first\n\n" + "\n".join(lines) + "\n"


def _savings(document: Document) -> str:
    lines = [f"- {escape(line)}" for line in if_fixed(document)]
    return "\n".join(["## If the loops are fixed", "", *lines, ""]) if lines else ""


def _since(document: Document) -> str:
    lines = [f"- {escape(line)}" for line in since_lines(document)]
    return "\n".join(["## Against the history", "", *lines, ""]) if lines else ""


def _findings(document: Document, room: int) -> list[str]:
    """As many findings as fit, in their order; what does not is counted."""
    findings = open_findings(document)
    accepted = _within(_accepted(document), min(_TAIL_BYTES, room // 2))
    if not findings:
        return [accepted]
    room -= _bytes(accepted) + 1
    blocks = ["## Findings\n"]
    room -= _bytes(blocks[0]) + 1
    for finding in findings[:_FINDINGS]:
        text = finding_text(finding)
        room -= _bytes(text) + 1
        if room < 0:
            break
        blocks.append(text)
    left = len(findings) - (len(blocks) - 1)
    if left:
        blocks.append(f"*{plural(left, 'more finding')} in report.json.*\n")
    return [*blocks, accepted]


def _accepted(document: Document) -> str:
    """The acknowledged findings, folded where Markdown is shown as HTML."""
    found = acknowledged(document)
    if not found:
        return ""
    lines = [f"<details><summary>{plural(len(found), 'acknowledged finding')}</summary>", ""]
    lines += [
        f"- {escape(one['title'])}: {escape(acceptance(one))} ({code(one['key'])})"
        for one in found[:_FINDINGS]
    ]
    left = len(found) - _FINDINGS
    lines += [f"- {plural(left, 'more')} in report.json"] if left > 0 else []
    return "\n".join([*lines, "", "</details>", ""])


def finding_text(finding: dict[str, Any]) -> str:
    """One finding with its fixes, as the report has it."""
    evidence = finding["evidence"]
    lines = [
        f"### {escape(finding['severity'])}: {escape(finding['title'])}",
        "",
        ", ".join(
            (
                code(finding["detector"]),
                f"key {code(finding['key'])}",
                escape(saves(finding["impact"])),
                f"confidence {percent(finding['confidence'])}",
            )
        ),
        "",
    ]
    if finding.get("acknowledged"):
        lines += [f"Was acknowledged: {escape(acceptance(finding))}", ""]
    for name, key in (("Parent", "parent_sql"), ("Child", "child_sql"), ("Statement", "sql")):
        if isinstance(evidence.get(key), str):
            lines += [f"{name}:", "", block(evidence[key], "sql")]
    shown = [f"{escape(name)} {escape(text, 120)}" for name, text in figures(evidence)]
    lines += [f"Evidence: {'; '.join(shown)}.", ""] if shown else []
    detail = saving_detail(finding["impact"])
    lines += [escape(detail), ""] if detail else []
    for advice in finding["recommendations"]:
        lines += _fix(advice)
    return "\n".join(lines)


def _fix(advice: dict[str, Any]) -> list[str]:
    verified = VERIFIED.get(advice["verified_by"], "")
    return [
        f"**{escape(advice['title'] or advice['kind'])}**",
        "",
        block(advice["text"], advice["language"]),
        f"Verified by {escape(advice['verified_by'])}: {escape(verified)}\\",
        *([f"Why this way: {escape(advice['because'])}\\"] if advice.get("because") else []),
        f"Risk: {escape(advice['risk'] or 'none known')}",
        "",
    ]


def _statements(document: Document) -> str:
    statements = document["statements"]
    if not statements:
        return ""
    rows = [_statement(statement) for statement in statements[:_STATEMENTS]]
    left = len(statements) - len(rows)
    note = [f"\n*{plural(left, 'more statement')} in report.json.*"] if left else []
    return "\n".join(
        [
            "## Statements by total time",
            "",
            "| total | share | calls | P50 | P95 | P99 | statement |",
            "|---:|---:|---:|---:|---:|---:|---|",
            *rows,
            *note,
            "",
        ]
    )


def _statement(statement: dict[str, Any]) -> str:
    figures_shown = (
        ms(statement["total_ms"]),
        percent(statement["share"]),
        count(statement["calls"]),
        ms(statement["p50_ms"]),
        ms(statement["p95_ms"]),
        ms(statement["p99_ms"]),
    )
    sql = code(brief(statement["sql"], _LINE), cell=True)
    return f"| {' | '.join(escape(figure) for figure in figures_shown)} | {sql} |"


def _answers(document: Document) -> str:
    rows = [
        f"- {', '.join(code(one) for one in said['ids'])}: {escape(said['status'])}"
        + (f", {escape(said['reason'])}" if said["reason"] else "")
        for said in answers(document["detectors"][:100])
    ]
    rows += [f"- {escape(line)}" for line in ruled_out_lines(document, _LINE)]
    return "\n".join(rows) + "\n" if rows else "No check ran.\n"


def _coverage(document: Document) -> str:
    coverage = document["coverage"]
    warnings = coverage["warnings"]
    lines = ["## Coverage", "", _covered(document), ""]
    if explained := explained_sentence(document):
        lines += [escape(explained), ""]
        refused = refusals(document)[:_WARNINGS]
        lines += [f"- {number} not, or not run: {escape(reason)}" for number, reason in refused]
        lines += [""] if refused else []
    lines += [f"- {escape(warning)}" for warning in warnings[:_WARNINGS]]
    if len(warnings) > _WARNINGS:
        lines.append(f"- {plural(len(warnings) - _WARNINGS, 'more warning')} in report.json")
    if document["findings"]:
        lines += ["", "Checks:", "", _answers(document).rstrip("\n")]
    window = document["window"]
    if window["from"]:
        lines += ["", f"Window: {escape(window['from'])} to {escape(str(window['to']))}"]
    return "\n".join(lines).rstrip("\n") + "\n"
