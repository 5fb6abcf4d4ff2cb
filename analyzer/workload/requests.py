"""Units of work: which executions belong to one request.

A trace or request id where statements carry one; else the transactions of a session where nearly
all its work is in them; else a burst: a run of a session's executions without an idle gap.
"""

from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from analyzer.workload.tags import Tags

Column = npt.NDArray[Any]

IDLE_GAP_US = 250_000  # a session idle for longer has begun another burst
_TRANSACTIONAL = 0.9  # share of a burst's executions inside transactions
_MEANINGFUL_TRANSACTION = 2.0  # executions per transaction from which one is a unit of work


def assign_requests(frame: pd.DataFrame, boundaries: pd.Series, tags: list[Tags]) -> pd.DataFrame:
    """Order executions by session and time and add `at`, `trace`, `transaction`, `burst`, `request`, `unit`.

    `boundaries` (index as frame) is +1 where a statement opens a transaction and -1 where it ends
    one; `tags[c]` belongs to comment number c. `unit` is "trace", "transaction" or "burst".
    """
    # A client's log is in order of completion; the server's entries of one millisecond in theirs.
    at = np.where(frame["clock"] == 1, frame["start_us"], frame["end_us"])
    frame = frame.assign(at=at, boundary=boundaries)
    frame = frame.sort_values(["session", "at", "line"], kind="stable").reset_index(drop=True)
    frame["transaction"] = _transactions(frame)
    frame["burst"] = _bursts(frame)
    frame["trace"] = _traces(frame["comment"].to_numpy(), tags)
    frame["trace"] = _carried_on(frame["trace"], frame["burst"])
    frame["unit"], frame["request"] = _units(frame)
    return frame


def _traces(comments: Column, tags: list[Tags]) -> Column:
    numbers: dict[str, int] = {}
    by_comment = np.full(len(tags) + 1, -1, dtype=np.int64)  # the last stands for "no comment"
    for place, tag in enumerate(tags):
        if tag.trace is not None:
            by_comment[place] = numbers.setdefault(tag.trace, len(numbers))
    numbered: Column = by_comment[comments]
    return numbered


def _carried_on(traces: pd.Series, bursts: pd.Series) -> Column:
    """Untagged statements behind a tagged one, in the same burst, belong to its trace.

    A prepared statement's text was fixed before the request began, so it can carry no tag.
    """
    known = traces.where(traces >= 0)
    carried: Column = known.groupby(bursts).ffill().fillna(-1).to_numpy(dtype=np.int64)
    return carried


def _transactions(frame: pd.DataFrame) -> Column:
    """Number of the explicit transaction of each row; -1 outside. BEGIN and COMMIT are inside."""
    opened = (frame["boundary"] == 1).to_numpy()
    ended = (frame["boundary"] == -1).to_numpy()
    session = frame["session"].to_numpy()
    new_session = np.concatenate(([True], session[1:] != session[:-1])) if len(session) else opened
    # The last boundary at or before each row decides; a session's start closes what was open.
    place = np.arange(len(frame))
    last_open = np.maximum.accumulate(np.where(opened, place, -1)) if len(place) else place
    last_end = np.maximum.accumulate(np.where(ended, place, -1)) if len(place) else place
    last_start = np.maximum.accumulate(np.where(new_session, place, -1)) if len(place) else place
    inside = (last_open >= last_start) & ((last_end < last_open) | (last_end == place))
    # An end without an open one before it (the log begins inside) belongs to no transaction.
    previous_end = np.concatenate(([-1], last_end[:-1])) if len(place) else place
    inside &= ~(ended & (previous_end > last_open))
    return np.where(inside, last_open, -1)


def _bursts(frame: pd.DataFrame) -> Column:
    start, end = frame["start_us"].to_numpy(), frame["end_us"].to_numpy()
    session = frame["session"].to_numpy()
    if len(frame) == 0:
        return session
    same = session[1:] == session[:-1]
    busy_until = pd.Series(end).groupby(session).cummax().to_numpy()
    idle = start[1:] - busy_until[:-1] > IDLE_GAP_US
    return np.concatenate(([0], np.cumsum(~same | idle)))


def _units(frame: pd.DataFrame) -> tuple[Column, Column]:
    """The kind and the number of each row's unit of work."""
    inside = frame["transaction"] >= 0
    works = frame["boundary"] == 0
    per_burst = pd.DataFrame(
        {
            "burst": frame["burst"],
            "works": works,
            "inside": inside & works,
            "opens": frame["boundary"] == 1,
        }
    )
    totals = per_burst.groupby("burst").sum()
    transactional = (totals["inside"] >= _TRANSACTIONAL * totals["works"]) & (
        totals["inside"] >= _MEANINGFUL_TRANSACTION * totals["opens"].clip(lower=1)
    )
    by_transaction = transactional.reindex(frame["burst"]).to_numpy() & inside.to_numpy()
    traced = (frame["trace"] >= 0).to_numpy()
    unit = np.where(traced, "trace", np.where(by_transaction, "transaction", "burst"))
    number = np.where(
        traced, frame["trace"], np.where(by_transaction, frame["transaction"], frame["burst"])
    )
    request = pd.Series(list(zip(unit, number, strict=True))).factorize()[0]
    return unit, request


def summarise(frame: pd.DataFrame, tags: list[Tags]) -> pd.DataFrame:
    """One row per unit of work (columns as model/workload.py says), from workload executions."""
    if frame.empty:
        columns = [
            "request",
            "unit",
            "start_us",
            "end_us",
            "duration_ms",
            "round_trips",
            "session",
            "route",
        ]
        return pd.DataFrame({name: [] for name in columns})
    routes = np.array([tag.route for tag in tags] + [None], dtype=object)
    grouped = frame.assign(route=routes[frame["comment"].to_numpy()]).groupby("request", sort=True)
    table = grouped.agg(
        unit=("unit", "first"),
        start_us=("start_us", "min"),
        end_us=("end_us", "max"),
        duration_ms=("duration_ms", "sum"),
        round_trips=("duration_ms", "size"),
        session=("session", "first"),
        route=("route", "first"),
    ).reset_index()
    return table.assign(wall_ms=(table["end_us"] - table["start_us"]) / 1000)
