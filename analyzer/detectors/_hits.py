"""Which executions of a slice would be spared if its loops were fixed."""

import numpy as np

from analyzer.detectors._found import Loops
from analyzer.model.saving import LOOKUP, N_PLUS_ONE, REPEATED, LoopKey
from analyzer.model.work import LoopHits, WorkSlice


def hits_of(work: WorkSlice, found: Loops) -> list[LoopHits]:
    """All loops of a slice. A nest's children are loaded once for each run of the whole nest."""
    hits = [
        LoopHits(
            LoopKey(N_PLUS_ONE, pair.child, pair.parent), pair.children, pair.roots, pair.roots
        )
        for pair in found.pairs
    ]
    for group in found.lookups:
        request = work.request[group.rows]
        hits.append(LoopHits(LoopKey(LOOKUP, group.statement), group.rows, request, group.rows))
    for group in found.repeated:
        place = work.request[group.rows] - work.first_request
        same = place.astype(np.int64) << 32 | work.parameters_hash[group.rows].astype(np.int64)
        key = LoopKey(REPEATED, group.statement)
        hits.append(LoopHits(key, group.rows, same, group.rows, keep_first=True))
    return hits
