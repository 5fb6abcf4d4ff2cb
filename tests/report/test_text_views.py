"""Markdown, CSV and the terminal: limits kept, hostile texts without power."""

import csv
import io
import re
from collections.abc import Callable
from typing import Any

import pytest

from analyzer.report.document import dump, load
from analyzer.report.formats import neutralise
from analyzer.report.views import csv as csv_view
from analyzer.report.views import markdown, table

# What tests/report/conftest.py makes; a conftest cannot be imported.
Facts = Any
Json = Any

HOSTILE = (
    "<script>alert(1)</script>",
    '"><img onerror=alert(1) src=x>',
    "a | b ` c `` d ``` e ~~~ \\| \\` $x$",
    "\n# heading\n- list\n```\n[link](javascript:alert(1)) ![i](https://evil.example)",
    "@everyone https://evil.example www.evil.example",
    "\x1b[31mred\x1b]8;;https://evil.example\x07\x9b2J\x00\r",
    "\u202eevil\u2066",
    "=cmd|' /C calc'!A0",
    "\t@SUM(1)",
    "[bold red]rich[/bold red][link=x]:smile:",
    "\udcff\ud800",
    "x" * 200_000,
)
CONTROL = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ud800-\udfff]")


@pytest.fixture(params=HOSTILE, ids=range(len(HOSTILE)))
def spoiled(
    request: pytest.FixtureRequest,
    remembered: dict[str, Any],
    spoil: Callable[[Json, str], Json],
) -> dict[str, Any]:
    """The shop's report with every text in it made hostile."""
    return load(dump(spoil(remembered, request.param)))


def outside_code(text: str) -> str:
    """Markdown without its fenced blocks and inline code, as CommonMark delimits them."""
    text = re.sub(r"^(`{3,})[^`\n]*\n.*?^\1`*[ ]*$", "", text, flags=re.DOTALL | re.MULTILINE)
    return re.sub(r"(?<![`\\])(`+)(?!`).+?(?<!`)\1(?!`)", "", text)


def test_markdown_is_neutral(spoiled: dict[str, Any]) -> None:
    text = markdown.render(spoiled)
    assert len(text.encode("utf-8")) <= 64 * 1024
    assert not CONTROL.search(text)
    prose = outside_code(text)
    assert not re.search(r"<[a-zA-Z/!]", prose)
    assert not re.search(r"(?<!\\)(?:\\\\)*[`\[~]", prose)
    assert "://" not in prose
    assert not re.search(r"@\w|www\.", prose)
    headings = [line for line in prose.splitlines() if line.startswith("#")]
    assert all(re.match(r"#{1,3} \S", line) for line in headings)
    assert sum(line.startswith("# ") for line in headings) == 1


def test_markdown_tables_keep_their_columns(spoiled: dict[str, Any]) -> None:
    for rows in re.findall(r"(?:^\|.*\n)+", markdown.render(spoiled), flags=re.MULTILINE):
        cells = [len(re.findall(r"(?<!\\)\|", row)) for row in rows.splitlines()]
        assert len(set(cells)) == 1, rows


@pytest.mark.parametrize("text", ["", "`", "``a``", "`` ` ```", "plain"])
def test_markdown_fences_are_longer_than_what_they_hold(text: str) -> None:
    inline = markdown.code(text)
    fence = re.match(r"`+", inline)
    assert fence
    assert fence[0] not in re.findall("`+", inline[len(fence[0]) : -len(fence[0])])
    block = markdown.block(f"```\n{text}", "sql")
    opening = re.match(r"`+", block)
    assert opening
    assert len(opening[0]) >= 4
    assert block.count(opening[0]) == 2


def test_markdown_fits_whatever_there_is(facts: Facts) -> None:
    many = [f for f in facts.findings for _ in range(200)]
    facts.findings = many
    text = markdown.render(facts.build())
    assert 50_000 < len(text.encode("utf-8")) <= 64 * 1024
    assert re.search(r"\d+ more findings in report\.json", text)
    assert "## Coverage" in text


def test_markdown_fits_where_every_part_is_long(remembered: dict[str, Any]) -> None:
    long = "a text of an input " * 40
    remembered["coverage"]["warnings"] = [long] * 50
    remembered["scoreboard"]["warnings"] = [long] * 50
    remembered["jobs"] = [{**remembered["jobs"][0], "route": f"{n} {long}"} for n in range(50)]
    remembered["statements"] = [
        {**remembered["statements"][0], "sql": f"SELECT {long}"} for _ in range(50)
    ]
    create = remembered["indexes"]["create"][0]
    remembered["indexes"]["create"] = [{**create, "risk": long, "rule": long}] * 50
    finding = remembered["findings"][0]
    taken = {
        **finding,
        "status": "acknowledged",
        "acknowledged": {"reason": long, "ticket": None, "until": None},
    }
    remembered["findings"] = [{**finding, "key": f"{n}"} for n in range(80)] + [taken] * 80
    text = markdown.render(remembered)
    assert 60_000 < len(text.encode("utf-8")) <= 64 * 1024
    headings = re.findall(r"^## (.*)$", text, re.MULTILINE)
    assert headings[-5:] == ["Indexes", "Statements by total time", "Jobs", "Promises", "Coverage"]
    assert len(re.findall("^### ", text, re.MULTILINE)) > 3


def test_markdown_truncates_statements(document_of: Callable[[str], dict[str, Any]]) -> None:
    assert "4,980 more statements" in markdown.render(document_of("many"))


def rows_of(document: dict[str, Any]) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(csv_view.render(document))))


def test_csv_has_a_row_for_each_statement(document: dict[str, Any]) -> None:
    rows = rows_of(document)
    assert [row["shape_id"] for row in rows] == [s["shape_id"] for s in document["statements"]]
    assert float(rows[0]["total_ms"]) == document["statements"][0]["total_ms"]
    assert rows[0]["rows"] == ""


def test_csv_cells_are_no_formulas(spoiled: dict[str, Any]) -> None:
    for row in rows_of(spoiled):
        for cell in row.values():
            assert not cell.lstrip().startswith(("=", "+", "-", "@", "|", "%"))
            assert len(cell) < 32_767
            assert "\n" not in cell
            assert not CONTROL.search(cell)


@pytest.mark.parametrize("width", [40, 80, 100, 200])
def test_table_is_as_wide_as_told_and_neutral(spoiled: dict[str, Any], width: int) -> None:
    text = table.render(spoiled, width)
    assert not CONTROL.search(text)
    assert max(len(line) for line in text.splitlines()) <= width


def test_table_shows_markup_as_text(document: dict[str, Any]) -> None:
    document["findings"][0]["title"] = "[bold]t[/bold] :smile:"
    assert "[bold]t[/bold] :smile:" in table.render(document, 120)


def test_colour_only_on_demand(document: dict[str, Any]) -> None:
    assert "\x1b" not in table.render(document, 100)
    coloured = table.render(document, 100, colour=True)
    assert "\x1b[" in coloured
    assert re.sub(r"\x1b\[[\d;]*m", "", coloured).split() == table.render(document, 100).split()


def test_table_ignores_the_environment(
    document: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    plain = table.render(document, 100)
    for name, value in (("COLUMNS", "20"), ("FORCE_COLOR", "1"), ("TERM", "dumb")):
        monkeypatch.setenv(name, value)
    assert table.render(document, 100) == plain


def test_neutralise_keeps_letters_and_lines() -> None:
    assert neutralise("שלום 🛒 é\n\tx") == "שלום 🛒 é\n\tx"
    assert neutralise("\x1b[0m\x7f\x9b\u202e") == "␛[0m␡\\x9b\\u202e"
