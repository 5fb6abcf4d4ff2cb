"""The batch gives, grouped by key, exactly what the loop gave: both are run on a real server."""

import re
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import psycopg
import pytest
import statements_strategy as strategy
from hypothesis import given, settings

from analyzer.model.statement import Arity, Kind, Role, Statement
from analyzer.pipeline import Options, run
from analyzer.sql.identity import identify
from analyzer.sql.rewrite import Batch, Known, NoBatch, batch

if TYPE_CHECKING:
    from tests.conftest import Server

CORPUS = Path(__file__).parents[1] / "data" / "nplusone"
ORMS = ("django", "prisma7", "sequelize")
Value = str | None
Row = tuple[Any, ...]

SEED = """
INSERT INTO {publishers} (name) SELECT 'publisher ' || n FROM generate_series(1, 5) n;
INSERT INTO {authors} (name, {publisher}) SELECT 'author ' || n, n % 4 + 1 FROM generate_series(1, 12) n;
INSERT INTO {books} (title, {author}) SELECT 'title ' || n % 7, n % 9 + 1 FROM generate_series(1, 60) n;
INSERT INTO {reviews} (body, rating, {book}) SELECT 'body ' || n, n % 5, n % 45 + 1 FROM generate_series(1, 200) n;
"""
NAMES = ("publishers", "authors", "books", "reviews", "publisher", "author", "book")
SNAKE = dict(zip(NAMES, (*NAMES[:4], "publisher_id", "author_id", "book_id"), strict=True))
CAMEL = dict(
    zip(
        NAMES,
        (
            '"Publisher"',
            '"Author"',
            '"Book"',
            '"Review"',
            '"publisherId"',
            '"authorId"',
            '"bookId"',
        ),
        strict=True,
    )
)

# Everything that the corpora have not: other key types, links, polymorphism, NULLs.
MIXED = """
CREATE TABLE tags (slug text PRIMARY KEY, label varchar(20));
CREATE TABLE documents (id uuid PRIMARY KEY, owner_id bigint, title text, rank int, parent_id uuid);
CREATE TABLE document_tags (document_id uuid NOT NULL, tag_slug text NOT NULL, PRIMARY KEY (document_id, tag_slug));
CREATE TABLE comments (id serial PRIMARY KEY, target_type text, target_id bigint, body text, score numeric(6, 2));
CREATE TABLE prices (region char(3), product_id int, valid_from date, amount numeric(8, 2), PRIMARY KEY (region, product_id, valid_from));
INSERT INTO tags SELECT 'tag,' || n, 'Label "' || n % 3 FROM generate_series(1, 8) n;
INSERT INTO documents SELECT md5(n::text)::uuid, nullif(n % 5, 4), 'Title ' || n % 6, nullif(n % 4, 0),
  md5((n / 2)::text)::uuid FROM generate_series(1, 40) n;
INSERT INTO document_tags SELECT md5(n::text)::uuid, 'tag,' || m FROM generate_series(1, 40) n, generate_series(1, 8) m WHERE (n + m) % 3 = 0;
INSERT INTO comments (target_type, target_id, body, score) SELECT (ARRAY['book', 'author'])[n % 2 + 1], nullif(n % 6, 5), 'body ' || n, nullif(n % 7, 3) FROM generate_series(1, 90) n;
INSERT INTO prices SELECT (ARRAY['de', 'fr', 'uk'])[n % 3 + 1], n % 4, date '2026-01-01' + n, n * 1.5 FROM generate_series(1, 60) n;
"""
OWNERS: list[tuple[Value, ...]] = [("0",), ("1",), ("2",), ("77",), (None,)]
DOCUMENTS: list[tuple[Value, ...]] = [
    *[
        (digest,)
        for digest in ("c4ca4238a0b923820dcc509a6f75849b", "c81e728d9d4c2f636f067f89cc14862c")
    ],
    ("eccbc87e4b5ce2fe28308fd9f2a7baf3",),
    ("00000000-0000-0000-0000-000000000000",),
    (None,),
]
TAGS: list[tuple[Value, ...]] = [("tag,1",), ("tag,2",), ('no "such" tag',), (None,)]
PRICES: list[tuple[Value, ...]] = [("de", "1"), ("de", "2"), ("fr", "1"), ("zz", "1"), (None, "1")]


