"""A clone plans as the server that it is a clone of, of 15 and of 18, and knows no row of it."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest
from clones import DATA, Server, candidate, explained, programs18, queries, shape

from analyzer.errors import InputError, WhatIfError
from analyzer.indexes.sizes import index_bytes
from analyzer.model.blueprint import Blueprint
from analyzer.model.what_if import PlannedStatement, WhatIf
from analyzer.sources.postgres.blueprint import read_blueprint
from analyzer.sources.postgres.clone import CloneWhatIf, open_clone
from analyzer.sources.postgres.clone.programs import FOLDER_VARIABLE

NEAR = (0.9, 1.1)


@pytest.fixture(scope="module", params=["postgres15", "postgres18"])
def real(request: pytest.FixtureRequest) -> str:
    """A database with rows and an odd schema."""
    server: Server = request.getfixturevalue(request.param)
    dsn = server.create_database("clone_shop")
    server.psql((DATA / "shop.sql").read_text(), dsn)
    return dsn


@pytest.fixture(scope="module")
def blueprint(real: str) -> Blueprint:
    return read_blueprint(real)


@pytest.fixture(scope="module")
def clone(blueprint: Blueprint) -> Iterator[CloneWhatIf]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(FOLDER_VARIABLE, programs18())
        with open_clone(blueprint, index_bytes) as opened:
            yield opened


@pytest.fixture
def connection(real: str) -> "Iterator[psycopg.Connection[Any]]":
    with psycopg.connect(real, autocommit=True) as opened:
        yield opened


def test_it_plans_as_the_real_server_does(
    clone: CloneWhatIf, connection: "psycopg.Connection[Any]"
) -> None:
    # That the planners of 15 and 18 differ is no fault of a clone: most are alike all the same.
    alike = []
    for text in queries():
        plan = explained(connection, text)
        found = clone.estimate(PlannedStatement("s", text), ())
        assert plan.root.total_cost is not None
        ratio = found.cost / plan.root.total_cost
        alike.append(shape(found.plan) == shape(plan))
        assert 0.7 < ratio < 1.4, (text, ratio)
    least = 1.0 if connection.info.server_version >= 180000 else 0.9
    assert sum(alike) >= least * len(alike), list(zip(queries(), alike, strict=True))


def test_a_candidate_is_as_good_as_a_real_index(
    clone: CloneWhatIf, connection: "psycopg.Connection[Any]"
) -> None:
    text = "SELECT * FROM orders WHERE state = 'new' AND total > 990 ORDER BY at DESC LIMIT 20"
    index = candidate("orders", "state", "total")
    before = clone.estimate(PlannedStatement("s", text), ())
    found = clone.estimate(PlannedStatement("s", text), [index])
    with connection.transaction(force_rollback=True):
        connection.execute(index.sql.replace(" CONCURRENTLY", ""))
        cost = explained(connection, text).root.total_cost
    assert cost is not None
    assert 0.9 < found.cost / cost < 1.1
    assert found.cost < before.cost / 2
    assert found.indexes == {"wanted"}  # all partitions' parts under one name


def test_only_the_candidates_asked_for_are_seen(clone: CloneWhatIf) -> None:
    statement = PlannedStatement("s", "SELECT * FROM customers WHERE name = 'Name 7'")
    one = candidate("customers", "name", name="one")
    other = candidate("customers", "name", include=("born",), name="other")
    clone.prepare([one, other])
    without = clone.estimate(statement, ())
    assert clone.estimate(statement, [one]).indexes == {"one"}
    assert clone.estimate(statement, [other]).indexes == {"other"}
    assert clone.estimate(statement, ()) == without
    assert not {"one", "other"} & without.indexes


def test_a_parameter_is_planned_for_any_value(clone: CloneWhatIf) -> None:
    text = "SELECT * FROM customers WHERE id = $1 AND name = $2"
    assert clone.estimate(PlannedStatement("s", text), ()).indexes == {"customers_pkey"}


@pytest.mark.parametrize(
    "text",
    [
        "SELECT * FROM no_such_table",
        "SELECT twice(id) FROM parents",  # functions of the database are not there
        "DROP TABLE customers",
        "SELECT 1; SELECT 2",
        "COPY customers TO PROGRAM 'id'",
        "no SQL",
    ],
)
def test_what_cannot_be_planned_is_said_and_the_next_can(clone: CloneWhatIf, text: str) -> None:
    with pytest.raises(WhatIfError):
        clone.estimate(PlannedStatement("s", text), ())
    assert clone.estimate(PlannedStatement("s", "SELECT * FROM parents"), ()).cost > 0


def test_the_catalog_is_the_real_one_s(clone: CloneWhatIf) -> None:
    orders = clone.catalog.table("orders")
    assert orders is not None
    assert orders.rows == pytest.approx(100_000)
    assert orders.primary_key == ("id", "at")
    assert orders.column("state").distinct == 3  # type: ignore[union-attr]
    assert {index.name for index in orders.indexes} == {"orders_pkey", "orders_customer"}
    assert orders.writes is None  # nobody counted
    assert clone.catalog.table("Odd Schema.Room Bookings") is not None


def test_a_constraint_that_calls_a_function_is_left_out_and_told(clone: CloneWhatIf) -> None:
    (told,) = [one for one in clone.warnings if "left out" in one]
    assert "customers_double_id_check" in told
    assert "twice" in told


def test_settings_of_the_real_server_decide(clone: CloneWhatIf, blueprint: Blueprint) -> None:
    assert blueprint.settings["random_page_cost"] == "1.5"
    assert clone._planner._connection.execute("SHOW random_page_cost").fetchone() == ("1.5",)


def test_it_is_a_what_if(clone: CloneWhatIf) -> None:
    asked: WhatIf = clone
    before = asked.calls
    asked.estimate(PlannedStatement("s", "SELECT 1"), ())
    assert (asked.method, asked.calls) == ("clone", before + 1)
    index = candidate("customers", "born", "name")
    assert asked.refused(index) is None
    size = asked.size_bytes(index)
    table = clone.catalog.table("customers")
    assert size == index_bytes(table, index, 20_000)
    assert "does not exist" in (asked.refused(candidate("customers", "no_such_column")) or "")


def test_nothing_of_the_rows_is_there(clone: CloneWhatIf) -> None:
    """Its tables are as large as the real ones and take next to nothing on disk."""
    files = [path for path in Path(clone._server.data, "base").rglob("*") if path.is_file()]
    apparent = sum(path.stat().st_size for path in files)
    on_disk = sum(path.stat().st_blocks * 512 for path in files)
    tables = sum(table.bytes or 0 for table in clone.catalog)
    assert tables > 5_000_000
    assert apparent - on_disk > 0.6 * tables  # files of system tables are whole


def test_a_blueprint_without_tables_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(FOLDER_VARIABLE, programs18())
    with pytest.raises(InputError, match="none of its statements makes a table"):
        open_clone(Blueprint("nothing.sql", ("SELECT 1", "GRANT x TO y")))
