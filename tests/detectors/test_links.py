"""How a lookup depends on another statement's rows: by foreign keys, and by names without them."""

from dataclasses import replace

import numpy as np
import pytest

from analyzer.detectors._links import Link, link, lookups
from analyzer.detectors._reads import Reads
from analyzer.detectors._shapes import Shapes
from analyzer.model.catalog import Catalog, Column, ForeignKey, Table
from analyzer.sql.identity import identify


def columns(*names: str) -> tuple[Column, ...]:
    return tuple(Column(name, "integer") for name in names)


POSTS = Table("posts", columns("id", "title"), ("id",))
PAGES = Table("pages", columns("post_ptr_id", "slug"), ("post_ptr_id",))
KINDS = Table("django_content_type", columns("id", "model"), ("id",))
TAGGED = Table(
    "tagged",
    columns("id", "tag_id", "object_id", "content_type_id"),
    ("id",),
    foreign_keys=(ForeignKey(("content_type_id",), "django_content_type", ("id",)),),
)
COMMENTS = Table("comments", columns("id", "commentable_id", "commentable_type"), ("id",))
ORDERS = Table("orders", columns("id", "external_id"), ("id",))
CATALOG = Catalog({one.name: one for one in (POSTS, PAGES, KINDS, TAGGED, COMMENTS, ORDERS)})

TAGGED_BY_NAME = (
    "SELECT t.id FROM tagged t JOIN django_content_type k ON k.id = t.content_type_id"
    " WHERE k.model = $1 AND t.object_id = $2"
)
MANY_POSTS = "SELECT id, title FROM posts WHERE title LIKE $1"


def linked(child: str, parent: str, catalog: Catalog | None = CATALOG) -> Link | None:
    """The link between two statements, all of whose lookups vary."""
    facts, other = identify(child).facts, identify(parent).facts
    return link(facts, lookups(facts)[-1:], Reads.of(other), catalog)


@pytest.mark.parametrize(
    ("child", "parent"),
    [
        ("SELECT * FROM tagged WHERE content_type_id = $1 AND object_id = $2", MANY_POSTS),
        (TAGGED_BY_NAME, MANY_POSTS),
        (
            "SELECT * FROM comments WHERE commentable_type = $1 AND commentable_id = $2",
            MANY_POSTS,
        ),
        (
            "SELECT * FROM tagged WHERE content_type_id = $1 AND object_id = $2",
            "SELECT post_ptr_id, slug FROM pages",
        ),
    ],
)
def test_what_refers_to_rows_of_any_table_has_no_key_that_could_say_so(
    child: str, parent: str
) -> None:
    made = linked(child, parent)
    assert made is not None
    assert made.parent_table == identify(parent).facts.main_table
    assert made.strength < 0.7
    assert "guessed" in made.how


@pytest.mark.parametrize(
    ("child", "parent"),
    [
        # Where keys are known, a column without one and without a kind refers to nothing here.
        ("SELECT * FROM orders WHERE external_id = $1", MANY_POSTS),
        # The parent's rows are not named by what was selected.
        (
            "SELECT * FROM comments WHERE commentable_type = $1 AND commentable_id = $2",
            "SELECT title FROM posts WHERE title LIKE $1",
        ),
    ],
)
def test_nothing_is_guessed_where_keys_would_tell(child: str, parent: str) -> None:
    assert linked(child, parent) is None


def test_a_parent_tells_ids_of_several_tables() -> None:
    made = linked(
        "SELECT * FROM posts WHERE id = $1", "SELECT object_id, content_type_id FROM tagged"
    )
    assert made is not None
    assert made.parent_columns == ("object_id",)
    assert "several tables" in made.how


def test_camel_case_names_a_kind_too() -> None:
    made = linked(
        "SELECT * FROM posts WHERE id = $1", 'SELECT "subjectId", "subjectType" FROM votes', None
    )
    assert made is not None
    assert made.parent_columns == ("subjectId",)


def test_rows_loaded_again_by_a_key_of_two_columns() -> None:
    lines = Table("lines", columns("order_no", "place", "amount"), ("order_no", "place"))
    orders = Table("orders", columns("no"), ("no",))
    key = ForeignKey(("order_no",), "orders", ("no",))
    known = Catalog({"orders": orders, "lines": replace(lines, foreign_keys=(key,))})
    parent = "SELECT order_no, place FROM lines WHERE amount > $1"
    child = "SELECT * FROM lines WHERE order_no = $1 AND place = $2"
    made = linked(child, parent, known)
    assert made is not None
    assert made.parent_columns == ("order_no", "place")
    assert linked("SELECT * FROM lines WHERE place = $1", parent, known) is None


@pytest.mark.parametrize("catalog", [None, CATALOG])
def test_strengths_are_those_of_the_links(catalog: Catalog | None) -> None:
    texts = [
        TAGGED_BY_NAME,
        MANY_POSTS,
        "SELECT post_ptr_id, slug FROM pages",
        "SELECT * FROM orders WHERE external_id = $1",
        "SELECT * FROM posts WHERE id = $1",
        "SELECT object_id, content_type_id FROM tagged",
        'SELECT "subjectId", "subjectType" FROM votes',
        "SELECT * FROM comments WHERE commentable_type = $1 AND commentable_id = $2",
        "SELECT c.id, p.country_code FROM comments c JOIN people p ON p.id = c.person_id",
    ]
    statements = [identify(text) for text in texts]
    tables = frozenset(name for one in statements for name in one.facts.tables)
    shapes = Shapes(catalog)
    shapes.learn(statements[:4])
    shapes.learn(statements)
    linked_pairs = 0
    for child, statement in enumerate(statements):
        varying = lookups(statement.facts)
        strengths = shapes.strengths(child, varying)
        for parent in np.flatnonzero(shapes.driving).tolist():
            reads = Reads.of(statements[parent].facts)
            made = link(statement.facts, varying, reads, catalog, tables)
            assert strengths[parent] == (made.strength if made else 0)
            linked_pairs += made is not None
    assert linked_pairs >= len(texts) / 2
