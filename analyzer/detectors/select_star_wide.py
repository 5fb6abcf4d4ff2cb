"""All columns of a wide table, where a few would do.

What it finds
    A statement that takes time, may return several rows, and asks for every column of a wide table:
    `SELECT *`, `t.*` beside a join, or the list of all columns that an ORM writes. Wide is a table
    with rows of 1,000 bytes or more on disk, with 30 columns or more, or with a column of a type
    that is large by nature (`bytea`, `xml`, `tsvector`, `vector`, geometries); where the size of
    rows is known and not small, `json`, `jsonb`, `hstore` and arrays count, too.

Why it hurts
    Values of more than about 2 kB lie in a table beside the table (TOAST), compressed. Each one
    that is asked for is fetched there, unpacked, sent, and parsed by the application, whether it
    looks at it or not. An index-only scan is never possible.

How it decides
    Columns and types come from the schema; rows and sizes from a live server's statistics. Without
    a schema it is not-applicable. Silent below 5 calls, 1 % of all time or 5 % of the target; where
    a unique key finds one row; where the result is aggregated or LIMIT 1. Severity is low, and
    medium from one target and 5 % of the time on: how much of the time the columns take does not
    show in a log. Confidence is lower where the size of rows is not known. Rows below 300 bytes are
    not wide, whatever the types, and a statement that returns one row a call is let be.

When it is wrong
    The application needs the columns. The large columns are mostly empty, or their values short.
    The time goes into finding the rows: then another detector speaks of the same statement.

What to do
    Ask for the columns that are used: `select` or `omit` in Prisma, `only()` or `defer()` in Django,
    `load_only` or `defer` in SQLAlchemy, `select` in Rails, `attributes` in Sequelize. Load the
    large value by key where it is shown.
"""

from collections.abc import Iterator

from analyzer.detectors._access import found_by_key
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
from analyzer.model.statement import Kind
from analyzer.model.text_evidence import SelectStarEvidence
from analyzer.model.workload import Workload
from analyzer.records import record

MANY_COLUMNS = 30
WIDE_ROW_BYTES = 1_000
NARROW_ROW_BYTES = 300  # below, large columns are empty or short
_FEW_COLUMNS = 4  # a table of three columns has nothing to leave out
_LARGE_TYPES = ("bytea", "xml", "tsvector", "vector", "halfvec", "geometry", "geography", "raster")
_OFTEN_LARGE_TYPES = ("json", "hstore")  # jsonb too; many hold a few bytes
_MEASURED, _GUESSED = 0.75, 0.5  # confidence
_SEVERAL = 2.0  # rows a call
_NO_SCHEMA = "which columns are wide is not known: give --schema, --dsn or a schema.prisma"


@record
class _Whole:
    """A table of which a statement asks for every column, and why it is wide."""

    table: Table
    star: bool
    large: tuple[str, ...]
    row_bytes: int | None


class SelectStarWide:
    """Detector `select-star-wide`: one finding per statement and table."""

    id = "select-star-wide"

    def detect(self, workload: Workload) -> Outcome:
        """Judge the workload."""
        catalog = workload.catalog
        if catalog is None or not any(table.columns for table in catalog):
            return answer_of([], workload, _NO_SCHEMA)
        findings = [
            _finding(workload, weighed, whole)
            for weighed in heavy_statements(workload)
            for whole in _whole_tables(workload, weighed)
        ]
        return answer_of(findings, workload)


def _whole_tables(workload: Workload, weighed: Weighed) -> Iterator[_Whole]:
    """The wide tables that the statement returns whole, in several rows."""
    facts, catalog = weighed.statement.facts, workload.catalog
    rows = _rows_per_call(weighed)
    single = facts.one_row or facts.limit == 1 or (rows is not None and rows < _SEVERAL)
    if facts.kind is not Kind.SELECT or single or catalog is None:
        return
    for name in dict.fromkeys(facts.tables):
        table = catalog.table(name)
        if table is None or len(table.columns) < _FEW_COLUMNS or found_by_key(facts, name, catalog):
            continue
        listed = {column for owner, column in facts.columns if owner == name}
        star = name in facts.star_tables
        if not star and not listed.issuperset(column.name for column in table.columns):
            continue
        whole = _Whole(table, star, _large_columns(table), _row_bytes(table))
        if _is_wide(whole):
            yield whole


def _large_columns(table: Table) -> tuple[str, ...]:
    """Columns whose type is large by nature; an ordinary text is not."""
    return tuple(
        column.name
        for column in table.columns
        if column.type.lower().startswith(_LARGE_TYPES + _OFTEN_LARGE_TYPES)
        or column.type.endswith("[]")
    )


def _row_bytes(table: Table) -> int | None:
    """Bytes on disk of a row with its TOAST and its share of the indexes."""
    return round(table.bytes / table.rows) if table.bytes and table.rows else None


def _is_wide(whole: _Whole) -> bool:
    """By the size of rows where it is known, else by the number of columns and their types."""
    columns = whole.table.columns
    if whole.row_bytes is None:
        certain = any(column.type.lower().startswith(_LARGE_TYPES) for column in columns)
        return certain or len(columns) >= MANY_COLUMNS
    if whole.row_bytes < NARROW_ROW_BYTES:
        return False
    return bool(whole.large) or len(columns) >= MANY_COLUMNS or whole.row_bytes >= WIDE_ROW_BYTES


def _finding(workload: Workload, weighed: Weighed, whole: _Whole) -> Finding:
    table = whole.table
    unbounded = whole.large or tuple(c.name for c in table.columns if c.type in ("text", "citext"))
    rows_per_call = _rows_per_call(weighed)
    severe = severity_of(weighed, workload.target.ms) in (Severity.HIGH, Severity.CRITICAL)
    count = len(table.columns)
    return finding_of(
        SelectStarWide.id,
        weighed,
        lambda common: SelectStarEvidence(
            **common,
            reasons=_reasons(whole, rows_per_call),
            table=table.name,
            columns=count,
            wide_columns=unbounded,
            kept_columns=tuple(c.name for c in table.columns if c.name not in unbounded),
            star=whole.star,
            row_bytes=whole.row_bytes,
            rows_per_call=rows_per_call,
        ),
        title=f"All {count} columns of {table.name} are loaded{_with(whole.large)}: {pace(weighed)}",
        severity=Severity.MEDIUM if severe else Severity.LOW,
        confidence=_MEASURED if whole.row_bytes else _GUESSED,
        about=[table.name],
    )


def _rows_per_call(weighed: Weighed) -> float | None:
    rows = weighed.stats.rows_per_call
    return None if rows is None else round(rows, 1)


def _with(large: tuple[str, ...]) -> str:
    return f", {', '.join(large)} among them" if large else ""


def _reasons(whole: _Whole, rows_per_call: float | None) -> tuple[str, ...]:
    asked = "a star asks for" if whole.star else "the statement lists"
    reasons = [f"{asked} all {len(whole.table.columns)} columns"]
    reasons += [
        f"{column.name} is {column.type}"
        for column in whole.table.columns
        if column.name in whole.large
    ]
    if whole.row_bytes is not None:
        reasons.append(f"a row takes about {whole.row_bytes:,} bytes on disk, indexes included")
    if rows_per_call is not None:
        reasons.append(f"{rows_per_call:,.1f} rows a call")
    return tuple(reasons)
