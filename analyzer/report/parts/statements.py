"""The keys `statements` and `requests`: figures by shape, and by the route that asked."""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Sequence

    from analyzer.model.statement import Statement, StatementStats
    from analyzer.model.workload import Route, Workload

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
        "verdict": stats.verdict,
        "target_ms": stats.target_ms,
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
    return [_route(route, workload.statements) for route in workload.traffic.routes]


def _route(route: "Route", statements: "Sequence[Statement]") -> dict[str, Any]:
    shapes = sorted((-total_ms, statements[place].shape_id) for place, total_ms in route.statements)
    return {
        "route": route.name,
        "count": route.count,
        "total_ms": route.total_ms,
        "p50_ms": route.p50_ms,
        "p95_ms": route.p95_ms,
        "round_trips_p95": route.round_trips_p95,
        "statements": [shape_id for _, shape_id in shapes],
    }
