"""Findings: what is wrong, the fix to copy, and the evidence folded underneath."""

from collections.abc import Sequence
from typing import Any

from analyzer.report.formats import NOTHING, count, is_number, ms, one_line, percent, spread
from analyzer.report.layout import Shown, display
from analyzer.report.sections._base import Section, StatementLinks
from analyzer.report.sections.loops import TREE
from analyzer.report.values import Document
from analyzer.report.wording import (
    SEVERITIES,
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
_LONG = frozenset(
    {
        "reasons",
        "examples",
        "timeline",
        "sql",
        "rewritten_sql",
        "filter",
        "condition",
        "conditions",
        "consequences",
    }
)
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
    cards = [_card(finding, links) for finding in findings[:_SHOWN]]
    return {
        "count": len(findings),
        "filters": _filters(findings[:_SHOWN]),
        "cards": cards,
        "hidden": max(0, len(findings) - _SHOWN),
        "accepted": accepted[:_SHOWN],
        "accepted_count": len(accepted),
    }


def _filters(findings: Sequence[dict[str, Any]]) -> list[tuple[str, list[str]]]:
    """What can be chosen by: detector, severity and status, each where it tells findings apart."""
    detectors = sorted({str(one["detector"]) for one in findings})
    severities = [name for name in SEVERITIES if any(one["severity"] == name for one in findings)]
    statuses = sorted({str(one["status"]) for one in findings if one["status"]})
    choices = [("severity", severities), ("detector", detectors), ("status", statuses)]
    return [(name, known) for name, known in choices if len(known) > 1]


def _card(finding: dict[str, Any], links: StatementLinks) -> dict[str, Any]:
    evidence = finding["evidence"]
    sql = evidence.get("sql")
    fixes = [_fix(advice) for advice in finding["recommendations"]]
    return {
        "f": finding,
        "expired": acceptance(finding) if finding.get("acknowledged") else None,
        "saves": saves(finding["impact"]),
        "saving": saving_detail(finding["impact"]),
        "loop": _loop(evidence, links),
        "statements": [
            ref for ref in (links.link(shape) for shape in finding["shape_ids"][:4]) if ref
        ],
        "fixes": fixes[:1],
        "others": fixes[1:],
        "sql": _unlinked(sql, evidence.get("shape_id"), links, _CODE),
        "filter": evidence.get("filter") or evidence.get("condition"),
        "filter_name": "Condition" if evidence.get("condition") else "Filter",
        "reasons": evidence.get("reasons") or [],
        "examples": [_example(one) for one in (evidence.get("examples") or [])[:_EXAMPLES]],
        "figures": figures(evidence),
    }


def _example(example: dict[str, Any]) -> dict[str, Any]:
    """An execution; `tells` says whether its parameters are more than a placeholder each."""
    return {**example, "tells": any(one != "?" for one in example["parameters"])}


def _loop(evidence: dict[str, Any], links: StatementLinks) -> dict[str, Any] | None:
    """The texts of an N+1's parent and child as far as no link leads to them; None for other evidence."""
    if not evidence.keys() >= TREE:
        return None
    return {
        f"{name}_sql": _unlinked(
            evidence[f"{name}_sql"], evidence[f"{name}_shape_id"], links, _TREE_CODE
        )
        for name in ("parent", "child")
    }


def _unlinked(sql: object, shape_id: object, links: StatementLinks, limit: int) -> Shown | None:
    """A statement's text, unless the page has it where the finding's links lead."""
    return None if links.has_text(shape_id) or not isinstance(sql, str) else display(sql, limit)


def figures(evidence: dict[str, Any]) -> list[tuple[str, str]]:
    """The evidence's short fields as (name, text), in their own order, whatever detector it is.

    Identifiers that only report.json's readers follow are left out.
    """
    own = evidence.get("figures")  # of a finding in a plan: those that its kind adds
    known = {**evidence, **own} if isinstance(own, dict) else evidence
    return [
        (_LABELS.get(name) or name.removesuffix("_ms").replace("_", " "), _figure(name, value))
        for name, value in known.items()
        if name not in _LONG | TREE | _NAMES | {"figures"}
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
