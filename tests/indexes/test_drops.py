"""Drops from a schema alone, and over a window between two snapshots."""

from dataclasses import replace

from analyzer.indexes.hygiene import drops
from analyzer.indexes.making import Maker
from analyzer.indexes.notes import notes
from analyzer.indexes.superseded import superseded
from analyzer.model.catalog import Catalog, Index, Table
from analyzer.model.coverage import Coverage
from analyzer.model.index_candidate import IndexKey
from analyzer.model.snapshot import DatabaseUse, IndexUse, ServerIdentity, Snapshot, TableUse
from analyzer.model.target import Target, Verdict
from analyzer.model.use import Use
from analyzer.model.workload import Workload
from analyzer.sources.schema import sql
from analyzer.workload.use_window import use_of

DAY_US = 86_400_000_000
SCHEMA = """
CREATE TABLE a (id int PRIMARY KEY, code text UNIQUE, slug text, x int, y int);
CREATE UNIQUE INDEX a_slug ON a (slug);
CREATE TABLE b (id int PRIMARY KEY, a int REFERENCES a, slug text REFERENCES a (slug));
CREATE INDEX a_slug_2 ON a (slug);
CREATE INDEX a_code ON a (code);
CREATE INDEX a_x ON a (x);
CREATE INDEX a_x_y ON a (x, y DESC NULLS LAST);
CREATE INDEX a_x_nulls ON a (x NULLS FIRST);
CREATE INDEX a_x_c ON a (slug COLLATE "C", x);
CREATE TABLE kept (k int NOT NULL, UNIQUE NULLS NOT DISTINCT (k));
CREATE UNIQUE INDEX kept_k ON kept (k);
CREATE UNIQUE INDEX kept_k_2 ON kept (k);
ALTER TABLE kept REPLICA IDENTITY USING INDEX kept_k_2;
CREATE TABLE part (at date NOT NULL, n int) PARTITION BY RANGE (at);
CREATE INDEX part_n ON ONLY part (n);
CREATE TABLE part_1 PARTITION OF part FOR VALUES FROM ('2020-01-01') TO ('2021-01-01');
CREATE INDEX part_1_n_2 ON part_1 (n);
"""


def workload(catalog: Catalog, use: Use | None = None) -> Workload:
    return Workload(
        statements=(),
        stats=(),
        coverage=Coverage(),
        target=Target(),
        verdict=Verdict(None, None, None, "none", "unknown", 0, "no executions"),
        catalog=catalog,
        use=use,
    )


def test_a_schema_alone_tells_of_duplicates_and_prefixes() -> None:
    advised = drops(workload(sql.read_schema(SCHEMA, "schema.sql")))
    assert {one.index: (one.kind, one.covered_by, one.rollback) for one in advised} == {
        "a_slug_2": (
            "duplicate",
            "a_slug",
            "CREATE INDEX CONCURRENTLY a_slug_2 ON a USING btree (slug);",
        ),
        "a_code": (
            "duplicate",
            "a_code_key",
            "CREATE INDEX CONCURRENTLY a_code ON a USING btree (code);",
        ),
        "a_x": ("prefix", "a_x_y", "CREATE INDEX CONCURRENTLY a_x ON a USING btree (x);"),
        "kept_k": (
            "duplicate",
            "kept_k_key",  # whose NULLs are not distinct either: it keeps more unique
            "CREATE UNIQUE INDEX CONCURRENTLY kept_k ON kept USING btree (k);",
        ),
    }
    assert {one.bytes for one in advised} == {None}


def table_use(**counts: int) -> TableUse:
    known = dict.fromkeys(("seq_scans", "seq_rows", "index_scans", "index_rows", "inserted"), 0)
    known |= dict.fromkeys(("updated", "deleted", "hot_updated", "dead_rows"), 0)
    return TableUse("shop", "t", 10, 10, vacuumed_us=None, analyzed_us=None, **{**known, **counts})


def snapshot(day: int, scans: dict[str, int], *, reset: int | None = 0, reads: int = 0) -> Snapshot:
    return Snapshot(
        server=ServerIdentity("postgresql://me@h:5432/shop", "7", 150004, 1),
        taken_us=day * DAY_US,
        counters=(),
        databases=[
            DatabaseUse("shop", None, 0, 0, 0, 0, 0, 0, None if reset is None else reset * DAY_US)
        ],
        tables=[table_use(index_scans=reads)],
        indexes=[IndexUse("shop", "t", name, 8192, n, 0, 0) for name, n in scans.items()],
    )


