"""One occurrence of a loop as a drawing: its executions over time, a row for each connection."""

from collections.abc import Mapping
from typing import Any

from analyzer.report.charts import WIDTH, rounded
from analyzer.report.formats import is_number, ms, plural

_LANE = 16.0
_BAR = 11.0
_LANES = 12  # more connections share the last row
_LEFT = 2.0


def timeline(found: Mapping[str, Any] | None) -> dict[str, Any] | None:
    """Bars from an N+1's `timeline` (the parent first) and what they show in a sentence.

    The parent has a row of its own above the children's. None where nothing was kept of it.
    """
    if not found or not found.get("starts_ms"):
        return None
    starts, durations = found["starts_ms"], found["durations_ms"]
    rows = list(zip(starts, durations, found["lanes"], strict=False))
    rows = [row for row in rows if all(is_number(value) for value in row)]
    if not rows:
        return None
    begin = min(row[0] for row in rows)
    end = max(start + took for start, took, _ in rows)
    scale = (WIDTH * 2 - 2 * _LEFT) / max(end - begin, 0.001)
    lanes = sorted({lane for _, _, lane in rows[1:]})
    places = {lane: min(place, _LANES - 1) + 1 for place, lane in enumerate(lanes)}
    outlines = [
        f"M{rounded(_LEFT + (start - begin) * scale):g} {(places[lane] if number else 0) * _LANE:g}"
        f"h{rounded(max(took * scale, 1.2)):g}v{_BAR:g}h-{rounded(max(took * scale, 1.2)):g}z"
        for number, (start, took, lane) in enumerate(rows)
    ]
    floor = (1 + max(places.values(), default=0)) * _LANE
    return {
        "width": WIDTH * 2,
        "height": floor + 20.0,
        "floor": floor,
        "parent": outlines[0],
        "children": "".join(outlines[1:]),
        "end": ms(end - begin),
        "sentence": _sentence(rows, len(lanes), end - begin, found.get("hidden") or 0),
    }


def _sentence(rows: list[Any], connections: int, span_ms: float, hidden: int) -> str:
    """What is drawn: how many, how long, and how much of that the server worked."""
    children = rows[1:]
    working = sum(took for _, took, _ in children)
    text = (
        f"The largest occurrence: one parent, then {plural(len(children), 'child', 'children')} on "
        f"{plural(connections, 'connection')}; {ms(span_ms)} elapsed, in {ms(working)} of it the children ran"
    )
    return text + (
        f" ({plural(hidden, 'more child', 'more children')} not drawn)." if hidden else "."
    )
