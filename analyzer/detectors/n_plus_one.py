"""N+1: one statement's rows each followed by a statement of their own.

What it finds
    A parent statement that returns many rows, followed in the same unit of work by one child
    lookup for each of them (or for most): `SELECT … FROM authors LIMIT 20`, then twenty times
    `SELECT … FROM books WHERE author_id = $1`. Nested loops are one finding a level.

Why it hurts
    Each child is a round trip. Twenty children cost the server a millisecond or two and the
    request tens to hundreds, and the number grows with the data. Statement latency does not show
    it: every child is fast.

How it decides
    Requests first: a trace, request or job id where statements carry one. Else what begins requests
    is learnt from the log: behind it stands whatever the last request ended with (the session's
    lookup, mostly), or a pause. Else a transaction, or a burst of a session.

    Children are SELECTs with an equality on one value, compared as shapes (a batched `IN` or
    `= ANY` is another shape). A parent is linked to them through a foreign key (from the catalog,
    else from names), can return more than one row, and comes before them in the same request, or in
    another session of the same pool within 100 ms. At least five children with at least five
    different keys must follow one execution of the parent, or a parent that itself repeats must be
    followed by 1.5 children or more on average; hardly more than its LIMIT. Pauses before most of
    them are other requests'. Where a loop runs the parent's statement again in each turn, the first
    one in the request is the parent. A statement that runs once in each turn beside a linked child
    belongs to the same loop, whatever it looks up.

    Where a pooler shares connections between requests at once, only the order within a transaction
    tells something. Outside, executions count that do something new, beyond the requests that began
    meanwhile, or many together just before: at least five, or three of what few requests run. Requests are counted by a statement
    that each runs once, or a pool's checks of its connections, and by transactions.

    Requests may use several connections at once, as resolvers of GraphQL and `Promise.all` do. Then
    what follows on another connection is the same statement far oftener than by chance. Parents are
    looked for on all connections, in the order of time, and levels that are loaded at once are one
    tree: each parent of a level has an equal share of the children.

    Logs have what statements were called with, not what they returned. But a parent that asks for a list
    of values (`IN`, `= ANY`, VALUES) or for a single one returns no other values there. Where the values
    of its children are among these, a link that names only suggest is surer (by .2 where parents are
    chosen, by .3 in the confidence), and where neither keys nor names suggest one and the children look
    up most of a list, it is made (strength .5 for small numbers, else .65). Where most are not, the
    statement is no parent of theirs, whatever its name: another one is looked for, and where there is none
    the finding says that the loop's values come from elsewhere (strength .4). Values in the order that the parent sorts by count for .1. The
    evidence says how many values were compared; the values themselves are not kept.

    The confidence adds up: .15, + .45 × strength of the link, + .1 for tight gaps, for one
    transaction or trace, for a key lookup and for different keys, − .3 when every child has a
    transaction of its own.

    From counters alone (pg_stat_statements, no log of all statements) a linked pair is a guess
    with a confidence of .3: the parent returns two rows a call or more, and the child was called
    .3 to 1.05 times for each of these rows.

    What comes again and again and is none has its verdict in `ruled_out`: batched (lists of several
    values), pagination, retry (rolled back each time; also on other connections, where the last one is kept and
    writes), polling (the same question at a steady period, or alone on its connections for five seconds and twenty times,
    with pauses that are much the same or grow and begin anew), batch-job (a transaction in each turn, without a rest; also where
    units of work end with it: eight turns that run the same for the rows of a list read just before, or name a job),
    bulk-import (several rows), per-tenant (search_path, a role or a setting of the application changes in each turn),
    read-before-write.

When it is wrong
    Loops over tenants' keys and jobs that must work row by row look the same. In a short log, or an
    application whose requests begin in no common way, requests that follow each other on one
    connection may be taken for one. Links guessed from names can name the wrong parent.

What to do
    Load the children of all parents with one statement (`= ANY($1)`, a join, or the ORM's eager
    loading) and group them in the application.
"""

import math
from dataclasses import replace

from analyzer.detectors._base import answer, incomplete_log
from analyzer.detectors._counters import CountedPair, counted_pairs
from analyzer.detectors._figures import RowFigures
from analyzer.detectors._links import Link, lookups
from analyzer.detectors._loops import LoopFinder, Loops, PairFigures
from analyzer.detectors._ruled_out import REST_US
from analyzer.detectors._scores import TIGHT_GAP_MS
from analyzer.model.evidence import NPlusOneEvidence
from analyzer.model.evidence_parts import Spread
from analyzer.model.finding import Finding, Impact, Outcome, Severity
from analyzer.model.ruled_out import RuledOut, Verdict
from analyzer.model.statement import Statement
from analyzer.model.workload import Workload
from analyzer.sql.identity import short_hash

