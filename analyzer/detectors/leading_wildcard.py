"""Searches for a text that may stand anywhere: LIKE '%x', ILIKE, regular expressions without `^`.

What it finds
    A statement that takes time and compares a column with a pattern that begins with a wildcard:
    `LIKE '%x%'`, `ILIKE '%x%'`, `LIKE '%' || $1`, `UPPER(name) LIKE UPPER('%x%')` (Django's
    `icontains`), `~ 'x'`. Conditions joined by OR count too, as search forms write them.

Why it hurts
    A btree index is sorted by how texts begin. Where the beginning is not known, PostgreSQL reads
    every row of the table and tries the pattern on each; the time grows with the table.

How it decides
    The pattern is read off the statement's text where it stands there. Where it is a parameter,
    the values of up to 64 executions are looked at; what is kept of them is how many begin with a
    wildcard. ILIKE and `~*` ignore case, which a btree does not serve either: they count whatever
    the values are, with less confidence where no wildcard was seen. Silent below 5 calls, 1 % of all time or 5 % of
    the target; where a GIN or GiST trigram index is known on the column; where a plan of the
    statement finds the rows by an index on it; where a unique key finds one row anyway. Statements
    that search the same columns of a table (a page and its count) are one finding. Severity: high
    from one target and 5 % of the time on, medium from half a target or 20 %.

When it is wrong
    Another condition keeps so few rows that trying the pattern on them costs nothing, and the
    time goes elsewhere: a plan tells. Patterns shorter than three characters have no whole
    trigram, and an index does not help them. The executions looked at need not be typical.

What to do
    Create the trigram index. If people search for words rather than for parts of them, full text
    search (`to_tsvector`, `@@`) is smaller and ranks. If only beginnings are searched for, drop the
    leading `%` and index with `text_pattern_ops`.
"""

from collections.abc import Iterator

from analyzer.detectors._access import access, column_type, found_by_key, table_of, trigram_index
from analyzer.detectors._heavy import (
    Weighed,
    answer_of,
    finding_of,
    heavy_statements,
    merged,
    pace,
    severity_of,
)
from analyzer.detectors._values import PatternSeen, ValueSamples
from analyzer.model.finding import Finding, Outcome
from analyzer.model.statement import Hindrance, Obstacle
from analyzer.model.text_evidence import LeadingWildcardEvidence
from analyzer.model.workload import Workload
from analyzer.records import record
from analyzer.sql.expressions import immutable_as, relabels
from analyzer.sql.quoting import quote_identifier

_CASELESS = frozenset({"ilike", "~*"})
_SOME = (
    0.2  # of the patterns looked at: below, searches for beginnings are what the statement is for
)
_UNSEEN = (
    "{} that take time search with LIKE and the input does not show the values: log parameters "
    "(log_parameter_max_length = -1, the default), or give the application's query log"
)


@record
class _Search:
    """One pattern of a statement: its table, what an index would be on, and what was seen."""

    table: str
    obstacle: Obstacle
    subject: str
    seen: PatternSeen
    certain: bool


class LeadingWildcard:
    """Detector `leading-wildcard`: one finding per table and columns that are searched."""

    id = "leading-wildcard"

    def __init__(self, values: ValueSamples) -> None:
        self._values = values

    def detect(self, workload: Workload) -> Outcome:
        """Judge the workload."""
        findings: list[tuple[object, Finding]] = []
        unseen = 0
        for weighed in heavy_statements(workload):
            searches: dict[str, list[_Search]] = {}
            for place, obstacle in enumerate(weighed.statement.facts.obstacles):
                if obstacle.hindrance is not Hindrance.PATTERN:
                    continue
                seen = self._values.of(weighed.number).patterns.get(place, PatternSeen())
                anywhere = _anywhere(obstacle, seen)
                unseen += anywhere is None
                for search in _searches(workload, weighed, obstacle, seen) if anywhere else ():
                    searches.setdefault(search.table, []).append(search)
            for table, found in searches.items():
                subjects = frozenset(search.subject for search in found)
                findings.append(((table, subjects), _finding(workload, weighed, table, found)))
        return answer_of(
            merged(findings), workload, _UNSEEN.format(_statements(unseen)) if unseen else None
        )


