"""Geometry of the inline drawings: from a document's figures to coordinates, nothing random.

Every function gives plain numbers in the units of the drawing's viewBox; templates only draw.
"""

import math
from collections.abc import Mapping, Sequence
from typing import Any

from analyzer.report.formats import count, is_number, moment, ms, percent, plural

WIDTH = 440.0
_PLOT_TOP = 26.0
_PLOT_HEIGHT = 138.0
_FLOOR = _PLOT_TOP + _PLOT_HEIGHT
_ROW = 40.0
_CALLS_HEIGHT, _CALLS_LABEL = 30.0, 14.0
_GAUGE_WIDTH = 200.0
_GAUGE_DECADES = 1.5  # on each side of the target
_FASTEST_MS = 0.001
_LEAST_SPAN = 4.0  # of bounds without a value: a narrow pair is to be seen as well
SPARK_WIDTH, _SPARK_HEIGHT = 144, 36  # half pixels: whole numbers are short
_SPARK_BAR = math.log10(2.0) / 2  # the histograms' buckets: half an octave


def rounded(value: float) -> float:
    """A coordinate with one decimal, never -0.0."""
    return round(value, 1) + 0.0


def distribution(histogram: Mapping[str, Any] | None, target_ms: float) -> dict[str, Any] | None:
    """Bars of a log-scaled latency histogram with the target's line; None without figures."""
    if not histogram or not histogram["counts"]:
        return None
    upper = [float(bound) for bound in histogram["bounds_ms"]]
    edges = [max(float(histogram["lower_ms"]), _FASTEST_MS), *upper]
    counts = [int(number) for number in histogram["counts"]]
    low = math.log10(min(edges[0], target_ms / 2))
    high = math.log10(max(edges[-1], target_ms * 2))

    def across(value_ms: float) -> float:
        return rounded((math.log10(max(value_ms, 1e-6)) - low) / (high - low) * WIDTH)

    tallest, total = max(counts), sum(counts)
    bars = []
    for left, right, number in zip(edges, edges[1:], counts, strict=False):
        height = max(1.5, number / tallest * _PLOT_HEIGHT) if number else 0.0
        bars.append(
            {
                "x": across(left) + 0.5,
                "y": rounded(_FLOOR - height),
                "width": rounded(max(across(right) - across(left) - 1.0, 0.8)),
                "height": rounded(height),
                "over": left >= target_ms * 0.999,
                "title": f"{ms(left)} to {ms(right)}: {plural(number, 'execution')}",
            }
        )
    over = sum(n for left, n in zip(edges, counts, strict=False) if left >= target_ms * 0.999)
    return {
        "width": WIDTH,
        "height": _FLOOR + 30.0,
        "floor": _FLOOR,
        "top": _PLOT_TOP,
        "bars": [bar for bar in bars if bar["height"]],
        "ticks": _decades(low, high, across),
        "target_x": across(target_ms),
        "target_label": ms(target_ms),
        "target_right": across(target_ms) > WIDTH * 0.7,
        "description": (
            f"{plural(total, 'execution')} by duration on a logarithmic scale; "
            f"{count(over)} ({percent(over / total if total else 0)}) in buckets over the target "
            f"of {ms(target_ms)}."
        ),
    }


def _decades(low: float, high: float, across: Any) -> list[dict[str, Any]]:  # noqa: ANN401 - a local function
    first, last = math.ceil(low - 1e-9), math.floor(high + 1e-9)
    step = 1 if last - first <= 6 else 2  # noqa: PLR2004 - as many labels as fit a phone
    ticks = []
    for exponent in range(first, last + 1, step):
        x = across(10.0**exponent)
        anchor = "start" if x < 20 else "end" if x > WIDTH - 20 else "middle"  # noqa: PLR2004 - half a label
        ticks.append({"x": x, "label": _tick(exponent), "anchor": anchor})
    return ticks


def _tick(exponent: int) -> str:
    """A power of ten milliseconds, without the decimals of a measurement."""
    return f"{10.0 ** (exponent - 3):g} s" if exponent >= 3 else f"{10.0**exponent:g} ms"  # noqa: PLR2004 - a second


