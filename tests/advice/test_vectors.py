"""Advice on searches by distance, carried out on a real PostgreSQL with pgvector: it is used, and finds the nearest.

Each way goes from a plan of the server to a report, and from its advice back to the server.
"""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest

from analyzer.advice.vectors import recommend_vector
from analyzer.model.remedy import VectorIndex
from analyzer.model.target import Target
from analyzer.model.vectors import (
    ef_search_for,
    graph_bytes,
    kmeans_bytes,
    lists_for,
    probes_for,
)
from analyzer.pipeline import Options, run
from analyzer.sources.postgres.clone.programs import choose
from analyzer.sources.postgres.clone.server import CloneServer

ROWS, SIZE, WIDE, LIMIT = 5_000, 48, 2_100, 10
SETUP = f"""
CREATE EXTENSION vector;
SELECT setseed(0.5);
CREATE TABLE documents (id int PRIMARY KEY, tenant int NOT NULL, embedding vector({SIZE}));
INSERT INTO documents SELECT n, n % 100, (
  SELECT array_agg(sin(n % 40 * (d + 1)) + random() ORDER BY d) FROM generate_series(1, {SIZE}) d WHERE n > 0
)::vector FROM generate_series(1, {ROWS}) n;
CREATE TABLE wide (id int PRIMARY KEY, embedding vector({WIDE}));
INSERT INTO wide SELECT n, (SELECT array_agg(random() ORDER BY d) FROM generate_series(1, {WIDE}) d WHERE n > 0)::vector
  FROM generate_series(1, 1100) n;
ANALYZE;
SET enable_seqscan = on;
"""
Session = psycopg.Connection[tuple[Any, ...]]


@pytest.fixture(scope="module")
def session() -> Iterator[Session]:
    """A session on a server of its own, with pgvector and rows."""
    server = CloneServer(choose(("vector",)))
    try:
        made = server.connect()
        made.execute(SETUP)
        yield made
    finally:
        server.close()


def vector(session: Session, number: int, table: str = "documents") -> str:
    row = session.execute(
        f"SELECT embedding::text FROM {table} WHERE id = %s", (number,)
    ).fetchone()
    assert row is not None
    return str(row[0])


def advice(session: Session, sql: str, tmp_path: Path) -> tuple[str, list[dict[str, Any]]]:
    """The detector that found something in the statement's plan, and what is recommended."""
    row = session.execute(f"EXPLAIN (ANALYZE, FORMAT JSON) {sql}").fetchone()
    assert row is not None
    path = tmp_path / "plan.json"
    path.write_text(json.dumps([{"Query Text": sql, **row[0][0]}]), encoding="utf-8")
    document = run(
        Options(inputs=[str(path)], target=Target(5.0))
    ).document  # so small a table is read soon
    finding = next(one for one in document["findings"] if one["detector"].startswith("vector-"))
    return finding["detector"], finding["recommendations"]


def apply(session: Session, text: str) -> None:
    """Run advice line by line: what is a comment is for people."""
    for line in text.splitlines():
        if not line.startswith("--"):
            session.execute(line.partition("; --")[0])


def index_used(session: Session, sql: str) -> str | None:
    row = session.execute(f"EXPLAIN (FORMAT JSON) {sql}").fetchone()
    assert row is not None
    return next((name for name in _indexes(row[0][0]["Plan"])), None)


def _indexes(node: dict[str, Any]) -> Iterator[str]:
    if "Index Name" in node:
        yield node["Index Name"]
    for child in node.get("Plans", ()):
        yield from _indexes(child)


def nearest(session: Session, sql: str) -> set[int]:
    return {row[0] for row in session.execute(sql).fetchall()}


def search(value: str, column: str = "embedding", limit: int = LIMIT, where: str = "") -> str:
    return f"SELECT id FROM documents {where} ORDER BY {column} <=> '{value}' LIMIT {limit}"


