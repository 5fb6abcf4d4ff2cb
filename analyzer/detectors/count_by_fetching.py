"""Whole results that are fetched to be counted, beside the one page of them that is shown.

What it finds
    A SELECT without LIMIT that returns many rows, and beside it, in the same unit of work, a page
    (LIMIT) of the same: the same tables and conditions with the same values.

Why it hurts
    All rows are read, sent and built into objects for one number.

How it decides
    What an application does with rows is not in any log. A page beside the whole is: who had used
    the rows of the whole had no need to ask for some of them again. At least half of the executions
    that were compared have such a page, at least two do, and the whole returns a hundred rows and
    more in the mean, as pg_stat_statements or analysed plans count them.

When it is wrong
    An export and a list in one request. A whole that is fetched for its rows by one part of the
    application while another shows a page of them. Rows that are fetched to be counted without a
    page beside them are not found.

What to do
    `SELECT count(*)` with the same conditions (or `EXISTS` where only "is there any" is asked), or
    `count(*) OVER ()` beside the page's columns.
"""

from analyzer.detectors._base import incomplete_log, with_unique_keys
from analyzer.detectors._fetches import FetchFigures
from analyzer.detectors._loops import LoopFinder
from analyzer.detectors._weights import RowsPerCall, rows_per_call, share_of_time, weighed
from analyzer.model.evidence import CountByFetchingEvidence
from analyzer.model.finding import Finding, Impact, Outcome, Status
from analyzer.model.workload import Workload
from analyzer.sql.identity import short_hash

_ROWS = 100
_NO_ROWS = "whole results are fetched beside a page of the same, but nothing in the input tells how many rows they return: give pg_stat_statements of the same time, or plans"
_NO_VALUES = "whether a whole result and a page are of the same cannot be told: log parameters (log_parameter_max_length = -1)"


class CountByFetching:
    """Detector `count-by-fetching`: one finding per statement (shape) that fetches the whole."""

    id = "count-by-fetching"

    def __init__(self, loops: LoopFinder) -> None:
        self._fetches = loops.neighbours.fetches

    def detect(self, workload: Workload) -> Outcome:
        """Judge the workload."""
        self._fetches.settle()
        every = list(self._fetches.found.values())
        found = [one for one in every if one.accompanied]
        rows = rows_per_call(workload, _ROWS)
        best = {one.whole: one for one in sorted(found, key=lambda one: one.same)}
        findings = [
            _finding(workload, one, rows[one.whole]) for one in best.values() if one.whole in rows
        ]
        if findings:
            return Outcome(Status.FOUND, with_unique_keys(findings))
        reason = incomplete_log(workload)
        if reason is None and found and not (workload.counters or workload.plans):
            reason = _NO_ROWS
        if reason is None and any(one.unlogged for one in every):
            reason = _NO_VALUES
        return Outcome(Status.NOT_APPLICABLE if reason else Status.CLEAN, reason=reason)


def _finding(workload: Workload, found: FetchFigures, rows: RowsPerCall) -> Finding:
    statement, page = workload.statements[found.whole], workload.statements[found.page]
    stats = workload.stats[found.whole]
    evidence = CountByFetchingEvidence(
        shape_id=statement.shape_id,
        sql=statement.sql,
        page_shape_id=page.shape_id,
        page_sql=page.sql,
        table=statement.facts.main_table,
        executions=stats.calls,
        compared=found.compared,
        beside_page=found.same,
        rows_per_call=round(rows.rows, 1),
        rows_known_by=rows.known_by,
        examples=found.examples,
    )
    return Finding(
        key=f"count-by-fetching-{short_hash(statement.lineage, 12)}",
        detector=CountByFetching.id,
        severity=weighed(
            trips=0,
            elapsed_ms=stats.mean_ms,
            share=share_of_time(workload, stats.total_ms),
            total_ms=stats.total_ms,
        ),
        confidence=0.7,
        title=f"{rows.rows:,.0f} rows of {evidence.table} fetched beside one page of them",
        evidence=evidence,
        impact=Impact(None, stats.total_ms, None, found.rows.requests),
        shape_ids=(statement.shape_id, page.shape_id),
        fingerprints=(statement.fingerprint, page.fingerprint),
        tables=statement.facts.tables,
        routes=found.rows.routes,
    )
