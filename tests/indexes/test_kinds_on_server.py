"""Each kind of index: made from a statement by rule, built on a real server, taken by its planner, and read less for."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import psycopg
import pytest

from analyzer.indexes.generation import candidates_of
from analyzer.model.catalog import Catalog
from analyzer.model.index_candidate import IndexCandidate
from analyzer.sources.postgres.catalog import read_catalog
from analyzer.sources.postgres.connection import connect
from analyzer.sql.access import statement_access
from tests.conftest import bin_directory, running
from tests.sources.clones import pg_dump18

if TYPE_CHECKING:
    from tests.conftest import Server

DATA = """
CREATE EXTENSION pg_trgm;
CREATE TABLE events AS
SELECT n AS id, n % 2000 AS user_id, (ARRAY['open', 'done'])[1 + (n % 50 > 0)::int] AS state,
    timestamptz '2025-01-01' + n * interval '1 minute' AS at, 'User' || n % 9000 || '@Example.com' AS mail,
    CASE WHEN n % 100 > 0 THEN now() END AS deleted_at, repeat(md5(n::text), 4) AS token,
    jsonb_build_object('kind', n % 500, 'place', md5((n % 99)::text)) AS data,
    ARRAY[n % 700, n % 31] AS tags, to_tsvector('simple', 'w' || n % 900 || ' x' || n % 1300) AS words,
    int4range(n, n + 5) AS span, point(n % 300, n / 300) AS place, repeat('z', 60) AS filler
FROM generate_series(1, 101000) AS n;
"""
# What the index is, by its statement's own words, and a statement that asks for it.
CASES = {
    "(user_id, at)": "SELECT filler FROM events WHERE user_id = 7 AND at > '2025-02-01'",
    "(user_id, at) ordered": "SELECT filler FROM events WHERE user_id = 7 ORDER BY at DESC LIMIT 5",
    "(at) WHERE deleted_at IS NULL": "SELECT filler FROM events WHERE deleted_at IS NULL AND at > '2025-02-05'",
    "(at) WHERE state = 'open'": "SELECT filler FROM events WHERE state = 'open' AND at > '2025-02-05'",
    "((lower(mail)))": "SELECT filler FROM events WHERE lower(mail) = 'user7@example.com'",
    "(((data ->> 'kind')))": "SELECT filler FROM events WHERE data ->> 'kind' = '7'",
    "(user_id) INCLUDE (at)": "SELECT at FROM events WHERE user_id BETWEEN 7 AND 40",
    "gin (data jsonb_path_ops)": "SELECT filler FROM events WHERE data @> '{\"kind\": 7}'",
    "gin (data)": "SELECT filler FROM events WHERE data ? 'kin'",
    "gin (tags)": "SELECT filler FROM events WHERE tags @> ARRAY[699]",
    "gin (words)": "SELECT filler FROM events WHERE words @@ to_tsquery('simple', 'w7 & x9')",
    "gin (mail gin_trgm_ops)": "SELECT filler FROM events WHERE mail LIKE '%ser899%'",
    "gist (span)": "SELECT filler FROM events WHERE span && int4range(500, 510)",
    "gist (place)": "SELECT filler FROM events ORDER BY place <-> point(7, 8) LIMIT 5",
    "brin (at)": "SELECT filler FROM events WHERE at BETWEEN '2025-01-03' AND '2025-01-04'",
    "hash (token)": "SELECT filler FROM events WHERE token = repeat(md5('7'), 4)",
    "(mail text_pattern_ops)": "SELECT filler FROM events WHERE mail LIKE 'User77%'",
}
VECTORS = """
CREATE EXTENSION vector;
SELECT setseed(0.5);
CREATE TABLE notes AS SELECT n AS id, repeat('z', 60) AS filler,
    (SELECT array_agg(random() + 0 * (i + n))::real[] FROM generate_series(1, 24) AS i)::vector(24) AS place
