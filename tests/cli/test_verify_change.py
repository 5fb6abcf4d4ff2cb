"""`--verify` of drops, of a server with other sizes, within a time, and of indexes that are worse together."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Protocol

import pytest
from click.testing import CliRunner

from analyzer.cli import cli
from analyzer.indexes.verified import verify
from analyzer.model.catalog import Catalog, Table
from analyzer.model.explain import Sample
from analyzer.model.index_advice import CreatedIndex, DroppedIndex, IndexAdvice
from analyzer.model.verification import ENOUGH, Measured
from analyzer.report.index_words import verification_lines
from analyzer.report.parts.indexes import indexes_part
from analyzer.report.redaction import Redactor
from analyzer.sources.postgres.scratch_side import Side
from analyzer.sources.postgres.verification import ScratchBench
from tests.sources.counted_work import count_work, pages

SCHEMA = """
CREATE TABLE orders (id int PRIMARY KEY, customer int, made int, pad text);
CREATE TABLE cold (id int, n int);
INSERT INTO cold SELECT n, n FROM generate_series(1, 2000) n;
INSERT INTO orders SELECT n, CASE WHEN n <= 2000 THEN 7 ELSE 10 + n % 9000 END,
    1000000 - n + (n * 7919 % 5), repeat('x', 40) FROM generate_series(1, 120000) AS n
    ORDER BY n * 7919 % 120001;
CREATE INDEX needed ON orders (customer);
CREATE INDEX idle ON orders (pad);
CREATE INDEX narrow ON orders (made);
CREATE INDEX wide ON orders (made, pad);
CREATE TABLE alike (a int, b int, c int);
INSERT INTO alike SELECT n % 60, n % 60, n % 60 FROM generate_series(1, 120000) n;
ALTER TABLE cold SET (autovacuum_enabled = off);
VACUUM ANALYZE orders, alike;
"""
LOOKUP = "SELECT * FROM orders WHERE customer = 77"
MADE = "SELECT sum(customer) FROM orders WHERE made BETWEEN 900000 AND 902000"


class Server(Protocol):
    """What these tests use of tests/conftest.py's servers."""

    def psql(self, sql: str, dsn: str | None = None) -> str: ...

    def create_database(self, name: str) -> str: ...


@pytest.fixture(scope="module")
def scratch(postgres15: Server) -> str:
    dsn = postgres15.create_database("verify_change")
    postgres15.psql(SCHEMA, dsn)
    return dsn


@pytest.fixture(autouse=True)
def _verdicts_that_no_busy_machine_changes(monkeypatch: pytest.MonkeyPatch) -> None:
    count_work(monkeypatch, pages)


@pytest.fixture(autouse=True)
def _nothing_is_left(postgres15: Server, scratch: str) -> Iterator[None]:
    asked = "SELECT relname, relfilenode FROM pg_class ORDER BY oid"
    before = postgres15.psql(asked, scratch)
    yield
    assert postgres15.psql(asked, scratch) == before


def new(sql: str) -> CreatedIndex:
    return CreatedIndex(sql, None, (), {}, "rule", "", "", table="orders")


def gone(name: str, kind: str, covered_by: str | None = None) -> DroppedIndex:
    sql = f"DROP INDEX CONCURRENTLY {name};"
    return DroppedIndex(
        sql, "not needed", table="orders", index=name, kind=kind, covered_by=covered_by
    )


def judged(
    scratch: str,
    advice: IndexAdvice,
    statements: Sequence[str],
    catalog: Catalog | None = None,
    seconds: float = 60.0,
) -> IndexAdvice:
    bench = ScratchBench(scratch, None, lambda _text: None, max_seconds=seconds)
    samples = [Sample(f"s{number}", text) for number, text in enumerate(statements)]
    return verify(advice, samples, bench, catalog)


