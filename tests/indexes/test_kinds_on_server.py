"""Each kind of index: made from a statement by rule, built on a real server, taken by its planner, and faster."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import psycopg
import pytest

from analyzer.indexes.generation import candidates_of
from analyzer.indexes.partial import Asked
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
CREATE TABLE people AS SELECT n AS id, 'name ' || n AS name FROM generate_series(0, 1999) AS n;
CREATE TABLE fresh AS SELECT n AS id, 'new' AS state FROM generate_series(3, 5) AS n;
CREATE TABLE events AS
SELECT n AS id, n % 2000 AS user_id, (ARRAY['open', 'done'])[1 + (n % 50 > 0)::int] AS state,
    timestamptz '2025-01-01' + n * interval '1 minute' AS at, 'User' || n % 9000 || '@Example.com' AS mail,
    CASE WHEN n % 100 > 0 THEN now() END AS deleted_at, repeat(md5(n::text), 4) AS token,
    jsonb_build_object('kind', n % 500, 'place', md5((n % 99)::text)) AS data,
    ARRAY[n % 700, n % 31] AS tags, to_tsvector('simple', 'w' || n % 900 || ' x' || n % 1300) AS words,
    timestamp '2025-01-01' + n * interval '1 minute' AS made, n % 200 = 0 AS urgent,
    inet '10.0.0.0' + n * 256 AS address, int4range(n, n + 5) AS span,
    int4range(n / 2000 * 30, n / 2000 * 30 + 20) AS stay, point(n % 300, n / 300) AS place, repeat('z', 60) AS filler
FROM generate_series(1, 101000) AS n;
"""
# What the index is, by its statement's own words, and a statement that asks for it.
CASES = {
    "(user_id, at)": "SELECT filler FROM events WHERE user_id = 7 AND at > '2025-02-01'",
    "(user_id, at) of an order": "SELECT filler FROM events WHERE user_id = 7 ORDER BY at DESC LIMIT 5",
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
    "gist (address inet_ops)": "SELECT filler FROM events WHERE address <<= inet '10.3.4.0/24'",
    "gist (user_id, stay)": "SELECT filler FROM events WHERE user_id = 7 AND stay && int4range(500, 530)",
    "(user_id) of a join": "SELECT filler FROM people p JOIN events e ON e.user_id = p.id WHERE p.name = 'name 7'",
    "(user_id) of USING": "SELECT filler FROM (SELECT id AS user_id FROM fresh) f JOIN events USING (user_id)",
    "(user_id) of a group": "SELECT user_id, count(*) FROM events GROUP BY user_id",
    "(user_id) of a distinct": "SELECT DISTINCT user_id FROM events",
    "(user_id) of an update": "UPDATE events SET filler = '' WHERE user_id = 7",
    "(user_id) of a delete": "DELETE FROM events USING fresh f WHERE user_id = f.id",
    "(user_id) of a merge": "MERGE INTO events e USING fresh f ON e.user_id = f.id WHEN MATCHED THEN UPDATE SET state = f.state",
    "(id) of an order": "SELECT filler FROM events ORDER BY id DESC LIMIT 5",
    "(at) of an extreme": "SELECT max(at) FROM events",
    "(at) WHERE urgent": "SELECT filler FROM events WHERE urgent AND at > '2025-02-05'",
    "(deleted_at) WHERE deleted_at IS NULL": "SELECT filler FROM events WHERE deleted_at IS NULL",
    "((date_trunc('day', made)))": "SELECT filler FROM events WHERE date_trunc('day', made) = '2025-01-07'",
    "((EXTRACT(doy FROM made)))": "SELECT filler FROM events WHERE extract(doy FROM made) = 7",
    "((((data -> 'place') ->> 'x')))": "SELECT filler FROM events WHERE data -> 'place' ->> 'x' = '7'",
    "(mail text_pattern_ops)": "SELECT filler FROM events WHERE mail LIKE 'User77%'",
}
# Read as a whole by the index alone, which is two to three times as fast: too little to be asserted on a busy machine.
WHOLE = {"(user_id) of a group", "(user_id) of a distinct"}
PAIRS = 5
FASTER = 4.0  # times: the least of the kinds is 17 (hnsw), and 23 of the others
VECTORS_BY = ("hnsw", "ivfflat")  # which read many pages, and compare few of the rows
VECTORS = """
CREATE EXTENSION vector;
SELECT setseed(0.5);
CREATE TABLE notes AS SELECT n AS id, repeat('z', 900) AS filler,
    (SELECT array_agg(random() + 0 * (i + n))::real[] FROM generate_series(1, 24) AS i)::vector(24) AS place
FROM generate_series(1, 20000) AS n;
ANALYZE notes;
"""


