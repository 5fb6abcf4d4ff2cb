"""Which transactions of a slice are worth a look: most are short, and only their first lock counts."""

import numpy as np

from analyzer.detectors._merged import Merged
from analyzer.detectors._places import NONE
from analyzer.model.columns import Column, Rows, stretches
from analyzer.model.work import WorkSlice
from analyzer.native import compiled, twin_in

_twin = twin_in(compiled("analyzer.detectors.native._notable"))

PLAIN, LOCKS, DEFINES, ROLLS_BACK = range(4)  # what statements do; the native twin knows them, too


@_twin
def notable(
    work: WorkSlice, effects: Column, going_on: Rows, least: tuple[int, int, int]
) -> tuple[Rows, Rows, Rows]:
    """The transactions that may be long, rest, or go on over slices: first rows (of all) and sizes.

    And of the others, which all have ended, the statements that took the first lock (-1 none). `going_on` are the
    sessions (ascending) whose transaction an earlier slice left open, all of whose transactions are told. `least` are
    the rows behind the first lock, and the time behind it, of a long one, and the time of a rest, in µs.
    """
    merged = Merged.of(work)
    starts, sizes = merged.transactions(going_on) if len(merged.team) else (NONE, NONE)
    if len(starts) == 0:
        return NONE, NONE, NONE
    rows = merged.some(stretches(starts, sizes), NONE, (effects, effects))
    most, held_us, rest_us = least
    count, place = len(rows.team), np.arange(len(rows.team))
    begins = np.cumsum(sizes) - sizes
    segment, last = np.repeat(np.arange(len(sizes)), sizes), begins + sizes - 1
    locks = (rows.effect == LOCKS) | (rows.effect == DEFINES)
    first = np.minimum.reduceat(np.where(locks, place, count), begins)
    locked, at = first < count, np.minimum(first, count - 1)
    rests = (place > first[segment]) & (rows.effect != ROLLS_BACK)
    rests[1:] &= rows.start_us[1:] - rows.end_us[:-1] >= rest_us
    told = locked & (last - first >= most) & (rows.end_us[last] - rows.end_us[at] >= held_us)
    told |= np.bincount(segment[rests], minlength=len(sizes)) > 0
    told |= np.isin(rows.session[begins], going_on)
    unended = rows.boundary[last] != -1
    told |= unended
    told[1:] |= unended[:-1]  # which tells that the one before is not the session's last
    others: Rows = np.where(locked, rows.statement[at], -1)[~told]
    return starts[told], sizes[told], others
