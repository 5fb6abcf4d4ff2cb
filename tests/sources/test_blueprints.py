"""Blueprints: from a live server that is only read, in a snapshot's file, and from pg_dump's pair."""

import json
import stat
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest
from click.testing import CliRunner
from clones import DATA, Server, pg_dump18, programs18, queries, shape

from analyzer.cli._clone import blueprint as named_blueprint
from analyzer.cli.snapshot import snapshot as snapshot_command
from analyzer.errors import InputError, UsageError
from analyzer.model.blueprint import Blueprint
from analyzer.model.what_if import PlannedStatement
from analyzer.sources.blueprint_catalog import catalog_of
from analyzer.sources.blueprint_files import read_blueprint_file
from analyzer.sources.postgres.blueprint import read_blueprint
from analyzer.sources.postgres.catalog import read_catalog
from analyzer.sources.postgres.clone import open_clone
from analyzer.sources.postgres.clone.programs import FOLDER_VARIABLE
from analyzer.sources.postgres.connection import connect
from analyzer.sources.snapshot_file import read_snapshot


@pytest.fixture(scope="module")
def shop(postgres15: Server) -> str:
    dsn = postgres15.create_database("blueprint_shop")
    text = (DATA / "shop.sql").read_text().replace("clone_shop", "blueprint_shop")
    postgres15.psql(text, dsn)
    return dsn


@pytest.fixture(scope="module")
def taken(shop: str) -> Blueprint:
    return read_blueprint(shop)


