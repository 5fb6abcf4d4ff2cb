"""n-plus-one over all kinds of parents and children, with foreign keys and by names alone."""

from dataclasses import dataclass
from pathlib import Path

import pytest
from levels import written

from analyzer.model.evidence import NPlusOneEvidence
from analyzer.pipeline import Options, run

UUID = "0b0e9f7a-5d8c-4f3a-9d53-0000000000{:02d}"
AUTHORS = "SELECT id, name FROM authors ORDER BY name LIMIT 40"
BY_AUTHOR = "SELECT id, title FROM books WHERE author_id = {}"


@dataclass(frozen=True)
class Case:
    """A request: what it begins with, and what it runs for each of 12 values."""

    parents: tuple[str, ...]
    child: tuple[str, ...]
    pair: tuple[str, str]  # of tables
    count: int = 12


CASES = {
    "a cursor": Case(
        ("BEGIN", 'DECLARE "c1" NO SCROLL CURSOR FOR SELECT id, name FROM authors', 'FETCH FORWARD 100 FROM "c1"'),
        (BY_AUTHOR,), ("authors", "books"),
    ),
    "find_each": Case(
        ("SELECT authors.* FROM authors WHERE authors.id > 400 ORDER BY authors.id ASC LIMIT 1000",),
        ("SELECT books.* FROM books WHERE books.author_id = {}",), ("authors", "books"),
    ),
    "an IN batch": Case(
        ("SELECT id, title, author_id FROM books WHERE author_id IN (7, 8, 9)",),
        ("SELECT id, stars FROM reviews WHERE book_id = {}",), ("books", "reviews"),
    ),
    "= ANY": Case(
        ("SELECT id, title, author_id FROM books WHERE author_id = ANY('{7,8,9}')",),
        ("SELECT id, name FROM authors WHERE id = {}",), ("books", "authors"),
    ),
    "an aggregate": Case(
        (AUTHORS,), ("SELECT count(*) FROM books WHERE author_id = {}",), ("authors", "books")
    ),
    "an EXISTS": Case(
        (AUTHORS,), ("SELECT 1 AS one FROM books WHERE author_id = {} LIMIT 1",), ("authors", "books")
    ),
    "a SELECT EXISTS": Case(
        (AUTHORS,), ("SELECT EXISTS (SELECT 1 FROM books WHERE author_id = {})",), ("authors", "books")
    ),
    "the latest one": Case(
        (AUTHORS,), ("SELECT * FROM books WHERE author_id = {} ORDER BY id DESC LIMIT 1",), ("authors", "books")
    ),
    "an IN of one": Case(
        (AUTHORS,), ("SELECT * FROM books WHERE author_id IN ({})",), ("authors", "books")
    ),
    "rows of any table": Case(
        ("SELECT id, commentable_id, commentable_type FROM comments ORDER BY id LIMIT 50",),
        ("SELECT * FROM books WHERE id = {}",), ("comments", "books"),
    ),
    "comments on any table": Case(
        ("SELECT id, title FROM books ORDER BY title",),
        ("SELECT * FROM comments WHERE commentable_type = 'Book' AND commentable_id = {}",), ("books", "comments"),
    ),
    "many to many": Case(
        ("SELECT id, title FROM books ORDER BY title",),
        ("SELECT tags.id, tags.name FROM tags JOIN book_tags ON book_tags.tag_id = tags.id WHERE book_tags.book_id = {}",),
        ("books", "tags"),
    ),
    "a joined parent": Case(
        (AUTHORS,),
        ("SELECT books.id, books.title FROM authors JOIN books ON books.author_id = authors.id WHERE authors.id = {}",),
        ("authors", "books"),
    ),
    "a tree": Case(
        ("SELECT id, name FROM categories WHERE parent_id IS NULL",),
        ("SELECT id, name FROM categories WHERE parent_id = {}",), ("categories", "categories"),
    ),
    "keys of two columns": Case(
        ("SELECT tenant_id, id FROM orders WHERE tenant_id = 3",),
        ("SELECT * FROM order_lines WHERE tenant_id = 3 AND order_id = {}",), ("orders", "order_lines"),
    ),
    "uuid keys": Case(
        ("SELECT id, email FROM members WHERE active",),
        ("SELECT * FROM badges WHERE member_id = '" + UUID + "'",), ("members", "badges"),
    ),
    "text keys": Case(
        ("SELECT code, name FROM countries ORDER BY name",),
        ("SELECT * FROM cities WHERE country_code = 'c{}'",), ("countries", "cities"),
    ),
}  # fmt: skip

SCHEMA = """
CREATE TABLE authors (id int PRIMARY KEY, name text);
CREATE TABLE books (id int PRIMARY KEY, title text, author_id int REFERENCES authors);
CREATE TABLE reviews (id int PRIMARY KEY, stars int, book_id int REFERENCES books (id));
CREATE TABLE tags (id int PRIMARY KEY, name text);
CREATE TABLE book_tags (book_id int REFERENCES books, tag_id int REFERENCES tags, PRIMARY KEY (book_id, tag_id));
CREATE TABLE comments (id int PRIMARY KEY, commentable_id int, commentable_type text, body text);
CREATE TABLE categories (id int PRIMARY KEY, name text, parent_id int REFERENCES categories);
CREATE TABLE orders (tenant_id int, id int, PRIMARY KEY (tenant_id, id));
CREATE TABLE order_lines (tenant_id int, order_id int, line int, PRIMARY KEY (tenant_id, order_id, line),
    FOREIGN KEY (tenant_id, order_id) REFERENCES orders (tenant_id, id));
CREATE TABLE members (id uuid PRIMARY KEY, email text, active bool);
CREATE TABLE badges (id uuid PRIMARY KEY, member_id uuid REFERENCES members);
CREATE TABLE countries (code text PRIMARY KEY, name text);
CREATE TABLE cities (id int PRIMARY KEY, country_code text REFERENCES countries);
"""


def requests(case: Case, count: int) -> list[str]:
    """Statements of so many requests, one after the other."""
    texts = []
    for request in range(count):
        texts += [f"SELECT token FROM sessions WHERE key = 'k{request}'", *case.parents]
        texts += [one.format(20 * request + n) for n in range(case.count) for one in case.child]
        texts += ["COMMIT"] if "BEGIN" in case.parents else []
    return texts


@pytest.mark.parametrize("schema", [True, False], ids=["schema", "names"])
@pytest.mark.parametrize("case", sorted(CASES))
def test_each_kind_is_found_as_what_it_is(case: str, tmp_path: Path, *, schema: bool) -> None:
    wanted = CASES[case]
    rows = [(1 + n / 200, 1.0004 + n / 200, 1, text) for n, text in enumerate(requests(wanted, 3))]
    log, known = tmp_path / "app.csv", tmp_path / "schema.sql"
    log.write_text("".join(written(rows)))
    known.write_text(SCHEMA)
    options = Options([str(log)], schema=str(known) if schema else None, log_min_duration_ms=0)
    (found,) = [
        one.evidence for one in run(options).findings if isinstance(one.evidence, NPlusOneEvidence)
    ]
    assert (found.parent_table, found.child_table) == wanted.pair
    assert (found.occurrences, found.children_per_occurrence.median) == (3, wanted.count)