def test_a_drop_without_which_a_statement_is_slower_is_not_advised(scratch: str) -> None:
    drops = (
        gone("needed", "unused"),
        gone("idle", "unused"),
        gone("narrow", "prefix", "wide"),
        gone("of_another_server", "duplicate"),
    )
    found = judged(scratch, IndexAdvice(drop=drops), [LOOKUP, MADE])
    told = {one.index: (one.verified_by, one.verification) for one in found.drop}
    assert told == {
        "idle": ("rule", "dropped there: none of 2 statements read it before"),
        "narrow": ("execution", "1 statements that read it were run with it and without"),
        "of_another_server": ("rule", "not tried: there is no such index"),
    }
    (kept,) = found.notes
    assert (kept.kind, kept.indexes) == ("kept", ("needed",))
    assert "was to be dropped (unused) and a statement is slower without it" in kept.text
    assert found.verification is not None
    (slower,) = found.verification.rejected[drops[0].sql]
    assert slower.lost == {drops[0].sql}
    assert slower.after > 5 * slower.before
    document = {"indexes": indexes_part(found, Redactor("off"))}
    assert document["indexes"] is not None
    assert document["indexes"]["verification"]["not_dropped"] == {
        drops[3].sql: "there is no such index"
    }
    assert "none slower beyond noise" in verification_lines(document)[0]


def test_a_drop_goes_with_the_index_that_brought_it(scratch: str) -> None:
    """The new index is worse than what it would supersede, so both stay as they are."""
    trap = "SELECT * FROM orders WHERE customer = 7 AND made > 0 ORDER BY made LIMIT 1"
    created = new("CREATE INDEX CONCURRENTLY brings ON orders (made) INCLUDE (pad);")
    found = judged(
        scratch,
        IndexAdvice(create=(created,), drop=(gone("needed", "superseded", "brings"),)),
        [trap, LOOKUP],
    )
    assert found.drop == ()
    assert {one.kind for one in found.notes} <= {"rejected", "kept"}
    assert found.verification is not None
    assert not [one for one in found.verification.trial.statements if one.worse]


def test_indexes_that_stand_in_for_each_other_are_found_together(
    postgres15: Server,
) -> None:
    """Without one of them the planner takes the other, and is as slow."""
    dsn = postgres15.create_database("verify_pair")
    postgres15.psql(
        """CREATE TABLE orders (id int PRIMARY KEY, customer int, made int, pad text);
        INSERT INTO orders SELECT n, CASE WHEN n <= 2000 THEN 7 ELSE 10 + n % 90 END,
            1000000 - n + (n * 7919 % 5), repeat('x', 40) FROM generate_series(1, 120000) AS n
            ORDER BY n * 7919 % 120001;
        VACUUM ANALYZE""",
        dsn,
    )
    trap = "SELECT * FROM orders WHERE customer = 7 ORDER BY made LIMIT 1"
    good = new("CREATE INDEX CONCURRENTLY good ON orders (pad, id);")
    pair = [
        new(f"CREATE INDEX CONCURRENTLY {name} ON orders (made{more});")
        for name, more in (("one", ""), ("two", ", id"))
    ]
    found = judged(dsn, IndexAdvice(create=(good, *pair)), [trap])
    assert [one.sql for one in found.create] == [good.sql]
    assert {one.indexes for one in found.notes} == {("one",), ("two",)}
    assert found.verification is not None
    (last,) = found.verification.trial.statements
    assert last.same_plan  # not run again: it has the plan that it had