@pytest.fixture(scope="module")
def kept(shop: str, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A snapshot with statistics, as the command writes it."""
    path = tmp_path_factory.mktemp("kept") / "shop.json.zst"
    command = ["--dsn", shop, "--with-statistics", "-o", str(path)]
    done = CliRunner().invoke(snapshot_command, command, catch_exceptions=False)
    assert "hold values of the data" in done.output
    return path


def test_the_server_is_only_read(postgres15: Server, shop: str) -> None:
    postgres15.flush_logs()
    before = postgres15.log_path("jsonlog").stat().st_size
    read_blueprint(shop)
    postgres15.flush_logs()
    with postgres15.log_path("jsonlog").open("rb") as stream:
        stream.seek(before)
        entries = [json.loads(line) for line in stream]
    sent = [
        one["message"].partition(": ")[2].partition(": ")[2]
        for one in entries
        if one.get("dbname") == "blueprint_shop" and "duration" in one["message"]
    ]
    sent = [text for text in sent if "plan:" not in text and text]
    assert len(sent) > 10
    ours = ("BEGIN READ ONLY", "BEGIN", "SAVEPOINT", "RELEASE", "COMMIT", "ROLLBACK")
    assert [text for text in sent if "/* pg95 */" not in text and not text.startswith(ours)] == []


def test_a_role_without_select_is_told_what_helps(postgres15: Server, shop: str) -> None:
    postgres15.psql("DROP ROLE IF EXISTS blind; CREATE ROLE blind LOGIN")
    seen = read_blueprint(shop.replace("postgres@", "blind@"))
    assert any("needs SELECT" in warning for warning in seen.warnings)
    assert any("statistics of ranges" in warning for warning in seen.warnings)
    assert len(seen.statements) == len(read_blueprint(shop).statements)
    assert seen.columns == ()


def test_statistics_come_with_the_snapshot_and_only_on_request(
    kept: Path, taken: Blueprint, shop: str, tmp_path: Path
) -> None:
    assert stat.S_IMODE(kept.stat().st_mode) == 0o600
    read = read_blueprint_file(str(kept), None)
    assert replace(read, origin=taken.origin) == taken
    without = tmp_path / "plain.json"
    CliRunner().invoke(snapshot_command, ["--dsn", shop, "-o", str(without)])
    (mail,) = [one for one in taken.columns if one.column == "mail"]
    a_value = mail.values["histogram_bounds"].strip("{}").partition(",")[0]
    assert "@example.com" in a_value
    assert a_value not in without.read_text()
    with pytest.raises(InputError, match="without statistics; take one with them"):
        read_blueprint_file(str(without), None)


def test_statistics_need_a_file(shop: str) -> None:
    done = CliRunner().invoke(snapshot_command, ["--dsn", shop, "--with-statistics"])
    assert isinstance(done.exception, UsageError)
    assert "no history keeps them" in str(done.exception)


def test_no_history_keeps_statistics(shop: str, tmp_path: Path) -> None:
    history = tmp_path / "history.db"
    command = ["--dsn", shop, "--with-statistics", "--history", str(history)]
    done = CliRunner().invoke(
        snapshot_command, [*command, "-o", str(tmp_path / "one.json")], catch_exceptions=False
    )
    assert "Kept in" in done.output
    from analyzer.history import open_store  # noqa: PLC0415

    with open_store(str(history)) as store, store.reading() as reader:
        found = reader.latest_snapshot(shop)
    assert found is not None
    assert found.blueprint is None
    assert read_snapshot((tmp_path / "one.json").read_text(), "one.json").blueprint is not None


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("relations", [["public", "customers", -1, 5.0, 0, None]]),
        ("relations", [["public", "customers", 10**12, 5.0, 0, None]]),
        ("relations", "none"),
        ("columns", [["public", "customers", None, None, False, {}]]),
        ("columns", [["public", "customers", "id", None, False, {"null_frac": 0}]]),
        ("statements", [1]),
        ("blueprint", []),
        ("blueprint", {"settings": {"work_mem": 4}}),
    ],
)
def test_an_edited_snapshot_is_refused_with_the_place(
    shop: str, tmp_path: Path, key: str, value: object
) -> None:
    path = tmp_path / "edited.json"
    command = ["--dsn", shop, "--with-statistics", "-o", str(path)]
    CliRunner().invoke(snapshot_command, command)
    document = json.loads(path.read_text())
    document[key] = value
    path.write_text(json.dumps(document))
    with pytest.raises(InputError, match=r"edited\.json: .*edited"):
        read_blueprint_file(str(path), None)


@pytest.fixture(scope="module")
def dumps(shop: str, tmp_path_factory: pytest.TempPathFactory) -> tuple[str, str]:
    """The pair that PostgreSQL 18's pg_dump writes of a server of 15."""
    folder = tmp_path_factory.mktemp("dumps")
    for what in ("schema", "statistics"):
        path = folder / f"{what}.sql"
        subprocess.run([pg_dump18(), f"--{what}-only", "-d", shop, "-f", path], check=True)
    return str(folder / "schema.sql"), str(folder / "statistics.sql")


def test_a_clone_by_dumps_plans_as_one_by_a_snapshot(
    dumps: tuple[str, str], kept: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(FOLDER_VARIABLE, programs18())
    schema, statistics = dumps
    by_dumps = read_blueprint_file(statistics, schema)
    by_snapshot = named_blueprint({"statistics": str(kept), "schema": None})
    assert any("hold no settings" in warning for warning in by_dumps.warnings)
    with (
        open_clone(replace(by_dumps, settings=by_snapshot.settings)) as one,
        open_clone(by_snapshot) as other,
    ):
        for text in queries():
            if "span" in text or "during" in text:  # before 17 pg_dump sees no statistics of ranges
                continue
            asked = PlannedStatement("s", text)
            mine, theirs = one.estimate(asked, ()), other.estimate(asked, ())
            assert shape(mine.plan) == shape(theirs.plan), text
            assert mine.cost == pytest.approx(theirs.cost, rel=0.02)


def test_a_dump_of_statistics_needs_the_schema_s(dumps: tuple[str, str]) -> None:
    schema, statistics = dumps
    with pytest.raises(InputError, match="needs --schema FILE beside it"):
        read_blueprint_file(statistics, None)
    with pytest.raises(InputError, match="holds no statistics of a planner"):
        read_blueprint_file(schema, schema)


def test_without_a_source_of_statistics_the_message_says_which_there_are() -> None:
    with pytest.raises(UsageError, match=r"--statistics FILE.*or --dsn"):
        named_blueprint({"statistics": None, "dsn": None, "live": False})


def test_a_blueprint_s_catalog_is_the_live_one_s(shop: str, taken: Blueprint) -> None:
    """Advice needs it before there is a clone: statements are resolved against it."""
    found = catalog_of(taken)
    with connect(shop) as connection:
        live = read_catalog(connection).catalog
    assert set(found.tables) == set(live.tables)
    for table in found:
        theirs = live.tables[table.name]
        assert table.rows == theirs.rows, table.name
        assert table.primary_key == theirs.primary_key
        assert {one.name for one in table.indexes} >= {one.name for one in theirs.indexes}
        for column in table.columns:
            other = theirs.column(column.name)
            assert other is not None
            assert column.distinct == pytest.approx(other.distinct), (table.name, column.name)
            assert column.null_fraction == pytest.approx(other.null_fraction)
            assert column.width_bytes == other.width_bytes
            assert column.common_frequencies == pytest.approx(other.common_frequencies)
            assert column.elements == pytest.approx(other.elements)
    customers = found.tables["customers"]
    assert customers.bytes is not None
    assert all(index.bytes for index in customers.indexes)


def test_a_live_server_is_a_source(shop: str, taken: Blueprint) -> None:
    assert named_blueprint({"statistics": None, "dsn": shop}) == taken
