"""Index candidates: column order, methods, names, and nothing that is there already."""

import json
import re
from dataclasses import replace

import pglast
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analyzer.indexes.candidates import candidate_for_scan
from analyzer.model.catalog import Catalog, Column, Index, Table
from analyzer.model.evidence import SeqScanEvidence
from analyzer.model.evidence_parts import ColumnCondition
from analyzer.model.index_candidate import IndexCandidate, NoCandidate


def evidence(*conditions: ColumnCondition, table: str = "orders") -> SeqScanEvidence:
    return SeqScanEvidence(
        plan_key="k",
        node_id=0,
        table=table,
        filter="",
        conditions=conditions,
        rows_read=400_000,
        rows_kept=20,
        kept_ratio=20 / 400_000,
        self_ms=25.0,
        share=0.9,
        plan_total_ms=28.0,
        pages=5000,
        plans=1,
        sql=None,
        shape_id=None,
        reasons=(),
    )


def equal(column: str) -> ColumnCondition:
    return ColumnCondition(column, "=", "equality")


def span(column: str, operator: str = ">") -> ColumnCondition:
    return ColumnCondition(column, operator, "range")


def table(**changes: object) -> Catalog:
    columns = tuple(
        Column(name, type_)
        for name, type_ in (
            ("id", "bigint"),
            ("customer_id", "integer"),
            ("status", "text"),
            ("created_at", "timestamp with time zone"),
            ("meta", "jsonb"),
            ("tags", "text[]"),
            ("during", "tstzrange"),
            ("raw", "json"),
        )
    )
    base = Table("orders", columns, primary_key=("id",), rows=400_000)
    return Catalog({"orders": replace(base, **changes)})


def made(*conditions: ColumnCondition, catalog: Catalog | None = None) -> IndexCandidate:
    candidate = candidate_for_scan(evidence(*conditions), catalog)
    assert isinstance(candidate, IndexCandidate)
    return candidate


def refused(*conditions: ColumnCondition, catalog: Catalog | None = None) -> NoCandidate:
    candidate = candidate_for_scan(evidence(*conditions), catalog)
    assert isinstance(candidate, NoCandidate)
    return candidate


def test_equality_before_range() -> None:
    candidate = made(span("created_at"), equal("status"), span("amount"))
    assert candidate.sql == (
        "CREATE INDEX CONCURRENTLY idx_orders_status_created_at ON orders (status, created_at);"
    )
    assert [key.role for key in candidate.keys] == ["equality", "range"]
    assert "status is compared for equality, then created_at" in candidate.rule


def test_the_more_selective_column_comes_first_when_statistics_tell() -> None:
    assert made(equal("status"), equal("customer_id")).columns == ("status", "customer_id")
    columns = (
        Column("status", "text", distinct=3),
        Column("customer_id", "integer", distinct=-0.05),
    )
    known = table(columns=columns)
    assert made(equal("status"), equal("customer_id"), catalog=known).columns == (
        "customer_id",
        "status",
    )


def test_at_most_three_columns() -> None:
    assert made(*(equal(name) for name in "abcd"), span("e")).columns == ("a", "b", "c")


def test_nulls_and_booleans_make_a_partial_index() -> None:
    candidate = made(
        ColumnCondition("deleted_at", "is null", "equality"),
        ColumnCondition("paid", "is false", "equality"),
        equal("customer_id"),
    )
    assert candidate.columns == ("customer_id",)
    assert candidate.sql.endswith("(customer_id) WHERE deleted_at IS NULL AND NOT paid;")
    alone = made(ColumnCondition("deleted_at", "is null", "equality"))
    assert (alone.columns, alone.predicate) == (("deleted_at",), None)


@pytest.mark.parametrize(
    ("condition", "clause"),
    [
        (ColumnCondition("name", "like", "range", pattern="prefix"), "(name text_pattern_ops)"),
        (ColumnCondition("name", "like", "other", sargable=False, pattern="anywhere"), "USING gin (name gin_trgm_ops)"),
        (ColumnCondition("name", "ilike", "other", sargable=False), "USING gin (name gin_trgm_ops)"),
        (ColumnCondition("email", "=", "equality", sargable=False, expression="lower(email)", immutable=True), "((lower(email)))"),
        (ColumnCondition("meta", "=", "equality", sargable=False, expression="(meta ->> 'k')", immutable=True), "(((meta ->> 'k')))"),
        (ColumnCondition("meta", "@>", "other", value_type="jsonb"), "USING gin (meta jsonb_path_ops)"),
        (ColumnCondition("meta", "?", "other", value_type="jsonb"), None),
        (ColumnCondition("tags", "&&", "other", value_type="text[]"), "USING gin (tags)"),
        (ColumnCondition("during", "@>", "other", value_type="tstzrange"), "USING gist (during)"),
        (ColumnCondition("body", "@@", "other", value_type="tsquery"), "USING gin (body)"),
    ],
)  # fmt: skip
def test_methods(condition: ColumnCondition, clause: str | None) -> None:
    if clause is None:  # the type of a `?` test's value is text: only the schema tells
        assert "no index type serves ?" in refused(replace(condition, value_type="text")).reason
        assert (
            "USING gin (meta)" in made(replace(condition, value_type="text"), catalog=table()).sql
        )
        return
    candidate = made(condition)
    assert f" ON orders {clause};" in candidate.sql
    trigrams = "gin_trgm_ops" in clause
    assert candidate.prerequisites == (
        ("CREATE EXTENSION IF NOT EXISTS pg_trgm;",) if trigrams else ()
    )


