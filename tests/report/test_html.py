"""The HTML page: nothing foreign runs or loads, everything is escaped, odd states are designed."""

import base64
import hashlib
import re
from collections.abc import Callable
from html.parser import HTMLParser
from typing import Any

import pytest

from analyzer.report.document import dump, load
from analyzer.report.sections import statements
from analyzer.report.views.html import render
from analyzer.resources import templates_directory

# What tests/report/conftest.py makes; a conftest cannot be imported.
Facts = Any
Json = Any

HOSTILE = (
    "<script>alert(1)</script>",
    '"><img onerror=alert(1) src=https://evil.example/x>',
    "' onclick=alert(1) x='",
    "</style></script><svg onload=alert(1)>",
    "{{7*7}}{% raw %}{#",
    "]]><!--",
    "javascript:alert(1)",
    "\x1b[31mred\x1b]8;;https://evil.example\x07\x9b2J\x00",
    "\u202eevil\u2066",
    "=cmd|' /C calc'!A0",
    "\udcff\ud800",
    "x" * 200_000,
)
TAGS = (
    {"html", "head", "meta", "title", "style", "body", "a", "header", "p", "span"}
    | {"main", "h1", "h2", "h3", "h4", "div", "svg", "line", "rect", "circle"}
    | {"text", "path", "desc", "strong", "ol", "ul", "li", "nav", "section", "figure"}
    | {"figcaption", "article", "details", "summary", "dl", "dt", "dd", "pre", "code", "table"}
    | {"caption", "thead", "tbody", "tr", "th", "td", "label", "input", "br", "footer"}
    | {"script", "bdi", "template", "select", "option", "i", "use", "polyline"}
)


class Page(HTMLParser):
    """What a parser that knows nothing of templates sees."""

    def __init__(self, text: str) -> None:
        super().__init__(convert_charrefs=True)
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.texts: list[str] = []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.texts.append(data)

    def all(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.tags if name == tag]


def spoil(value: Json, hostile: str) -> Json:
    """The document with every text of every field, and every free key, made hostile."""
    if isinstance(value, dict):
        return {
            key: item if key == "schema_version" else spoil(item, hostile)
            for key, item in value.items()
        }
    if isinstance(value, list):
        return [spoil(item, hostile) for item in value]
    return hostile + value if isinstance(value, str) else value


def assert_harmless(text: str) -> Page:
    page = Page(text)
    assert {tag for tag, _ in page.tags} <= TAGS
    assert len(page.all("script")) == len(page.all("style")) == 1
    assert text.count("<script") == text.count("</script") == 1
    for tag, attributes in page.tags:
        for name, value in attributes.items():
            assert not name.startswith("on"), (tag, name)
            assert name not in ("src", "srcset", "style", "action", "formaction", "xlink:href")
            if name == "href":
                assert value is not None
                assert value.startswith("#"), (tag, value)
    assert not re.search("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]", text)
    return page


@pytest.mark.parametrize("hostile", HOSTILE, ids=range(len(HOSTILE)))
def test_hostile_text_in_every_field_stays_text(remembered: dict[str, Any], hostile: str) -> None:
    spoiled = load(dump(spoil(remembered, hostile)))
    page = assert_harmless(render(spoiled))
    shown = "".join(page.texts)
    if hostile == "{{7*7}}{% raw %}{#":
        assert "{{7*7}}" in shown
        assert "49{%" not in shown
    if hostile.startswith("<script"):
        assert shown.count("<script>alert(1)</script>") > 50


def test_states_are_harmless_pages(state_document: dict[str, Any]) -> None:
    assert_harmless(render(state_document))


def test_policy_allows_our_script_and_style_by_hash(document: dict[str, Any]) -> None:
    text = render(document)
    policy = next(
        m["content"] for m in Page(text).all("meta") if m.get("http-equiv") and m["content"]
    )
    assert policy.startswith("default-src 'none'; ")
    assert "unsafe" not in policy
    for tag, rule in (("script", "script-src"), ("style", "style-src")):
        match = re.search(f"<{tag}>(.*?)</{tag}>", text, re.DOTALL)
        assert match
        digest = base64.b64encode(hashlib.sha256(match[1].encode()).digest()).decode()
        assert f"{rule} 'sha256-{digest}'" in policy


def test_ids_are_unique_and_links_lead_somewhere(state_document: dict[str, Any]) -> None:
    page = Page(render(state_document))
    ids = [attributes["id"] for _, attributes in page.tags if "id" in attributes]
    assert len(ids) == len(set(ids))
    for link in page.all("a"):
        assert link["href"]
        assert link["href"][1:] in ids


def test_anchors_of_statements_and_findings(document: dict[str, Any]) -> None:
    ids = {attributes.get("id") for _, attributes in Page(render(document)).tags}
    assert {f"q-{s['shape_id']}" for s in document["statements"]} <= ids
    assert {f"f-{f['key']}" for f in document["findings"]} <= ids


