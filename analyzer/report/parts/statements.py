"""The keys `statements` and `requests`: figures by shape, and by the route that asked."""

from typing import TYPE_CHECKING, Any

import numpy as np

from analyzer.report.values import nearest_rank

if TYPE_CHECKING:
    import pandas as pd

    from analyzer.model.statement import Statement, StatementStats
    from analyzer.model.workload import Workload

_FIGURES = ("min_ms", "max_ms", "p50_ms", "p95_ms", "p99_ms", "p95_low_ms", "p95_high_ms")


def statements_part(workload: "Workload") -> list[dict[str, Any]]:
    """All statements, most total time first; `share` is of the total time of all of them."""
    pairs = list(zip(workload.statements, workload.stats, strict=True))
    total_ms = sum(stats.total_ms for _, stats in pairs)
    pairs.sort(key=lambda pair: (-pair[1].total_ms, -pair[1].calls, pair[0].shape_id))
    return [_statement(statement, stats, total_ms) for statement, stats in pairs]


def _statement(statement: "Statement", stats: "StatementStats", all_ms: float) -> dict[str, Any]:
    return {
        "shape_id": statement.shape_id,
        "fingerprint": statement.fingerprint,
        "lineage": statement.lineage,
        "parsed": statement.parsed,
        "query_ids": stats.query_ids,
        "sql": statement.sql,
        "tables": statement.facts.tables,
        "kind": statement.facts.kind.value,
        "role": statement.facts.role.value,
        "calls": stats.calls,
        "total_ms": stats.total_ms,
        "mean_ms": stats.mean_ms,
        **{name: getattr(stats, name) for name in _FIGURES},
        "method": stats.method,
        "parse_ms": stats.parse_ms,
        "bind_ms": stats.bind_ms,
        "rows": stats.rows,
        "share": stats.total_ms / all_ms if all_ms > 0 else 0.0,
        "requests": stats.requests,
        "calls_per_request_p95": stats.calls_per_request_p95,
        "samples": stats.samples,
        "clock": "client" if stats.client else "server",
        "histogram": _histogram(stats.histogram),
        "sources": stats.sources,
    }


def _histogram(pairs: tuple[tuple[float, int], ...]) -> dict[str, Any] | None:
    if not pairs:
        return None
    return {"bounds_ms": [bound for bound, _ in pairs], "counts": [count for _, count in pairs]}


def requests_part(workload: "Workload") -> list[dict[str, Any]]:
    """Units of work by route, most database time first; those without a route are left out."""
    frame = workload.requests
    if frame.empty or "route" not in frame.columns:
        return []
    routed = frame[frame["route"].notna()]
    shapes = _shapes(workload, routed)
    groups = [
        _group(str(route), rows, workload.target.quantile, shapes.get(str(route), []))
        for route, rows in routed.groupby("route")
    ]
    groups.sort(key=lambda group: (-group["total_ms"], group["route"]))
    return groups


def _group(
    route: str, rows: "pd.DataFrame", quantile: float, shapes: list[tuple[float, str]]
) -> dict[str, Any]:
    durations = np.sort(rows["duration_ms"].to_numpy())
    trips = np.sort(rows["round_trips"].to_numpy())
    return {
        "route": route,
        "count": len(rows),
        "total_ms": float(durations.sum()),
        "p50_ms": nearest_rank(durations, 0.5),
        "p95_ms": nearest_rank(durations, quantile),
        "round_trips_p95": nearest_rank(trips, quantile),
        "statements": [shape_id for _, shape_id in sorted(shapes)],
    }


def _shapes(workload: "Workload", routed: "pd.DataFrame") -> dict[str, list[tuple[float, str]]]:
    """By route: (minus the total time, shape) of each statement that its requests ran."""
    frame = workload.executions
    shapes: dict[str, list[tuple[float, str]]] = {}
    if frame.empty:
        return shapes
    routes = frame["request"].map(dict(zip(routed["request"], routed["route"], strict=True)))
    totals = frame["duration_ms"].groupby([routes, frame["statement"]]).sum()
    for (route, position), total_ms in zip(totals.index, totals.to_numpy(), strict=True):
        shape_id = workload.statements[int(position)].shape_id
        shapes.setdefault(str(route), []).append((-float(total_ms), shape_id))
    return shapes
