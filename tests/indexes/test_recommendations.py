"""What is recommended for a selective scan: runnable SQL, rewrites, Prisma's `@@index`."""

from analyzer.advice.indexes import prisma_index, recommend_for_scan
from analyzer.indexes.candidates import candidate_for_scan
from analyzer.model.catalog import Catalog, Column, Index, Table
from analyzer.model.evidence import SeqScanEvidence
from analyzer.model.evidence_parts import ColumnCondition
from analyzer.model.finding import Recommendation
from analyzer.model.index_candidate import IndexCandidate


def evidence(*conditions: ColumnCondition, table: str = "containers") -> SeqScanEvidence:
    return SeqScanEvidence(
        plan_key="k",
        node_id=0,
        table=table,
        filter="",
        conditions=conditions,
        rows_read=60_000,
        rows_kept=10,
        kept_ratio=10 / 60_000,
        self_ms=25.0,
        share=0.9,
        plan_total_ms=28.0,
        pages=500,
        plans=1,
        sql=None,
        shape_id=None,
        reasons=(),
    )


CONTAINERS = Table(
    "containers",
    (
        Column("project_id", "integer", field="projectId"),
        Column("meta", "jsonb"),
        Column("name", "text"),
    ),
    primary_key=("id",),
    rows=60_000,
    model="Container",
)
CATALOG = Catalog({"containers": CONTAINERS})
BY_PROJECT = ColumnCondition("project_id", "=", "equality")


def recommended(
    *conditions: ColumnCondition, catalog: Catalog | None = None
) -> tuple[Recommendation, ...]:
    found = evidence(*conditions)
    return recommend_for_scan(found, candidate_for_scan(found, catalog), catalog)


def test_an_index_in_sql_with_its_rule_and_trade_off() -> None:
    (index,) = recommended(BY_PROJECT)
    assert (index.kind, index.language, index.verified_by) == ("index", "sql", "plan")
    assert index.text == (
        "CREATE INDEX CONCURRENTLY idx_containers_project_id ON containers (project_id);"
    )
    assert "compared for equality" in index.title
    assert "INSERT" in index.risk
    assert "not verified by execution" in index.risk
    assert index.effect["rows_read_before"] == 60_000
    assert index.effect["rows_read_after"] == 10


def test_a_prisma_table_gets_the_line_for_its_model_too() -> None:
    sql, prisma = recommended(BY_PROJECT, catalog=CATALOG)
    assert (sql.language, prisma.language) == ("sql", "prisma")
    assert '@@index([projectId], map: "idx_containers_project_id")' in prisma.text
    assert "model Container" in prisma.text
    assert "CONCURRENTLY" in prisma.risk


def test_prisma_knows_gin_and_operator_classes() -> None:
    sql, prisma = recommended(ColumnCondition("meta", "@>", "other"), catalog=CATALOG)
    assert "USING gin (meta jsonb_path_ops)" in sql.text
    assert '@@index([meta(ops: JsonbPathOps)], type: Gin, map: "idx_' in prisma.text


def test_prisma_cannot_write_expressions_or_predicates() -> None:
    lower = ColumnCondition(
        "name", "=", "equality", sargable=False, expression="lower(name)", immutable=True
    )
    soft = ColumnCondition("name", "is null", "equality")
    for conditions in ((lower,), (BY_PROJECT, soft)):
        (index,) = recommended(*conditions, catalog=CATALOG)
        assert index.language == "sql"
    candidate = candidate_for_scan(evidence(ColumnCondition('x")\n@@id', "=", "equality")), CATALOG)
    assert isinstance(candidate, IndexCandidate)
    assert prisma_index(candidate, CATALOG) is None  # a column that the model does not have


def test_trigrams_bring_their_extension_first() -> None:
    infix = ColumnCondition("name", "like", "other", sargable=False, pattern="anywhere")
    (index,) = recommended(infix)
    first, second = index.text.splitlines()
    assert first == "CREATE EXTENSION IF NOT EXISTS pg_trgm;"
    assert second.startswith("CREATE INDEX CONCURRENTLY")


def test_wrapped_columns_are_rewritten() -> None:
    cast = ColumnCondition("id", "=", "equality", sargable=False, expression="(id)::text")
    date = ColumnCondition("at", "=", "equality", sargable=False, expression="(at)::date")
    sum_ = ColumnCondition("n", "=", "equality", sargable=False, expression="(n + 1)")
    for condition, text in (
        (cast, "WHERE id = $1"),
        (date, "WHERE at >= $1 AND at < $2"),
        (sum_, "WHERE n = $1"),
    ):
        (rewrite,) = recommended(condition)
        assert (rewrite.kind, rewrite.verified_by) == ("rewrite", "rule")
        assert rewrite.text.startswith(text)


def test_an_expression_that_gets_its_index_needs_no_rewrite() -> None:
    lower = ColumnCondition(
        "name", "=", "equality", sargable=False, expression="lower(name)", immutable=True
    )
    (index,) = recommended(lower)
    assert "((lower(name)))" in index.text


def test_an_index_that_is_not_used_is_looked_into() -> None:
    table = Table("containers", CONTAINERS.columns, indexes=(Index("by_project", ("project_id",)),))
    (look,) = recommended(BY_PROJECT, catalog=Catalog({"containers": table}))
    assert look.kind == "maintenance"
    assert "by_project" in look.title
    assert look.text.startswith("ANALYZE containers;")


def test_exclusions_ask_for_the_wanted_values() -> None:
    (rewrite,) = recommended(ColumnCondition("status", "<>", "other", sargable=False))
    assert rewrite.kind == "rewrite"
    assert all(line.startswith("--") for line in rewrite.text.splitlines())


def test_names_cannot_leave_their_comment() -> None:
    hostile = ColumnCondition("x\nDROP TABLE t; --", "<>", "other", sargable=False)
    (rewrite,) = recommended(hostile)
    assert all(line.startswith("--") for line in rewrite.text.splitlines())
