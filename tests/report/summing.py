"""The shop's executions summed up as they are for a report (loaded by its path, as shop.py is)."""

import math
from collections.abc import Sequence

import numpy as np
import pandas as pd

from analyzer.model.statement import StatementStats
from analyzer.model.target import Target, Verdict
from analyzer.model.workload import Promise, Traffic
from analyzer.workload.kept import duration_columns
from analyzer.workload.quantiles import octaves
from analyzer.workload.requests import TRANSACTION
from analyzer.workload.traffic import RequestFigures, TrafficFigures, sum_requests

PROMISES = [  # what is held to a target by itself, with a hostile name too
    Promise(
        of,
        name,
        Target(limit),
        Verdict(310.5, 300.0, 320.0, "sampled", verdict, 40, "a sample"),
        own,
    )
    for of, name, limit, verdict, own in (
        ("route", "/<script>alert(1)</script>", 200.0, "missed", True),
        ("application", "worker", 100.0, "missed", False),
        ("table", "orders", 305.0, "unknown", True),
        ("user", "shop", 400.0, "met", True),
    )
]
BEGIN = 6  # the statement that is not the team's


def nearest(values: Sequence[float], quantile: float) -> float:
    return sorted(values)[max(math.ceil(quantile * len(values) - 1e-9), 1) - 1]


def stats_of(durations: Sequence[float], requests: int, per_request: float) -> StatementStats:
    buckets: dict[float, int] = {}
    for value in durations:
        bound = round(2.0 ** (math.ceil(math.log2(value) * 2) / 2), 6)
        buckets[bound] = buckets.get(bound, 0) + 1
    return StatementStats(
        calls=len(durations),
        total_ms=sum(durations),
        mean_ms=sum(durations) / len(durations),
        min_ms=min(durations),
        max_ms=max(durations),
        p50_ms=nearest(durations, 0.5),
        p95_ms=nearest(durations, 0.95),
        p99_ms=nearest(durations, 0.99),
        p95_low_ms=nearest(durations, 0.95),
        p95_high_ms=nearest(durations, 0.95),
        method="exact",
        requests=requests,
        calls_per_request_p95=per_request,
        samples=len(durations),
        sources=("shop.log",),
        histogram=tuple(sorted(buckets.items())),
    )


def requests_frame(executions: pd.DataFrame) -> pd.DataFrame:
    grouped = executions.groupby("request")
    frame = grouped.agg(
        start_us=("start_us", "min"),
        end_us=("end_us", "max"),
        duration_ms=("duration_ms", "sum"),
        round_trips=("duration_ms", "size"),
        session=("session", "first"),
    ).reset_index()
    frame["wall_ms"] = (frame["end_us"] - frame["start_us"]) / 1000
    frame["unit"] = "transaction"
    frame["route"] = ["GET /posts" if n % 3 else "GET /orders/search" for n in frame["request"]]
    return frame


def traffic_of(executions: pd.DataFrame, requests: pd.DataFrame, quantile: float) -> Traffic:
    """Traffic of the executions; requests without a route are in none."""
    ours = executions[executions["statement"] != BEGIN]
    columns = {name: ours[name].to_numpy() for name in ours}
    traffic, routed = TrafficFigures(), RequestFigures()
    known = duration_columns(columns["duration_ms"])
    traffic.add(columns | known | {"octaves": octaves(known["duration_ms"])})
    known = requests[requests["route"].notna()]
    names = sorted(known["route"].unique())
    numbers = {
        request: names.index(route)
        for request, route in zip(known["request"], known["route"], strict=True)
    }
    rows = executions[executions["request"].isin(numbers)]
    request, took = rows["request"].to_numpy(), rows["duration_ms"].to_numpy()
    route = np.array([numbers[number] for number in request.tolist()], dtype=np.int64)
    unit = np.full(len(rows), TRANSACTION, dtype=np.int8)
    none = np.zeros(len(rows), dtype=bool)
    summed = sum_requests(request, unit, route, took, none, ~none)
    routed.add(summed, rows["statement"].to_numpy(), took)
    return traffic.finish(quantile, routed.routes(names, quantile))