_REPORTED_FROM = 0.5  # confidence
_GUESSED = 0.3  # confidence of what counters alone suggest
_BY_VALUES, _BY_ORDER = 0.3, 0.1  # that values add to the strength of a link
_BESIDE = 0.4  # the strength of a link that values speak against
_MOST_RULED_OUT = 100  # statements
_MANY_CHILDREN = 50
_SOME_CHILDREN = 15


class NPlusOne:
    """Detector `n-plus-one`: one finding per (parent, child) pair of shapes."""

    id = "n-plus-one"

    def __init__(self, loops: LoopFinder) -> None:
        self._loops = loops

    def detect(self, workload: Workload) -> Outcome:
        """Judge the workload."""
        loops = self._loops.find()
        pairs = loops.pairs
        findings = [made for pair in pairs if (made := _finding(workload, pair))]
        if not pairs and workload.counters and incomplete_log(workload):
            findings = [_guess(workload, pair) for pair in counted_pairs(workload)]
        return replace(answer(findings, workload), ruled_out=_ruled_out(workload, loops, findings))


def _ruled_out(workload: Workload, loops: Loops, findings: list[Finding]) -> tuple[RuledOut, ...]:
    """What looked like a loop and is none, with its verdict, most executions first."""
    found = {finding.shape_ids[0] for finding in findings}
    told = dict(loops.ruled_out)
    seen = [(pair.child, pair.rows) for pair in loops.pairs]
    for number, rows in seen + [(group.statement, group.rows) for group in loops.lookups]:
        if rows.all_inside and rows.transactions == rows.executions and _goes_on(rows):
            told[number, Verdict.BATCH_JOB] = rows.executions, rows.requests
    made = [
        RuledOut(workload.statements[number].shape_id, verdict, *counts)
        for (number, verdict), counts in told.items()
    ]
    made.sort(key=lambda one: (-one.executions, one.shape_id))
    return tuple(one for one in made if one.shape_id not in found)[:_MOST_RULED_OUT]


def _goes_on(rows: RowFigures) -> bool:
    """Whether hardly any time passes between executions: a job does not rest, requests come at random."""
    return rows.rest_ms is not None and rows.rest_ms <= REST_US / 1000


def _finding(workload: Workload, pair: PairFigures) -> Finding | None:
    parent, child = workload.statements[pair.parent], workload.statements[pair.child]
    rows = pair.rows
    gap_ms = rows.gap_ms or 0.0
    confidence, reasons = _confidence(pair, gap_ms)
    if confidence < _REPORTED_FROM:
        return None
    evidence = NPlusOneEvidence(
        child=child.fingerprint,
        parent=parent.fingerprint,
        child_shape_id=child.shape_id,
        parent_shape_id=parent.shape_id,
        child_sql=child.sql,
        parent_sql=parent.sql,
        child_table=pair.link.child_table,
        child_tables=child.facts.tables,
        parent_table=pair.link.parent_table,
        lookup_columns=tuple(predicate.column for predicate in pair.lookups),
        parent_columns=pair.link.parent_columns,
        link=pair.link.how,
        scope="cross-session" if pair.parallel else rows.scope,
        occurrences=pair.per_occurrence.count,
        executions=rows.executions,
        children_per_occurrence=pair.per_occurrence.spread(),
        children_per_parent=pair.per_parent.spread(),
        distinct_parameters=rows.distinct_parameters,
        median_child_ms=rows.median_ms,
        wall_ms=pair.wall_ms.median,
        reasons=tuple(reasons),
        examples=pair.examples,
        timeline=pair.timeline,
        values_compared=pair.values.looked or None,
        values_from_parent=pair.values.inside if pair.values.looked else None,
    )
    trips = rows.executions - pair.per_parent.count
    # Round trips saved, each the smallest usual gap; server time stays (a batch does the same work).
    saving = trips * gap_ms
    return Finding(
        key=_key(parent, child),
        detector=NPlusOne.id,
        severity=_severity(evidence, workload.target.ms),
        confidence=confidence,
        title=_title(evidence, pair.link),
        evidence=evidence,
        impact=Impact(
            round_trips=trips,
            total_ms=rows.total_ms,
            saving_ms=round(saving, 3),
            requests=rows.requests,
        ),
        shape_ids=(child.shape_id, parent.shape_id),
        fingerprints=(child.fingerprint, parent.fingerprint),
        tables=_tables(pair.link),
        routes=rows.routes,
    )