def ranking(rows: Sequence[Mapping[str, Any]]) -> dict[str, Any] | None:
    """Horizontal bars, one for each row of {label, value, note, anchor}, the largest first."""
    if not rows:
        return None
    largest = max(float(row["value"]) for row in rows) or 1.0
    bars = []
    for position, row in enumerate(rows):
        y = position * _ROW
        bars.append(
            {
                **row,
                "text_y": y + 13.0,
                "bar_y": y + 20.0,
                "width": rounded(max(float(row["value"]) / largest * WIDTH, 1.5)),
            }
        )
    return {"width": WIDTH, "height": len(rows) * _ROW, "bars": bars}


def by_hour(hours: Sequence[Mapping[str, Any]], target_ms: float) -> dict[str, Any] | None:
    """P95 of each hour as a bar under the target's line, its calls as one below; None for fewer than two hours."""
    shown = [hour for hour in hours if is_number(hour["p95_ms"])]
    if len(shown) < 2:  # noqa: PLR2004 - one hour is no course of a day
        return None
    tallest = max(target_ms * 1.25, *(float(hour["p95_ms"]) for hour in shown))
    busiest = max(1, *(hour["calls"] for hour in shown))
    width = WIDTH * 2
    step = width / len(shown)
    bars = []
    for position, hour in enumerate(shown):
        height = max(1.5, float(hour["p95_ms"]) / tallest * _PLOT_HEIGHT)
        bars.append(
            {
                "x": rounded(position * step + step * 0.1),
                "width": rounded(max(step * 0.8, 0.6)),
                "y": rounded(_FLOOR - height),
                "height": rounded(height),
                "calls": rounded(max(1.0, hour["calls"] / busiest * _CALLS_HEIGHT)),
                "over": float(hour["p95_ms"]) >= target_ms,
                "title": f"{moment(hour['from'])}: {ms(hour['p95_ms'])}, "
                f"{plural(hour['calls'], 'call')}",
            }
        )
    every = max(1, math.ceil(len(shown) / 8))
    ticks = [
        {"x": rounded((p + 0.5) * step), "label": str(shown[p]["from"])[11:16]}
        for p in range(0, len(shown), every)
    ]
    return {
        "width": width,
        "height": _FLOOR + 30.0 + _CALLS_HEIGHT + _CALLS_LABEL,
        "floor": _FLOOR,
        "calls_top": _FLOOR + 30.0 + _CALLS_LABEL,
        "calls_label": f"calls, up to {count(busiest)}",
        "bars": bars,
        "ticks": ticks,
        "target_y": rounded(_FLOOR - target_ms / tallest * _PLOT_HEIGHT),
        "target_label": ms(target_ms),
        "over": sum(1 for bar in bars if bar["over"]),
        "hours": len(shown),
    }


def trend(days: Sequence[Mapping[str, Any]], target_ms: float) -> dict[str, Any] | None:
    """P95 of each day as a line with dots under the target's line; None for fewer than two days."""
    shown = [day for day in days if is_number(day["p95_ms"])]
    if len(shown) < 2:  # noqa: PLR2004 - one day is no trend
        return None
    tallest = max(target_ms * 1.25, *(float(day["p95_ms"]) for day in shown))
    width, margin = WIDTH * 2, 20.0  # half a day's label
    step = (width - 2 * margin) / (len(shown) - 1)
    dots = [
        {
            "x": rounded(margin + place * step),
            "y": rounded(_FLOOR - float(day["p95_ms"]) / tallest * _PLOT_HEIGHT),
            "over": float(day["p95_ms"]) > target_ms,
            "title": f"{str(day['from'])[:10]}: {ms(day['p95_ms'])}, {plural(day['calls'], 'call')}",
        }
        for place, day in enumerate(shown)
    ]
    every = max(1, math.ceil(len(shown) / 8))
    ticks = [
        {"x": dots[p]["x"], "label": str(shown[p]["from"])[5:10]}
        for p in range(0, len(shown), every)
    ]
    return {
        "width": width,
        "height": _FLOOR + 30.0,
        "floor": _FLOOR,
        "dots": dots,
        "line": " ".join(f"{dot['x']:g},{dot['y']:g}" for dot in dots),
        "ticks": ticks,
        "target_y": rounded(_FLOOR - target_ms / tallest * _PLOT_HEIGHT),
        "target_label": ms(target_ms),
        "over": sum(1 for dot in dots if dot["over"]),
        "days": len(shown),
    }