@pytest.fixture(scope="module")
def events(postgres15: "Server") -> Iterator[tuple[psycopg.Connection[Any], Catalog]]:
    dsn = postgres15.create_database("kinds")
    postgres15.psql(DATA, dsn)
    postgres15.psql("VACUUM (FREEZE, ANALYZE) events, people, fresh", dsn)
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
        for candidate in candidates_of(one, catalog, 3, Asked(constants=True))
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


def run(connection: psycopg.Connection[Any], text: str) -> tuple[str, float, int, float]:
    """The plan's text, its cost, how many pages running it touched, and the ms that the server took."""
    with connection.transaction(force_rollback=True):  # of what writes
        row = connection.execute(
            f"EXPLAIN (ANALYZE, BUFFERS, TIMING OFF, FORMAT JSON) {text}"
        ).fetchone()
    assert row is not None
    plan, took_ms = row[0][0]["Plan"], row[0][0]["Execution Time"]
    pages = plan["Shared Hit Blocks"] + plan["Shared Read Blocks"]
    return str(plan), plan["Total Cost"], pages, took_ms


def helps(connection: psycopg.Connection[Any], index: IndexCandidate, text: str) -> float:
    """Build the index as advised, and run the statement by turns without and with it.

    Returns how many times faster it is: the best of some runs each, which a busy machine slows down least.
    """
    for statement in index.statements:
        connection.execute(statement)
    try:
        connection.execute(f"ANALYZE {index.table}")
        without, with_it = [], []
        for _ in range(PAIRS):
            with connection.transaction(force_rollback=True):
                connection.execute(f'DROP INDEX "{index.name}"')
                without.append(run(connection, text))
            with_it.append(run(connection, text))
    finally:
        connection.execute(f'DROP INDEX "{index.name}"')
    (_, cost_before, pages_before, _), (plan, cost_after, pages_after, _) = without[0], with_it[-1]
    assert f"'{index.name}'" in plan
    assert cost_after < cost_before * 0.8
    assert index.method in VECTORS_BY or pages_after < pages_before / 2
    return min(one[3] for one in without) / min(one[3] for one in with_it)


@pytest.mark.parametrize("kind", CASES)
def test_the_planner_takes_it_and_it_is_faster(
    kind: str, events: tuple[psycopg.Connection[Any], Catalog]
) -> None:
    connection, catalog = events
    text = CASES[kind]
    times = helps(connection, wanted(made(text, catalog), kind.partition(" of ")[0]), text)
    assert times >= FASTER or kind in WHOLE


@pytest.mark.parametrize("method", ["hnsw", "ivfflat"])
def test_the_nearest_are_found_by_a_graph_or_where_that_is_too_large_by_lists(
    method: str,
    vectors: tuple[psycopg.Connection[Any], Catalog],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    connection, catalog = vectors
    if method == "ivfflat":
        monkeypatch.setattr("analyzer.indexes.special.LARGEST_GRAPH_BYTES", 1 << 20)
    text = f"SELECT filler FROM notes ORDER BY place <=> '{[0.5] * 24}' LIMIT 5"
    (index,) = made(text, catalog)
    assert index.method == method
    assert ("maintenance_work_mem" in index.rule) == (method == "ivfflat")
    assert helps(connection, index, text) >= FASTER
