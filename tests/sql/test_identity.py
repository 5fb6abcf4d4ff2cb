"""Fingerprint, shape and lineage."""

import pytest

from analyzer.sql.identity import identify


def test_arity_classes_tell_shapes_apart_that_share_a_fingerprint() -> None:
    texts = {
        "=": "SELECT a FROM t WHERE id = 5",
        "in one": "SELECT a FROM t WHERE id IN (5)",
        "in many": "SELECT a FROM t WHERE id IN (5, 6)",
        "any": "SELECT a FROM t WHERE id = ANY($1)",
    }
    found = {name: identify(text) for name, text in texts.items()}
    assert len({one.fingerprint for one in found.values()}) == 1
    assert len({one.shape_id for one in found.values()}) == 4
    assert found["in many"].shape_id == identify("SELECT a FROM t WHERE id IN (1,2,3,4)").shape_id
    assert found["="].shape_id == identify("SELECT a FROM t WHERE id = $1").shape_id


def test_one_row_and_many_rows_of_values_are_two_shapes() -> None:
    one = identify("INSERT INTO t (a) VALUES (1)")
    two = identify("INSERT INTO t (a) VALUES (1), (2)")
    assert one.shape_id != two.shape_id
    assert two.shape_id == identify("INSERT INTO t (a) VALUES (1), (2), (3)").shape_id


def test_postgresql_18_squashed_lists_stand_for_many() -> None:
    squashed = identify("SELECT a FROM t WHERE id IN ($1 /*, ... */)")
    assert squashed.shape_id == identify("SELECT a FROM t WHERE id IN (1, 2)").shape_id


def test_unparsed_text_is_named_after_its_key() -> None:
    cut = identify("SELECT a FROM t WHERE b = 'secret va")
    assert not cut.parsed
    assert cut.fingerprint == cut.shape_id
    assert cut.fingerprint[0] == "x"
    assert len(cut.fingerprint) == 16
    assert "secret" not in cut.sql


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("SELECT a, b FROM t WHERE id = 1", "SELECT a, b, c FROM t WHERE id = 1"),
        ("SELECT t.a, t.s::text FROM t", "SELECT t.a FROM t"),
        (
            "INSERT INTO t (a) VALUES (1) RETURNING id",
            "INSERT INTO t (a, b) VALUES (1, 2) RETURNING id, b",
        ),
        ("UPDATE t SET a = 1 WHERE id = 2", "UPDATE t SET a = 1, b = 3 WHERE id = 2"),
        ("SELECT x.a FROM (SELECT a FROM t) x", "SELECT x.a FROM (SELECT a, b FROM t) x"),
        ("SELECT a, count(*) FROM t GROUP BY a", "SELECT a, b, count(*) FROM t GROUP BY a, b"),
        (
            "SELECT jsonb_build_object('a', a) FROM t",
            "SELECT jsonb_build_object('a', a, 'b', b) FROM t",
        ),
    ],
)
def test_a_new_column_changes_shape_but_not_lineage(before: str, after: str) -> None:
    first, second = identify(before), identify(after)
    assert first.shape_id != second.shape_id
    assert first.lineage == second.lineage


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("SELECT a FROM t WHERE id = 1", "SELECT a FROM u WHERE id = 1"),
        ("SELECT a FROM t WHERE id = 1", "SELECT a FROM t WHERE b = 1"),
        ("SELECT a FROM t WHERE id = 1", "SELECT count(*) FROM t WHERE id = 1"),
        ("SELECT a FROM t WHERE id = 1", "SELECT a FROM t WHERE id IN (1, 2)"),
        ("SELECT a FROM t WHERE id = 1", "SELECT a FROM t WHERE id = 1 LIMIT 1"),
        (
            "SELECT a FROM t WHERE id IN (SELECT x FROM u)",
            "SELECT a FROM t WHERE id NOT IN (SELECT x FROM u)",
        ),
    ],
)
def test_what_the_statement_does_is_in_its_lineage(one: str, other: str) -> None:
    assert identify(one).lineage != identify(other).lineage


def test_deep_nesting_is_identified_without_walking_it() -> None:
    text = "SELECT " + " + ".join(["a"] * 5000) + " FROM t"
    assert identify(text).fingerprint
    assert identify("SELECT " + "(" * 5000 + "1" + ")" * 5000).fingerprint


@pytest.mark.parametrize("depth", [150, 250, 320, 500])
def test_nesting_of_any_depth_has_an_identity(depth: int) -> None:
    """PostgreSQL reads far deeper trees than Python's stack takes, in JSON and in walks of it."""
    found = identify("SELECT a FROM t WHERE " + "NOT " * depth + "b")
    assert found.parsed
    assert found.fingerprint == identify("SELECT a FROM t WHERE " + "NOT " * depth + "b").shape_id


def test_where_a_tablespace_lies_is_no_identity() -> None:
    """The one `location` of a tree that is a text, not a place in the statement's text."""
    here, there = (
        identify("CREATE TABLESPACE s LOCATION '/a'"),
        identify("CREATE TABLESPACE s LOCATION '/b'"),
    )
    assert here.lineage == there.lineage


def test_arity_classes_stand_in_the_texts_order() -> None:
    text = "INSERT INTO t (a) VALUES (1), (2); SELECT a FROM t WHERE b = ANY($1) AND c IN (1, 2)"
    assert identify(text).shape_id.split("-")[1:] == ["rows", "any", "in"]


@pytest.mark.parametrize(
    ("counted", "logged"),
    [
        ("SAVEPOINT $1", "SAVEPOINT a"),
        ("RELEASE $1", "RELEASE SAVEPOINT a"),
        ("ROLLBACK TO $1", "rollback to savepoint a"),
        ("DEALLOCATE $1", "DEALLOCATE s1"),
        ("CLOSE $1", "CLOSE c7"),
        ("PREPARE TRANSACTION $1", "PREPARE TRANSACTION 'a'"),
        ("COMMIT PREPARED $1", "COMMIT PREPARED 'a'"),
    ],
)
def test_names_that_pg_stat_statements_masks_are_names(counted: str, logged: str) -> None:
    assert identify(counted).parsed
    assert identify(counted).shape_id == identify(logged).shape_id
    assert identify(counted).facts.role is identify(logged).facts.role


@pytest.mark.parametrize("counted", ["FETCH $1 IN c", "MOVE FORWARD $1 FROM c", "FETCH $1 c"])
def test_fetches_with_a_masked_count_are_read(counted: str) -> None:
    """The count is part of libpg_query's fingerprint, so which of the logged ones it was is lost."""
    assert identify(counted).parsed
    assert identify(counted).facts.role is identify(counted.replace("$1", "100")).facts.role