@pytest.fixture(scope="module")
def databases(postgres15: "Server") -> dict[str, str]:
    """DSNs of the schemas, with rows."""
    made = {}
    for name, schema, words in (
        ("snake", CORPUS / "schema.sql", SNAKE),
        ("camel", CORPUS / "prisma7" / "schema.sql", CAMEL),
    ):
        made[name] = postgres15.create_database(f"rewrite_{name}")
        postgres15.psql(schema.read_text() + SEED.format(**words), made[name])
    postgres15.psql(
        "INSERT INTO settings SELECT 'key ' || n, 'v' FROM generate_series(1, 5) n", made["snake"]
    )
    made["mixed"] = postgres15.create_database("rewrite_mixed")
    postgres15.psql(MIXED, made["mixed"])
    return made


def rows(connection: psycopg.Connection[Any], sql: str, values: Sequence[Value]) -> list[Row]:
    """The rows of a statement with `$n`, its values sent as text of no type, as most drivers do."""
    with psycopg.RawCursor(connection) as cursor:
        return list(cursor.execute(sql, values or None).fetchall())


def array(values: Sequence[Value]) -> str:
    quoted = (
        "NULL" if value is None else '"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"'
        for value in values
    )
    return "{" + ",".join(quoted) + "}"


def compare(
    dsn: str,
    sql: str,
    columns: Sequence[str],
    keys: Sequence[tuple[Value, ...]],
    others: dict[int, Value] | None = None,
    known: Known | None = None,
) -> Batch:
    """Run a normalised statement once per key and its batch once, and hold them together."""
    made = batch(sql, columns, known)
    assert isinstance(made, Batch), made
    predicates = identify(sql).facts.predicates
    places = [next(p.parameter for p in predicates if p.column == column) for column in columns]
    given = others or {}
    count = max([*places, *given])
    ordered = "ORDER BY" in sql.rpartition(")")[2]
    with psycopg.connect(dsn) as connection:
        wanted = {}
        for key in keys:
            values = given | dict(zip(places, key, strict=True))
            found = rows(connection, sql, [values[n + 1] for n in range(count)])
            wanted[key] = found if ordered else sorted(found, key=repr)
        batched = run_batch(connection, made, keys, given, places)
        asked = {key: text_of(connection, made, key) for key in keys}
    width = max((len(row) for found in wanted.values() for row in found), default=0)
    got: dict[Row, list[Row]] = defaultdict(list)
    for key, row in batched:
        got[key].append(row[len(row) - width :])
    compared = {
        key: got.pop(asked[key], []) if ordered else sorted(got.pop(asked[key], []), key=repr)
        for key in keys
    }
    assert compared == wanted, made.sql
    assert not got
    assert any(wanted.values())
    return made


def text_of(connection: psycopg.Connection[Any], _made: Batch, key: tuple[Value, ...]) -> Row:
    """A key as rows are grouped by it: as text, a uuid with its dashes, char(n) without its blanks."""
    texts = []
    for value in key:
        is_uuid = value is not None and len(value) == 32 and value.isalnum()
        (row,) = rows(connection, f"SELECT $1{'::uuid' if is_uuid else ''}::text", [value])
        texts.append(row[0])
    return tuple(texts)


def run_batch(
    connection: psycopg.Connection[Any],
    made: Batch,
    keys: Sequence[tuple[Value, ...]],
    others: dict[int, Value],
    places: Sequence[int],
) -> list[tuple[Row, Row]]:
    """(key, row) of a batch."""
    # Parameters that are left keep their order: those of the statement that the batch still has.
    left = [number for number in sorted({*places, *others}) if number in kept(made, others, places)]
    values: list[Value] = []
    for number in left:
        if number in places:
            values.append(array([key[places.index(number)] for key in keys]))
        else:
            values.append(others[number])
    with psycopg.RawCursor(connection) as cursor:
        cursor.execute(made.sql, values)
        names = [column.name for column in cursor.description or ()]
        at = [names.index(name) for name in made.keys]
        return [
            (tuple(None if row[n] is None else str(row[n]).rstrip() for n in at), row)
            for row in cursor.fetchall()
        ]


