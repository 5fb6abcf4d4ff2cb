"""The scoreboard's metrics in words: what they were before."""

from typing import Any

from analyzer.report.formats import count, ms, percent, plural

_VALUES = 5
_SHOWN = {"p95": ms, "cache-hit-rate": percent}


def course(metric: dict[str, Any]) -> str:
    """What a metric was in earlier nights: how often it was met, and its last values; "" where no history was asked."""
    trend = metric.get("trend")
    if trend is None:
        return ""
    if not trend:
        return "the first night"
    met = sum(1 for one in trend if one["verdict"] == "met")
    said = f"met in {met} of {plural(len(trend), 'night')}, {trend[-1]['verdict']} in the last"
    shown = _SHOWN.get(metric["id"], count)
    values = [shown(one["value"]) for one in trend[-_VALUES:] if one.get("value") is not None]
    return f"{said} ({', '.join(values)})" if len(values) > 1 else said
