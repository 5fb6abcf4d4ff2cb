"""The sections of the HTML report, in the order in which they are read."""

from analyzer.report.sections import (
    actions,
    coverage,
    events,
    findings,
    hours,
    indexes,
    jobs,
    latency,
    loops,
    plans,
    requests,
    savings,
    scoreboard,
    statements,
    summary,
    tables,
    targets,
    trend,
)
from analyzer.report.sections._base import Section

SECTIONS: tuple[Section, ...] = (
    summary.SECTION,
    actions.SECTION,
    scoreboard.SECTION,
    requests.SECTION,
    jobs.SECTION,
    targets.SECTION,
    latency.SECTION,
    statements.SECTION,
    findings.SECTION,
    loops.SECTION,
    savings.SECTION,
    plans.SECTION,
    indexes.SECTION,
    tables.SECTION,
    hours.SECTION,
    trend.SECTION,
    events.SECTION,
    coverage.SECTION,
)