def _guess(workload: Workload, pair: CountedPair) -> Finding:
    """What counters alone suggest: a candidate to look at, no more."""
    parent, child = workload.statements[pair.parent], workload.statements[pair.child]
    parents, children = workload.stats[pair.parent], workload.stats[pair.child]
    mean = Spread(pair.per_parent, pair.per_parent, pair.per_parent)
    rows = parents.rows or 0
    evidence = NPlusOneEvidence(
        child=child.fingerprint,
        parent=parent.fingerprint,
        child_shape_id=child.shape_id,
        parent_shape_id=parent.shape_id,
        child_sql=child.sql,
        parent_sql=parent.sql,
        child_table=pair.link.child_table,
        child_tables=child.facts.tables,
        parent_table=pair.link.parent_table,
        lookup_columns=tuple(predicate.column for predicate in lookups(child.facts)),
        parent_columns=pair.link.parent_columns,
        link=pair.link.how,
        scope="statistics",
        occurrences=parents.calls,
        executions=children.calls,
        children_per_occurrence=mean,
        children_per_parent=mean,
        distinct_parameters=0,
        median_child_ms=children.mean_ms,
        wall_ms=children.mean_ms * pair.per_parent,
        reasons=(
            pair.link.how,
            f"{children.calls} calls for {rows} rows that the parent returned in {parents.calls}",
            "counters show no order: log all statements for a while to see whether it is a loop",
        ),
        examples=(),
    )
    return Finding(
        key=_key(parent, child),
        detector=NPlusOne.id,
        severity=Severity.LOW,
        confidence=_GUESSED,
        title=f"Perhaps N+1: about {pair.per_parent:.3g} × {evidence.child_table} by "
        f"{', '.join(evidence.lookup_columns)} for each read of {evidence.parent_table}",
        evidence=evidence,
        impact=Impact(max(children.calls - parents.calls, 0), children.total_ms, None, None),
        shape_ids=(child.shape_id, parent.shape_id),
        fingerprints=(child.fingerprint, parent.fingerprint),
        tables=_tables(pair.link),
    )


def _key(parent: Statement, child: Statement) -> str:
    return f"n-plus-one-{short_hash(parent.lineage + child.lineage, 12)}"


def _tables(link: Link) -> tuple[str, ...]:
    return tuple(dict.fromkeys(name for name in (link.parent_table, link.child_table) if name))


def _confidence(pair: PairFigures, gap_ms: float) -> tuple[float, list[str]]:
    """The sum described in the module's docstring, with a sentence for each part."""
    rows = pair.rows
    strength, reasons = _strength(pair)
    score = 0.15 + 0.45 * strength + 0.1
    if gap_ms <= TIGHT_GAP_MS:
        score += 0.1
        reasons.append(f"children follow each other within {gap_ms:.1f} ms")
    if rows.all_traced or (pair.one_transaction and rows.all_inside):
        score += 0.1
        reasons.append("all in one trace or transaction")
    elif rows.all_inside and rows.transactions == rows.executions:
        score -= 0.3
        reasons.append("each child has a transaction of its own")
    distinct = rows.distinct_parameters
    if distinct >= math.ceil(0.8 * rows.executions / max(pair.per_occurrence.count, 1)):
        score += 0.1
        reasons.append(f"{distinct} different parameter sets")
    if pair.parallel:
        reasons.append("served by several connections at once")
    return round(min(score, 1.0), 2), reasons


def _strength(pair: PairFigures) -> tuple[float, list[str]]:
    """How sure it is that the children belong to the parent, with what speaks for and against it."""
    strength, values = pair.link.strength, pair.values
    reasons = [pair.link.how]
    column = f"values of {pair.link.asks.column}" if pair.link.asks else "values"
    if pair.link.refuted:
        strength = _BESIDE
        reasons.append(f"{values.outside} of {values.looked} {column} are none that it asked for")
    elif values.from_parent:
        strength = max(strength, min(strength + _BY_VALUES, 0.9))
        where = "in the list of" if 2 * values.listed >= values.inside else "what is asked for by"
        reasons.append(
            f"{values.inside} of {values.looked} {column} were {where} the parent's statement"
        )
    if values.in_order:
        strength = max(strength, min(strength + _BY_ORDER, 0.9))
        reasons.append(f"{column} come in the order in which the parent sorts its rows")
    return strength, reasons


def _severity(evidence: NPlusOneEvidence, target_ms: float) -> Severity:
    """By what one occurrence costs a request, against the target; counts alone for fast networks."""
    children = evidence.children_per_occurrence.median
    if evidence.wall_ms >= 5 * target_ms:
        return Severity.CRITICAL
    if evidence.wall_ms >= target_ms or children >= _MANY_CHILDREN:
        return Severity.HIGH
    if evidence.wall_ms >= 0.3 * target_ms or children >= _SOME_CHILDREN:
        return Severity.MEDIUM
    return Severity.LOW


def _title(evidence: NPlusOneEvidence, link: Link) -> str:
    children = evidence.children_per_occurrence.median
    where = (
        f"in a loop, with values from elsewhere than {evidence.parent_table}"
        if link.refuted
        else f"after one read of {evidence.parent_table}"
    )
    columns = ", ".join(evidence.lookup_columns)
    return f"N+1: {children:g} × {evidence.child_table} by {columns} {where}"
