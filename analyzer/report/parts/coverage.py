"""The keys `coverage` and `window`: what the input shows and what it hides."""

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from analyzer.model.statement import Role
from analyzer.report.redaction import Redactor
from analyzer.report.values import iso

if TYPE_CHECKING:
    from analyzer.model.coverage import ExplainCoverage, SourceCoverage
    from analyzer.model.sampling import Sampling
    from analyzer.model.workload import Workload

_COUNTS = ("bytes", "bytes_unparsed", "entries", "executions", "parse", "bind", "plans", "errors")
_MORE_COUNTS = ("events", "unparsed_lines", "truncated", "foreign_bytes")


def coverage_part(workload: "Workload", redactor: Redactor) -> dict[str, Any]:
    """Every input's account and the sums.

    `executions` are those seen, each counted once, transaction control and the like included;
    `calls` are all calls of the team's statements that are known of, from logs or counters, beside
    what else was seen.
    """
    coverage = workload.coverage
    warnings = list(coverage.warnings)
    return {
        "sources": [_source(source, redactor) for source in coverage.sources],
        "entries": sum(source.entries for source in coverage.sources),
        "executions": sum(stats.samples for stats in workload.stats),
        "calls": sum(
            stats.calls if statement.facts.role is Role.WORKLOAD else stats.samples
            for statement, stats in zip(workload.statements, workload.stats, strict=True)
        ),
        "statements": len(workload.statements),
        "unparsed_lines": sum(source.unparsed_lines for source in coverage.sources),
        "scanner": _scanner(coverage.sources),
        "keys": {"checked": coverage.keys_checked, "disagreed": coverage.keys_disagreed},
        "sampling": _sampling(coverage.sampling),
        "log_min_duration_ms": coverage.log_min_duration_ms,
        "log_min_duration_inferred": coverage.log_min_duration_inferred,
        "warnings": [_without_line(warning, workload, redactor) for warning in warnings],
        **_explained(coverage.explained),
    }


def _explained(explained: "ExplainCoverage | None") -> dict[str, Any]:
    """What came of the statements that a server was asked to explain; nothing where it was not."""
    return {} if explained is None else {"explained": asdict(explained)}


def _sampling(sampling: "Sampling | None") -> dict[str, Any] | None:
    if sampling is None:
        return None
    return {
        "rate": sampling.rate,
        "threshold_ms": sampling.threshold_ms,
        "floor_ms": sampling.floor_ms,
        "rate_below_floor": sampling.rate_below_floor,
        "by": sampling.by,
        "known_from": sampling.known_from,
    }


def _scanner(sources: "list[SourceCoverage]") -> str | None:
    """Who read the logs: native, python or mixed; None without a log."""
    readers = {source.reader for source in sources if source.reader}
    return "mixed" if len(readers) > 1 else next(iter(readers), None)


def _source(source: "SourceCoverage", redactor: Redactor) -> dict[str, Any]:
    hidden = _hidden(source, redactor)
    failure = source.failure
    return {
        "path": source.path,
        "format": source.format,
        "detected_by": source.detected_by,
        **{name: getattr(source, name) for name in (*_COUNTS, *_MORE_COUNTS)},
        "reader": source.reader,
        "same_as": source.same_as,
        "first_unparsed": None if source.first_unparsed is None else hidden[1] or hidden[0],
        "failure": failure if failure is None or not hidden[0] else failure.replace(*hidden),
    }


def _hidden(source: "SourceCoverage", redactor: Redactor) -> tuple[str, str]:
    """The first unparsed line's text and what may be shown of it: only where it is."""
    text = source.first_unparsed or ""
    if redactor.shows_values or not text:
        return text, text
    place, colon, _line = text.partition(": ")
    return text, place if colon else "(a line, not shown)"


def _without_line(warning: str, workload: "Workload", redactor: Redactor) -> str:
    for source in workload.coverage.sources:
        raw, shown = _hidden(source, redactor)
        if raw:
            warning = warning.replace(raw, shown)
    return warning


def window_part(workload: "Workload") -> dict[str, str | None]:
    """First and last moment that executions and events show."""
    events = list(workload.events.values())
    starts = [event.first_us for event in events if event.first_us is not None]
    ends = [event.last_us for event in events if event.last_us is not None]
    traffic = workload.traffic
    starts += [at for at in (traffic.first_us,) if at is not None]
    ends += [at for at in (traffic.last_us,) if at is not None]
    return {"from": iso(min(starts, default=None)), "to": iso(max(ends, default=None))}