def small_trend(
    days: Sequence[Mapping[str, Any]], target_ms: float, width: float = 200.0
) -> dict[str, Any] | None:
    """P95 of each day as a line, small enough for a table, with the target's line; None for fewer than two days."""
    known = [float(day["p95_ms"]) for day in days if is_number(day["p95_ms"])]
    if len(known) < 2:  # noqa: PLR2004 - one day is no trend
        return None
    height, margin = 36.0, 3.0
    tallest = max(target_ms * 1.25, *known)
    step = (width - 2 * margin) / (len(known) - 1)

    def y(value_ms: float) -> int:
        return round(height - margin - value_ms / tallest * (height - 2 * margin))

    return {
        "width": width,
        "height": height,
        "line": " ".join(f"{round(margin + at * step)},{y(one)}" for at, one in enumerate(known)),
        "target_y": y(target_ms),
        "days": len(known),
        "over": sum(1 for one in known if one > target_ms),
        "first_ms": known[0],
        "last_ms": known[-1],
    }


def gauge(measured: Mapping[str, Any], target_ms: float) -> dict[str, Any] | None:
    """A value and its interval on a logarithmic track with the target in the middle."""
    middle, low, high = (measured.get(name) for name in ("value_ms", "low_ms", "high_ms"))
    if middle is None and low is None and high is None:
        return None

    def across(value: object, nothing: float) -> float:
        if not isinstance(value, (int, float)) or value <= 0:
            return nothing
        position = 0.5 + math.log10(max(value / target_ms, 1e-12)) / (2 * _GAUGE_DECADES)
        return rounded(min(max(position, 0.02), 0.98) * _GAUGE_WIDTH)

    left = across(low, 0.0) if low is not None or middle is None else across(middle, 0.0)
    right = across(high, _GAUGE_WIDTH) if high is not None or middle is None else across(middle, 0)
    return {
        "width": _GAUGE_WIDTH,
        "middle": _GAUGE_WIDTH / 2,
        "dot": None if middle is None else across(middle, 4.0),
        "left": left,
        "span": rounded(max(right - left, 0.0 if middle is not None else _LEAST_SPAN)),
    }


def spark_domain(
    histograms: Sequence[Mapping[str, Any] | None], target_ms: float
) -> tuple[float, float]:
    """The logarithms between which all sparklines of a table lie, so that rows compare."""
    bounds = [float(target_ms)]
    for histogram in histograms:
        bounds += [float(b) for b in (histogram or {}).get("bounds_ms", ()) if is_number(b)]
    logs = [math.log10(max(bound, _FASTEST_MS)) for bound in bounds]
    return min(logs) - _SPARK_BAR, max(logs) + _SPARK_BAR


def spark_x(value_ms: float, domain: tuple[float, float]) -> int:
    """Where a duration lies in the sparklines of a domain, in half pixels."""
    low, high = domain
    return round((math.log10(max(value_ms, _FASTEST_MS)) - low) * SPARK_WIDTH / (high - low))


def spark(histogram: Mapping[str, Any] | None, domain: tuple[float, float]) -> str | None:
    """A statement's distribution as a path small enough for a table cell, in half pixels."""
    pairs = (
        list(zip(histogram["bounds_ms"], histogram["counts"], strict=False)) if histogram else []
    )
    pairs = [(float(bound), int(number)) for bound, number in pairs if is_number(bound) and number]
    if not pairs:
        return None
    half = 10**-_SPARK_BAR
    step = max(spark_x(1.0, domain) - spark_x(half, domain), 1)
    tallest = max(number for _, number in pairs)
    path, end, top, run = "", -9, -1, 0
    for bound, number in pairs:
        x = spark_x(bound * half, domain)
        height = round(_SPARK_HEIGHT - max(2.0, number / tallest * _SPARK_HEIGHT))
        if abs(x - end) > 1:  # neighbours share an outline, which is a third of the bytes
            path += f"h{run}V{_SPARK_HEIGHT}" * bool(path) + f"M{x} {_SPARK_HEIGHT}V{height}"
            end, run = x, 0
        elif height != top:
            path += f"h{run}V{height}"
            run = 0
        top, end, run = height, end + step, run + step
    return f"{path}h{run}V{_SPARK_HEIGHT}"
