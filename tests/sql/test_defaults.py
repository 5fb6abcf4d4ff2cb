"""Defaults of columns: read from scripts, and compared with what a server prints of them."""

import pytest

from analyzer.sql.ddl import definitions
from analyzer.sql.defaults import default_texts, same_default
from analyzer.sql.definitions import AlterEnum, AlterTable, CreateEnum, DropEnum, Name, SetDefault

SAME = (
    ("'ACTIVE'", "'ACTIVE'::\"ProjectStatus\""),
    ("CURRENT_TIMESTAMP", "now()"),
    ("CURRENT_TIMESTAMP", "CURRENT_TIMESTAMP(3)"),
    ("'{}'", "'{}'::jsonb"),
    ("-1", "'-1'::integer"),
    ("-1", "(-1)"),
    ("0", "0"),
    ("1.50", "1.50::numeric"),
    ("true", "true"),
    ("ARRAY['a', 'b']", "ARRAY['a'::text, 'b'::text]"),
    ("ARRAY[]", "ARRAY[]::text[]"),
    ("gen_random_uuid()", "gen_random_uuid()"),
    ("lower('A')", "lower('A'::text)"),
)
OTHER = (
    ("'ACTIVE'", "'PAUSED'::\"ProjectStatus\""),
    ("now()", "clock_timestamp()"),
    ("0", "1"),
    ("true", "false"),
    ("nextval", "0"),
    ("0", None),
    (None, "''"),
    ("a +", "a +b"),
)


@pytest.mark.parametrize(("one", "other"), SAME)
def test_the_same_in_other_words(one: str, other: str) -> None:
    assert same_default(one, other)
    assert same_default(other, one)


@pytest.mark.parametrize(("one", "other"), OTHER)
def test_different_ones_are_told_apart(one: str | None, other: str | None) -> None:
    assert not same_default(one, other)
    assert not same_default(other, one)


def test_they_are_read_from_scripts() -> None:
    made = default_texts(
        "CREATE TABLE t (id int DEFAULT nextval('t_id_seq'), at timestamp DEFAULT now() NOT NULL, "
        "s text DEFAULT 'a''b', plain int, n int NOT NULL DEFAULT (1 + 1))"
    )
    assert made == {"id": "nextval", "at": "now()", "s": "'a''b'", "n": "1 + 1"}
    assert default_texts("CREATE TABLE t (default_price int)") == {}
    assert default_texts("ALTER TABLE t ADD c int DEFAULT 3, ALTER d SET DEFAULT 'x'") == {
        "c": "3",
        "d": "'x'",
    }
    assert default_texts("this has DEFAULT and is no SQL") == {}


def test_changes_of_defaults_and_enums_are_definitions() -> None:
    (dropped,) = definitions("ALTER TABLE t ALTER c DROP DEFAULT")
    assert dropped == AlterTable(Name(None, "t"), SetDefault("c", None))
    assert definitions("CREATE TYPE s.mood AS ENUM ('a', 'b')") == [
        CreateEnum(Name("s", "mood"), ("a", "b"))
    ]
    assert definitions("ALTER TYPE mood ADD VALUE 'c' BEFORE 'b'") == [
        AlterEnum(Name(None, "mood"), "c", neighbour="b")
    ]
    assert definitions("ALTER TYPE mood RENAME VALUE 'a' TO 'z'") == [
        AlterEnum(Name(None, "mood"), "z", old="a")
    ]
    assert definitions("DROP TYPE mood, s.other") == [
        DropEnum(Name(None, "mood")),
        DropEnum(Name("s", "other")),
    ]
