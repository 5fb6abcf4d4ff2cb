"""Indexes for searches by distance from logs and a catalog alone, carried out on a server with pgvector.

No plan is given. What is advised is built, the planner takes it, and it finds the nearest.
"""

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest
from click.testing import CliRunner

from analyzer.cli import cli
from tests.conftest import Server, bin_directory, running
from tests.sources.clones import pg_dump18

ROWS, SIZE, LIMIT = 6_000, 16, 10
ENOUGH = 1_000  # rows of a value that are worth an index, of so small a table
TABLES = f"""
CREATE EXTENSION vector;
SELECT setseed(0.5);
CREATE TYPE kind AS ENUM ('post', 'it''s');
CREATE TABLE docs (id int PRIMARY KEY, tenant int NOT NULL, big int NOT NULL, kind kind NOT NULL, open bool NOT NULL,
  embedding vector({SIZE}));
INSERT INTO docs SELECT n, n % 500, n % 3, (ARRAY['post', 'it''s'])[1 + n % 2]::kind, n % 2 = 0, (
  SELECT array_agg(sin(n % 60 * (d + 1)) + random() ORDER BY d) FROM generate_series(1, {SIZE}) d WHERE n > 0
)::vector FROM generate_series(1, {ROWS}) n;
CREATE TABLE wide (id int PRIMARY KEY, embedding vector(2100));
INSERT INTO wide SELECT n, (SELECT array_agg(random()) FROM generate_series(1, 2100) d WHERE n > 0)::vector FROM generate_series(1, 1200) n;
ANALYZE;
"""
Session = psycopg.Connection[tuple[Any, ...]]
Advise = Callable[..., dict[str, Any]]


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    """The wheel's server: the one at hand that has pgvector."""
    with running(pg_dump18().parent, bin_directory(), "shared_preload_libraries = ''\n") as found:
        found.psql(TABLES)
        yield found


@pytest.fixture(scope="module")
def session(server: Server) -> Iterator[Session]:
    with psycopg.connect(server.dsn, autocommit=True) as connection:
        yield connection


