"""ORDER BY random() LIMIT n: all rows are read and sorted to pick a few.

What it finds
    A statement that takes time and sorts by `random()` with a LIMIT, as Rails' `order("RANDOM()")`,
    Django's `order_by("?")` and Sequelize's `random()` do.

Why it hurts
    Every row that the conditions leave is read, given a number and sorted, each time. No index
    helps, and the time grows with the table.

How it decides
    Read off the statement's text. Silent below 5 calls, 1 % of all time or 5 % of the target,
    without a LIMIT, and where the catalog says that the table has fewer than 1,000 rows. Severity:
    high from one target and 5 % of the time on, medium from half a target or 20 %.

When it is wrong
    The other conditions keep few rows, and the time goes into finding those.

What to do
    Pick by key: a random number between the smallest and the largest id, and the next rows from
    there by the primary key's index. Rows behind gaps are then picked more often, and the n rows
    are neighbours; for n independent rows repeat it. Where an approximate sample of the whole table
    is enough, TABLESAMPLE reads a share of it.
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
from analyzer.model.finding import Finding, Outcome
from analyzer.model.text_evidence import OrderByRandomEvidence
from analyzer.model.workload import Workload

SMALL_ROWS = 1_000
_CONFIDENCE = 0.9
_INTEGERS = ("smallint", "integer", "bigint")


class OrderByRandom:
    """Detector `order-by-random`: one finding per statement."""

    id = "order-by-random"

    def detect(self, workload: Workload) -> Outcome:
        """Judge the workload."""
        found = [
            finding
            for weighed in heavy_statements(workload)
            if (finding := _judge(workload, weighed)) is not None
        ]
        return answer_of(found, workload)


def _judge(workload: Workload, weighed: Weighed) -> Finding | None:
    facts, catalog = weighed.statement.facts, workload.catalog
    name = facts.main_table
    if not facts.random_order or facts.limit is None or name is None:
        return None
    table = catalog.table(name) if catalog is not None else None
    rows = table.rows if table is not None else None
    if rows is not None and rows < SMALL_ROWS:
        return None
    read = f"all {rows:,} rows" if rows and not facts.predicates else "all rows that are left"
    return finding_of(
        OrderByRandom.id,
        weighed,
        lambda common: OrderByRandomEvidence(
            **common,
            reasons=(f"{read} are read and sorted to return a few",),
            table=name,
            limit=facts.limit if facts.limit and facts.limit > 0 else None,
            table_rows=rows,
            key=_key(table),
            filtered=bool(facts.predicates or facts.disjunctive or facts.joins),
        ),
        title=f"{name} is sorted by random() to pick a few rows: {pace(weighed)}",
        severity=severity_of(weighed, workload.target.ms),
        confidence=_CONFIDENCE,
    )


def _key(table: Table | None) -> str | None:
    """The primary key, if it is one integer column; `id` where the schema is not known."""
    if table is None:
        return None
    column = table.column(table.primary_key[0]) if len(table.primary_key) == 1 else None
    return column.name if column is not None and column.type in _INTEGERS else None