@pytest.mark.parametrize(
    "condition",
    [
        ColumnCondition(
            "id", "=", "equality", sargable=False, expression="(id)::text", immutable=True
        ),
        ColumnCondition("at", "=", "equality", sargable=False, expression="(at)::date"),
        ColumnCondition("n", "=", "equality", sargable=False, expression="(n + 1)", immutable=True),
        ColumnCondition("n", "=", "equality", sargable=False, expression="my_function(n)"),
    ],
)
def test_slips_are_to_be_rewritten_not_indexed(condition: ColumnCondition) -> None:
    assert "wraps" in refused(condition).reason


def test_types_without_a_btree_are_refused() -> None:
    assert refused(equal("raw"), catalog=table()).existing is None


@pytest.mark.parametrize(
    ("changes", "label"),
    [
        ({"indexes": (Index("by_customer", ("customer_id",)),)}, "by_customer"),
        ({"indexes": (Index("wider", ("customer_id", "status")),)}, "wider"),
        ({"primary_key": ("customer_id", "id")}, "the primary key"),
        ({"unique_keys": (("customer_id",),)}, "the unique key"),
    ],
)
def test_what_is_there_is_not_suggested_again(changes: dict[str, object], label: str) -> None:
    reason = refused(equal("customer_id"), catalog=table(**changes))
    assert (reason.existing or "").startswith(label)
    assert "was not used" in reason.reason


def test_equality_columns_may_stand_in_any_order_in_an_existing_index() -> None:
    there = table(indexes=(Index("i", ("customer_id", "status", "created_at")),))
    assert refused(
        equal("status"), equal("customer_id"), span("created_at"), catalog=there
    ).existing
    assert made(equal("status"), span("created_at"), catalog=there).columns == (
        "status",
        "created_at",
    )


@pytest.mark.parametrize(
    "index",
    [
        Index("i", ("status",)),
        Index("i", ("status", "customer_id")),
        Index("i", ("customer_id",), predicate="(status = 'open'::text)"),
        Index("i", ("customer_id",), method="brin"),
        Index("i", ("customer_id",), valid=False),
    ],
)
def test_indexes_that_do_not_serve_do_not_count(index: Index) -> None:
    assert made(equal("customer_id"), catalog=table(indexes=(index,))).columns == ("customer_id",)


def test_a_plain_index_does_not_serve_a_pattern() -> None:
    prefix = ColumnCondition("status", "like", "range", pattern="prefix")
    assert made(prefix, catalog=table(indexes=(Index("i", ("status",)),)))


def test_trade_offs_name_writes_size_and_what_becomes_superfluous() -> None:
    known = table(writes=12_345, indexes=(Index("by_status", ("status",)),))
    text = made(equal("status"), span("created_at"), catalog=known).trade_off
    assert "12,345 rows" in text
    assert "MB" in text
    assert "makes by_status superfluous" in text
    assert "HOT" in text


def test_names_are_stable_short_and_free() -> None:
    long = made(*(equal(letter * 30) for letter in "abc"))
    assert len(long.name.encode()) <= 63
    assert long.name == made(*(equal(letter * 30) for letter in "abc")).name
    other = made(equal("a" * 30), equal("b" * 30), equal("d" * 30))
    assert other.name != long.name
    taken = table(indexes=(Index("idx_orders_customer_id", ("created_at",)),))
    again = made(equal("customer_id"), catalog=taken).name
    assert re.fullmatch(r"idx_orders_customer_id_[0-9a-f]{8}", again)


def test_mixed_case_is_quoted() -> None:
    candidate = candidate_for_scan(evidence(equal("containerId"), table="Backup"))
    assert isinstance(candidate, IndexCandidate)
    assert candidate.sql == (
        'CREATE INDEX CONCURRENTLY idx_backup_containerid ON "Backup" ("containerId");'
    )


def names(excluded: str) -> st.SearchStrategy[str]:
    """Names of any characters, no longer than PostgreSQL keeps them (63 bytes)."""
    letters = st.characters(codec="utf-8", exclude_characters=excluded)
    return st.text(letters, min_size=1, max_size=30).filter(lambda name: len(name.encode()) < 64)


@settings(max_examples=100, deadline=None)
@given(names("\0."), names("\0"))
def test_hostile_names_stay_names(table_name: str, column: str) -> None:
    candidate = candidate_for_scan(evidence(equal(column), table=table_name))
    assert isinstance(candidate, IndexCandidate)
    (statement,) = json.loads(pglast.parser.parse_sql_json(candidate.sql))["stmts"]
    index = statement["stmt"]["IndexStmt"]
    assert index["relation"]["relname"] == table_name
    assert [key["IndexElem"]["name"] for key in index["indexParams"]] == [column]
    assert index["concurrent"]
