"""Hostile texts in every field of every view, as what shows it understands it: a terminal, a Markdown parser."""

import json
import re
from collections.abc import Callable, Sequence
from typing import Any

import pytest
from markdown_it import MarkdownIt
from rich.console import RenderableType
from rich.text import Text

from analyzer.report.document import dump, load
from analyzer.report.json_text import json_text
from analyzer.report.tickets.content import ticket
from analyzer.report.tickets.markup import write
from analyzer.report.views import focused, jobs, markdown, scoreboard, table, tables
from analyzer.report.views._terminal import to_text

HOSTILE = (
    "\x1b[2J\x1b]0;title\x07\x1bP+q\x1b\\\x9b31m\x9d8;;https://evil.example\x9c\x07",
    "\u202e\u2066evil\u2069\u200f\ufeff\x00\x7f\r\b",
    "[bold red]rich[/bold red] :smile: [link=https://evil.example]x[/link]",
    "<script>alert(1)</script><img src=x onerror=alert(1)><!-- --> <details>",
    "\n# h\n\n- l\n\n```\n~~~\n[a](javascript:alert(1)) ![i](//evil.example) <https://evil.example>\n\n---\n",
    "a | b `c` ``d`` *e* _f_ ~g~ [h] \\ &lt; https://evil.example @everyone #1",
    "宽字符 🛒 e\u0301 שלום",
)
CONTROL = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069\ufeff\ud800-\udfff]"
)
WIDTHS = (40, 80, 200)
Spoil = Callable[[Any, str], Any]


def shown(document: dict[str, Any], width: int) -> dict[str, Sequence[RenderableType]]:
    """What the commands with one subject print."""
    return {
        "top": focused.top(document, width, by="total", limit=20),
        "nplusone": focused.findings(document, width, "none"),
        "plans": focused.plans(document, width),
        "indexes": focused.indexes(document, width),
        "tables": tables.terminal_lines(document, width),
        "jobs": jobs.show(document, width),
        "scoreboard": scoreboard.show(document["scoreboard"], width),
        "report": [Text(table.render(document, width))],
    }


@pytest.fixture(params=HOSTILE, ids=range(len(HOSTILE)))
def hostile(
    request: pytest.FixtureRequest, remembered: dict[str, Any], spoil: Spoil
) -> dict[str, Any]:
    """The shop's report with a hostile text before every text in it."""
    # What a view sorts or looks up by has to be what it is; a report that says otherwise is refused or shown bare.
    spoiled = load(dump(spoil(remembered, request.param)))
    for one, was in zip(spoiled["statements"], remembered["statements"], strict=True):
        one["role"] = was["role"]
    for one, was in zip(spoiled["findings"], remembered["findings"], strict=True):
        one["status"] = was["status"]
    for one, was in zip(spoiled["indexes"]["drop"], remembered["indexes"]["drop"], strict=True):
        one["action"] = was["action"]
    return spoiled


@pytest.mark.parametrize("width", WIDTHS)
def test_terminals_get_lines_that_fit_and_no_power(hostile: dict[str, Any], width: int) -> None:
    for name, parts in shown(hostile, width).items():
        text = to_text(parts, width, colour=False)
        found = CONTROL.search(text)
        assert found is None, (name, found)
        assert text.strip()
        for line in text.splitlines():
            assert len(line) <= width, (name, line)


@pytest.mark.parametrize("width", WIDTHS)
def test_tables_fit_without_losing_their_figures(remembered: dict[str, Any], width: int) -> None:
    document = remembered
    for name, parts in shown(document, width).items():
        lines = to_text(parts, width, colour=False).splitlines()
        assert max(len(line) for line in lines) <= width, name
    top = to_text(shown(document, width)["top"], width, colour=False)
    for statement in document["statements"][:3]:
        if statement["role"] == "workload":
            assert f"q-{statement['shape_id']}"[:8] in top.replace("\n", "")
    assert "P95" in top


def test_colours_are_the_only_sequences(hostile: dict[str, Any]) -> None:
    for parts in shown(hostile, 80).values():
        text = to_text(parts, 80, colour=True)
        assert CONTROL.search(re.sub(r"\x1b\[[\d;]*m", "", text)) is None


def assert_plain(text: str) -> None:
    """Nothing of the text is HTML, a link or a picture, but pg95's own folding."""
    parser = MarkdownIt("commonmark", {"html": True}).enable("table")
    for block in parser.parse(text):
        if block.type == "html_block":
            lines = re.sub(r"</?(?:details|summary)>", "", block.content)
            assert "<" not in lines, block.content
        for token in block.children or ():
            assert token.type not in ("html_inline", "link_open", "image", "autolink"), token


def test_markdown_means_nothing_else_to_a_parser(hostile: dict[str, Any]) -> None:
    assert_plain(markdown.render(hostile))
    assert_plain(tables.markdown_text(hostile))
    for finding in hostile["findings"]:
        assert_plain(write(ticket(hostile, finding), "markdown"))


def test_fences_close_where_they_should(
    hostile: dict[str, Any], remembered: dict[str, Any]
) -> None:
    def blocks(text: str) -> list[str]:
        parser = MarkdownIt("commonmark")
        return [one.info for one in parser.parse(text) if one.type == "fence"]

    assert len(blocks(markdown.render(hostile))) == len(blocks(markdown.render(remembered)))


def test_json_has_no_power_over_a_terminal(hostile: dict[str, Any]) -> None:
    text = dump(hostile)
    assert CONTROL.search(text) is None
    assert load(text) == hostile
    assert json.loads(json_text({"a": "\x9b\u202e"})) == {"a": "\x9b\u202e"}


def test_5_000_statements_and_one_of_200_kb_fit_a_comment(
    document_of: Callable[[str], dict[str, Any]],
) -> None:
    document = document_of("many")
    document["statements"][0]["sql"] = "SELECT '" + "x" * 200_000 + "'"
    text = markdown.render(document)
    assert len(text.encode()) <= 64 * 1024
    assert "4,980 more statements" in text
    assert document["statements"][1]["sql"][:40] in text  # the long one leaves room for the others
