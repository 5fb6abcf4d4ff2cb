"""Candidates of statements: keys in an order that a btree can use, and none that is there already."""

from dataclasses import replace

from analyzer.indexes.generation import candidates_of
from analyzer.indexes.partial import Asked
from analyzer.model.catalog import Catalog, Column, Index, Table
from analyzer.model.index_candidate import IndexCandidate
from analyzer.sql.access import statement_access

ORDERS = Table(
    "orders",
    (
        Column("id", "integer", distinct=-1, width_bytes=4),
        Column("buyer", "integer", distinct=-0.1, width_bytes=4),
        Column("state", "text", distinct=3, width_bytes=5),
        Column("made", "timestamp without time zone", distinct=-1, width_bytes=8, correlation=0.99),
        Column("total", "numeric", distinct=-0.5, width_bytes=6),
        Column("note", "text", width_bytes=300),
        Column("gone", "timestamp without time zone", width_bytes=8),
        Column("doc", "jsonb", width_bytes=200),
    ),
    primary_key=("id",),
    indexes=(Index("orders_pkey", ("id",), unique=True, primary=True),),
    rows=500_000,
)


def made(
    sql: str, table: Table = ORDERS, *, constants: bool = False, width: int = 3
) -> list[IndexCandidate]:
    catalog = Catalog({table.name: table})
    access = statement_access(sql, catalog)
    assert access is not None
    return [
        candidate
        for one in access.accesses
        for candidate in candidates_of(one, catalog, width, Asked(constants))
    ]


def plain(found: list[IndexCandidate]) -> set[tuple[str, ...]]:
    return {one.columns for one in found if one.plain and not one.include and one.method == "btree"}


def test_equality_then_order_or_one_range() -> None:
    sql = "SELECT note FROM orders WHERE buyer = $1 AND state = $2 AND total > 3 ORDER BY made LIMIT 5"
    found = plain(made(sql))
    assert {
        ("buyer", "state", "made"),
        ("state", "buyer", "total"),
        ("buyer", "made"),
        ("made",),
    } <= found
    assert all(
        columns[:-1] == tuple(c for c in columns[:-1] if c in ("buyer", "state"))
        for columns in found
    )


def test_directions_that_differ_are_kept_and_one_direction_is_not() -> None:
    mixed = made("SELECT id FROM orders ORDER BY made DESC, total LIMIT 9")
    assert any([key.descending for key in one.keys] == [False, True] for one in mixed)
    down = made("SELECT id FROM orders ORDER BY made DESC LIMIT 9")
    assert all(not key.descending for one in down for key in one.keys)


def test_what_is_read_is_carried_while_it_stays_an_index() -> None:
    narrow = made("SELECT total FROM orders WHERE buyer = 1")
    assert [one.include for one in narrow if one.include] == [("total",)]
    assert not any(one.include for one in made("SELECT note FROM orders WHERE buyer = 1"))
    assert not any(one.include for one in made("UPDATE orders SET total = 1 WHERE buyer = 1"))


def test_nothing_that_exists_is_made_again() -> None:
    assert ("id",) not in plain(made("SELECT note FROM orders WHERE id = 1"))
    there = replace(ORDERS, indexes=(*ORDERS.indexes, Index("there", ("buyer", "state", "made"))))
    found = plain(made("SELECT note FROM orders WHERE buyer = 1 AND state = 'a'", there))
    assert found == {("state",)}


def test_tiny_tables_and_width() -> None:
    assert made("SELECT note FROM orders WHERE buyer = 1", replace(ORDERS, rows=900)) == []
    sql = "SELECT note FROM orders WHERE buyer = 1 AND state = 'a' AND total = 2"
    assert max(len(one) for one in plain(made(sql, width=2))) == 2


def test_partial_indexes() -> None:
    alive = made("SELECT note FROM orders WHERE buyer = $1 AND gone IS NULL")
    assert ("buyer",) in {one.columns for one in alive if one.predicate == "gone IS NULL"}
    open_ = "SELECT note FROM orders WHERE buyer = 5 AND state = 'open'"
    predicates = {one.predicate for one in made(open_, constants=True)}
    assert predicates == {None, "state = 'open'"}  # buyer has too many values
    assert {one.predicate for one in made(open_)} == {None}


def test_other_methods_where_the_column_asks_for_them() -> None:
    found = made("SELECT id FROM orders WHERE doc @> '{}' AND note ILIKE '%x%' AND made > $1")
    assert {
        (one.method, one.columns[0], one.keys[0].operator_class)
        for one in found
        if one.method != "btree"
    } == {
        ("gin", "doc", "jsonb_path_ops"),
        ("gin", "note", "gin_trgm_ops"),
        ("brin", "made", None),
    }
    scattered = replace(
        ORDERS, columns=tuple(replace(one, correlation=0.1) for one in ORDERS.columns)
    )
    assert not any(
        one.method == "brin" for one in made("SELECT id FROM orders WHERE made > $1", scattered)
    )


def test_a_hash_index_where_values_are_long_and_differ() -> None:
    columns = tuple(
        replace(one, distinct=-0.9) if one.name == "note" else one for one in ORDERS.columns
    )
    apart = replace(ORDERS, columns=columns)
    asked = "SELECT id FROM orders WHERE note = 'x' AND state = 'open'"
    assert {one.columns for one in made(asked, apart) if one.method == "hash"} == {("note",)}
    assert not any(one.method == "hash" for one in made(asked))  # how many values is not known


def test_expressions() -> None:
    found = made("SELECT id FROM orders WHERE lower(note) = 'x' AND note::text || 'a' = 'b'")
    assert {key.expression for one in found for key in one.keys} == {"lower(note)"}
