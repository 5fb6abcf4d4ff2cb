"""Every kind of index is tried on a clone: the planner takes it, and prices it as it does a real one."""

from collections.abc import Iterator
from typing import Any

import psycopg
import pytest
from clones import Server, candidate, explained, programs18

from analyzer.indexes.sizes import index_bytes
from analyzer.model.blueprint import Blueprint, RelationStatistics
from analyzer.model.index_candidate import IndexCandidate
from analyzer.model.what_if import PlannedStatement
from analyzer.sources.postgres.blueprint import read_blueprint
from analyzer.sources.postgres.clone import CloneWhatIf, open_clone
from analyzer.sources.postgres.clone.programs import FOLDER_VARIABLE

ROWS = 60_000
DATA = f"""
CREATE EXTENSION pg_trgm;
SELECT setseed(0.3);
CREATE TABLE events AS
SELECT n AS id, n % 2000 AS user_id, (ARRAY['open', 'done'])[1 + (n % 50 > 0)::int] AS state,
    timestamptz '2025-01-01' + n * interval '1 minute' AS at, 'User' || n % 9000 || '@Example.com' AS mail,
    CASE WHEN n % 100 > 0 THEN now() END AS deleted_at, md5(n::text)::uuid AS token,
    jsonb_build_object('kind', n % 500, 'place', md5((n % 99)::text)) AS data,
    ARRAY[n % 700, n % 31] AS tags, to_tsvector('simple', 'w' || n % 900 || ' x' || n % 1300) AS words,
    int4range(n, n + 5) AS span, repeat('z', 100) AS filler
FROM generate_series(1, {ROWS}) AS n;
VACUUM events;
VACUUM (FREEZE, ANALYZE) events;
"""
Case = tuple[IndexCandidate, str, float]
# The index, a statement that it serves, and how far from the real index's cost it may be priced. The
# pages of a GIN index the planner asks the index for, and a GiST's size hangs on the order of its rows.
CASES: dict[str, Case] = {
    "several columns": (candidate("events", "user_id", "at"), "user_id = 7 AND at > '2025-02-01'", 1.1),
    "partial": (candidate("events", "at", predicate="deleted_at IS NULL"), "deleted_at IS NULL AND at > '2025-02-05'", 1.1),
    "expression": (candidate("events", "mail", expression="lower(mail)"), "lower(mail) = 'user7@example.com'", 1.3),
    "covering": (candidate("events", "user_id", include=("at",)), "", 1.1),
    "gin on jsonb": (candidate("events", "data", method="gin", operator_class="jsonb_path_ops"), "data @> '{\"kind\": 7}'", 2.0),
    "gin on an array": (candidate("events", "tags", method="gin"), "tags @> ARRAY[699]", 2.0),
    "gin on text": (candidate("events", "words", method="gin"), "words @@ to_tsquery('simple', 'w7 & x9')", 2.0),
    "gin on trigrams": (candidate("events", "mail", method="gin", operator_class="gin_trgm_ops"), "mail LIKE '%ser899%'", 2.0),
    "gist on a range": (candidate("events", "span", method="gist"), "span && int4range(500, 510)", 1.3),
    "brin": (candidate("events", "at", method="brin"), "at BETWEEN '2025-01-03' AND '2025-01-04'", 1.3),
    "hash": (candidate("events", "token", method="hash"), "token = md5('7')::uuid", 1.1),
}  # fmt: skip


@pytest.fixture(scope="module")
def real(postgres18: Server) -> str:
    dsn = postgres18.create_database("clone_events")
    postgres18.psql(DATA, dsn)
    return dsn


@pytest.fixture(scope="module")
def clone(real: str) -> Iterator[CloneWhatIf]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(FOLDER_VARIABLE, programs18())
        with open_clone(read_blueprint(real), index_bytes) as opened:
            yield opened


def statement(case: Case) -> str:
    index, condition, _ = case
    if index.include:
        return "SELECT at FROM events WHERE user_id BETWEEN 7 AND 40"
    return f"SELECT * FROM events WHERE {condition}"


