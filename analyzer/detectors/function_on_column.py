"""Conditions that compute something from a column, so that an index on the column does not serve.

What it finds
    A statement that takes time and compares a function of a column: `lower(email) = …`,
    `UPPER(name) = UPPER(…)` (Django's `iexact`), `created_at::date = …`, `date(created_at) = …`,
    `(created AT TIME ZONE 'UTC')::date = …` (Django's `__date`), `date_trunc('day', …) = …`,
    `extract(year from …) = …`, `coalesce(column, …) = …`, `data ->> 'key' = …`, arithmetic.

Why it hurts
    An index holds the column's values, not what the function makes of them. PostgreSQL computes it
    for every row of the table, and the planner guesses how many rows are left (0.5 %), which leads
    to bad plans further up.

How it decides
    The condition is read off the statement's text; the function must be on the column's side and
    the other side must hold no column. Silent below 5 calls, 1 % of all time or 5 % of the target;
    where the catalog has an index on the expression; where a plan of the statement finds rows by an
    index on it; where a unique key finds one row anyway. Statements that one index would serve are
    one finding. Severity: high from one target and 5 % of
    the time on, medium from half a target or 20 %. Confidence is high where a plan shows the
    filter, lower without the schema, and lower where another condition may find the rows.

When it is wrong
    Another condition keeps few rows and an index serves that one. The table is small and the time
    is lost elsewhere. Without the schema an existing expression index is not known.

What to do
    Write dates as a range of the bare column: the rewritten statement is given where its meaning is
    the same. Else create the index on the expression; the statement must then spell it the same
    way. Run ANALYZE afterwards: an index on an expression also gives the planner its statistics.
"""

from analyzer.detectors._access import (
    access,
    column_type,
    equal_columns,
    found_by_key,
    index_on_expression,
    table_of,
)
from analyzer.detectors._heavy import (
    Weighed,
    answer_of,
    finding_of,
    heavy_statements,
    merged,
    pace,
    severity_of,
)
from analyzer.model.finding import Finding, Outcome
from analyzer.model.statement import Hindrance, Obstacle
from analyzer.model.text_evidence import FunctionOnColumnEvidence
from analyzer.model.workload import Workload
from analyzer.sql.expressions import immutable_as
from analyzer.sql.sargable import without_function

_PLAN, _SCHEMA, _TEXT, _SHARED = 0.95, 0.75, 0.6, 0.45  # confidence


class FunctionOnColumn:
    """Detector `function-on-column`: one finding per expression, or per statement to be rewritten."""

    id = "function-on-column"

    def detect(self, workload: Workload) -> Outcome:
        """Judge the workload."""
        findings: list[tuple[object, Finding]] = []
        for weighed in heavy_statements(workload):
            for obstacle in weighed.statement.facts.obstacles:
                if obstacle.hindrance is Hindrance.FUNCTION:
                    found = _judge(workload, weighed, obstacle)
                    if found is not None:
                        findings.append((_change(found), found))
        return answer_of(merged(findings), workload)


def _change(finding: Finding) -> object:
    """What settles it: an index for all statements that ask so, or each one's own rewriting."""
    evidence = finding.evidence
    if isinstance(evidence, FunctionOnColumnEvidence) and evidence.rewritten_sql is None:
        return evidence.table, evidence.expression
    return finding.key


def _judge(workload: Workload, weighed: Weighed, obstacle: Obstacle) -> Finding | None:
    """The finding, None where an index serves the expression or a key finds the row."""
    statement, catalog = weighed.statement, workload.catalog
    name = table_of(obstacle, statement.facts, catalog)
    if name is None or obstacle.expression is None:
        return None
    table = catalog.table(name) if catalog is not None else None
    if index_on_expression(table, obstacle.expression):
        return None
    if found_by_key(statement.facts, name, catalog):
        return None
    by_plan = access(workload, statement, name, obstacle.column)
    if by_plan.served:
        return None
    kind = column_type(table, obstacle.column)
    indexable = immutable_as(obstacle.expression, kind)
    rewritten = without_function(statement.sql, obstacle.column, obstacle.expression, kind)
    others = equal_columns(statement.facts, name)
    expression = obstacle.expression
    return finding_of(
        FunctionOnColumn.id,
        weighed,
        lambda common: FunctionOnColumnEvidence(
            **common,
            reasons=_reasons(obstacle, name, others, scanned=by_plan.scanned),
            table=name,
            column=obstacle.column,
            operator=obstacle.operator,
            expression=expression,
            column_type=kind,
            indexable=indexable,
            seen_in_plan=by_plan.scanned,
            computed_by=obstacle.computed_by,
            rewritten_sql=rewritten,
        ),
        title=f"{_subject(obstacle)} is computed for every row of {name}: {pace(weighed)}",
        severity=severity_of(weighed, workload.target.ms),
        confidence=_confidence(
            scanned=by_plan.scanned, typed=kind is not None, shared=bool(others)
        ),
        about=[name, expression],
    )


def _subject(obstacle: Obstacle) -> str:
    """The expression, or in words where the text elides a part of it."""
    whole = obstacle.expression is not None and "\u2026" not in obstacle.expression
    return str(obstacle.expression) if whole else f"{obstacle.computed_by} on {obstacle.column}"


def _confidence(*, scanned: bool, typed: bool, shared: bool) -> float:
    if scanned:
        return _PLAN
    if shared:
        return _SHARED
    return _SCHEMA if typed else _TEXT


def _reasons(
    obstacle: Obstacle, table: str, others: list[str], *, scanned: bool
) -> tuple[str, ...]:
    reasons = [f"an index on {obstacle.column} does not serve {obstacle.expression}"]
    if scanned:
        reasons.append("a plan filters by it row by row")
    if others:
        reasons.append(
            f"{', '.join(dict.fromkeys(others))} of {table} is compared too: an index on it may find the rows first"
        )
    return tuple(reasons)
