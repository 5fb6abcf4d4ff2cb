"""Index sizes by rule against sizes measured on PostgreSQL 15 (tests/data/plans/seq_scan)."""

import pytest

from analyzer.indexes.sizes import btree_bytes
from analyzer.model.catalog import Column, Table

ORDERS = Table(
    "orders",
    (
        Column("customer_id", "integer", distinct=20_000),
        Column("trackingCode", "uuid", distinct=-1),
        Column("status", "text", distinct=3),
        Column("amount", "numeric", distinct=10_000),
        Column("email", "character varying(80)", distinct=-1),
    ),
)


@pytest.mark.parametrize(
    ("columns", "rows", "measured"),
    [
        (("customer_id",), 400_000, 3_129_344),
        (("trackingCode",), 400_000, 12_640_256),
        (("email",), 300_000, 12_206_080),
        (("status", "amount"), 400_000, 12_656_640),
    ],
)
def test_estimates_are_near_what_was_measured(
    columns: tuple[str, ...], rows: int, measured: int
) -> None:
    assert 0.6 < btree_bytes(ORDERS, columns, rows) / measured < 1.7


def test_an_empty_table_still_takes_pages() -> None:
    assert btree_bytes(None, ("a",), 0) >= 8192
