"""Jobs of queues in the document: waits, runs, and what they cost the database, by queue and name."""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Sequence

    from analyzer.model.finding import Finding
    from analyzer.model.job import JobFigures, Spread

LOOPS = ("n-plus-one", "repeated-lookup", "repeated-query", "write-loop")
_STORM_REPEATS = 10  # executions that retries repeat, from which on they are called a storm
_STORM_SHARE = 1.5  # and attempts per job


def jobs_part(jobs: "Sequence[JobFigures]", findings: "Sequence[Finding]") -> list[dict[str, Any]]:
    """An entry for each queue and name. `loops` are keys of findings of N+1 and the like in these jobs.

    `retry_storm`: attempts are one and a half times the jobs or more, and repeat ten executions or more.
    """
    return [_entry(one, findings) for one in jobs]


def _entry(one: "JobFigures", findings: "Sequence[Finding]") -> dict[str, Any]:
    storm = one.repeats >= _STORM_REPEATS and one.attempts >= _STORM_SHARE * max(one.jobs, 1)
    return {
        "queue": one.queue,
        "name": one.name,
        "route": one.route,
        "jobs": one.jobs,
        "attempts": one.attempts,
        "states": {
            "completed": one.completed,
            "failed": one.failed,
            "active": one.active,
            "waiting": one.waiting,
        },
        "wait_ms": _spread(one.wait),
        "run_ms": _spread(one.run),
        "with_statements": one.with_statements,
        "database_ms": _spread(one.database),
        "database_total_ms": one.database_total_ms,
        "round_trips": _spread(one.round_trips),
        "statements": [{"shape_id": shape, "total_ms": ms} for shape, ms in one.statements],
        "loops": [
            finding.key
            for finding in findings
            if one.route in finding.routes and finding.detector in LOOPS
        ],
        "retries": {
            "jobs": one.retried,
            "most_attempts": one.most_attempts,
            "repeated_executions": one.repeats,
            "repeated": [
                {"shape_id": r.shape_id, "executions": r.executions, "total_ms": r.total_ms}
                for r in one.repeated
            ],
            "storm": storm,
        },
        "origins": one.origins,
    }


def _spread(one: "Spread | None") -> dict[str, Any] | None:
    if one is None:
        return None
    return {"count": one.count, "p50": one.p50, "p95": one.p95, "max": one.largest}
