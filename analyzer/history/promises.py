"""What the promises of the scoreboard were in earlier runs, as their trend."""

from collections.abc import Mapping, Sequence
from typing import Any

from analyzer.model.history import Run

_RUNS = 30  # in a trend
P95 = "p95"


def promise_trend(runs: Sequence[Run]) -> dict[str, list[dict[str, Any]]]:
    """By a metric's id the earlier runs that know of it, oldest first: `made_us`, `value`, `verdict`.

    Of a run without a scoreboard the P95 is known all the same.
    """
    found: dict[str, list[dict[str, Any]]] = {}
    for run in runs[-_RUNS:]:
        for name, known in _promises(run).items():
            found.setdefault(name, []).append({"made_us": run.made_us, **known})
    return found


def runs_alike(runs: Sequence[Run], log_set: str | None = None) -> list[Run]:
    """The runs over one set of logs; without its name those of the one that there is, else the nights' newest."""
    sets = list(dict.fromkeys(run.log_set for run in runs))
    if log_set is None and sets:
        log_set = sets[0] if len(sets) == 1 else runs[-1].log_set
    return [run for run in runs if run.log_set == log_set]


def _promises(run: Run) -> Mapping[str, Mapping[str, Any]]:
    known: Mapping[str, Mapping[str, Any]] = run.target.get("promises") or {}
    if P95 in known or run.target.get("verdict") is None:
        return known
    own = {"value": run.target.get("value_ms"), "verdict": run.target["verdict"]}
    return {P95: own, **known}
