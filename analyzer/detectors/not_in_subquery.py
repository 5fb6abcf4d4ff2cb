"""NOT IN (SELECT …), which PostgreSQL cannot plan as a join, and which one NULL turns empty.

What it finds
    A statement that takes time and leaves rows out with `column NOT IN (SELECT …)`,
    `NOT (column IN (SELECT …))` (as Django's `exclude` writes it) or `column <> ALL (SELECT …)`.

Why it hurts
    NOT IN asks for more than "is not there": with one NULL in the list it is never true. That
    keeps PostgreSQL (up to 18) from using an anti join. The list is hashed if it fits into
    `work_mem`; as soon as it does not, it is read through again for every row, and a statement of
    a second takes hours. `<> ALL` is never hashed. And once there is a NULL, the statement returns nothing, without an error.

How it decides
    Read off the statement's text. Silent below 5 calls, 1 % of all time or 5 % of the target, and
    where the catalog says that the subquery's table has fewer than 1,000 rows. Severity: high from
    one target and 5 % of the time on, medium from half a target or 20 %; one step more where the
    schema says that the listed column may be NULL and the subquery does not leave NULLs out.

When it is wrong
    The list is short for good and the time goes elsewhere. The emptiness by NULL is wanted.

What to do
    Use NOT EXISTS, which is planned as an anti join; the statement is given. It differs for NULL:
    NOT EXISTS keeps rows whose own column is NULL (add `AND column IS NOT NULL` to keep them out),
    and NULLs in the list do nothing.
"""

from analyzer.detectors._heavy import (
    Weighed,
    answer_of,
    finding_of,
    heavy_statements,
    pace,
    severity_of,
)
from analyzer.model.catalog import Table
from analyzer.model.finding import Finding, Outcome, Severity
from analyzer.model.statement import Exclusion
from analyzer.model.text_evidence import NotInSubqueryEvidence
from analyzer.model.workload import Workload
from analyzer.sql.sargable import with_not_exists

SMALL_ROWS = 1_000
_CONFIDENCE = 0.8


class NotInSubquery:
    """Detector `not-in-subquery`: one finding per statement and column."""

    id = "not-in-subquery"

    def detect(self, workload: Workload) -> Outcome:
        """Judge the workload."""
        findings: list[Finding] = []
        for weighed in heavy_statements(workload):
            for exclusion in weighed.statement.facts.exclusions:
                found = _judge(workload, weighed, exclusion)
                if found is not None:
                    findings.append(found)
        return answer_of(findings, workload)


def _judge(workload: Workload, weighed: Weighed, exclusion: Exclusion) -> Finding | None:
    facts = weighed.statement.facts
    name = exclusion.table or facts.main_table
    catalog = workload.catalog
    listed = catalog.table(exclusion.excluded_table) if catalog is not None else None
    if name is None or (
        listed is not None and listed.rows is not None and listed.rows < SMALL_ROWS
    ):
        return None
    nullable = _nullable(listed, exclusion)
    severity = severity_of(weighed, workload.target.ms)
    return finding_of(
        NotInSubquery.id,
        weighed,
        lambda common: NotInSubqueryEvidence(
            **common,
            reasons=_reasons(exclusion, nullable=nullable),
            table=name,
            column=exclusion.column,
            excluded_table=exclusion.excluded_table,
            excluded_column=exclusion.excluded_column,
            nullable=nullable,
            rewritten_sql=with_not_exists(weighed.statement.sql, exclusion.column),
        ),
        title=f"{name}.{exclusion.column} NOT IN a subquery{_of(exclusion)}: {pace(weighed)}",
        severity=_raised(severity) if nullable else severity,
        confidence=_CONFIDENCE,
        about=[name, exclusion.column],
    )


def _of(exclusion: Exclusion) -> str:
    return f" of {exclusion.excluded_table}" if exclusion.excluded_table else ""


def _nullable(listed: Table | None, exclusion: Exclusion) -> bool | None:
    """Whether the list may hold NULL, None where the schema does not tell."""
    if exclusion.never_null:
        return False
    column = listed.column(exclusion.excluded_column or "") if listed is not None else None
    return column.nullable if column is not None else None


def _raised(severity: Severity) -> Severity:
    return {Severity.LOW: Severity.MEDIUM, Severity.MEDIUM: Severity.HIGH}.get(severity, severity)


def _reasons(exclusion: Exclusion, *, nullable: bool | None) -> tuple[str, ...]:
    reasons = [
        "NOT IN is never planned as an anti join: the list is hashed, or read again for every row"
    ]
    column = f"{exclusion.excluded_table}.{exclusion.excluded_column}"
    if nullable:
        reasons.append(f"{column} may be NULL: one NULL, and the statement returns nothing")
    elif nullable is None and exclusion.excluded_column:
        reasons.append(f"whether {column} may be NULL is not known: give the schema")
    return tuple(reasons)
