"""What a ticket about a finding says: what, evidence, fix, how to verify, how it was measured.

Made of blocks that know nothing of any tracker's markup; every text in them is untrusted still.
"""

from collections.abc import Iterator, Sequence
from typing import Any

from analyzer.records import record
from analyzer.report.coverage_words import coverage_sentences
from analyzer.report.formats import count, ms, one_line, percent, plural, sentence, window
from analyzer.report.sections.findings import figures
from analyzer.report.values import Document
from analyzer.report.verdict_words import verdict_line
from analyzer.report.wording import (
    VERIFIED,
    acceptance,
    saves,
    saving_detail,
)

_STATEMENTS = (("Parent", "parent_sql"), ("Child", "child_sql"), ("Statement", "sql"))
_SHOWN_STATEMENTS = 5
_SOURCES = 10
_FIGURE = 160
_ACCESS = frozenset({"n-plus-one", "repeated-lookup", "repeated-query", "write-loop"})


@record
class Heading:
    """A heading; `top` is the ticket's own title."""

    text: str
    top: bool = False


@record
class Paragraph:
    """Running text, `strong` where it names what follows."""

    text: str
    strong: bool = False


@record
class Items:
    """A list, `numbered` where the order counts."""

    texts: Sequence[str]
    numbered: bool = False


@record
class Code:
    """A text to be shown as it is, in a language's name as report.json has it (sql, prisma, …)."""

    text: str
    language: str


@record
class Rows:
    """A table: the names of its columns, and rows of as many cells."""

    columns: Sequence[str]
    rows: Sequence[Sequence[str]]


Block = Heading | Paragraph | Items | Code | Rows


def ticket(document: Document, finding: dict[str, Any]) -> list[Block]:
    """The blocks of one finding's ticket, in reading order."""
    return [
        Heading(one_line(finding["title"]), top=True),
        *_what(document, finding),
        *_evidence(document, finding),
        *_fixes(finding),
        *_verify(document, finding),
        *_measured(document, finding),
    ]


def _what(document: Document, finding: dict[str, Any]) -> Iterator[Block]:
    impact = finding["impact"]
    sure = percent(finding["confidence"])
    yield Paragraph(f"Severity {finding['severity']}, confidence {sure}. {sentence(saves(impact))}")
    where = [
        f"{name}: {', '.join(one_line(one) for one in finding[key])}"
        for name, key in (("Routes", "routes"), ("Tables", "tables"))
        if finding.get(key)
    ]
    where += [f"The report: {verdict_line(document)}"]
    if finding.get("status"):
        where.append(f"Against the history: {finding['status']}")
    if finding.get("acknowledged"):
        where.append(f"Was acknowledged: {acceptance(finding)}")
    yield Items(where)


def _evidence(document: Document, finding: dict[str, Any]) -> Iterator[Block]:
    evidence = finding["evidence"]
    yield Heading("Evidence")
    for name, key in _STATEMENTS:
        if isinstance(evidence.get(key), str):
            yield Paragraph(f"{name}:", strong=True)
            yield Code(evidence[key], "sql")
    condition = evidence.get("condition") or evidence.get("filter")
    if isinstance(condition, str):
        yield Paragraph("Condition:", strong=True)
        yield Code(condition, "sql")
    reasons = [one_line(str(reason)) for reason in evidence.get("reasons") or ()]
    if reasons:
        yield Items(reasons)
    shown = [(name, text[:_FIGURE]) for name, text in figures(evidence)]
    if shown:
        yield Rows(("Figure", "Value"), shown)
    detail = saving_detail(finding["impact"])
    if detail:
        yield Paragraph(detail)
    yield from _statements(document, finding)


