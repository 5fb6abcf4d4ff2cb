"""Views of the same executions, recognised and counted once.

A run logged as csvlog and as jsonlog, a log and its copy, a client's events and the server's log of
the same calls: rows are told apart by server process, time, duration and statement text.
"""

import numpy as np
import pandas as pd

from analyzer.model.executions import Clock
from analyzer.model.recording import Recording

_SAME_VIEW = 0.9  # this share of an input's executions shown elsewhere: it is a view of that input
_COVERED_CALLS = (
    0.8  # this share of a client's calls found in the server's log: the log covers them
)
_CLOCK_SKEW_US = 1_000_000  # how far the clocks of client and server may be apart
_SECOND_US = 1_000_000


def process_of(session: str) -> int:
    """The backend's process id that a session's text tells, or a negative number of its own."""
    _start, dot, process = session.partition(".")
    if session.startswith("pid:"):
        digits = session[4:].partition("#")[0]
        return int(digits) if digits.isdigit() else -1
    if dot:
        try:
            return int(process, 16)
        except ValueError:
            return -1
    return -1


def merge_views(frame: pd.DataFrame, recording: Recording) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Executions counted once, and the client's view of executions that the server's log covers.

    Takes all executions (columns of ExecutionColumns) and fills `same_as` in the coverage of
    inputs that show what another shows.
    """
    server = frame[frame["clock"] == Clock.SERVER]
    client = frame[frame["clock"] == Clock.CLIENT]
    server = _merge_server_views(server, recording)
    covered = _covered_by_server(client, server, recording)
    counted = pd.concat([server, client[~covered]]) if len(client) else server
    return counted, client


def _merge_server_views(server: pd.DataFrame, recording: Recording) -> pd.DataFrame:
    """Union of all server logs: as many copies of an execution as the input that has most of them."""
    if server["source"].nunique() < 2:  # noqa: PLR2004 - one input has no other to agree with
        return server
    rank = _rank_of_sources(server, recording)
    by_second = server.groupby("source")["end_us"].agg(
        lambda times: bool((times % _SECOND_US == 0).all())
    )
    resolution = _SECOND_US if by_second.any() else 1000
    processes = np.array([process_of(text) for text in recording.sessions.texts], dtype=np.int64)
    marked = pd.DataFrame(
        {
            "at": server["end_us"].to_numpy() // resolution,
            "process": processes[server["session"].to_numpy()],
            "micros": np.rint(server["duration_ms"].to_numpy() * 1000).astype(np.int64),
            "key": server["key"].to_numpy(),
            "source": server["source"].to_numpy(),
            "session": server["session"].to_numpy(),
            "rank": server["source"].map(rank).to_numpy(),
        },
        index=server.index,
    )
    same = ["at", "process", "micros", "key"]
    marked["copy"] = marked.groupby([*same, "source"]).cumcount()
    marked = marked.sort_values("rank", kind="stable")
    first = marked.groupby([*same, "copy"])[["source", "session"]].transform("first")
    repeated = marked["source"] != first["source"]
    _note_same_views(marked, first["source"], repeated, recording)
    kept = server.loc[marked.index[~repeated].sort_values()].copy()
    _unify_sessions(kept, marked[repeated], first.loc[repeated, "session"])
    return kept


def _rank_of_sources(server: pd.DataFrame, recording: Recording) -> dict[int, int]:
    """The richest view first: one that tells sessions apart by their start, then in order given."""
    texts = recording.sessions.texts
    first_session = server.groupby("source")["session"].first()
    order = sorted(
        first_session.index,
        key=lambda source: (texts[first_session[source]].startswith("pid:"), source),
    )
    return {source: place for place, source in enumerate(order)}


def _note_same_views(
    marked: pd.DataFrame, first: pd.Series, repeated: pd.Series, recording: Recording
) -> None:
    for source in marked["source"].unique().tolist():
        rows = marked[marked["source"] == source]
        shown_elsewhere = repeated.loc[rows.index]
        if shown_elsewhere.mean() >= _SAME_VIEW:
            other = first.loc[rows.index][shown_elsewhere].mode().iloc[0]
            coverage = recording.coverage.sources
            coverage[source].same_as = coverage[int(other)].path


def _unify_sessions(kept: pd.DataFrame, repeated: pd.DataFrame, named: pd.Series) -> None:
    """Rows that only one view has join the session that the other view calls by another name."""
    renamed = dict(zip(repeated["session"], named, strict=True))
    changed = {old: new for old, new in renamed.items() if old != new}
    if changed:
        kept["session"] = kept["session"].replace(changed)


def _covered_by_server(
    client: pd.DataFrame, server: pd.DataFrame, recording: Recording
) -> pd.Series:
    """Which client rows are calls whose executions the server's log shows."""
    covered = pd.Series(data=False, index=client.index)
    if client.empty or server.empty:
        return covered
    low, high = server["end_us"].min() - _CLOCK_SKEW_US, server["end_us"].max() + _CLOCK_SKEW_US
    for source in client["source"].unique().tolist():
        rows = client[client["source"] == source]
        within = rows[(rows["end_us"] >= low) & (rows["start_us"] <= high)]
        if within.empty:
            continue
        start, end = (
            within["start_us"].min() - _CLOCK_SKEW_US,
            within["end_us"].max() + _CLOCK_SKEW_US,
        )
        seen = server.loc[server["end_us"].between(start, end), "key"].value_counts()
        called = within["key"].value_counts()
        found = np.minimum(called, seen.reindex(called.index, fill_value=0)).sum()
        if found >= _COVERED_CALLS * len(within):
            covered.loc[within.index] = True
            if len(within) == len(rows):
                _note_server_view(source, server, recording)
    return covered


def _note_server_view(source: int, server: pd.DataFrame, recording: Recording) -> None:
    """The client's input shows the calls of the server log that has most executions."""
    coverage = recording.coverage.sources
    coverage[source].same_as = coverage[int(server["source"].mode().iloc[0])].path
