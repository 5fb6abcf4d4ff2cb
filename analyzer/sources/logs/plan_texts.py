"""Plans in log entries: how they are written, and the statement they are of."""

import json
import re

from analyzer.patterns import regex

_YAML_PLAN = regex(r"^(?:- )?Plan: *$", re.MULTILINE)
# auto_explain puts the statement first, in each format in its own quoting.
_JSON_STATEMENT = regex(r'"?Query Text"?: "([^"\\]*+(?:\\.[^"\\]*+)*)"', re.DOTALL)
_QUERY_TEXT = "Query Text: "
_BEHIND_STATEMENT = regex(r"\n(?=[^\n]{1,500}\(cost=|Query Parameters: )")
_XML_STATEMENT = regex(r"<Query-Text>([^<]*+)</Query-Text>")
_SEARCHED = 1 << 20  # characters
_JSON_STRING = json.JSONDecoder(strict=False).decode


def plan_format(text: str) -> str:
    """How an EXPLAIN output is written: json, xml, yaml or text."""
    start = text[:256].lstrip()
    if start.startswith(("{", "[")):
        return "json"
    if start.startswith("<"):
        return "xml"
    if "Node Type:" in text and _YAML_PLAN.search(text):
        return "yaml"
    return "text"


def statement_of(text: str, form: str) -> str | None:
    """The statement that a plan in the format `form` says it is of, None where it says none."""
    if form == "xml":
        from html import unescape  # noqa: PLC0415 - its table of entities takes 2 ms, and few plans are XML

        found = _XML_STATEMENT.search(text, 0, _SEARCHED)
        return unescape(found[1]) if found else None
    if form == "text":
        start = text.find(_QUERY_TEXT, 0, _SEARCHED)
        found = _BEHIND_STATEMENT.search(text, start, _SEARCHED) if start >= 0 else None
        return text[start + len(_QUERY_TEXT) : found.start()] if found else None
    found = _JSON_STATEMENT.search(text, 0, _SEARCHED)
    if found is None:
        return None
    if "\\" not in found[1]:
        return found[1]
    try:
        return str(_JSON_STRING(f'"{found[1]}"'))
    except ValueError:
        return None
