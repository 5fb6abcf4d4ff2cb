"""What the history says: the P95 day by day, statements that got slower or faster, what is gone."""

from typing import Any

from analyzer.report import charts
from analyzer.report.formats import plural, quantile_name
from analyzer.report.sections._base import Section, StatementLinks
from analyzer.report.values import Document
from analyzer.report.wording import gone

_DAYS = 90
_SHOWN = 50


def prepare(document: Document) -> dict[str, Any] | None:
    """The trend, changes and findings that are gone; None where no history was at hand."""
    days, changes = document["trend"][-_DAYS:], document.get("changes") or []
    left = gone(document)
    if not days and not changes and not left:
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
        "gone": left[:_SHOWN],
        "gone_hidden": max(0, len(left) - _SHOWN),
    }


def _sentence(name: str, chart: dict[str, Any] | None) -> str:
    if chart is None:
        return "The history has too few days for a trend yet."
    days = plural(chart["days"], "day")
    if chart["over"]:
        return f"{name} was over the target on {chart['over']} of {days}."
    return f"{name} was within the target on every one of {days}."


SECTION = Section("trend", "Trend", "sections/trend.html.j2", prepare)
