"""Names tell at a glance only of parents without a link that they have none."""

from itertools import product

import pytest

from analyzer.detectors._links import Lookup, best_of_each, best_told
from analyzer.detectors._reads import Reads
from analyzer.model.catalog import Catalog, Column, ForeignKey, Table
from analyzer.sql.identity import identify

TABLES = ("posts", "authors", "blog_authors", "order_items", "countries", "countries_seen")
COLUMNS = (
    "id", "uuid", "author_id", "post_id", "blog_author_id", "parent_id", "country_code", "code",
    "object_id", "content_type_id", "commentable_id", "commentable_type", "thing_id", "name", "key",
)  # fmt: skip
READS = [
    Reads.of(identify(f"SELECT {wanted} FROM {table} x").facts)
    for table in TABLES
    for wanted in ("*", "id", "name", *(f"{one}, {two}" for one, two in product(COLUMNS, COLUMNS)))
]
KEYED = Table(
    "posts", (Column("id", "integer"), Column("author_id", "integer")), ("id",),
    foreign_keys=(ForeignKey(("author_id",), "authors", ("id",)),),
)  # fmt: skip


@pytest.mark.parametrize("catalog", [None, Catalog({"posts": KEYED})])
@pytest.mark.parametrize("column", COLUMNS)
def test_no_link_is_left_out(column: str, catalog: Catalog | None) -> None:
    for owner in TABLES:
        lookup, tables = Lookup(owner, column, ()), frozenset(TABLES)
        told = best_of_each(lookup, READS, catalog, tables)
        assert told == [best_told(lookup, reads, catalog, tables) for reads in READS]