def kept(made: Batch, others: dict[int, Value], places: Sequence[int]) -> set[int]:
    """The statement's parameters that its batch still has, by how many there are."""
    count = max(int(part) for part in numbers(made.sql))
    found = {*places}
    for number in sorted(others):
        if len(found) < count:
            found.add(number)
    return found


def numbers(sql: str) -> Iterator[str]:
    for part in sql.split("$")[1:]:
        digits = ""
        for character in part:
            if not character.isdigit():
                break
            digits += character
        if digits:
            yield digits


def corpus_statements() -> list[tuple[str, Statement]]:
    """Every SELECT shape of the captures."""
    found: dict[tuple[str, str], Statement] = {}
    for orm in ORMS:
        logs = [str(path) for path in sorted((CORPUS / orm).glob("*.log"))]
        for statement in run(Options(inputs=logs, log_min_duration_ms=0)).workload.statements:
            facts = statement.facts
            if facts.kind is Kind.SELECT and facts.role is Role.WORKLOAD and not facts.cursor:
                found[orm, statement.shape_id] = with_constants(statement)
    return [(orm, statement) for (orm, _), statement in found.items()]


def with_constants(statement: Statement) -> Statement:
    """Prisma's JSON: its constants are literals again, which a server needs to know their types."""
    sql = re.sub(r'\$(\d+)(?=, "t)', r"'k\1'", statement.sql)
    sql = re.sub(r"\), \$\d+\) AS \"__prisma", r"), '[]') AS \"__prisma", sql)
    return replace(statement, sql=sql)


def lookups_of(statement: Statement) -> list[str]:
    facts = identify(statement.sql).facts
    return [p.column for p in facts.predicates if p.operator == "=" and p.arity is Arity.ONE]


@pytest.mark.parametrize("unique", [True, False], ids=["unique", "bounded"])
def test_every_lookup_of_the_corpora_in_one_statement(
    databases: dict[str, str], *, unique: bool
) -> None:
    forms = []
    for orm, statement in corpus_statements():
        columns = lookups_of(statement)
        if not columns or "..." in statement.sql:
            continue
        column = columns[0]
        keys: list[tuple[Value, ...]] = [("1",), ("2",), ("9",), ("1000",), (None,)]
        if column == "key":
            keys = [("key 1",), ("key 2",), ("none",)]
        elif column == "rating":
            keys = [("1",), ("2",), ("77",)]
        key_place = identify(statement.sql).facts.predicates[0].parameter
        highest = max(int(number) for number in numbers(statement.sql))
        rest: dict[int, Value] = {n: "2" for n in range(1, highest + 1) if n != key_place}
        if "OFFSET" in statement.sql and highest > 1:
            rest[highest] = "0"
        known = Known(unique=unique and column in ("id", "key"))
        dsn = databases["camel" if orm == "prisma7" else "snake"]
        forms.append(compare(dsn, statement.sql, [column], keys, rest, known).form)
    assert len(forms) >= 18
    assert set(forms) == {"array", "grouped", "lateral"}