def test_an_index_of_a_partitioned_table_is_known_by_those_of_its_parts(
    postgres15: Server,
) -> None:
    dsn = postgres15.create_database("verify_parts")
    postgres15.psql(
        """CREATE TABLE visits (day int, who int, pad text) PARTITION BY RANGE (day);
        CREATE TABLE visits_1 PARTITION OF visits FOR VALUES FROM (0) TO (50);
        CREATE TABLE visits_2 PARTITION OF visits FOR VALUES FROM (50) TO (100);
        INSERT INTO visits SELECT n % 100, n, repeat('x', 40) FROM generate_series(1, 60000) n;
        CREATE INDEX visits_day ON visits (day, who);
        VACUUM ANALYZE;""",
        dsn,
    )
    index = new("CREATE INDEX who ON visits (who);")
    drop = DroppedIndex("DROP INDEX visits_day;", "unused", table="visits", index="visits_day")
    catalog = Catalog({"visits": Table("visits", rows=600_000)})
    advice = IndexAdvice(create=(replace(index, table="visits"),), drop=(drop,))
    day = "SELECT count(*) FROM visits WHERE day = 7 AND who < 30000"
    found = judged(dsn, advice, ["SELECT * FROM visits WHERE who = 77", day], catalog)
    (built,) = found.create
    assert built.verified_by == "execution"
    assert (built.built_bytes or 0) > 1_000_000  # of both parts
    assert found.verification is not None
    measured = {one.shape_id: one for one in found.verification.trial.statements}
    assert measured["s0"].used == {"who"}
    assert measured["s1"].lost == {drop.sql} or drop.sql in found.verification.rejected
    (scale,) = found.verification.scales
    assert (scale.there, scale.factor) == (60_000, 10)


def test_rows_that_a_plan_was_not_made_for_are_told(scratch: str) -> None:
    """Columns that say the same are taken for independent of each other."""
    index = new("CREATE INDEX CONCURRENTLY i ON alike (a);")
    text = "SELECT count(*) FROM alike WHERE a = 7 AND b = 7 AND c = 7"
    found = judged(scratch, IndexAdvice(create=(index,)), [text, LOOKUP])
    assert found.verification is not None
    told = {one.shape_id: one.surprise for one in found.verification.trial.statements}
    assert told["s0"] is not None
    assert "Scan on alike met 2,000 rows where 1 were expected" in told["s0"]
    assert told["s1"] is None


def test_other_sizes_are_told(scratch: str) -> None:
    catalog = Catalog({"orders": Table("orders", rows=1_200_000), "cold": Table("cold", rows=2000)})
    created = new("CREATE INDEX CONCURRENTLY made_id ON orders (customer, made);")
    cold = CreatedIndex(
        "CREATE INDEX CONCURRENTLY i ON cold (n);", None, (), {}, "rule", "", "", table="cold"
    )
    found = judged(scratch, IndexAdvice(create=(created, cold)), [LOOKUP], catalog)
    assert found.verification is not None
    scales = {one.table: (one.rows, one.there, one.factor) for one in found.verification.scales}
    assert scales == {"orders": (1_200_000, 120_000.0, 10.0), "cold": (2000, None, None)}
    document = {"indexes": indexes_part(found, Redactor("off"))}
    lines = verification_lines(document)
    assert "no statistics of cold: run ANALYZE there" in lines[-2]
    assert "orders 120,000 of 1,200,000 rows" in lines[-1]
    alike = Catalog({"orders": Table("orders", rows=110_000)})
    same = judged(scratch, IndexAdvice(create=(created,)), [LOOKUP], alike)
    assert same.verification is not None
    assert same.verification.scales == []


def test_what_there_is_no_time_for_is_told(scratch: str, monkeypatch: pytest.MonkeyPatch) -> None:
    long = (
        "SELECT count(*) FROM generate_series(1, 6000000) AS g WHERE g > 0 "
        "AND EXISTS (SELECT 1 FROM orders WHERE customer = 77 AND made > 0)"
    )
    index = new("CREATE INDEX CONCURRENTLY i ON orders (customer, made);")
    with monkeypatch.context() as patch:
        patch.setattr("analyzer.sources.postgres.scratch_stage._SHARE", 1e-9)
        unclear = judged(scratch, IndexAdvice(create=(index,)), [long])
    assert unclear.verification is not None
    (one,) = unclear.verification.trial.statements
    assert "--verify-seconds" in (one.why_not or "")
    said = "built, and none of the statements that use it ran often enough"
    assert unclear.create[0].verification == said
    none = judged(scratch, IndexAdvice(create=(index,)), [long], seconds=0.001)
    assert none.create[0].verification == "not built: there was no time left to build it"
    assert none.verification is not None
    assert not none.verification.finished
    document = {"indexes": indexes_part(none, Redactor("off"))}
    assert "The time (--verify-seconds) was over before all was clear." in verification_lines(
        document
    )