FROM generate_series(1, 6000) AS n;
ANALYZE notes;
"""


@pytest.fixture(scope="module")
def events(postgres15: "Server") -> Iterator[tuple[psycopg.Connection[Any], Catalog]]:
    dsn = postgres15.create_database("kinds")
    postgres15.psql(DATA, dsn)
    postgres15.psql("VACUUM (FREEZE, ANALYZE) events", dsn)
    with psycopg.connect(dsn, autocommit=True) as connection:
        yield connection, catalog_of(dsn)


@pytest.fixture(scope="module")
def vectors() -> Iterator[tuple[psycopg.Connection[Any], Catalog]]:
    """The wheel's server: the one at hand that has pgvector."""
    bare = "shared_preload_libraries = ''\n"  # it has no contrib modules
    with running(pg_dump18().parent, bin_directory(), bare) as server:
        server.psql(VECTORS)
        with psycopg.connect(server.dsn, autocommit=True) as connection:
            yield connection, catalog_of(server.dsn)


def catalog_of(dsn: str) -> Catalog:
    with connect(dsn) as connection:
        return read_catalog(connection).catalog


def made(text: str, catalog: Catalog) -> list[IndexCandidate]:
    access = statement_access(text, catalog)
    assert access is not None
    return [
        candidate
        for one in access.accesses
        for candidate in candidates_of(one, catalog, 3, constants=True)
    ]


def wanted(found: list[IndexCandidate], kind: str) -> IndexCandidate:
    """The one candidate whose statement ends so."""
    (one,) = [
        candidate
        for candidate in found
        if candidate.sql.rstrip(";").partition(" ON ")[2].replace(" USING", "").partition(" ")[2]
        == kind
    ]
    return one


def pages_and_cost(connection: psycopg.Connection[Any], text: str) -> tuple[str, float, int]:
    """The plan's text, its cost, and how many pages running it touched: what its time hangs on."""
    row = connection.execute(
        f"EXPLAIN (ANALYZE, BUFFERS, TIMING OFF, FORMAT JSON) {text}"
    ).fetchone()
    assert row is not None
    plan = row[0][0]["Plan"]
    return str(plan), plan["Total Cost"], plan["Shared Hit Blocks"] + plan["Shared Read Blocks"]


def helps(connection: psycopg.Connection[Any], index: IndexCandidate, text: str) -> None:
    _, cost_before, pages_before = pages_and_cost(connection, text)
    connection.execute(index.sql)
    try:
        connection.execute(f"ANALYZE {index.table}")
        plan, cost_after, pages_after = pages_and_cost(connection, text)
    finally:
        connection.execute(f'DROP INDEX "{index.name}"')
    assert f"'{index.name}'" in plan
    assert cost_after < cost_before * 0.8
    assert pages_after < pages_before / 2


@pytest.mark.parametrize("kind", CASES)
def test_the_planner_takes_it_and_fewer_pages_are_read(
    kind: str, events: tuple[psycopg.Connection[Any], Catalog]
) -> None:
    connection, catalog = events
    text = CASES[kind]
    helps(connection, wanted(made(text, catalog), kind.removesuffix(" ordered")), text)


@pytest.mark.parametrize("method", ["hnsw", "ivfflat"])
def test_the_nearest_are_found_by_a_graph_or_where_that_is_too_large_by_lists(
    method: str,
    vectors: tuple[psycopg.Connection[Any], Catalog],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    connection, catalog = vectors
    if method == "ivfflat":
        monkeypatch.setattr("analyzer.indexes.special._GRAPH_BYTES", 1 << 20)
    text = f"SELECT filler FROM notes ORDER BY place <=> '{[0.5] * 24}' LIMIT 5"
    (index,) = made(text, catalog)
    assert index.method == method
    assert ("maintenance_work_mem" in index.rule) == (method == "ivfflat")
    _, cost_before, _ = pages_and_cost(connection, text)
    connection.execute(index.sql)
    try:
        plan, cost_after, _ = pages_and_cost(connection, text)
    finally:
        connection.execute(f'DROP INDEX "{index.name}"')
    assert f"'{index.name}'" in plan
    assert cost_after < cost_before
