"""The cache beside the database: its hit rate against the target, and which statements to keep in it."""

from typing import Any

from analyzer.report.formats import one_line
from analyzer.report.sections._base import Section, StatementLinks
from analyzer.report.values import Document
from analyzer.report.views.cache import candidates_line, chosen, details, headline

_USES = 20
_CANDIDATES = 20


def prepare(document: Document) -> dict[str, Any] | None:
    """The figures and candidates; None where nothing was asked about a cache."""
    cache = document.get("cache")
    if not cache:
        return None
    links, measured = StatementLinks(document), cache["hit_rate"]
    found = cache["candidates"]
    return {
        "count": len(found),
        "headline": headline(measured),
        "note": measured["note"],
        "of": "Route" if measured["method"] == "endpoints" else "Prefix",
        "uses": measured["uses"][:_USES],
        "more_uses": max(0, len(measured["uses"]) - _USES),
        "candidates_line": candidates_line(cache),
        "candidates": [
            {
                "ref": links.link(one["shape_id"]),
                "chosen": chosen(one),
                "details": [one_line(line) for line in details(one)],
                "code": {"text": one["code"].rstrip(), "hidden": 0},
                "language": one["language"],
            }
            for one in found[:_CANDIDATES]
        ],
        "hidden": max(0, len(found) - _CANDIDATES),
    }


SECTION = Section("cache", "Cache", "sections/cache.html.j2", prepare)
