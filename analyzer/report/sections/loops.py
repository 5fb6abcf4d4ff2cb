"""N+1 trees: each nest of loops as one tree with its counts, and one occurrence over time."""

from collections.abc import Sequence
from typing import Any

from analyzer.report.formats import count, spread
from analyzer.report.sections._base import Section, StatementLinks
from analyzer.report.timeline_chart import timeline
from analyzer.report.values import Document
from analyzer.report.wording import open_findings, saves

TREE = frozenset({"parent_sql", "child_sql", "parent_shape_id", "child_shape_id"})
_SHOWN = 40
_DEEPEST, _BROADEST = 5, 12  # levels of a nest, and loops within one, that are shown
_DRAWN = 2  # timelines of a tree
_TREES_DRAWN = 4
_SCOPES = {
    "trace": "within one trace",
    "transaction": "within one transaction",
    "session": "within one session",
    "cross-session": "over several sessions at once",
    "statistics": "as the counters suggest",
}
Loop = dict[str, Any]  # a finding whose evidence has a parent and a child


def prepare(document: Document) -> dict[str, Any] | None:
    """A tree for each outermost parent; None without an N+1."""
    loops = [one for one in open_findings(document) if one["evidence"].keys() >= TREE]
    if not loops:
        return None
    links = StatementLinks(document)
    tops = outermost(loops)
    trees = [
        _tree(own, loops, links, _DRAWN if place < _TREES_DRAWN else 0)
        for place, own in enumerate(tops)
    ]
    return {
        "count": len(loops),
        "trees": trees[:_SHOWN],
        "hidden": max(0, len(trees) - _SHOWN),
    }


def outermost(loops: Sequence[Loop]) -> list[list[Loop]]:
    """Loops of each parent that no other loop runs; where all run in a circle, of every parent."""
    children = {
        one["evidence"]["child_shape_id"]
        for one in loops
        if one["evidence"]["child_shape_id"] != one["evidence"]["parent_shape_id"]
    }
    tops = [one for one in loops if one["evidence"]["parent_shape_id"] not in children]
    by_parent: dict[str, list[Loop]] = {}
    for one in tops or loops:
        by_parent.setdefault(one["evidence"]["parent_shape_id"], []).append(one)
    return list(by_parent.values())


def _tree(
    own: Sequence[Loop], loops: Sequence[Loop], links: StatementLinks, drawn: int
) -> dict[str, Any]:
    first = own[0]["evidence"]
    below = [_level(one, loops, links, [one]) for one in own[:_BROADEST]]
    return {
        "id": f"n-{own[0]['key']}",
        "parent": links.link(first["parent_shape_id"], first["parent_sql"]),
        "below": below,
        "more": max(0, len(own) - _BROADEST),
        "levels": _depth(below),
        "times": first.get("occurrences"),
        "where": _SCOPES.get(str(first.get("scope")), ""),
        "wall_ms": first.get("wall_ms"),
        "drawings": [
            {"chart": chart, "key": one["key"], "name": _name(one)}
            for one in own[:drawn]
            if (chart := timeline(one["evidence"].get("timeline")))
        ],
    }


def _level(
    one: Loop, loops: Sequence[Loop], links: StatementLinks, way: Sequence[Loop]
) -> dict[str, Any]:
    evidence = one["evidence"]
    inner = [
        other
        for other in loops
        if other["evidence"]["parent_shape_id"] == evidence["child_shape_id"]
        and all(other is not seen for seen in way)
    ]
    deeper = inner[:_BROADEST] if len(way) < _DEEPEST else []
    return {
        "key": one["key"],
        "severity": one["severity"],
        "child": links.link(evidence["child_shape_id"], evidence["child_sql"]),
        "per_parent": spread(evidence.get("children_per_parent")),
        "executions": count(evidence.get("executions")),
        "saves": saves(one["impact"]),
        "below": [_level(other, loops, links, [*way, other]) for other in deeper],
    }


def _depth(levels: Sequence[dict[str, Any]]) -> int:
    return max((1 + _depth(one["below"]) for one in levels), default=0)


def _name(one: Loop) -> str:
    evidence = one["evidence"]
    return f"{evidence.get('parent_table') or 'parent'} → {evidence.get('child_table') or 'child'}"


SECTION = Section("loops", "N+1 trees", "sections/loops.html.j2", prepare)
