"""The sections of the HTML report, in the order in which they are read."""

from analyzer.report.sections import (
    actions,
    coverage,
    events,
    findings,
    hours,
    indexes,
    latency,
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
    targets.SECTION,
    latency.SECTION,
    findings.SECTION,
    trend.SECTION,
    savings.SECTION,
    statements.SECTION,
    requests.SECTION,
    plans.SECTION,
    indexes.SECTION,
    tables.SECTION,
    hours.SECTION,
    events.SECTION,
    coverage.SECTION,
)
