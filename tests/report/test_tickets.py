"""Tickets: what a body says, in Markdown and in Jira's wiki markup; limits kept, no power to texts."""

import re
from collections.abc import Callable
from typing import Any

import pytest

from analyzer.report.document import dump, load
from analyzer.report.tickets.content import Code, Heading, ticket
from analyzer.report.tickets.markup import LIMITS, jira_escape, write

Json = Any
HOSTILE = (
    "<script>alert(1)</script> [~admin] @everyone https://evil.example",
    "{code}\nh1. heading\n{noformat} !https://evil.example/x.png! [link|https://evil.example]",
    "||a|b\\|c||\n* item\n# step\n*strong* _slanted_ -gone- ^up^ ~down~ ??cited?? :) (x) {color:red}",
    "\n```\n# heading\n- list\n[link](javascript:alert(1))",
    "\x1b[31mred\x00\u202eevil",
)
HEADINGS = ["Evidence", "Fix", "How to verify", "How it was measured"]


def outside_code(text: str) -> str:
    """Wiki markup without its blocks of code."""
    return re.sub(r"^\{code[^}\n]*\}\n.*?\n\{code\}$", "", text, flags=re.DOTALL | re.MULTILINE)


@pytest.mark.parametrize("form", ["markdown", "jira"])
def test_every_finding_gives_a_ticket_with_all_parts(document: dict[str, Any], form: str) -> None:
    for finding in document["findings"]:
        text = write(ticket(document, finding), form)
        mark = "## " if form == "markdown" else "h2. "
        assert [
            line[len(mark) :] for line in text.splitlines() if line.startswith(mark)
        ] == HEADINGS
        assert finding["key"] in text
        for fix in finding["recommendations"]:
            assert fix["text"].splitlines()[0] in text


def test_an_n_plus_one_says_how_many_round_trips_are_right(document: dict[str, Any]) -> None:
    finding = next(one for one in document["findings"] if one["detector"] == "n-plus-one")
    effect = next(one["effect"] for one in finding["recommendations"] if one["effect"])
    text = write(ticket(document, finding), "markdown")
    assert f"{effect['round_trips_after']} round trips for the pattern" in text
    assert "of server time" in text


@pytest.mark.parametrize("hostile", HOSTILE, ids=range(len(HOSTILE)))
def test_jira_gives_texts_no_power(
    document: dict[str, Any], spoil: Callable[[Json, str], Json], hostile: str
) -> None:
    spoiled = load(dump(spoil(document, hostile)))
    for finding in spoiled["findings"]:
        text = write(ticket(spoiled, finding), "jira")
        prose = outside_code(text)
        assert "://" not in prose
        assert not re.search(r"(?<!\\)[{}\[\]!]", prose)
        assert sum(line.startswith("h1. ") for line in prose.splitlines()) == 1
        assert not re.search("[\x00-\x08\x1b\u202e]", text)
        for rows in re.findall(r"(?:^\|.*\n)+", prose, flags=re.MULTILINE):
            cells = [len(re.findall(r"(?<!\\)\|\|?", row)) for row in rows.splitlines()]
            assert len(set(cells)) == 1, rows


@pytest.mark.parametrize("hostile", HOSTILE, ids=range(len(HOSTILE)))
def test_markdown_gives_texts_no_power(
    document: dict[str, Any], spoil: Callable[[Json, str], Json], hostile: str
) -> None:
    spoiled = load(dump(spoil(document, hostile)))
    for finding in spoiled["findings"]:
        text = write(ticket(spoiled, finding), "markdown")
        prose = re.sub(r"^(`{3,})[^`\n]*\n.*?^\1`*[ ]*$", "", text, flags=re.DOTALL | re.MULTILINE)
        assert not re.search(r"<[a-zA-Z/!]|@\w|://", prose)
        assert sum(line.startswith("# ") for line in prose.splitlines()) == 1


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("created_at, a-b, C++ and 2^3", r"created_at, a-b, C\+\+ and 2^3"),
        ("*all* of [it]", r"\*all\* of \[it\]"),
        ("a\\b & c", "a&#92;b &#38; c"),
        ("https://x :) (x) (y", "https:\u2060//x :\u2060) (\u2060x) (y"),
    ],
)
def test_jira_escapes_what_formats_and_nothing_else(text: str, shown: str) -> None:
    assert jira_escape(text) == shown


@pytest.mark.parametrize("form", ["markdown", "jira"])
@pytest.mark.parametrize("length", [100_000, 10_000_000])
def test_a_ticket_fits_whatever_it_holds(document: dict[str, Any], form: str, length: int) -> None:
    blocks = ticket(document, document["findings"][0])
    blocks += [Code("SELECT 'é' " * (length // 10), "sql")] * 12 + [Heading("The end")]
    text = write(blocks, form)
    size = len(text) if form == "jira" else len(text.encode("utf-8"))
    assert size <= LIMITS[form]
    assert "more characters in report.json" in text
    assert "The end" in text


@pytest.mark.parametrize("form", ["markdown", "jira"])
def test_blocks_that_do_not_fit_are_counted(document: dict[str, Any], form: str) -> None:
    blocks = ticket(document, document["findings"][0]) + [Code("SELECT 1 " * 50, "sql")] * 1_000
    text = write(blocks, form)
    size = len(text) if form == "jira" else len(text.encode("utf-8"))
    assert LIMITS[form] * 0.9 < size <= LIMITS[form]
    assert re.search(r"[\d,]+ more parts in report\.json\n$", text)
