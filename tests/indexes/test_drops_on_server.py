"""Which indexes of a real PostgreSQL 15 are to be dropped, that none that is needed is, and the way back."""

from dataclasses import replace
from typing import TYPE_CHECKING

import psycopg
import pytest

from analyzer.indexes.hygiene import drops
from analyzer.indexes.notes import notes
from analyzer.model.coverage import Coverage
from analyzer.model.index_advice import DroppedIndex, IndexNote
from analyzer.model.target import Target, Verdict
from analyzer.model.use import CountedUse, Use
from analyzer.model.workload import Workload
from analyzer.sources.postgres.catalog import read_catalog
from analyzer.sources.postgres.connection import connect
from analyzer.sources.postgres.replicas import read_use

if TYPE_CHECKING:
    from tests.conftest import Server

DAY_US = 86_400_000_000
SCRIPT = """
CREATE EXTENSION pg_trgm;
CREATE TABLE tenants (id int PRIMARY KEY, code text NOT NULL, slug text NOT NULL, note text);
CREATE UNIQUE INDEX tenants_code ON tenants (code);              -- a foreign key's parent
CREATE UNIQUE INDEX tenants_slug ON tenants (slug);              -- no constraint, but keeps unique
CREATE TABLE docs (
    id bigserial PRIMARY KEY, tenant_id int NOT NULL REFERENCES tenants, code text REFERENCES tenants (code),
    title text, body text, state text, at timestamptz NOT NULL DEFAULT now(), size int,
    during int4range, UNIQUE (tenant_id, title), EXCLUDE USING gist (during WITH &&)
);
CREATE INDEX docs_code ON docs (code);                           -- alone supports a foreign key
CREATE INDEX docs_at ON docs (at);
CREATE INDEX docs_at_again ON docs (at);                         -- duplicate
CREATE INDEX docs_id_again ON docs (id);                         -- the primary key once more
CREATE INDEX docs_tenant ON docs (tenant_id);                    -- prefix of the unique key
CREATE INDEX docs_size ON docs (size);                           -- prefix of the next, and unused
CREATE INDEX docs_size_state ON docs (size, state);
CREATE INDEX docs_state_title ON docs (state, title);
CREATE INDEX docs_state_title_desc ON docs (state DESC, title);
CREATE INDEX docs_state_nulls ON docs (state NULLS FIRST, title);
CREATE INDEX docs_state_pattern ON docs (state text_pattern_ops, title);
CREATE INDEX docs_state_c ON docs (state COLLATE "C", title);
CREATE INDEX docs_state_hash ON docs USING hash (state);
CREATE INDEX docs_state_open ON docs (state, title) WHERE state <> 'done';
CREATE INDEX docs_state_lower ON docs (lower(state), title);
CREATE INDEX docs_state_include ON docs (state) INCLUDE (body);  -- what no other carries
CREATE INDEX docs_title_state ON docs (title, state);            -- the same columns, another order
CREATE INDEX docs_body ON docs USING gin (body gin_trgm_ops);    -- unused
CREATE TABLE audit (at date NOT NULL, who text, n int) PARTITION BY RANGE (at);
CREATE TABLE audit_1 PARTITION OF audit FOR VALUES FROM ('2020-01-01') TO ('2021-01-01');
CREATE INDEX audit_who ON audit (who);
CREATE INDEX audit_n ON audit (n);
CREATE SCHEMA "Odd";
CREATE TABLE "Odd"."T" ("Key" int, b int);
CREATE INDEX "I x" ON "Odd"."T" ("Key");
CREATE INDEX "I y" ON "Odd"."T" ("Key", b);
CREATE TABLE replicated (a int NOT NULL, b int NOT NULL);
CREATE UNIQUE INDEX replicated_a ON replicated (a);
CREATE UNIQUE INDEX replicated_a_again ON replicated (a);
ALTER TABLE replicated REPLICA IDENTITY USING INDEX replicated_a;
CREATE TABLE twice (id int PRIMARY KEY);
ALTER TABLE twice ADD UNIQUE (id);
INSERT INTO tenants SELECT i, 'c' || i, 's' || i FROM generate_series(1, 50) i;
INSERT INTO docs (tenant_id, code, title, body, state, size)
    SELECT 1 + i % 50, 'c' || 1 + i % 50, 't' || i, repeat('b', 40) || i, 's' || i % 4, i % 100
    FROM generate_series(1, 3000) i;
INSERT INTO audit SELECT '2020-06-01', 'w' || i, i FROM generate_series(1, 2000) i;
INSERT INTO "Odd"."T" SELECT i, i FROM generate_series(1, 2000) i;
INSERT INTO replicated SELECT i, i FROM generate_series(1, 2000) i;
ANALYZE;
"""
READS = (
    "SELECT * FROM docs WHERE at = '2020-01-01'",
    "SELECT * FROM docs WHERE tenant_id = 7 ORDER BY tenant_id",
    "SELECT * FROM docs WHERE size = 7 AND state = 's1'",
    "SELECT * FROM docs WHERE state = 's1' AND title = 't5'",
    "SELECT count(*) FROM audit WHERE who = 'w7'",
    'SELECT * FROM "Odd"."T" WHERE "Key" = 7 AND b = 7',
    'SELECT * FROM "Odd"."T" WHERE "Key" = 7',
)


