"""Pages that are reached by OFFSET, which reads all rows before them and throws them away.

What it finds
    A SELECT whose OFFSET skips a thousand rows and more, or that walks through a result page by
    page, five pages or more in one unit of work.

Why it hurts
    PostgreSQL produces every skipped row. The page behind the ten thousandth row costs as much as
    reading ten thousand rows, and a walk through n pages reads n²/2 of them. Rows that are inserted
    or deleted meanwhile make pages show a row twice or leave one out.

How it decides
    OFFSET and LIMIT are read from parameters and literals, of the slowest executions and of an even
    share of the others. OFFSET 0, which some ORMs write always, is no page. A walk is a run of
    executions each of which begins where the one before ended. Deep pages count where their depth
    costs something: their median duration is a millisecond or more and twice that of shallow ones;
    where no shallow one was seen, 10 ms, or 1 % of all database time. Severity counts the round
    trips of a walk, the duration of deep pages and the statement's share of database time.

When it is wrong
    Pages that must be numbered, where readers jump to page 500. A deep page that ran so rarely that
    none of it was among those read.

What to do
    Ask for what comes behind the last row seen (keyset, cursor): `WHERE (sort column, id) > (…)`,
    with an index on those columns.
"""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from analyzer.detectors._base import answer
from analyzer.detectors._loops import LoopFinder
from analyzer.detectors._pages import DEEP, Page, PageFigures
from analyzer.detectors._weights import share_of_time, weighed
from analyzer.model.columns import median
from analyzer.model.evidence import OffsetPaginationEvidence
from analyzer.model.finding import Finding, Impact, Outcome, Severity, Status
from analyzer.model.workload import Workload
from analyzer.sql.identity import short_hash

_SLOW_MS = 10.0
_SLOWER = 2.0
_NOTED_MS = 1.0
_SHARE = 0.01


class OffsetPagination:
    """Detector `offset-pagination`: one finding per statement (shape)."""

    id = "offset-pagination"

    def __init__(self, loops: LoopFinder) -> None:
        self._pages = loops.neighbours.pages
        self._answered: tuple[Workload, Outcome] | None = None

    def detect(self, workload: Workload) -> Outcome:
        """Judge the workload; once, though a rule of plans (skipped-rows) asks as well."""
        if self._answered is None or self._answered[0] is not workload:
            self._answered = workload, self._judged(workload)
        return self._answered[1]

    def _judged(self, workload: Workload) -> Outcome:
        self._pages.settle()
        made = [_judge(workload, found) for found in self._pages.found.values()]
        findings = [one for one in made if one is not None]
        unread = sum(found.unread for found in self._pages.found.values())
        outcome = answer(findings, workload)
        if outcome.status is Status.CLEAN and unread:
            return Outcome(
                Status.NOT_APPLICABLE,
                reason=f"the values of OFFSET are not in the input ({unread} executions looked at): log parameters (log_parameter_max_length = -1)",
            )
        return outcome


def _judge(workload: Workload, found: PageFigures) -> Finding | None:
    statement, stats = workload.statements[found.statement], workload.stats[found.statement]
    facts = statement.facts
    deep_ms, shallow_ms = _typical_ms(found.deep), _typical_ms(found.shallow)
    share = share_of_time(workload, stats.total_ms)
    walks = found.walks.count
    if not walks and not _costs(deep_ms, shallow_ms, share):
        return None
    bounded = [(page.offset, page.limit) for page in (*found.deep, *found.shallow) if page.limit]
    asked = sum(limit or 0 for _, limit in bounded)
    evidence = OffsetPaginationEvidence(
        shape_id=statement.shape_id,
        sql=statement.sql,
        table=facts.main_table,
        order_columns=tuple(column for _, column in facts.order_by),
        executions=stats.calls,
        deepest_offset=found.deepest,
        page_rows=median(np.array([limit or 0 for _, limit in bounded])) if bounded else None,
        skipped_per_row=round(sum(offset for offset, _ in bounded) / asked, 1) if asked else None,
        walks=walks,
        pages_per_walk=found.walks.spread() if walks else None,
        deep_ms=deep_ms,
        shallow_ms=shallow_ms,
        examples=found.examples,
    )
    made = Finding(
        key=f"offset-pagination-{short_hash(statement.lineage, 12)}",
        detector=OffsetPagination.id,
        severity=Severity.INFO,
        confidence=0.9,
        title=_title(evidence),
        evidence=evidence,
        impact=Impact(None, stats.total_ms, None, found.walked.requests or None),
        shape_ids=(statement.shape_id,),
        fingerprints=(statement.fingerprint,),
        tables=facts.tables,
        routes=found.walked.routes,
    )
    if deep_ms is not None and deep_ms >= _SLOW_MS:
        made = replace(made, severity=Severity.LOW)
    pages = evidence.pages_per_walk.median if evidence.pages_per_walk else 0
    elapsed_ms = max(deep_ms or 0.0, pages * stats.mean_ms)
    weight = weighed(trips=pages, elapsed_ms=elapsed_ms, share=share, total_ms=stats.total_ms)
    return replace(made, severity=max(weight, made.severity, key=lambda one: one.rank))


def _typical_ms(pages: Sequence[Page]) -> float | None:
    return median(np.array([page.duration_ms for page in pages])) if pages else None


def _costs(deep_ms: float | None, shallow_ms: float | None, share: float) -> bool:
    """Whether deep pages were seen, and it is their depth that costs something."""
    if deep_ms is None or deep_ms < _NOTED_MS:
        return False
    if shallow_ms is not None:
        return deep_ms >= _SLOWER * shallow_ms
    return deep_ms >= _SLOW_MS or share >= _SHARE


def _title(evidence: OffsetPaginationEvidence) -> str:
    name = evidence.table or "a result"
    if evidence.deepest_offset >= DEEP or evidence.pages_per_walk is None:
        return f"Pages of {name} skip up to {evidence.deepest_offset:,} rows"
    return f"A walk through {name} page by page, {evidence.pages_per_walk.median:g} pages by OFFSET"
