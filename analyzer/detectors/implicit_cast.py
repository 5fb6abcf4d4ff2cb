"""An indexed column that is cast to be compared, so that its index does not serve.

What it finds
    A statement that takes time and compares an indexed column in another type than its own:
    `id::text = $1` over an integer or uuid, `id = 5.0` or `id = $1::numeric` over an integer,
    `code = $1::text` over `character(n)`; and in plans, casts around the column that the statement
    does not spell, because the driver bound the parameter as another type.

Why it hurts
    PostgreSQL compares two types where an index knows both (integers of any size, text and varchar,
    dates and timestamps). Between others it casts, and where the column is what gets cast, every
    row is read and cast, although the index is there.

How it decides
    Casts on the column's side and typed values on the other are read off the text, casts that
    PostgreSQL added off plans. With the schema known, the types decide (a cast of varchar to text
    leaves the value as it is), and there must be an index on the column. Without it, only a cast to
    text of a column that is named like a key (`id`, `order_id`, `uuid`) counts, with less
    confidence. Silent below 5 calls, 1 % of all time or 5 % of the target; where an index is on the
    cast itself; where a plan finds rows by an index on the column. Severity: high from one target
    and 5 % of the time on, medium from half a target or 20 %.

When it is wrong
    The column holds text after all, and no schema was given to say so. Another condition finds the
    rows by an index. An old driver needs the cast, and the column is to be migrated.

What to do
    Cast the value, not the column, or bind the parameter in the column's type. Where the two
    really differ (an id kept as text in one table and as a number in another) migrate one of them.
"""

from collections.abc import Iterator
from functools import partial

from analyzer.detectors._access import (
    access,
    column_type,
    found_by_key,
    index_on_column,
    index_on_expression,
    table_of,
)
from analyzer.detectors._heavy import (
    Weighed,
    answer_of,
    finding_of,
    heavy_statements,
    pace,
    severity_of,
)
from analyzer.model.catalog import Table
from analyzer.model.finding import Finding, Outcome
from analyzer.model.plan import Plan
from analyzer.model.statement import Hindrance
from analyzer.model.text_evidence import ImplicitCastEvidence
from analyzer.model.workload import Workload
from analyzer.patterns import regex
from analyzer.records import record
from analyzer.sql.conditions import names_key, parse_condition
from analyzer.sql.expressions import relabels, widened_by

_PLAN, _SCHEMA, _NAME = 0.95, 0.85, 0.55  # confidence
_CAST = regex(r"\(\"?([^()\"]+)\"?\)::([a-z ]+)\Z")


@record
class _Cast:
    """A column that is cast: `spelled` by the statement, or by PostgreSQL alone."""

    table: str
    column: str
    operator: str
    to: str
    spelled: bool


class ImplicitCast:
    """Detector `implicit-cast`: one finding per statement and column."""

    id = "implicit-cast"

    def detect(self, workload: Workload) -> Outcome:
        """Judge the workload."""
        findings: list[Finding] = []
        for weighed in heavy_statements(workload):
            for cast in (*_of_text(workload, weighed), *_of_plans(workload, weighed)):
                found = _judge(workload, weighed, cast)
                if found is not None:
                    findings.append(found)
        return answer_of(findings, workload)


def _of_text(workload: Workload, weighed: Weighed) -> Iterator[_Cast]:
    """Casts that the statement spells, and values whose type casts the column."""
    facts = weighed.statement.facts
    for obstacle in facts.obstacles:
        name = table_of(obstacle, facts, workload.catalog)
        if name is None:
            continue
        kind = column_type(_table(workload, name), obstacle.column)
        spelled = obstacle.hindrance is Hindrance.CAST
        to = obstacle.computed_by if spelled else obstacle.value_type or ""
        computes = _computes(obstacle.column, kind, to) if spelled else _widens(kind, to)
        if to and computes:
            yield _Cast(name, obstacle.column, obstacle.operator, to, spelled=spelled)


def _computes(column: str, kind: str | None, to: str) -> bool:
    """Whether a spelled cast makes another value of the column's."""
    if kind is None:
        return to in ("text", "character varying") and names_key(column)
    return not relabels(kind, to)


def _widens(kind: str | None, value_type: str) -> bool:
    return kind is not None and widened_by(kind, value_type)


def _of_plans(workload: Workload, weighed: Weighed) -> Iterator[_Cast]:
    """Casts around a column in a plan's filters, in none of which the statement spells one."""
    spelled = {
        obstacle.column
        for obstacle in weighed.statement.facts.obstacles
        if obstacle.hindrance in (Hindrance.CAST, Hindrance.FUNCTION)
    }
    for plan in workload.plans:
        if plan.shape_id == weighed.statement.shape_id:
            yield from (cast for cast in _of_plan(workload, plan) if cast.column not in spelled)


def _of_plan(workload: Workload, plan: Plan) -> Iterator[_Cast]:
    for node in plan.root.walk():
        if not node.filter or not node.relation:
            continue
        table = _table(workload, node.relation)
        types = None if table is None else partial(column_type, table)
        parsed = parse_condition(node.filter, alias=node.alias, column_type=types)
        for condition in parsed.conditions if parsed is not None else ():
            cast = _CAST.match(condition.wrapped.text) if condition.wrapped else None
            if cast is not None and condition.certain and cast[1] == condition.column:
                yield _Cast(
                    node.relation, condition.column, condition.operator, cast[2], spelled=False
                )


def _table(workload: Workload, name: str) -> Table | None:
    return workload.catalog.table(name) if workload.catalog is not None else None


def _judge(workload: Workload, weighed: Weighed, cast: _Cast) -> Finding | None:
    """The finding, None where there is no index to lose or one serves the cast."""
    table = _table(workload, cast.table)
    kind = column_type(table, cast.column)
    index = index_on_column(table, cast.column)
    if (table is not None and index is None) or cast.to == "date":
        return None
    if index_on_expression(table, f"({cast.column})::{cast.to}") and kind is not None:
        return None
    if found_by_key(weighed.statement.facts, cast.table, workload.catalog, but=cast.column):
        return None
    by_plan = access(workload, weighed.statement, cast.table, cast.column)
    if by_plan.served:
        return None
    known = _SCHEMA if kind else _NAME
    where = f" although {index} is there" if index else ""
    return finding_of(
        ImplicitCast.id,
        weighed,
        lambda common: ImplicitCastEvidence(
            **common,
            reasons=_reasons(cast, kind, scanned=by_plan.scanned),
            table=cast.table,
            column=cast.column,
            operator=cast.operator,
            expression=f"({cast.column})::{cast.to}",
            column_type=kind,
            indexable=False,
            seen_in_plan=by_plan.scanned,
            cast_to=cast.to,
            index=index,
        ),
        title=f"{cast.table}.{cast.column} is cast to {cast.to} in every row{where}: {pace(weighed)}",
        severity=severity_of(weighed, workload.target.ms),
        confidence=_PLAN if by_plan.scanned else known,
        about=[cast.table, cast.column],
    )


def _reasons(cast: _Cast, kind: str | None, *, scanned: bool) -> tuple[str, ...]:
    column = f"{cast.column} is {kind}" if kind else f"{cast.column} is named like a key"
    by = "the statement casts it" if cast.spelled else "PostgreSQL casts it for the value's type"
    reasons = [f"{column}, and {by} to {cast.to}"]
    if scanned:
        reasons.append("a plan filters by it row by row")
    return tuple(reasons)
