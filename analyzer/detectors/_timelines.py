"""One occurrence of a loop over time, as evidence that is drawn."""

import numpy as np

from analyzer.model.columns import Rows
from analyzer.model.evidence_parts import Timeline
from analyzer.model.work import WorkSlice

_SHOWN = 60  # children


def timeline_of(work: WorkSlice, parent: int, children: Rows) -> Timeline:
    """A parent's row and its children's: when each began after the parent, and on which connection."""
    by_time = children[np.argsort(work.start_us[children], kind="stable")]
    rows = np.concatenate([[parent], by_time[:_SHOWN]])
    lanes: dict[int, int] = {}
    return Timeline(
        starts_ms=tuple(((work.start_us[rows] - work.start_us[parent]) / 1000).tolist()),
        durations_ms=tuple(work.duration_ms[rows].tolist()),
        lanes=tuple(lanes.setdefault(one, len(lanes)) for one in work.session[rows].tolist()),
        hidden=max(0, len(children) - _SHOWN),
    )
