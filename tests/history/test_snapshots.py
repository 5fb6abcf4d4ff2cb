"""Snapshots come back as they were, but for the literals of their statements."""

from dataclasses import replace
from pathlib import Path

from kept import MIDNIGHT_US

from analyzer.history import open_store
from analyzer.history.store import Store
from analyzer.model.snapshot import DatabaseUse, IndexUse, ServerIdentity, Snapshot, TableUse
from analyzer.model.statement import StatementCounters

SERVER = ServerIdentity("postgresql://app@db:5432/shop", "7301", 180001, MIDNIGHT_US - 5)
DAY_US = 86_400_000_000


def counters(query: str, calls: int, query_id: str = "1") -> StatementCounters:
    return StatementCounters(query, query_id, calls, calls * 2.5, 0.5, 9.0, 2.5, 1.0, calls)


def snapshot(*rows: StatementCounters, at_us: int = MIDNIGHT_US) -> Snapshot:
    return Snapshot(
        SERVER,
        at_us,
        rows,
        reset_us=MIDNIGHT_US - 9,
        evictions=3,
        settings={"shared_buffers": "128MB"},
        databases=(DatabaseUse("shop", 5, 1, 2, 3, 4, 5, 6, None),),
        tables=tuple(TableUse("shop", name, *range(12), None) for name in ("orders", "items")),
        indexes=(IndexUse("shop", "orders", "orders_pkey", 8192, 1, 2, 3),),
        io={"reads": 1.5},
        warnings=("no pg_stat_io",),
    )


def test_a_snapshot_comes_back(store: Store) -> None:
    taken = snapshot(counters("SELECT $1", 5), counters("SELECT * FROM t WHERE id = $1", 7, "2"))
    bare = Snapshot(replace(SERVER, address="postgresql://other/"), MIDNIGHT_US, ())
    with store.transaction() as night:
        night.add_snapshot(taken)
        night.add_snapshot(bare)
        assert night.latest_snapshot(SERVER.address) == taken
    with store.reading() as reader:
        assert reader.latest_snapshot(SERVER.address) == taken
        assert reader.latest_snapshot(bare.server.address) == bare
        assert reader.latest_snapshot("postgresql://nobody/") is None


def test_the_newest_snapshot_is_given_and_earlier_ones_by_time(store: Store) -> None:
    later = snapshot(counters("SELECT $1", 9), at_us=MIDNIGHT_US + DAY_US)
    first = snapshot(counters("SELECT $1", 5))
    with store.transaction() as night:
        night.add_snapshot(later)
        night.add_snapshot(first)
    with store.reading() as reader:
        assert reader.latest_snapshot(SERVER.address) == later
        assert reader.latest_snapshot(SERVER.address, later.taken_us) == first
        assert reader.snapshot_times(SERVER.address) == [first.taken_us, later.taken_us]


def test_no_literal_of_a_statement_is_in_the_file(tmp_path: Path) -> None:
    path = tmp_path / "history.db"
    hostile = counters("ALTER ROLE app PASSWORD 'hunter2-secret' \ud800\0", 1)
    with open_store(str(path)) as store:
        with store.transaction() as night:
            night.add_snapshot(snapshot(hostile, counters("SET x = 'topsecret-42'", 1, "2")))
        with store.reading() as reader:
            kept = reader.latest_snapshot(SERVER.address)
    held = b"".join(file.read_bytes() for file in tmp_path.iterdir())
    assert b"hunter2" not in held
    assert b"topsecret" not in held
    assert kept is not None
    assert [row.query for row in kept.counters] == [
        "ALTER ROLE app PASSWORD $1 \\ud800\u2400",
        "SET x = $1",
    ]


def test_old_snapshots_go_with_their_texts_but_the_last_of_a_server_stays(store: Store) -> None:
    nights = [
        snapshot(counters(f"SELECT a{n} FROM t", 1), at_us=MIDNIGHT_US + n * DAY_US)
        for n in (0, 1, 95)
    ]
    with store.transaction() as night:
        for one in nights:
            night.add_snapshot(one)
        night.retain(MIDNIGHT_US + 96 * DAY_US)
        assert night.snapshot_times(SERVER.address) == [nights[2].taken_us]
        night.retain(MIDNIGHT_US + 9_000 * DAY_US)
        assert night.latest_snapshot(SERVER.address) == nights[2]
