"""Findings: what is wrong, the fix to copy, and the evidence folded underneath."""

from collections.abc import Sequence
from typing import Any

from analyzer.report.formats import NOTHING, count, is_number, ms, one_line, percent, spread
from analyzer.report.layout import Shown, display
from analyzer.report.sections._base import Section, StatementLinks
from analyzer.report.values import Document
from analyzer.report.wording import (
    VERIFIED,
    acceptance,
    acknowledged,
    open_findings,
    saves,
    saving_detail,
)

_SHOWN = 100
_CODE = 6_000
_TREE_CODE = 2_000
_EXAMPLES = 5
_DEEPEST, _BROADEST = 5, 3  # levels of a nest, and loops within one, that are shown
_TREE = frozenset({"parent_sql", "child_sql", "parent_shape_id", "child_shape_id"})
_LONG = frozenset(
    {
        "reasons",
        "examples",
        "sql",
        "rewritten_sql",
        "filter",
        "condition",
        "conditions",
        "consequences",
    }
)
_SCOPES = {
    "trace": "within one trace",
    "transaction": "within one transaction",
    "session": "within one session",
    "cross-session": "over several sessions at once",
    "statistics": "as the counters suggest",
}
_LABELS = {
    "wall_ms": "elapsed, typically",
    "self_ms": "own time",
    "share": "share of the plan",
    "cost_ms": "costs",
    "time_share": "share of all time",
}
_NAMES = frozenset(
    {"child", "parent", "child_tables", "plan_key", "node_id", "shape_id", "page_shape_id"}
)
_SHARES = frozenset({"share", "kept_ratio", "running_share", "time_share"})


def prepare(document: Document) -> dict[str, Any] | None:
    """Every finding with its tree, fixes and evidence; None where nothing was found."""
    findings, accepted = open_findings(document), acknowledged(document)
    if not findings and not accepted:
        return None
    links = StatementLinks(document)
    loops = [one["evidence"] for one in findings if one["evidence"].keys() >= _TREE]
    cards = [_card(finding, links, loops) for finding in findings[:_SHOWN]]
    return {
        "count": len(findings),
        "cards": cards,
        "hidden": max(0, len(findings) - _SHOWN),
        "accepted": accepted[:_SHOWN],
        "accepted_count": len(accepted),
    }


def _card(
    finding: dict[str, Any], links: StatementLinks, loops: Sequence[dict[str, Any]]
) -> dict[str, Any]:
    evidence = finding["evidence"]
    sql = evidence.get("sql")
    return {
        "f": finding,
        "expired": acceptance(finding) if finding.get("acknowledged") else None,
        "saves": saves(finding["impact"]),
        "saving": saving_detail(finding["impact"]),
        "tree": tree(evidence, links, loops),
        "statements": [
            ref for ref in (links.link(shape) for shape in finding["shape_ids"][:4]) if ref
        ],
        "fixes": [_fix(advice) for advice in finding["recommendations"]],
        "sql": display(sql, _CODE) if isinstance(sql, str) else None,
        "filter": evidence.get("filter") or evidence.get("condition"),
        "filter_name": "Condition" if evidence.get("condition") else "Filter",
        "reasons": evidence.get("reasons") or [],
        "examples": (evidence.get("examples") or [])[:_EXAMPLES],
        "figures": figures(evidence),
    }


def tree(
    evidence: dict[str, Any], links: StatementLinks, loops: Sequence[dict[str, Any]]
) -> dict[str, Any] | None:
    """Parent and children of an N+1 with their counts, None for other evidence.

    Of a nest of loops it is one tree: all levels above the finding's, and below.
    """
    if not evidence.keys() >= _TREE:
        return None
    top, levels = _nest(evidence, loops)
    return {
        "parent": links.link(top["parent_shape_id"], top["parent_sql"]),
        "below": [_level(one, links, below) for one, below in levels],
        "levels": _depth(levels),
        "times": evidence.get("occurrences"),
        "wall_ms": evidence.get("wall_ms"),
        "where": _SCOPES.get(str(evidence.get("scope")), ""),
        "parent_sql": display(evidence["parent_sql"], _TREE_CODE),
        "child_sql": display(evidence["child_sql"], _TREE_CODE),
    }


# A loop's evidence and the loops within it.
_Levels = list[tuple[dict[str, Any], "_Levels"]]


def _nest(
    evidence: dict[str, Any], loops: Sequence[dict[str, Any]]
) -> tuple[dict[str, Any], _Levels]:
    """The outermost loop that an N+1 is in, and the way down to it and to all that is within it."""
    way = [evidence]
    while len(way) < _DEEPEST:
        inner = way[0]["parent_shape_id"]
        above = [one for one in loops if one["child_shape_id"] == inner and one not in way]
        if not above:
            break
        way.insert(0, above[0])
    levels = [(evidence, _within(evidence, loops, way))]
    for one in reversed(way[:-1]):
        levels = [(one, levels)]
    return way[0], levels


def _within(
    evidence: dict[str, Any], loops: Sequence[dict[str, Any]], seen: Sequence[dict[str, Any]]
) -> _Levels:
    if len(seen) >= _DEEPEST:
        return []
    outer = evidence["child_shape_id"]
    below = [one for one in loops if one["parent_shape_id"] == outer and one not in seen]
    return [(one, _within(one, loops, [*seen, one])) for one in below[:_BROADEST]]


def _level(evidence: dict[str, Any], links: StatementLinks, below: _Levels) -> dict[str, Any]:
    return {
        "child": links.link(evidence["child_shape_id"], evidence["child_sql"]),
        "per_parent": spread(evidence.get("children_per_parent")),
        "below": [_level(one, links, inner) for one, inner in below],
    }


def _depth(levels: _Levels) -> int:
    return max((1 + _depth(below) for _, below in levels), default=0)


def figures(evidence: dict[str, Any]) -> list[tuple[str, str]]:
    """The evidence's short fields as (name, text), in their own order, whatever detector it is.

    Identifiers that only report.json's readers follow are left out.
    """
    own = evidence.get("figures")  # of a finding in a plan: those that its kind adds
    known = {**evidence, **own} if isinstance(own, dict) else evidence
    return [
        (_LABELS.get(name) or name.removesuffix("_ms").replace("_", " "), _figure(name, value))
        for name, value in known.items()
        if name not in _LONG | _TREE | _NAMES | {"figures"}
        and value is not False
        and value not in (None, "", [])
    ]


def _figure(name: str, value: object) -> str:
    if is_number(value):
        shown = ms(value) if name.endswith("_ms") else None
        return shown or (percent(value) if name in _SHARES else count(value))
    if isinstance(value, dict):
        return spread(value)
    if isinstance(value, list):
        return ", ".join(one_line(str(item)) for item in value)
    return NOTHING if value is None else one_line(str(value))


def _fix(advice: dict[str, Any]) -> dict[str, Any]:
    code: Shown = display(advice["text"], _CODE, advice["language"])
    return {
        "a": advice,
        "code": code,
        "verified": VERIFIED.get(advice["verified_by"], advice["verified_by"]),
        "effect": [
            (str(name).removesuffix("_ms").replace("_", " "), _figure(str(name), value))
            for name, value in advice["effect"].items()
            if value is not None
        ],
    }


SECTION = Section("findings", "Findings", "sections/findings.html.j2", prepare)