def _statements(document: Document, finding: dict[str, Any]) -> Iterator[Block]:
    known = {one["shape_id"]: one for one in document["statements"]}
    found = [known[shape] for shape in finding["shape_ids"] if shape in known]
    if found:
        yield Rows(
            ("Statement", "Calls", "Total", "P50", "P95"),
            [
                (
                    one["shape_id"],
                    count(one["calls"]),
                    ms(one["total_ms"]),
                    ms(one["p50_ms"]),
                    ms(one["p95_ms"]),
                )
                for one in found[:_SHOWN_STATEMENTS]
            ],
        )


def _fixes(finding: dict[str, Any]) -> Iterator[Block]:
    fixes = finding["recommendations"]
    yield Heading("Fix")
    if not fixes:
        yield Paragraph("pg95 has no ready fix for this one.")
    for position, fix in enumerate(fixes, start=1):
        name = one_line(fix.get("title") or fix["kind"])
        yield Paragraph(f"Fix {position}: {name}" if len(fixes) > 1 else name, strong=True)
        yield Code(fix["text"], fix["language"])
        verified = VERIFIED.get(fix["verified_by"], "")
        said = [f"Verified by {fix['verified_by']}: {verified}"]
        said += [f"Why this way: {one_line(fix['because'])}"] if fix.get("because") else []
        yield Items([*said, f"Risk: {one_line(fix['risk'] or 'none known')}"])


def _verify(document: Document, finding: dict[str, Any]) -> Iterator[Block]:
    """Steps that show whether the fix works, on the same kind of input."""
    key = finding["key"]
    yield Heading("How to verify")
    steps = []
    if finding["detector"] in _ACCESS:
        steps.append(
            "Take the fixed path once with statements logged, and count them: " + _expected(finding)
        )
    else:
        steps.append(
            "Run EXPLAIN (ANALYZE, BUFFERS) of the statement with real parameters before and after, "
            "where that is allowed, and compare the time of the node above."
        )
    steps.append(
        "After the deploy, analyse a log of as much traffic: pg95 report NEW.log -o after.json, then "
        f"pg95 diff report.json after.json: {key} must be among the findings that are gone. Gone means "
        "that its statements ran and the pattern did not; a log that cannot show it says not-applicable."
    )
    request = document["target"]["request"]
    steps.append(
        "The figures to watch: P95 of statements"
        + (" and of requests" if request else "")
        + "; after batching, that of statements may rise while that of requests falls."
        if finding["detector"] in _ACCESS
        else "The figure to watch: the P95 of the statements above."
    )
    yield Items(steps, numbered=True)


def _expected(finding: dict[str, Any]) -> str:
    effects = [fix["effect"] for fix in finding["recommendations"] if fix["effect"]]
    after = next(
        (one["round_trips_after"] for one in effects if one.get("round_trips_after") is not None),
        None,
    )
    if after is None:
        return "the repetition must be gone."
    before = next(one.get("round_trips_before") for one in effects if "round_trips_after" in one)
    was = "" if before is None else f", not {count(before)}"
    return f"{plural(after, 'round trip')} for the pattern{was}."


def _measured(document: Document, finding: dict[str, Any]) -> Iterator[Block]:
    coverage, span = document["coverage"], document["window"]
    tool = document["tool"]
    yield Heading("How it was measured")
    lines = [f"{tool['name']} {tool['version']}, finding {finding['key']}"]
    if span["from"]:
        lines.append(f"Window: {window(span['from'], span['to'])}")
    sources = [one for one in coverage["sources"] if one["format"] != "skipped"]
    lines += [
        f"Input: {one_line(source['path'])} ({one_line(source['format'])})"
        for source in sources[:_SOURCES]
    ]
    if len(sources) > _SOURCES:
        lines.append(f"and {plural(len(sources) - _SOURCES, 'more input')}")
    lines += coverage_sentences(document)
    redaction = document.get("redaction")
    lines.append(
        "Not redacted: this text holds values from your data."
        if redaction == "off"
        else "Values are redacted: statements show $n, conditions and parameters a placeholder."
    )
    yield Items(lines)
