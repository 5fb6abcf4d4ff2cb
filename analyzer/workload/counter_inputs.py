"""Snapshots among the inputs: the counters between them, or since the reset where there is one."""

from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise

from analyzer.model.recording import Recording
from analyzer.model.snapshot import CounterWindow, Snapshot
from analyzer.workload.counter_window import joined, window
from analyzer.workload.use_window import use_of


def count_snapshots(recording: Recording) -> None:
    """Add what the recording's snapshots counted to its counters, and say what is missing.

    Snapshots of one server are put in order and give the window from the first to the last. One alone
    gives its counters as they are: since they were last reset.
    """
    for taken in _by_server(recording.snapshots):
        source, last = taken[-1]
        path = recording.coverage.sources[source].path
        warnings = [f"{path}: {warning}" for warning in last.warnings]
        rows = last.counters
        if len(taken) > 1:
            found = _between([snapshot for _, snapshot in taken])
            rows = found.counters
            recording.counter_windows.append(found)
            warnings += [f"{path}: {caveat}" for caveat in found.caveats]
        recording.counters += [replace(row, source=source) for row in rows]
        recording.coverage.warnings += warnings
        if last.tables:
            recording.use = use_of([snapshot for _, snapshot in taken])


def _by_server(snapshots: Sequence[tuple[int, Snapshot]]) -> list[list[tuple[int, Snapshot]]]:
    """Snapshots of one server together, by the time they were taken; one given twice is one."""
    servers: dict[str, dict[int, tuple[int, Snapshot]]] = {}
    for source, snapshot in snapshots:
        name = snapshot.server.system_identifier or snapshot.server.address
        servers.setdefault(name, {}).setdefault(snapshot.taken_us, (source, snapshot))
    return [[taken[at] for at in sorted(taken)] for taken in servers.values()]


def _between(snapshots: Sequence[Snapshot]) -> CounterWindow:
    return joined([window(before, after) for before, after in pairwise(snapshots)])