def _statements(count: int) -> str:
    return f"{count} statement{'s' if count > 1 else ''}"


def _anywhere(obstacle: Obstacle, seen: PatternSeen) -> bool | None:
    """Whether the search is for texts anywhere, None where nothing tells."""
    if obstacle.operator in _CASELESS:
        return True
    if seen.looked_at:
        return seen.anywhere >= _SOME * seen.looked_at
    return obstacle.anywhere


def _searches(
    workload: Workload, weighed: Weighed, obstacle: Obstacle, seen: PatternSeen
) -> Iterator[_Search]:
    """The search as something to index; nothing where an index serves it or a key finds the row."""
    facts, catalog = weighed.statement.facts, workload.catalog
    name = table_of(obstacle, facts, catalog)
    if name is None or found_by_key(facts, name, catalog):
        return
    table = catalog.table(name) if catalog is not None else None
    subject = obstacle.expression or quote_identifier(obstacle.column)
    known = column_type(table, obstacle.column)
    if obstacle.expression is None and known is not None and not relabels(known, "text"):
        subject = f"({subject})::text"
    served = access(workload, weighed.statement, name, obstacle.column).served
    if served or trigram_index(table, subject):
        return
    certain = bool(seen.anywhere or (obstacle.anywhere and not seen.looked_at))
    yield _Search(name, obstacle, subject, seen, certain)


def _finding(workload: Workload, weighed: Weighed, table: str, searches: list[_Search]) -> Finding:
    first = searches[0].obstacle
    known = workload.catalog.table(table) if workload.catalog is not None else None
    kind = column_type(known, first.column)
    scanned = access(workload, weighed.statement, table, first.column).scanned
    columns = list(dict.fromkeys(search.obstacle.column for search in searches))
    certain = all(search.certain for search in searches)
    return finding_of(
        LeadingWildcard.id,
        weighed,
        lambda common: LeadingWildcardEvidence(
            **common,
            reasons=_reasons(searches, scanned=scanned),
            table=table,
            column=first.column,
            operator=first.operator,
            expression=first.expression,
            column_type=kind,
            indexable=all(_indexable(search, kind) for search in searches),
            seen_in_plan=scanned,
            subjects=tuple(dict.fromkeys(search.subject for search in searches)),
            looked_at=sum(search.seen.looked_at for search in searches),
            anywhere=sum(search.seen.anywhere for search in searches),
        ),
        title=f"{_title(table, first.operator.upper(), columns, certain=certain)}: {pace(weighed)}",
        severity=severity_of(weighed, workload.target.ms),
        confidence=(0.95 if scanned else 0.8) if certain else 0.6,
        about=[table],
    )


def _title(table: str, operator: str, columns: list[str], *, certain: bool) -> str:
    """`certain`: patterns were seen to begin with a wildcard; else the operator alone tells."""
    if certain:
        return f"{operator} searches {table} for a text anywhere in {', '.join(columns)}"
    return f"{operator} on {', '.join(columns)} of {table}, which no btree index serves"


def _indexable(search: _Search, kind: str | None) -> bool:
    bare = search.subject == quote_identifier(search.obstacle.column)
    return bare or immutable_as(search.subject, kind)


def _reasons(searches: list[_Search], *, scanned: bool) -> tuple[str, ...]:
    reasons = []
    for search in searches:
        seen, column = search.seen, search.obstacle.column
        if seen.looked_at:
            reasons.append(
                f"{seen.anywhere} of {seen.looked_at} patterns looked at on {column} begin with a wildcard"
            )
        elif search.obstacle.anywhere:
            reasons.append(
                f"the pattern on {column} begins with a wildcard in the statement's text"
            )
        if search.obstacle.operator in _CASELESS:
            reasons.append(
                f"{search.obstacle.operator.upper()} ignores case: a btree on {column} does not serve it"
            )
    if scanned:
        reasons.append("a plan tries the pattern row by row")
    return tuple(dict.fromkeys(reasons))