@pytest.mark.parametrize(
    ("form", "sql", "columns", "keys", "others"),
    [
        ("array", "SELECT id, title FROM documents WHERE owner_id = $1", ["owner_id"], OWNERS, {}),
        ("array", "SELECT id FROM documents WHERE $1::bigint = owner_id", ["owner_id"], OWNERS, {}),
        ("array", "SELECT DISTINCT title FROM documents WHERE owner_id = $1", ["owner_id"], OWNERS, {}),
        ("array", "SELECT * FROM documents WHERE id = $1::uuid", ["id"], DOCUMENTS, {}),
        ("array", "SELECT title FROM documents d WHERE d.parent_id IN ($1) AND rank > $2", ["parent_id"], DOCUMENTS, {2: "0"}),
        ("array", "SELECT rank, count(*) FROM documents WHERE owner_id = $1 GROUP BY rank HAVING count(*) > $2", ["owner_id"], OWNERS, {2: "1"}),
        ("array", "SELECT title, rank FROM documents WHERE owner_id = $1 ORDER BY rank DESC NULLS LAST, title, id", ["owner_id"], OWNERS, {}),
        ("array", "SELECT t.* FROM tags t JOIN document_tags l ON l.tag_slug = t.slug WHERE l.document_id = $1", ["document_id"], DOCUMENTS, {}),
        ("array", "SELECT d.title FROM documents d JOIN document_tags l ON l.document_id = d.id JOIN tags t ON t.slug = l.tag_slug WHERE t.slug = $1", ["slug"], TAGS, {}),
        ("array", "SELECT body FROM comments WHERE target_type = $1 AND target_id = $2", ["target_id"], OWNERS, {1: "book"}),
        ("array", "SELECT d.id, p.id FROM documents d LEFT JOIN documents p ON p.id = d.parent_id WHERE p.owner_id = $1", ["owner_id"], OWNERS, {}),
        ("grouped", "SELECT count(*) FROM comments WHERE target_id = $1", ["target_id"], OWNERS, {}),
        ("grouped", "SELECT count(score), sum(score) AS total, max(body) FROM comments WHERE target_id = $1 AND target_type = $2", ["target_id"], OWNERS, {2: "book"}),
        ("grouped", "SELECT count(DISTINCT l.tag_slug), count(*) FILTER (WHERE d.rank > $2) FROM documents d JOIN document_tags l ON l.document_id = d.id WHERE d.owner_id = $1", ["owner_id"], OWNERS, {2: "1"}),
        ("lateral", "SELECT coalesce(sum(score), 0) + 1 AS n FROM comments WHERE target_id = $1", ["target_id"], OWNERS, {}),
        ("lateral", "SELECT EXISTS (SELECT 1 FROM document_tags WHERE document_id = $1)", ["document_id"], DOCUMENTS, {}),
        ("lateral", "SELECT $1 AS a FROM document_tags WHERE document_id = $2 LIMIT $3", ["document_id"], DOCUMENTS, {1: "1", 3: "1"}),
        ("lateral", "SELECT title FROM documents WHERE owner_id = $1 ORDER BY title, id LIMIT $2", ["owner_id"], OWNERS, {2: "3"}),
        ("lateral", "SELECT title FROM documents WHERE owner_id = $1 ORDER BY rank, id LIMIT $2 OFFSET $3", ["owner_id"], OWNERS, {2: "3", 3: "2"}),
        ("lateral", "SELECT DISTINCT ON (rank) rank, title FROM documents WHERE owner_id = $1 ORDER BY rank, title", ["owner_id"], OWNERS, {}),
        ("lateral", "SELECT id, row_number() OVER (ORDER BY id) FROM documents WHERE owner_id = $1", ["owner_id"], OWNERS, {}),
        ("lateral", "SELECT amount FROM prices WHERE region = $1 AND product_id = $2 ORDER BY valid_from DESC LIMIT $3", ["region", "product_id"], PRICES, {3: "1"}),
        ("lateral", "SELECT region, product_id, amount FROM prices WHERE (region, product_id) = ($1, $2)", ["region", "product_id"], PRICES, {}),
        ("lateral", "SELECT count(*) FROM (SELECT id FROM documents WHERE owner_id = $1 OFFSET $2) AS sub", ["owner_id"], OWNERS, {2: "0"}),
        ("lateral", "SELECT slug FROM tags WHERE lower(label) = $1", ["label"], [('label "1',), ('label "2',), ("x",)], {}),
        ("lateral", "WITH mine AS (SELECT id FROM documents WHERE owner_id = $1) SELECT l.tag_slug FROM document_tags l JOIN mine ON mine.id = l.document_id", None, OWNERS, {}),
        ("lateral", "SELECT keys.title FROM documents keys WHERE keys.owner_id IS NOT DISTINCT FROM $1", ["owner_id"], OWNERS, {}),
        ("lateral", "SELECT x.id FROM documents x WHERE x.owner_id = $1 AND NOT EXISTS (SELECT 1 FROM document_tags l WHERE l.document_id = x.id AND l.tag_slug = $2) LIMIT $3", ["owner_id"], OWNERS, {2: "tag,1", 3: "4"}),
    ],
)  # fmt: skip
def test_other_shapes(
    databases: dict[str, str],
    form: str,
    sql: str,
    columns: list[str] | None,
    keys: list[tuple[Value, ...]],
    others: dict[int, Value],
) -> None:
    if columns is None:  # what facts do not see is refused, not guessed
        assert isinstance(batch(sql, ["owner_id"]), NoBatch)
        return
    assert compare(databases["mixed"], sql, columns, keys, others).form == form


