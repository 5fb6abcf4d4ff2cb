"""The key `target`: the promise, what was measured against it, and on which clock."""

from typing import TYPE_CHECKING, Any

from analyzer.report.parts.executions import histogram

if TYPE_CHECKING:
    from analyzer.model.target import RequestVerdict, Target, Verdict
    from analyzer.model.workload import Promise, Workload
    from analyzer.report.redaction import Redactor

_SPEAKERS = ("application", "user", "database")


def target_part(workload: "Workload", redactor: "Redactor") -> dict[str, Any]:
    """Statements' verdict with, beside it, the requests', the client's and the distribution."""
    client = workload.client_verdict
    return {
        **_measured(workload.target, workload.verdict),
        "request": _request(workload.request_verdict),
        "client": None if client is None else _measured(workload.target, client),
        "by": [_promise(promise, redactor) for promise in workload.promises],
        "histogram": histogram(workload.traffic),
    }


def _measured(target: "Target", verdict: "Verdict") -> dict[str, Any]:
    return {
        "ms": target.ms,
        "quantile": target.quantile,
        **_figures(verdict),
        "executions": verdict.count,
        "reason": verdict.reason,
    }


def _figures(verdict: "Verdict") -> dict[str, Any]:
    return {
        "value_ms": verdict.value_ms,
        "low_ms": verdict.low_ms,
        "high_ms": verdict.high_ms,
        "method": verdict.method,
        "verdict": verdict.verdict,
    }


def _promise(promise: "Promise", redactor: "Redactor") -> dict[str, Any]:
    """A part of the traffic with its target: a configured one, or one that misses the run's."""
    return {
        "dimension": promise.dimension,
        "name": redactor.name(promise.name) if promise.dimension in _SPEAKERS else promise.name,
        "configured": promise.configured,
        "too_few": promise.too_few,
        **_measured(promise.target, promise.verdict),
    }


def _request(measured: "RequestVerdict | None") -> dict[str, Any] | None:
    if measured is None:
        return None
    return {
        "unit": measured.unit,
        **_figures(measured.verdict),
        "requests": measured.verdict.count,
        "round_trips_p95": measured.round_trips_p95,
        "reason": measured.verdict.reason,
    }
