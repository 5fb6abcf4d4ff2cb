"""Figures of each statement: from its executions where a log shows them, else from counters."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
import pandas as pd

from analyzer.model.executions import Clock
from analyzer.model.recording import PhaseTotals
from analyzer.model.statement import StatementCounters, StatementStats
from analyzer.model.target import Target
from analyzer.workload.quantiles import Floats, Integers, grouped_quantiles, histogram
from analyzer.workload.verdicts import from_counters


@dataclass(slots=True)
class Sums:
    """What belongs to one statement beside its executions."""

    phases: PhaseTotals = field(default_factory=PhaseTotals)
    counters: list[StatementCounters] = field(default_factory=list)
    query_ids: set[str] = field(default_factory=set)


@dataclass(frozen=True, slots=True)
class LogContext:
    """`censored_ms`: executions faster than this are not logged (None: all are)."""

    paths: Sequence[str]
    censored_ms: float | None


def statement_figures(
    executions: pd.DataFrame, sums: Mapping[int, Sums], count: int, target: Target, log: LogContext
) -> list[StatementStats]:
    """StatementStats of statements 0..count-1, from rows with `statement`, `request`, `clock`."""
    chosen = _one_clock(executions)
    groups = chosen["statement"].to_numpy(dtype=np.int64)
    values = chosen["duration_ms"].to_numpy(dtype=np.float64)
    p50, p95, p99, low, high = grouped_quantiles(groups, values, count, (0.5, 0.95, 0.99, 0.0, 1.0))
    calls = np.bincount(groups, minlength=count)
    totals = np.bincount(groups, weights=values, minlength=count)
    requests, per_request = _per_request(chosen, count)
    order = np.argsort(groups, kind="stable")
    split = np.split(order, np.cumsum(calls)[:-1]) if count else []
    paths = _paths(chosen, log.paths)
    clients = set(chosen.loc[chosen["clock"] == Clock.CLIENT, "statement"].unique().tolist())
    figures = []
    for number in range(count):
        extra = sums.get(number, Sums())
        if calls[number]:
            stats = StatementStats(
                calls=int(calls[number]),
                total_ms=float(totals[number]),
                mean_ms=float(totals[number] / calls[number]),
                min_ms=float(low[number]),
                max_ms=float(high[number]),
                p50_ms=None if log.censored_ms else float(p50[number]),
                p95_ms=None if log.censored_ms else float(p95[number]),
                p99_ms=None if log.censored_ms else float(p99[number]),
                p95_low_ms=0.0 if log.censored_ms else float(p95[number]),
                p95_high_ms=float(p95[number]),
                method="bound" if log.censored_ms else "exact",
                requests=int(requests[number]),
                calls_per_request_p95=float(per_request[number]),
                samples=int(calls[number]),
                client=number in clients,
                sources=paths.get(number, ()),
                histogram=histogram(values[split[number]]),
            )
        else:
            stats = _from_counters(extra.counters, target, log.paths)
        figures.append(_completed(stats, extra, log))
    return figures


def _one_clock(executions: pd.DataFrame) -> pd.DataFrame:
    """Of a statement seen on both clocks, the rows of the clock that saw more; a tie is the server's."""
    if executions["clock"].nunique() < 2:  # noqa: PLR2004 - two clocks
        return executions
    seen = executions.groupby(["statement", "clock"]).size().unstack(fill_value=0)  # noqa: PD010
    client_wins = seen[Clock.CLIENT] > seen[Clock.SERVER]
    wanted = client_wins.reindex(executions["statement"]).to_numpy()
    chosen: pd.DataFrame = executions[(executions["clock"] == Clock.CLIENT).to_numpy() == wanted]
    return chosen


def _per_request(executions: pd.DataFrame, count: int) -> tuple[Integers, Floats]:
    """By statement: the number of requests that ran it, and the P95 of its calls in one."""
    sizes = executions.groupby(["statement", "request"]).size()
    groups = sizes.index.get_level_values("statement").to_numpy(dtype=np.int64)
    requests = np.bincount(groups, minlength=count).astype(np.int64)
    (p95,) = grouped_quantiles(groups, np.asarray(sizes, dtype=np.float64), count, (0.95,))
    return requests, p95


def _paths(executions: pd.DataFrame, paths: Sequence[str]) -> dict[int, tuple[str, ...]]:
    found: dict[int, list[str]] = defaultdict(list)
    pairs = (
        executions[["statement", "source"]].drop_duplicates().sort_values(["statement", "source"])
    )
    for number, source in zip(pairs["statement"].tolist(), pairs["source"].tolist(), strict=True):
        found[number].append(paths[source])
    return {number: tuple(names) for number, names in found.items()}


def _from_counters(
    counters: Sequence[StatementCounters], target: Target, paths: Sequence[str]
) -> StatementStats:
    """A statement known from pg_stat_statements alone: sums, and bounds on its P95."""
    calls = sum(row.calls for row in counters)
    total = sum(row.total_ms for row in counters)
    minima = [row.min_ms for row in counters if row.min_ms is not None]
    maxima = [row.max_ms for row in counters if row.max_ms is not None]
    verdict = from_counters(counters, target)
    return StatementStats(
        calls=calls,
        total_ms=total,
        mean_ms=total / calls if calls else 0.0,
        min_ms=min(minima, default=None),
        max_ms=max(maxima, default=None),
        p50_ms=None,
        p95_ms=verdict.value_ms,
        p99_ms=None,
        p95_low_ms=verdict.low_ms,
        p95_high_ms=verdict.high_ms,
        method=verdict.method,
        sources=tuple(sorted({paths[row.source] for row in counters if row.source >= 0})),
    )


def _completed(stats: StatementStats, extra: Sums, log: LogContext) -> StatementStats:
    """What counters and phases add to a statement's figures: rows, query ids, true calls."""
    rows = [row.rows for row in extra.counters if row.rows is not None]
    counted = sum(row.calls for row in extra.counters)
    if stats.samples and log.censored_ms and counted > stats.calls:
        total = sum(row.total_ms for row in extra.counters)
        stats = replace(stats, calls=counted, total_ms=total, mean_ms=total / counted)
    paths = {log.paths[row.source] for row in extra.counters if row.source >= 0}
    return replace(
        stats,
        parse_ms=extra.phases.parse_ms,
        bind_ms=extra.phases.bind_ms,
        rows=sum(rows) if rows else None,
        query_ids=tuple(sorted(extra.query_ids)),
        sources=tuple(dict.fromkeys([*stats.sources, *sorted(paths)])),
    )