def test_types_from_the_schema_are_written_out(databases: dict[str, str]) -> None:
    sql = "SELECT amount FROM prices WHERE region = $1 AND product_id = $2 LIMIT $3"
    types = {("prices", "region"): "character(3)", ("prices", "product_id"): "integer"}
    known = Known(types=types, integers={3: 1})
    made = compare(databases["mixed"], sql, ["region", "product_id"], PRICES, {3: "1"}, known)
    assert "unnest($1::bpchar[], $2::integer[])" in made.sql
    assert "LIMIT 1" in made.sql


def test_an_offset_that_is_always_zero_is_left_out(databases: dict[str, str]) -> None:
    sql = "SELECT id FROM documents WHERE (documents.id = $1 AND 1=1) LIMIT $2 OFFSET $3"
    known = Known(integers={2: 1, 3: 0}, unique=True)
    made = compare(databases["mixed"], sql, ["id"], DOCUMENTS, {2: "1", 3: "0"}, known)
    assert (made.form, "OFFSET" in made.sql) == ("array", False)


@pytest.mark.parametrize(
    ("sql", "reason"),
    [
        ("SELECT a FROM t WHERE k = $1 FOR UPDATE", "locks rows"),
        ("SELECT a FROM t WHERE k = $1 ORDER BY random()", "random()"),
        ("SELECT nextval($2) FROM t WHERE k = $1", "nextval()"),
        ("SELECT pg_advisory_lock(k) FROM t WHERE k = $1", "pg_advisory_lock()"),
        ("SELECT a FROM t WHERE k = $1 ORDER BY $2", "sorts by a position"),
        ("SELECT a, count(*) FROM t WHERE k = $1 GROUP BY $2", "groups by a position"),
        ("SELECT a FROM t TABLESAMPLE system (1) WHERE k = $1", "random sample"),
        ("SELECT a FROM t WHERE k = $1 AND j IN ($2 /*, ... */)", "list of values"),
        ("UPDATE t SET a = $2 WHERE k = $1", "no single SELECT"),
        ("SELECT a FROM t WHERE k = $1; SELECT 1", "no single SELECT"),
        ("SELECT a FROM t WHERE k = $1 AND", "grammar refuses"),
        ("SELECT a FROM t WHERE k > $1", "which condition on k"),
        ("SELECT a FROM t, u WHERE t.k = $1 AND u.k = $2", "which condition on k"),
        ("SELECT a FROM t, u WHERE k = $1 LIMIT $2", "type of k is not known"),
        ("SELECT a FROM t WHERE k = $1 " + "AND a > $2 " * 2000, "too long"),
    ],
)
def test_what_cannot_be_rewritten_says_why(sql: str, reason: str) -> None:
    made = batch(sql, ["k"])
    assert isinstance(made, NoBatch)
    assert reason in made.reason


def test_an_unknown_function_is_said_so() -> None:
    made = batch("SELECT a FROM t WHERE k = $1 AND my_check(a)", ["k"])
    assert isinstance(made, Batch)
    assert "my_check()" in made.note


@settings(max_examples=150, deadline=None)
@given(strategy.statements())
def test_whatever_the_statement_the_batch_is_sql_or_a_reason(text: str) -> None:
    statement = identify(text)
    columns = [p.column for p in statement.facts.predicates if p.arity is Arity.ONE][:2]
    for unique in (True, False):
        made = batch(statement.sql, columns, Known(unique=unique))
        if isinstance(made, Batch):
            assert identify(made.sql).parsed, made.sql
        else:
            assert made.reason


@pytest.mark.parametrize("depth", [20, 150, 190])
def test_deep_nesting_is_rewritten_or_refused(depth: int) -> None:
    sql = f"SELECT a FROM t WHERE k = $1 AND {'(a > $2 OR ' * depth}b < $3{')' * depth}"
    assert isinstance(batch(sql, ["k"]), (Batch, NoBatch))


@pytest.mark.parametrize("terms", [150, 400, 1500])
def test_a_long_chain_of_operators_is_rewritten_or_refused(terms: int) -> None:
    chain = " || ".join(["a"] * terms)
    for sql in (
        f"SELECT {chain} FROM t WHERE k = $1",
        f"SELECT a FROM t WHERE k = $1 AND {chain} = $2",
    ):
        assert isinstance(batch(sql, ["k"]), (Batch, NoBatch))