def test_where_time_is_short_statements_are_compared_one_after_the_other(
    scratch: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each takes, as it is told, longer than there is time to compare both."""
    count_work(monkeypatch, lambda plan: pages(plan) * 5000)
    ran: list[str] = []
    run = Side.run

    def noted(self: Side, sample: Sample) -> tuple[float, dict[str, Any]]:
        ran.append(sample.shape_id)
        return run(self, sample)

    monkeypatch.setattr(Side, "run", noted)
    indexes = [
        new(f"CREATE INDEX CONCURRENTLY {name};")
        for name in ("one ON alike (a)", "two ON cold (n)")
    ]
    long, short = "SELECT count(*) FROM alike WHERE a = 7", "SELECT * FROM cold WHERE n = 7"
    found = judged(scratch, IndexAdvice(create=tuple(indexes)), [long, short])
    assert found.verification is not None
    assert all(one.enough for one in found.verification.trial.statements)
    one_by_one = ["s0", "s1"] + ["s1"] * 2 * ENOUGH + ["s0"] * 2 * ENOUGH
    assert ran[: len(one_by_one)] == one_by_one


@pytest.mark.parametrize(
    ("before", "after", "worse", "settled"),
    [
        ([10, 10, 10], [20, 21, 20], True, True),
        ([10, 10, 10], [9.5, 10.9, 10], False, True),
        ([10, 10, 10], [10.5, 10.9, 10], False, False),  # close to a tenth
        ([10, 10, 10, 10], [10.5, 10.9, 10, 10.6], False, True),
        ([10, 30, 10], [12, 36, 12], False, False),  # three pairs, within the noise of the times
        ([10, 30, 10, 40], [12, 36, 12, 50], True, True),  # yet each pair says so
        ([10, 10, 10, 10], [20, 20, 5, 20], False, False),
        ([10, 10], [90, 90], False, False),
        ([0.1] * 4, [0.14] * 4, False, True),  # less than a clock tells
    ],
)
def test_when_a_statement_is_worse(
    before: list[float], after: list[float], *, worse: bool, settled: bool
) -> None:
    one = Measured("s", tuple(before), tuple(after))
    assert (one.worse, one.settled) == (worse, settled)


def test_drops_are_verified_by_the_command(scratch: str, tmp_path: Path) -> None:
    """A schema tells of a duplicate; the scratch server has both."""
    schema = tmp_path / "schema.sql"
    schema.write_text(
        """CREATE TABLE orders (id int PRIMARY KEY, customer int, made int, pad text);
        CREATE INDEX narrow ON orders (made); CREATE INDEX wide ON orders (made, pad);"""
    )
    log = tmp_path / "app.log"
    log.write_text(
        f"2026-11-20 10:00:00.000 UTC [77] app@shop LOG:  duration: 4.000 ms  statement: {MADE}\n"
    )
    given = ["indexes", str(log), "--schema", str(schema), "--verify", scratch]
    done = CliRunner().invoke(cli, [*given, "--verify-seconds", "50", "--format", "json"])
    assert done.exit_code == 0, done.output
    assert "(50 s at most)" in done.stderr
    (drop,) = json.loads(done.stdout)["indexes"]["drop"]
    assert (drop["index"], drop["verified_by"]) == ("narrow", "execution")
    for form in ("sql", "markdown", "table"):
        text = CliRunner().invoke(cli, [*given, "--format", form]).stdout
        assert "1 statements that read it were run with it and without" in " ".join(text.split())
