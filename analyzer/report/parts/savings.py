"""The key `savings`: what fixing all loops changes, and what one finding's fix saves."""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from analyzer.model.saving import Quantiles, RequestSaving, Saving, Savings


def savings_part(savings: "Savings | None") -> dict[str, Any] | None:
    """Requests by route and statements, before and after; None where there is nothing to fix."""
    if savings is None:
        return None
    return {
        "round_trip": {
            "ms": savings.cost.ms,
            "method": savings.cost.method,
            "note": savings.cost.note,
        },
        "unit": savings.unit,
        "requests": None if savings.requests is None else _requests(savings.requests),
        "routes": [{"route": one.route, **_requests(one)} for one in savings.routes],
        "statements": _quantiles(savings.statements),
        "note": savings.note,
    }


def _requests(one: "RequestSaving") -> dict[str, Any]:
    return {
        "count": one.requests,
        "hit": one.hit,
        "before_ms": one.before_ms,
        "after_ms": one.after_ms,
        "round_trips_before": one.round_trips_before,
        "round_trips_after": one.round_trips_after,
        **_quantiles(one.quantiles),
    }


def _quantiles(one: "Quantiles") -> dict[str, Any]:
    return {"p95_before_ms": one.before_ms, "p95_after_ms": one.after_ms}


def saving_fields(saving: "Saving") -> dict[str, Any]:
    """One finding's saving, as part of its impact."""
    return {
        "occurrences": saving.occurrences,
        "server_ms": saving.server_ms,
        "wall_ms": saving.wall_ms,
        "per_occurrence": _parts(saving.per_occurrence),
        "per_day": None if saving.per_day is None else _parts(saving.per_day),
        "note": saving.note,
    }


def _parts(figures: tuple[float, float, float | None]) -> dict[str, Any]:
    return dict(zip(("round_trips", "server_ms", "wall_ms"), figures, strict=True))