@pytest.fixture(scope="module")
def dsn(postgres15: "Server") -> str:
    made = postgres15.create_database("drops")
    postgres15.psql(SCRIPT, made)
    with psycopg.connect(made, autocommit=True) as connection:
        with pytest.raises(psycopg.errors.UniqueViolation):
            connection.execute("CREATE UNIQUE INDEX CONCURRENTLY docs_broken ON docs (state)")
        connection.execute("SET enable_seqscan = off")
        for _ in range(3):
            for read in READS:
                connection.execute(read)
        connection.execute("SELECT pg_stat_force_next_flush()")
    return made


def workload(dsn: str, days: float | None = 30.0, *, replicas: int = 0) -> Workload:
    """The server's catalog and use, as if use had been counted for so long."""
    with connect(dsn) as connection:
        catalog = read_catalog(connection).catalog
        use = read_use(connection, [])
    assert use is not None
    if days is not None:
        begun = use.counted.to_us - int(days * DAY_US)
        counted = replace(use.counted, from_us=begun, replicas=replicas)
        use = replace(use, counted=counted)
    return Workload(
        statements=(),
        stats=(),
        coverage=Coverage(),
        target=Target(),
        verdict=Verdict(None, None, None, "none", "unknown", 0, "no executions"),
        catalog=catalog,
        use=use,
    )


def found(dsn: str, days: float | None = 30.0, *, replicas: int = 0) -> dict[str, DroppedIndex]:
    return {one.index: one for one in drops(workload(dsn, days, replicas=replicas))}


def test_what_is_dropped_and_why(dsn: str) -> None:
    told = {name: (one.kind, one.covered_by) for name, one in found(dsn).items()}
    assert told.pop("docs_at_again" if "docs_at_again" in told else "docs_at")[0] == "duplicate"
    assert told.pop("docs_tenant") in (
        ("prefix", "docs_tenant_id_title_key"),
        ("unused", None),  # the planner may take either for the rows of a tenant
    )
    assert told.pop("docs_size") in (("prefix", "docs_size_state"), ("unused", None))
    assert told.pop("I x") in (("prefix", "I y"), ("unused", None))
    used = {"docs_state_title", "docs_state_title_desc", "docs_state_nulls", "docs_state_pattern",
            "docs_state_c", "docs_state_open", "docs_title_state", "docs_state_include",
            "docs_state_hash"}  # fmt: skip
    assert all(told.pop(name, ("unused", None)) == ("unused", None) for name in used)
    assert told == {
        "docs_broken": ("invalid", None),
        "docs_id_again": ("duplicate", "docs_pkey"),
        "docs_state_lower": ("unused", None),
        "docs_body": ("unused", None),
        "audit_n": ("unused", None),
        "replicated_a_again": ("duplicate", "replicated_a"),
    }


def test_what_differs_in_anything_is_neither_duplicate_nor_prefix(dsn: str) -> None:
    alike = {one.index for one in drops(replace(workload(dsn), use=None)) if one.kind != "invalid"}
    (one_of_two,) = alike & {"docs_at", "docs_at_again"}
    assert alike - {one_of_two} == {
        *("docs_id_again", "docs_tenant", "docs_size", "I x", "replicated_a_again"),
    }