@pytest.mark.parametrize("kind", CASES)
def test_the_planner_takes_it_at_a_real_index_s_price(
    clone: CloneWhatIf, real: str, kind: str
) -> None:
    index, _, most = CASES[kind]
    text = statement(CASES[kind])
    asked = PlannedStatement("s", text)
    assert clone.refused(index) is None
    without, found = clone.estimate(asked, ()), clone.estimate(asked, [index])
    assert found.indexes == {"wanted"}
    assert found.cost < 0.9 * without.cost
    if index.include:  # as much as is visible to all of the real table is of the clone's
        assert found.plan is not None
        assert found.plan.root.type == "Index Only Scan"
    with psycopg.connect(real) as connection:
        connection.execute(index.sql.replace(" CONCURRENTLY", ""))
        connection.execute("ANALYZE events")
        plan = explained(connection, text)
        connection.rollback()
    assert plan.root.total_cost is not None
    assert any(node.index == "wanted" for node in plan.root.walk())
    assert 1 / most < found.cost / plan.root.total_cost < most


def test_a_partial_index_has_the_rows_that_its_predicate_leaves(clone: CloneWhatIf) -> None:
    whole = clone.size_bytes(candidate("events", "at"))
    part = clone.size_bytes(candidate("events", "at", predicate="deleted_at IS NULL"))
    assert whole is not None
    assert part is not None
    assert part < whole / 20


@pytest.mark.parametrize(
    "predicate", ["no_such_column IS NULL", "id = $1", "now() > at", "id IN (SELECT 1)"]
)
def test_a_predicate_that_cannot_be_is_refused_and_leaves_nothing_behind(
    clone: CloneWhatIf, predicate: str
) -> None:
    asked = PlannedStatement("s", "SELECT id FROM events WHERE id = 7")
    before = clone.estimate(asked, ())
    assert clone.refused(candidate("events", "id", predicate=predicate)) is not None
    assert clone.estimate(asked, ()) == before


def test_a_missing_extension_is_why_a_candidate_is_refused(clone: CloneWhatIf) -> None:
    index = candidate("events", "filler", method="hnsw", operator_class="vector_l2_ops")
    assert "hnsw" in (clone.refused(index) or "")


@pytest.fixture(scope="module")
def vectors() -> Iterator[CloneWhatIf]:
    """Without a server of one's own: what the wheel brings has pgvector, and no other extension."""
    blueprint = Blueprint(
        origin="by hand",
        statements=(
            'CREATE EXTENSION IF NOT EXISTS "vector" WITH SCHEMA public',
            "CREATE EXTENSION IF NOT EXISTS postgis WITH SCHEMA public",
            "CREATE EXTENSION file_fdw",
            "CREATE TABLE documents (id bigint PRIMARY KEY, embedding public.vector(384), place public.geometry(Point, 4326))",
        ),
        relations=(
            RelationStatistics("public", "documents", 50_000, 200_000.0, 50_000),
            RelationStatistics("public", "documents_pkey", 550, 200_000.0),
        ),
    )
    with pytest.MonkeyPatch.context() as patch:
        patch.delenv(FOLDER_VARIABLE, raising=False)
        with open_clone(blueprint, index_bytes) as opened:
            yield opened


@pytest.mark.parametrize(
    "index",
    [
        candidate("documents", "embedding", method="hnsw", operator_class="vector_cosine_ops", parameters=(("m", "16"),)),
        candidate("documents", "embedding", method="ivfflat", operator_class="vector_cosine_ops", parameters=(("lists", "200"),)),
    ],
    ids=["hnsw", "ivfflat"],
)  # fmt: skip
def test_vectors_are_found_by_their_indexes(vectors: CloneWhatIf, index: IndexCandidate) -> None:
    vector = "[" + ",".join(["0.5"] * 384) + "]"
    asked = PlannedStatement(
        "s", f"SELECT id FROM documents ORDER BY embedding <=> '{vector}' LIMIT 10"
    )
    without, found = vectors.estimate(asked, ()), vectors.estimate(asked, [index])
    assert found.indexes == {"wanted"}
    assert found.cost < without.cost / 5


def test_what_the_server_lacks_is_told_and_the_rest_is_built(vectors: CloneWhatIf) -> None:
    told = "\n".join(vectors.warnings)
    assert "no extension postgis" in told
    assert "public.geometry as text" in told
    assert "file_fdw" in told  # reaches files: never made
    documents: Any = vectors.catalog.table("documents")
    assert [column.type for column in documents.columns] == ["bigint", "vector(384)", "text"]