def test_first_screen_says_it_all(document: dict[str, Any]) -> None:
    text = "".join(Page(render(document).split("<nav ")[0]).texts)
    for expected in (
        "MISSED", "Statements and requests miss P95 < 100 ms", "134 ms", "1.44 s", "4,560 executions",
        "exact", "Coverage.", "Index orders by reference and time",
        "Load the authors of all posts at once", "saves about 3.80 s", "3,040 round trips",
    ):  # fmt: skip
        assert expected in text


def test_size_and_cap(document_of: Callable[[str], dict[str, Any]]) -> None:
    known = document_of("many")
    text = render(known)
    assert len(text.encode("utf-8")) <= 2_000_000
    assert text.count('<tr id="q-') == 2_000
    assert "3,000 more statements left out of this page" in text
    known["statements"] = known["statements"][:200]
    assert len(render(known).encode("utf-8")) <= 500_000


def statements_of(document: dict[str, Any]) -> dict[str, Any]:
    made = statements.SECTION.prepare(document)
    assert made is not None
    return made


def test_statements_have_their_days_in_the_table(remembered: dict[str, Any]) -> None:
    drawn, slower, *others = statements_of(remembered)["rows"]
    assert drawn["days"]["days"] == slower["days"]["days"] == 3
    assert [one["days"] for one in others] == [None] * len(others)
    page = render(remembered)
    label = 'role="img" aria-label="P95 of 3 days: 41 ms at first, 43 ms at last, 1 day over the target"'
    assert page.count(f"<svg {label}>") == 2
    remembered["statement_trends"] = remembered["changes"] = []
    assert not statements_of(remembered)["trends"]


def test_a_history_of_200_statements_fits_as_well(
    remembered: dict[str, Any], document_of: Callable[[str], dict[str, Any]]
) -> None:
    remembered["statements"] = document_of("many")["statements"][:200]
    days = [{**remembered["trend"][0], "p95_ms": 10.0 + n} for n in range(90)]
    remembered["statement_trends"] = [
        {"shape_id": one["shape_id"], "target_ms": 100.0, "days": days}
        for one in remembered["statements"][:20]
    ]
    text = render(remembered)
    assert len(text.encode("utf-8")) <= 450_000
    assert text.count("<polyline") == 41


def test_long_statement_is_cut_with_a_note(document_of: Callable[[str], dict[str, Any]]) -> None:
    text = render(document_of("huge_and_foreign"))
    assert len(text.encode("utf-8")) < 120_000
    assert re.search(r"Cut here: 2\d\d,\d{3} more characters in report.json", text)
    assert "\\u202eevil" in text
    assert "<bdi>" in text


@pytest.mark.parametrize(
    ("state", "present", "absent"),
    [
        ("no_findings", ["MET", "Nothing to fix was found", "came back clean"], ['id="findings"']),
        (
            "counters_only",
            ["UNKNOWN", "Counters only", "Not enough in this input", "KeyError", "Slowest"],
            ['id="requests"', 'id="hours"', "d-distribution"],
        ),
        ("plans_only", ["no figure", "Seq Scan", "Do first"], ['id="statements"', 'id="latency"']),
        ("censored", ["at most 530 ms", "are not logged (inferred"], ['id="findings"']),
    ],
)
def test_odd_states_are_designed(
    document_of: Callable[[str], dict[str, Any]], state: str, present: list[str], absent: list[str]
) -> None:
    text = render(document_of(state))
    for expected in present:
        assert expected in text
    for unexpected in absent:
        assert unexpected not in text


def test_unredacted_page_says_so(facts: Facts) -> None:
    assert "Not redacted" not in render(facts.build())
    facts.redact = "off"
    text = render(facts.build())
    assert "Not redacted." in text
    assert "s3cret" in text


def themes() -> dict[str, dict[str, str]]:
    css = (templates_directory() / "style.css").read_text(encoding="utf-8")
    light, dark = re.findall(r":root \{(.*?)\}", css, re.DOTALL)[:2]
    return {
        name: dict(re.findall(r"--([\w-]+): (#[0-9a-f]{6})", body))
        for name, body in (("light", light), ("dark", dark))
    }


def luminance(colour: str) -> float:
    channels = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one: str, other: str) -> float:
    high, low = sorted((luminance(one), luminance(other)), reverse=True)
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_colours_have_the_contrast_of_wcag_aa(theme: str) -> None:
    colours = themes()[theme]
    text = [(ink, ground) for ink in ("ink", "muted", "link", "bad", "warn", "good")
            for ground in ("bg", "panel")]  # fmt: skip
    text += [("bad", "bad-bg"), ("warn", "warn-bg"), ("good", "good-bg"), ("ink", "calm-bg")]
    text += [("ink", "code"), ("muted", "bad-bg"), ("ink", "bad-bg"), ("ink", "warn-bg")]
    text += [("muted", "warn-bg"), ("link", "code")]
    for ink, ground in text:
        assert contrast(colours[ink], colours[ground]) >= 4.5, (ink, ground)
    for shape in ("bar", "over"):
        assert contrast(colours[shape], colours["panel"]) >= 3, shape
