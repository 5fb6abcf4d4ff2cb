"""The time of day: P95 by hour against the target."""

from typing import Any

from analyzer.report.charts import by_hour
from analyzer.report.formats import plural, quantile_name
from analyzer.report.sections._base import Section
from analyzer.report.values import Document

_SHOWN = 24 * 14


def prepare(document: Document) -> dict[str, Any] | None:
    """The last two weeks of hours; None where the input spans less than two."""
    hours = document["hours"][-_SHOWN:]
    target = document["target"]
    chart = by_hour(hours, target["ms"])
    if chart is None:
        return None
    name = quantile_name(target["quantile"])
    sentence = (
        f"{name} was over the target in {chart['over']} of {plural(chart['hours'], 'hour')}."
        if chart["over"]
        else f"{name} was under the target in every one of {chart['hours']} hours."
    )
    return {
        "chart": chart,
        "hours": hours,
        "sentence": sentence,
        "quantile": name,
        "target_ms": target["ms"],
    }


SECTION = Section("hours", "Time of day", "sections/hours.html.j2", prepare)
