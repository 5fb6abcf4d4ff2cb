"""A real Django program that searches: what is found, and what is left when the advice was followed."""

import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from analyzer.pipeline import Options, Result, run

if TYPE_CHECKING:
    from analyzer.model.finding import Finding
    from tests.conftest import Server

DATABASE = "django_texts"
SCHEMA = """
CREATE TABLE customers (id serial PRIMARY KEY, name varchar(200) NOT NULL, email text NOT NULL, created timestamptz NOT NULL);
CREATE TABLE purchases (id serial PRIMARY KEY, customer_id int REFERENCES customers);
CREATE TABLE documents (id serial PRIMARY KEY, team int NOT NULL, title text NOT NULL, content bytea NOT NULL);
ALTER TABLE documents ALTER content SET STORAGE EXTERNAL; -- what does not compress, as pictures
INSERT INTO customers (name, email, created) SELECT md5(n::text), 'user' || n || '@example.org', timestamptz '2020-01-01' + n * interval '30 minutes'
    FROM generate_series(1, 120000) n;
INSERT INTO purchases (customer_id) SELECT n FROM generate_series(1, 119000) n;
INSERT INTO documents (team, title, content) SELECT n % 2, 't' || n, decode(repeat(md5(n::text), 500), 'hex') FROM generate_series(1, 1200) n;
CREATE INDEX ON customers (created);
CREATE INDEX ON purchases (customer_id);
VACUUM ANALYZE;
"""


class Shop:
    """The server's database, and what the program does to it."""

    def __init__(self, server: "Server") -> None:
        self.server = server
        self.dsn = server.create_database(DATABASE)
        server.psql(SCHEMA, self.dsn)

    def analysed(self) -> Result:
        """Run the program, and analyse what the server logged of this run."""
        self.server.flush_logs()
        written = self.server.log_path("csvlog").stat().st_size
        program = Path(__file__).with_name("django_search.py")
        arguments = [self.server.host, str(self.server.port), DATABASE]
        subprocess.run([sys.executable, str(program), *arguments], check=True, capture_output=True)
        self.server.flush_logs()
        log = self.server.directory / f"{DATABASE}.csv"
        with self.server.log_path("csvlog").open("rb") as whole:
            whole.seek(written)
            log.write_bytes(whole.read())
        return run(Options(inputs=[str(log)], dsn=self.dsn))


@pytest.fixture(scope="module")
def shop(postgres15: "Server") -> Shop:
    return Shop(postgres15)


@pytest.fixture(scope="module")
def before(shop: Shop) -> Result:
    return shop.analysed()


def of_texts(result: Result) -> dict[str, "Finding"]:
    """The findings of the detectors that read texts."""
    names = ("leading-wildcard", "function-on-column", "implicit-cast", "not-in-subquery")
    names += ("order-by-random", "large-in-list", "select-star-wide")
    return {finding.title: finding for finding in result.findings if finding.detector in names}


def test_every_habit_is_found_once_and_nothing_else(before: Result) -> None:
    found = Counter(finding.detector for finding in of_texts(before).values())
    assert found == {
        "leading-wildcard": 1,
        "function-on-column": 2,
        "not-in-subquery": 1,
        "order-by-random": 1,
        "large-in-list": 1,
        "select-star-wide": 1,
    }
    assert all(finding.recommendations for finding in of_texts(before).values())


def test_following_the_advice_leaves_nothing_of_indexes(before: Result, shop: Shop) -> None:
    made = 0
    for finding in of_texts(before).values():
        for advice in finding.recommendations:
            if advice.kind == "index":
                made += 1
                for statement in advice.text.splitlines():
                    shop.server.psql(statement, shop.dsn)
    assert made == 3  # trigrams, the upper() of emails, and the date
    left = {finding.detector for finding in of_texts(shop.analysed()).values()}
    assert left.isdisjoint({"leading-wildcard", "function-on-column"})
    assert "not-in-subquery" in left