@pytest.fixture
def advise(server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Advise:
    """`pg95 indexes` for searches of a log, with the server's catalog; `indexes` of its document."""
    monkeypatch.setattr("analyzer.indexes.vector_filters.EXACT_ROWS", ENOUGH)

    def asked(
        where: str, values: list[object], *more: str, order: str = "embedding <=> $1"
    ) -> dict[str, Any]:
        log = tmp_path / "events.jsonl"
        table = "wide" if "2100" in order else "docs"
        text = f"SELECT id FROM {table} {where} ORDER BY {order} LIMIT {LIMIT}"
        lines = [
            {"timestamp": f"2026-11-22T08:00:{n % 60:02d}.000Z", "duration": 20.0, "query": text,
             "params": json.dumps(["[1]", *([value] if "$2" in where else [])]), "target": "x"}
            for n, value in enumerate(values)
        ]  # fmt: skip
        log.write_text("".join(json.dumps(line) + "\n" for line in lines))
        done = CliRunner().invoke(
            cli,
            [
                "indexes",
                str(log),
                "--dsn",
                server.dsn,
                "--what-if",
                "none",
                "--format",
                "json",
                *more,
            ],
        )
        assert done.exit_code == 0, done.output
        found: dict[str, Any] = json.loads(done.stdout)["indexes"]
        return found

    return asked


def nearest(session: Session, where: str = "", number: int = 7) -> tuple[set[int], str, float]:
    """The ids that a search gives, the index that it uses, and how long the server took (ms, the best of three)."""
    row = session.execute(f"SELECT embedding::text FROM docs WHERE id = {number}").fetchone()
    assert row is not None
    sql = f"SELECT id FROM docs {where} ORDER BY embedding <=> '{row[0]}' LIMIT {LIMIT}"
    found = {int(one[0]) for one in session.execute(sql).fetchall()}
    named, took = "", []
    for _ in range(3):
        plan = session.execute(f"EXPLAIN (ANALYZE, TIMING OFF, FORMAT JSON) {sql}").fetchone()
        assert plan is not None
        took.append(plan[0][0]["Execution Time"])
        named = json.dumps(plan[0]).partition('"Index Name": "')[2].partition('"')[0]
    return found, named, min(took)


def build(session: Session, sql: str) -> str:
    session.execute("SET maintenance_work_mem = '128MB'")
    session.execute(sql)
    session.execute("ANALYZE docs")
    return sql.split()[3]


def test_a_search_without_a_plan_gets_hnsw_with_its_parameters(
    session: Session, advise: Advise
) -> None:
    exact = [nearest(session, number=number) for number in range(1, ROWS, ROWS // 20)]
    advice = advise("", [1])
    (made,) = advice["create"]
    assert (
        " USING hnsw (embedding vector_cosine_ops) WITH (m = 16, ef_construction = 64);"
        in made["sql"]
    )
    assert made["bytes"] > 0
    assert made["build_seconds"] == pytest.approx(4.5, abs=0.2)
    memory, search = made["settings"]
    assert memory.startswith("SET maintenance_work_mem = '64MB'; -- while it is built: about ")
    assert search.startswith("SET LOCAL hnsw.ef_search = 40;")
    (other,) = [note for note in advice["notes"] if note["kind"] == "vectors"]
    assert "USING ivfflat (embedding vector_cosine_ops) WITH (lists = 6)" in other["sql"]
    assert "ivfflat.probes = 2" in other["text"]
    name = build(session, made["sql"])
    assert advise("", [1])["create"] == []
    found = [nearest(session, number=number) for number in range(1, ROWS, ROWS // 20)]
    session.execute(f"DROP INDEX {name}")
    assert {one[1] for one in found} == {name}
    recall = sum(len(a[0] & b[0]) for a, b in zip(exact, found, strict=True)) / (LIMIT * len(exact))
    assert recall >= 0.9
    assert sum(one[2] for one in found) * 2 < sum(one[2] for one in exact)


def test_a_filter_that_leaves_few_rows_is_compared_exactly(
    session: Session, advise: Advise
) -> None:
    (made,) = advise("WHERE tenant = $2", [1, 2, 3])["create"]
    assert made["sql"].endswith("ON docs (tenant);")
    assert "about 12 rows, which are compared exactly" in made["risk"]
    name = build(session, made["sql"])
    found, used, _ = nearest(session, "WHERE tenant = 77")
    assert (len(found), used) == (LIMIT, name)
    session.execute(f"DROP INDEX {name}")


def test_labels_of_a_type_get_an_index_each(session: Session, advise: Advise) -> None:
    hidden = json.dumps(advise("WHERE kind = $2::kind", ["post"]))
    assert "it's" not in hidden
    assert "it''s" not in hidden
    assert "GROUP BY 1 HAVING count(*)" in hidden
    made = advise("WHERE kind = $2::kind", ["post"], "--no-redact")["create"]
    partial = [one["sql"] for one in made if " WHERE " in one["sql"]]
    assert [sql.rpartition(" WHERE ")[2] for sql in partial] == [
        "kind = 'post';",
        "kind = 'it''s';",
    ]
    whole = next(one for one in made if " WHERE " not in one["sql"])
    assert any("hnsw.iterative_scan = 'strict_order'" in line for line in whole["settings"])
    name = build(session, partial[1])
    found, used, _ = nearest(session, "WHERE kind = 'it''s'")
    left = [
        one["sql"] for one in advise("WHERE kind = $2::kind", ["post"], "--no-redact")["create"]
    ]
    assert [sql.rpartition(" WHERE ")[2] for sql in left if " WHERE " in sql] == ["kind = 'post';"]
    session.execute(f"DROP INDEX {name}")
    assert (len(found), used) == (LIMIT, name)
    open_ones = advise("WHERE open", [1])["create"]
    assert any(one["sql"].endswith(" WHERE open;") for one in open_ones)


def test_frequent_values_are_data_and_stand_in_no_text_unless_asked(
    server: Server, session: Session, advise: Advise
) -> None:
    advice = advise("WHERE big = $2", [2, 2, 2, 1])
    (note,) = [one for one in advice["notes"] if "frequent value" in one["text"]]
    assert "2 most frequent values are asked for in 100% of searches" in note["text"]
    assert all(" WHERE big" not in one["sql"] for one in advice["create"])
    script = note["sql"].partition("; --")[0] + " \\gexec"
    server.psql(f"SET maintenance_work_mem = '128MB';\n{script}")
    found, used, _ = nearest(session, "WHERE big = 2")
    made = session.execute(
        "SELECT indexrelid::regclass::text FROM pg_index WHERE indrelid = 'docs'::regclass AND indpred IS NOT NULL"
    ).fetchall()
    assert len(made) == 3
    assert (len(found), used in {one[0] for one in made}) == (LIMIT, True)
    for (name,) in made:
        session.execute(f"DROP INDEX {name}")
    shown = advise("WHERE big = $2", [2, 2, 2, 1], "--no-redact")["create"]
    predicates = [one["sql"].rpartition(" WHERE ")[2] for one in shown if " WHERE " in one["sql"]]
    assert predicates == ["big = '2';", "big = '1';"]


def test_too_many_dimensions_get_halfvec_and_the_order_that_it_serves(
    session: Session, advise: Advise
) -> None:
    advice = advise("", [1], order="embedding <-> $1::vector(2100)")
    (made,) = advice["create"]
    assert "((embedding::halfvec(2100)) halfvec_l2_ops)" in made["sql"]
    form = made["risk"].partition("ORDER BY ")[2].partition(" LIMIT")[0]
    assert form == "embedding::halfvec(2100) <-> $1::halfvec(2100)"
    session.execute("SET maintenance_work_mem = '128MB'")
    session.execute(made["sql"])
    session.execute("SET enable_seqscan = off")
    plan = session.execute(
        f"EXPLAIN SELECT id FROM wide ORDER BY {form.replace('$1', '(SELECT embedding FROM wide LIMIT 1)')} LIMIT 3"
    ).fetchall()
    session.execute("RESET enable_seqscan")
    assert made["sql"].split()[3] in str(plan)


def test_many_large_values_are_partitions(server: Server, session: Session, advise: Advise) -> None:
    """Statistics as of a table with 40 values of 25,000 rows each."""
    session.execute("UPDATE pg_class SET reltuples = 1000000 WHERE relname = 'docs'")
    session.execute("SELECT pg_clear_attribute_stats('public', 'docs', 'big', false)")
    session.execute(
        "SELECT pg_restore_attribute_stats('schemaname', 'public', 'relname', 'docs', 'attname', 'big', 'inherited', false, "
        "'null_frac', 0::real, 'avg_width', 4, 'n_distinct', 40::real)"
    )
    advice = advise("WHERE big = $2", [1, 2])
    (note,) = [one for one in advice["notes"] if "partition the table by big" in one["text"]]
    assert note["sql"].count("PARTITION OF") == 10
    server.psql(note["sql"])
    row = session.execute("SELECT count(*) FROM docs").fetchone()
    assert row == (ROWS,)
    plan = session.execute(
        "EXPLAIN SELECT id FROM docs WHERE big = 2 ORDER BY embedding <=> (SELECT embedding FROM docs WHERE id = 1 LIMIT 1) LIMIT 3"
    ).fetchall()
    assert "Append" not in str(plan).partition("InitPlan")[0]
    session.execute("DROP TABLE docs")
    session.execute("ALTER TABLE docs_before RENAME TO docs")


def test_what_a_clone_was_asked_about_is_not_advised_by_rule_as_well(advise: Advise) -> None:
    made = advise("", [1], "--what-if", "clone", "--max-seconds", "20")["create"]
    nearest_ones = [one for one in made if one["method"] == "hnsw"]
    (one,) = nearest_ones
    assert one["verified_by"] == "what-if"
    assert "WITH (m = 16, ef_construction = 64)" in one["sql"]
    assert one["settings"][1].startswith("SET LOCAL hnsw.ef_search = 40;")
