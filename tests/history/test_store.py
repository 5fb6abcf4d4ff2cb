"""A store keeps what a transaction wrote whole, is private, and refuses what is not its own."""

import os
import sqlite3
import stat
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from kept import MIDNIGHT_US, figures, hour, named

from analyzer.errors import StoreError
from analyzer.history import open_store, tables
from analyzer.history.migrations import REVISIONS
from analyzer.history.opening import open_engine
from analyzer.history.store import Store
from analyzer.model.columns import Floats

Draw = Callable[[int], Floats]


def test_hours_that_come_in_parts_add_up_to_the_single_pass(store: Store, draw: Draw) -> None:
    one, values = named("aa"), draw(3_000)
    for part in np.array_split(values, 7):
        with store.transaction() as night:
            night.add_hours([hour(2, part, one), hour(2, part), hour(2, part, client=True)])
    with store.reading() as reader:
        _, statements = reader.window(MIDNIGHT_US, MIDNIGHT_US + 24 * 3_600_000_000)
        (everything,) = reader.trend()
    found = statements[one.lineage][1]
    expected = figures(values)
    assert found.histogram == everything.figures.histogram == expected.histogram
    assert (found.calls, found.min_ms, found.max_ms) == (3_000, expected.min_ms, expected.max_ms)
    assert found.total_ms == pytest.approx(expected.total_ms)
    assert found.squares == pytest.approx(expected.squares)


def test_positions_are_replaced_as_a_whole_and_by_set(store: Store) -> None:
    with store.transaction() as night:
        night.set_positions("web", {"a": {"offset": 1}, "b": [2]})
        night.set_positions("jobs", {"a": 3})
        assert night.positions("web") == {"a": {"offset": 1}, "b": [2]}
    with store.transaction() as night:
        night.set_positions("web", {"c": None})
    with store.reading() as reader:
        assert reader.positions("web") == {"c": None}
        assert reader.positions("jobs") == {"a": 3}
        assert reader.positions("other") == {}


def test_an_error_leaves_nothing_of_the_transaction(store: Store, draw: Draw) -> None:
    class StopError(Exception):
        pass

    def fail() -> None:
        with store.transaction() as night:
            night.set_positions("web", {"a": 1})
            night.add_hours([hour(0, draw(10), named("aa"))])
            raise StopError

    with pytest.raises(StopError):
        fail()
    with store.reading() as reader:
        assert reader.positions("web") == {}
        assert reader.trend() == []


def test_the_tables_are_those_that_the_migrations_make(where: str) -> None:
    engine = open_engine(where)
    with engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, tables.METADATA) == []
        assert context.get_current_revision() == REVISIONS[-1]
    engine.dispose()


def test_every_migration_is_listed() -> None:
    folder = Path(tables.__file__).parent / "migrations"
    steps = ScriptDirectory(str(folder)).walk_revisions()
    assert tuple(step.revision for step in steps)[::-1] == REVISIONS


def test_a_newer_store_is_refused_with_both_versions(where: str) -> None:
    with open_store(where):
        pass
    engine = open_engine(where)
    with engine.connect().execution_options(writes=True) as connection, connection.begin():
        connection.execute(sa.text("UPDATE alembic_version SET version_num = '0999'"))
        connection.execute(sa.text("UPDATE about SET value = '99.1' WHERE name = 'pg95'"))
    engine.dispose()
    with pytest.raises(StoreError, match=r"written by pg95 99\.1 .*0999.*update pg95"):
        open_store(where)


def test_the_file_and_its_folder_are_private(tmp_path: Path, draw: Draw) -> None:
    path = tmp_path / "deep" / "history.db"
    before = os.umask(0)
    try:
        with open_store(str(path)) as store, store.lock(), store.transaction() as night:
            night.add_hours([hour(0, draw(10), named("aa"))])
            modes = {file.name: stat.S_IMODE(file.stat().st_mode) for file in path.parent.iterdir()}
    finally:
        os.umask(before)
    assert set(modes) == {"history.db", "history.db-wal", "history.db-shm", "history.db.lock"}
    assert set(modes.values()) == {0o600}
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700


@pytest.mark.parametrize("kind", ["text", "empty", "other database", "folder"])
def test_what_is_no_store_is_refused_and_left_alone(tmp_path: Path, kind: str) -> None:
    path = tmp_path / "given"
    if kind == "folder":
        path.mkdir()
    elif kind == "other database":
        raw = sqlite3.connect(path)
        raw.execute("CREATE TABLE customer (name text)")
        raw.close()
    else:
        path.write_text("2026-11-20 LOG: hello" * 20 if kind == "text" else "")
    before = None if kind == "folder" else path.read_bytes()
    with pytest.raises(StoreError, match="give another --history"):
        open_store(str(path))
    assert before is None or path.read_bytes() == before


def test_a_damaged_file_is_told(tmp_path: Path, draw: Draw) -> None:
    path = tmp_path / "history.db"
    with open_store(str(path)) as store, store.transaction() as night:
        night.add_hours([hour(number, draw(500), named("aa")) for number in range(200)])
    with path.open("r+b") as file:
        file.seek(4096)
        file.write(b"\xff" * 40_000)

    def read() -> None:
        with open_store(str(path)) as store, store.reading() as reader:
            reader.trend()

    with pytest.raises(StoreError, match=r"history\.db.*damaged"):
        read()
