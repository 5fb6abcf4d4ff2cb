"""What the history says: the P95 day by day, statements that got slower or faster, what is gone."""

from typing import Any

from analyzer.report import charts
from analyzer.report.formats import plural, quantile_name
from analyzer.report.sections._base import Section, StatementLinks
from analyzer.report.values import Document
from analyzer.report.wording import gone

_DAYS = 90
_SHOWN = 50
_FINDINGS = 5  # of one statement


def prepare(document: Document) -> dict[str, Any] | None:
    """The trend, changes and findings that are gone; None where no history was at hand."""
    days, changes = document["trend"][-_DAYS:], document.get("changes") or []
    left, statements = gone(document), _statements(document)
    if not days and not changes and not left and not statements:
        return None
    target = document["target"]
    name = quantile_name(target["quantile"])
    chart = charts.trend(days, target["ms"])
    links = StatementLinks(document)
    return {
        "chart": chart,
        "days": days,
        "quantile": name,
        "sentence": _sentence(name, chart),
        "changes": [
            {**one, "statement": links.link(one["shape_id"], one["sql"])}
            for one in changes[:_SHOWN]
        ],
        "changes_hidden": max(0, len(changes) - _SHOWN),
        "statements": statements,
        "gone": left[:_SHOWN],
        "gone_hidden": max(0, len(left) - _SHOWN),
    }


def _statements(document: Document) -> list[dict[str, Any]]:
    """Statements with their days as a small chart, and the findings that are about them."""
    links = StatementLinks(document)
    findings: dict[str, list[str]] = {}
    for finding in (one for one in document["findings"] if one.get("status") != "gone"):
        for shape_id in finding["shape_ids"]:
            findings.setdefault(shape_id, []).append(finding["key"])
    rows = []
    for one in document.get("statement_trends") or []:
        chart = charts.small_trend(one["days"], one["target_ms"])
        if chart is not None:
            shape_id = one["shape_id"]
            rows.append(
                {
                    "statement": links.link(shape_id),
                    "chart": chart,
                    "target_ms": one["target_ms"],
                    "findings": findings.get(shape_id, [])[:_FINDINGS],
                }
            )
    return rows


def _sentence(name: str, chart: dict[str, Any] | None) -> str:
    if chart is None:
        return "The history has too few days for a trend yet."
    days = plural(chart["days"], "day")
    if chart["over"]:
        return f"{name} was over the target on {chart['over']} of {days}."
    return f"{name} was within the target on every one of {days}."


SECTION = Section("trend", "Trend", "sections/trend.html.j2", prepare)