@pytest.mark.parametrize("method", ["hnsw", "ivfflat"])
def test_the_index_that_is_advised_is_used_and_finds_the_nearest(
    session: Session, tmp_path: Path, method: str
) -> None:
    probes = [vector(session, number) for number in range(1, ROWS, ROWS // 20)]
    exact = [nearest(session, search(one)) for one in probes]
    detector, recommended = advice(session, search(probes[0]), tmp_path)
    assert detector == "vector-seq-scan"
    text = next(one["text"] for one in recommended if f"USING {method}" in one["text"])
    assert "vector_cosine_ops" in text
    apply(session, text)
    assert index_used(session, search(probes[0]))
    setting = text.rpartition("SET LOCAL ")[2].partition(";")[0]
    with session.transaction():
        session.execute(f"SET LOCAL {setting}")
        found = [nearest(session, search(one)) for one in probes]
    recall = sum(len(a & b) for a, b in zip(exact, found, strict=True)) / (LIMIT * len(probes))
    assert recall >= (0.9 if method == "hnsw" else 0.6)
    session.execute("DROP INDEX documents_embedding_idx")


def test_too_many_dimensions_for_vector_are_indexed_as_halfvec(
    session: Session, tmp_path: Path
) -> None:
    value = vector(session, 7, "wide")
    sql = f"SELECT id FROM wide ORDER BY embedding <-> '{value}' LIMIT 5"
    with pytest.raises(psycopg.errors.ProgramLimitExceeded):
        session.execute("CREATE INDEX ON wide USING hnsw (embedding vector_l2_ops)")
    _, recommended = advice(session, sql, tmp_path)
    assert "halfvec_l2_ops" in recommended[0]["text"]
    apply(session, recommended[0]["text"])
    form = recommended[1]["text"].removeprefix("-- ORDER BY ").partition(" LIMIT")[0]
    asked = (
        f"SELECT id FROM wide ORDER BY {form.replace('$1', f'{chr(39)}{value}{chr(39)}')} LIMIT 5"
    )
    session.execute("SET enable_seqscan = off")
    assert index_used(session, asked)
    assert not index_used(session, sql)
    session.execute("SET enable_seqscan = on")
    assert 7 in nearest(session, asked)


def test_fewer_rows_than_the_limit_are_found_and_mended(session: Session, tmp_path: Path) -> None:
    session.execute("CREATE INDEX short ON documents USING hnsw (embedding vector_cosine_ops)")
    value = vector(session, 3)
    sql = search(value, where="WHERE tenant = 77")
    session.execute("SET enable_sort = off")
    assert index_used(session, sql) == "short"
    assert len(nearest(session, sql)) < LIMIT
    detector, recommended = advice(session, sql, tmp_path)
    assert detector == "vector-short-result"
    with session.transaction():
        apply(
            session,
            "\n".join(line for line in recommended[0]["text"].splitlines() if "SET LOCAL" in line),
        )
        assert len(nearest(session, sql)) == LIMIT
    filtered, frequent = (one["text"] for one in recommended[-2:])
    assert "hnsw (embedding vector_cosine_ops) WHERE tenant = %L" in frequent
    rows = session.execute(frequent.replace("> 10000", "> 10").partition("; --")[0]).fetchall()
    assert len(rows) == 20
    assert all("WHERE tenant = '" in row[0] for row in rows)
    session.execute("SET enable_sort = on")
    apply(session, filtered)
    session.execute("DROP INDEX short")
    assert index_used(session, sql) == "documents_tenant_idx"
    assert len(nearest(session, sql)) == LIMIT
    session.execute("DROP INDEX documents_tenant_idx")


@pytest.mark.parametrize(
    ("rows", "lists", "probes"),
    [(10, 1, 1), (5_000, 5, 2), (1_000_000, 1000, 32), (4_000_000, 2000, 45)],
)
def test_lists_and_probes_are_pgvectors_rule(rows: int, lists: int, probes: int) -> None:
    assert (lists_for(rows), probes_for(lists)) == (lists, probes)


def test_candidates_are_within_pgvectors_bounds() -> None:
    assert [ef_search_for(limit) for limit in (0, 10, 100, 5_000)] == [40, 40, 200, 1000]


def test_memory_of_building_is_what_pgvector_says(session: Session) -> None:
    """Pgvector tells after how many rows the graph was full."""
    told: list[str] = []
    session.add_notice_handler(lambda notice: told.append(notice.message_primary or ""))
    session.execute("SET maintenance_work_mem = '2MB'")
    session.execute("CREATE INDEX full_graph ON documents USING hnsw (embedding vector_l2_ops)")
    session.execute("RESET maintenance_work_mem")
    session.execute("DROP INDEX full_graph")
    rows = int(next(one for one in told if "no longer fits" in one).split(" after ")[1].split()[0])
    assert graph_bytes(rows, SIZE) == pytest.approx(2 << 20, rel=0.15)
    assert graph_bytes(854, 128) == pytest.approx(1 << 20, rel=0.05)
    assert kmeans_bytes(1_000_000, 1000, 128) > 50_000 * 128 * 4


def test_what_no_vector_type_takes_is_said() -> None:
    (bits,) = recommend_vector(
        VectorIndex("t", "c", "vector_cosine_ops", 9e4, dimensions=8000), None
    )
    assert "bit_hamming_ops" in bits.text
    (none,) = recommend_vector(
        VectorIndex("t", "c", "vector_cosine_ops", 9e4, dimensions=70_000), None
    )
    assert "smaller model" in none.title