def test_an_unused_index_needs_a_window_that_says_something(dsn: str) -> None:
    sure = found(dsn)["docs_body"]
    assert sure.action == "drop"
    assert sure.scans == 0
    assert "not scanned once in 30 days, since its statistics began on 20" in sure.reason
    short = found(dsn, 0.5)["docs_body"]
    assert short.action == "review"
    assert "12 hours is short" in short.risk
    unset = found(dsn, None)["docs_body"]
    assert unset.action == "review"
    assert "since the database was made" in unset.reason
    missed = found(dsn, replicas=2)["docs_body"]
    assert missed.action == "review"
    assert (
        "2 of 2 replicas count their own scans, which are not seen here: give them by --replica"
        in missed.risk
    )
    assert found(dsn, replicas=2)["docs_id_again"].action == "drop"  # no use can need it


def test_a_table_that_nobody_read_does_not_tell_of_its_indexes(dsn: str) -> None:
    idle = workload(dsn)
    assert idle.use is not None
    rows = {name: replace(row, seq_scans=0, index_scans=0) for name, row in idle.use.tables.items()}
    judged = {one.index: one for one in drops(replace(idle, use=replace(idle.use, tables=rows)))}
    assert judged["docs_body"].action == "review"
    assert "not read at all" in judged["docs_body"].risk


def test_a_replica_does_not_know_what_the_primary_reads(dsn: str) -> None:
    there = workload(dsn)
    assert there.use is not None
    counted = replace(there.use.counted, in_recovery=True)
    judged = drops(replace(there, use=replace(there.use, counted=counted)))
    assert {one.action for one in judged if one.kind == "unused"} == {"review"}


def test_what_is_advised_runs_and_can_be_taken_back(postgres15: "Server") -> None:
    copy = postgres15.create_database("drops_back")
    postgres15.psql(SCRIPT, copy)
    before = read(copy)
    advised = found(copy).values()
    assert len(advised) > 10
    with psycopg.connect(copy, autocommit=True) as connection:
        for one in advised:
            connection.execute(one.sql.encode())
        gone = {one.index for one in advised}
        assert not gone & set(read(copy))
        for one in advised:
            assert one.rollback is not None
            connection.execute(one.rollback.encode())
    assert read(copy) == before


def read(dsn: str) -> dict[str | None, str | None]:
    with connect(dsn) as connection:
        catalog = read_catalog(connection).catalog
    return {
        index.name: index.definition
        for table in catalog
        for index in table.indexes
        if index.part_of is None  # partitions' indexes get other names
    }


def test_notes_are_for_people(dsn: str) -> None:
    there = workload(dsn)
    told: list[IndexNote] = list(notes(there, drops(replace(there, use=None))))
    kinds = {(note.kind, frozenset(note.indexes)) for note in told}
    assert ("merge", frozenset({"docs_state_title", "docs_title_state"})) in kinds
    (twin,) = [note for note in told if note.kind == "constraints"]
    assert twin.sql == "ALTER TABLE twice DROP CONSTRAINT twice_id_key;"
    assert not [note for note in told if note.kind == "bloat"]


def test_bloat_is_told_of_an_index_that_deletes_left_empty(postgres15: "Server") -> None:
    made = postgres15.create_database("drops_bloat")
    postgres15.psql(
        "CREATE TABLE t (id int PRIMARY KEY, n int) WITH (autovacuum_enabled = off);"
        "INSERT INTO t SELECT i, i FROM generate_series(1, 700000) i; CREATE INDEX t_n ON t (n);"
        "DELETE FROM t WHERE id % 10 > 0;",
        made,
    )
    postgres15.psql("VACUUM ANALYZE t", made)
    there = workload(made)
    (note,) = [one for one in notes(there, ()) if one.indexes == ("t_n",)]
    assert note.sql == "REINDEX INDEX CONCURRENTLY t_n;"
    before = int(postgres15.psql("SELECT pg_relation_size('t_n')", made))
    postgres15.psql(note.sql, made)
    after = int(postgres15.psql("SELECT pg_relation_size('t_n')", made))
    assert note.bytes == pytest.approx(before - after, rel=0.1)


def test_no_window_no_unused(dsn: str) -> None:
    there = workload(dsn)
    assert not [one for one in drops(replace(there, use=None)) if one.kind == "unused"]
    assert drops(replace(there, catalog=None)) == ()
    assert Use(CountedUse(None, 0)).counted.days is None