TABLE = Table("t", indexes=(Index("used", ("a",)), Index("once", ("b",)), Index("new", ("c",))))


def unused(*snapshots: Snapshot) -> dict[str, str]:
    catalog = Catalog({"t": TABLE})
    return {one.index: one.reason for one in drops(workload(catalog, use_of(snapshots)))}


def test_a_window_between_snapshots_sees_what_is_no_longer_used() -> None:
    first = snapshot(10, {"used": 5, "once": 7}, reads=12)
    last = snapshot(40, {"used": 9, "once": 7, "new": 0}, reads=16)
    assert set(unused(first, last)) == {"once", "new"}
    assert (
        "not scanned once in 30 days, between the snapshots of 1970-01-11 00:00 UTC and "
        "1970-02-10 00:00 UTC" in unused(first, last)["once"]
    )


def test_a_reset_in_between_leaves_the_time_since() -> None:
    first = snapshot(10, {"used": 5, "once": 7}, reads=12)
    last = snapshot(40, {"used": 9, "once": 0}, reset=38, reads=9)
    assert "in 2 days, since its statistics began on 1970-02-08" in unused(first, last)["once"]
    fell = snapshot(40, {"used": 1, "once": 0}, reset=None, reads=1)
    assert "since the database was made, 40 days at least" in unused(first, fell)["once"]


def test_one_snapshot_alone_counts_since_the_reset() -> None:
    assert set(unused(snapshot(40, {"used": 1, "once": 0}, reads=1))) == {"once"}


def test_what_is_covered_by_an_index_that_goes_stays() -> None:
    wide = Index("wide", ("a", "b"))
    table = Table("t", indexes=(Index("narrow", ("a",)), wide))
    use = use_of([snapshot(40, {"narrow": 4, "wide": 0}, reads=4)])
    (one,) = drops(workload(Catalog({"t": table}), use))
    assert (one.index, one.kind) == ("wide", "unused")
    both = replace(use, indexes={key: replace(row, scans=3) for key, row in use.indexes.items()})
    (one,) = drops(workload(Catalog({"t": table}), both))
    assert (one.index, one.covered_by) == ("narrow", "wide")


def test_no_index_is_dropped_for_one_that_is_not_known() -> None:
    table = Table("t", indexes=(Index("p", ("?",)), Index("q", ("?",)), Index("r", ("?", "a"))))
    assert drops(workload(Catalog({"t": table}))) == ()


def test_pairs_that_one_index_would_serve_are_a_note() -> None:
    table = Table("t", indexes=(Index("ab", ("a", "b")), Index("ba", ("b", "a"))))
    there = workload(Catalog({"t": table}))
    (note,) = notes(there, ())
    assert (note.kind, note.indexes, note.sql) == ("merge", ("ab", "ba"), None)


def test_an_advised_index_makes_those_superfluous_that_it_begins_with() -> None:
    """None that keeps something unique, differs in its order or condition, or goes anyway."""
    schema = """
    CREATE TABLE t (a int, b int, c text, UNIQUE (a));
    CREATE INDEX t_a ON t (a);
    CREATE INDEX t_a_b ON t (a, b);
    CREATE INDEX t_a_down ON t (a DESC);
    CREATE INDEX t_a_some ON t (a) WHERE b IS NULL;
    CREATE INDEX t_a_hash ON t USING hash (a);
    CREATE INDEX t_a_with_c ON t (a) INCLUDE (c);
    CREATE INDEX t_b ON t (b);
    CREATE UNIQUE INDEX t_a_unique ON t (a);
    """
    catalog = sql.read_schema(schema, "schema.sql")
    table = catalog.table("t")
    assert table is not None
    keys = [IndexKey(name, "equality") for name in ("a", "b", "c")]
    wide = Maker(table, catalog).make(keys)
    found = {one.index: one for one in superseded([wide], catalog, {("t", "t_a")})}
    assert set(found) == {"t_a_b", "t_a_with_c"}
    assert found["t_a_b"].covered_by == wide.name
    assert found["t_a_b"].kind == "superseded"
    assert f"only after {wide.name} is built" in found["t_a_b"].risk
    assert not list(superseded([Maker(table, catalog).make(keys[:1])], catalog, ()))
