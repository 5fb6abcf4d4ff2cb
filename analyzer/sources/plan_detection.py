"""Which of EXPLAIN's formats a text is in."""

import re

from analyzer.patterns import regex

PLAN_KEY = regex(rb'(?:"|&quot;)Plan(?:""?|&quot;)\s*:\s*\{')
_XML_PLAN = regex(rb"<explain\b[^>]{0,200}>|postgresql\.org/2009/explain")
_YAML_PLAN = regex(  # psql begins it by the column's name (expanded), or as a cell (HTML)
    rb'^(?:[ \t]{0,9}(?:QUERY PLAN|<td[^>\n]{0,60}>))?(?:[ \t]|["|>]|\xe2\x94\x82){0,40}'
    rb'-?[ ]{0,4}Plan:[ ]*(?:[+|"\r]|<br|\xe2(?:\x86\xb5|\x94\x82)|$)',
    re.MULTILINE,
)
_TEXT_PLAN = regex(rb"\((?:cost=\d[\d.]{0,30}\.\.\d|actual (?:time|rows)=\d)")
# Without costs: a known node on a table, or with details or nodes below it.
_BARE_PLAN = regex(
    rb"\A(?:\s{0,99}QUERY PLAN\s{0,99}\n[-\s]{0,999}\n\s{0,9}|\s{0,99})"
    rb"(?:(?:(?:[A-Z][a-z]{1,12} ){1,4}Scan|Insert|Update|Delete|Merge) (?:Backward )?(?:using \S{1,130} )?on \S[^\n]{0,200}"
    rb"|[A-Z]\w{2,20}(?: [A-Z][a-z]{1,10}){0,4}\s{0,9}\n\s{1,9}(?:->  [A-Z]|[A-Z][A-Za-z ]{2,30}: ))"
)


def plan_format(head: bytes, *, defines_tables: bool) -> tuple[str, str] | None:
    """The format of the plan that a text begins with or holds (json, text …), and how that shows.

    `defines_tables` tells that SQL in it does: then costs in it are no plan's.
    """
    if PLAN_KEY.search(head):
        return "json", 'it has a "Plan" key'
    if _XML_PLAN.search(head):
        return "xml", "it has EXPLAIN's XML element"
    if _YAML_PLAN.search(head) and b"Node Type:" in head:
        return "yaml", "it has a Plan key and a Node Type"
    if _TEXT_PLAN.search(head) and not defines_tables:
        return "text", "its lines have a plan's costs or actual rows"
    if _BARE_PLAN.match(head):
        return "text", "it begins as a plan without costs does"
    return None
