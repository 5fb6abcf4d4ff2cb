"""Conditions that keep indexes from being used, as a statement's text shows them."""

import pytest

from analyzer.model.statement import Exclusion, Hindrance, Obstacle
from analyzer.sql.expressions import immutable_as, relabels, same_expression, widened_by
from analyzer.sql.identity import identify
from analyzer.sql.obstacles import MOST, starts_anywhere
from analyzer.sql.sargable import with_arrays, with_not_exists, without_function


def obstacles(condition: str, source: str = "t") -> tuple[Obstacle, ...]:
    return identify(f"SELECT z FROM {source} WHERE {condition}").facts.obstacles


@pytest.mark.parametrize(
    ("condition", "expression", "by"),
    [
        ("lower(a) = 'x'", "lower(a)", "lower"),
        ("'x' = lower(a)", "lower(a)", "lower"),
        ("lower(a) IN ('x', 'y')", "lower(a)", "lower"),
        ("lower(a) = ANY ($1)", "lower(a)", "lower"),
        ("a::date BETWEEN $1 AND $2", "(a)::date", "date"),
        ("(a AT TIME ZONE 'UTC')::date = $1", "(timezone('UTC', a))::date", "timezone"),
        ("coalesce(a, 0) = 1", "coalesce(\u2026)", "coalesce"),
        ("a + 1 > 5", "(a + 1)", "+"),
        ("a -> 'b' ->> 'c' = 'd'", "((a -> 'b') ->> 'c')", "->>"),
    ],
)
def test_functions(condition: str, expression: str, by: str) -> None:
    found = obstacles(condition)
    assert [(o.hindrance, o.expression, o.computed_by) for o in found] == [
        (Hindrance.FUNCTION, expression, by)
    ]


@pytest.mark.parametrize(
    "condition",
    [
        "a = lower('X')",
        "a > now() - interval '1 day'",
        "a = 5",
        "a = b + 1",
        "lower(a) = lower(b)",
        "NOT lower(a) = 'x'",
        "lower(a) IS NULL",
        "to_tsvector('english', a) @@ to_tsquery('x')",
        "a <-> $1 < 0.5",
        "count(*) = 1",
    ],
)
def test_what_hinders_nothing(condition: str) -> None:
    assert obstacles(condition) == ()


def test_conditions_below_or_and_in_joins_count() -> None:
    found = identify(
        "SELECT z FROM a JOIN b ON a.id = b.a_id AND b.name ILIKE '%x%' WHERE (a.x = 1 OR a.y LIKE $1)"
    ).facts.obstacles
    assert [(o.table, o.column, o.operator, o.parameter) for o in found] == [
        ("a", "y", "like", 1),
        ("b", "name", "ilike", -1),
    ]


@pytest.mark.parametrize(
    ("condition", "anywhere", "parameter"),
    [
        ("a LIKE '%x'", True, -1),
        ("a LIKE 'x%'", False, -1),
        ("a LIKE '_x'", True, -1),
        ("a LIKE '%' || $1", True, -1),
        ("a LIKE $1 || '%'", None, 1),
        ("a LIKE concat('%', $1)", True, -1),
        ("upper(a::text) LIKE upper('%x%')", True, -1),
        ("a ~ '^x'", False, -1),
        ("a ~* 'x'", True, -1),
        ("a LIKE ''", None, -1),
    ],
)
def test_patterns(condition: str, anywhere: bool | None, parameter: int) -> None:  # noqa: FBT001 - a case of the table
    (found,) = obstacles(condition)
    assert (found.hindrance, found.anywhere, found.parameter) == (
        Hindrance.PATTERN,
        anywhere,
        parameter,
    )


def test_starts_anywhere_of_nothing() -> None:
    assert starts_anywhere(None, "like") is None
    assert starts_anywhere("", "~") is None


def test_a_generated_condition_is_read_to_a_bound() -> None:
    assert len(obstacles(" OR ".join(f"lower(c{n}) = 'x'" for n in range(500)))) == MOST


@pytest.mark.parametrize(
    "condition",
    [
        "date() = 'x' AND a = 5",
        "timezone(a)::date = 'x'",
        "concat() LIKE concat()",
        "date_trunc(a) = 1",
        "a NOT IN (SELECT)",
        "a NOT IN (SELECT * FROM u)",
        "a NOT IN (VALUES (1))",
        "a NOT IN (SELECT b FROM u UNION SELECT c FROM v)",
    ],
)
def test_odd_calls_are_left_alone(condition: str) -> None:
    """What the grammar takes and no server runs, or what has no simple rewriting."""
    sql = identify(f"SELECT z FROM t WHERE {condition}").sql
    assert without_function(sql, "a", "date_trunc('day', a)") is None
    assert with_not_exists(sql, "a") is None


def test_casts_and_typed_values() -> None:
    (cast,) = obstacles("a::text = '5'")
    assert (cast.hindrance, cast.computed_by, cast.expression) == (
        Hindrance.CAST,
        "text",
        "(a)::text",
    )
    typed = {o.column: o.value_type for o in obstacles("a = 5.5 AND b = $1::numeric AND c = 5")}
    assert typed == {"a": "numeric", "b": "numeric"}


def test_exclusions() -> None:
    def of(condition: str) -> tuple[Exclusion, ...]:
        return identify(f"SELECT 1 FROM t WHERE {condition}").facts.exclusions

    plain = Exclusion("t", "a", "u", "b")
    assert of("a NOT IN (SELECT b FROM u)") == (plain,)
    assert of("a <> ALL (SELECT b FROM u)") == (plain,)
    assert of("c = 1 AND NOT (t.a IN (SELECT b FROM u))") == (plain,)
    assert of("a NOT IN (SELECT b FROM u WHERE b IS NOT NULL)")[0].never_null
    assert not of("a NOT IN (SELECT b FROM u WHERE c IS NOT NULL)")[0].never_null
    assert of("a IN (SELECT b FROM u)") == of("a = ALL (SELECT b FROM u)") == ()


def test_stars_name_their_tables() -> None:
    def stars(text: str) -> tuple[str, ...]:
        return identify(text).facts.star_tables

    assert stars("SELECT * FROM a JOIN s.b ON true") == ("a", "s.b")
    assert stars("SELECT x.*, y.c FROM a x, b y") == ("a",)
    assert stars("SELECT count(*) FROM a") == ()


def test_random_order() -> None:
    assert identify("SELECT 1 FROM t ORDER BY RANDOM() LIMIT 1").facts.random_order
    assert not identify("SELECT random() FROM t ORDER BY a LIMIT 1").facts.random_order
    assert not identify("SELECT 1 FROM t ORDER BY a, random() LIMIT 1").facts.random_order


def test_same_expression_is_blind_to_casts_to_text_alone() -> None:
    assert same_expression("lower((email)::text)", "lower(email)")
    assert same_expression("(data ->> 'a'::text)", "data ->> 'a'")
    assert not same_expression("(data ->> 'a'::text)", "data ->> 'b'")
    assert not same_expression("lower(email)", "upper(email)")
    assert not same_expression("date_trunc('day', a)", "not sql ((")


def test_immutability_depends_on_the_type() -> None:
    assert immutable_as("(a)::date", "timestamp without time zone")
    assert not immutable_as("(a)::date", "timestamp with time zone")
    assert not immutable_as("(a)::date", "timestamp(6) with time zone")
    assert immutable_as("(a)::date", "timestamp(3) without time zone")
    assert immutable_as("(timezone('UTC', a))::date", "timestamp with time zone")
    assert not immutable_as("(timezone('UTC', a))::date", "timestamp without time zone")
    assert not immutable_as("coalesce(\u2026)", "integer")


def test_types_that_compare_without_a_cast() -> None:
    assert relabels("character varying(20)", "text")
    assert not relabels("uuid", "text")
    assert widened_by("integer", "numeric")
    assert widened_by("character(8)", "text")
    assert not widened_by("bigint", "integer")
    assert not widened_by("timestamp without time zone", "date")


@pytest.mark.parametrize("text", ["not sql", "SELECT 1; SELECT 2", "SELECT " + "(" * 20_000])
def test_what_is_no_statement_is_not_rewritten(text: str) -> None:
    assert without_function(text, "a", "lower(a)") is None
    assert with_not_exists(text, "a") is None


@pytest.mark.parametrize(
    ("condition", "column_type", "rewritten"),
    [
        ("a::date = '2026-03-01'", "text", False),  # '1 March' is no moment to compare with
        ("a::date = '2026-03-01'", "timestamp(3) without time zone", True),
        ("a::date = '2026-03-01'", None, True),
        ("(a AT TIME ZONE 'UTC')::date = '2026-03-01'", "timestamp with time zone", True),
        ("(a AT TIME ZONE 'UTC')::date = '2026-03-01'", "timestamp(6) with time zone", True),
        ("(a AT TIME ZONE 'UTC')::date = '2026-03-01'", "timestamp without time zone", False),
        ("extract(year FROM a) = 2026", "interval", False),
        ("extract(month FROM a) = 3", "date", False),  # no range
        ("date_trunc('day', a) > '2026-03-01'", "date", False),
        ("coalesce(a, b) = 5", "integer", True),
        ("coalesce(a, 0) > 5", "integer", False),
        ("a::date <> '2026-03-01'", "date", False),
    ],
)
def test_only_what_means_the_same_is_rewritten(
    condition: str,
    column_type: str | None,
    rewritten: bool,  # noqa: FBT001 - a case of the table
) -> None:
    statement = identify(f"SELECT z FROM t WHERE {condition}")
    expression = next((o.expression or "" for o in statement.facts.obstacles), "")
    made = without_function(statement.sql, "a", expression, column_type)
    assert (made is not None) == rewritten


@pytest.mark.parametrize(
    ("condition", "number", "rewritten"),
    [
        ("extract(year FROM a) = 2024 AND extract(month FROM a) = 5", 0, True),
        ("extract(year FROM a) = 2024 AND extract(month FROM a) = 5", 1, False),
        ("extract(year FROM a) = 2024 AND date_part('month', a) = 5", 0, True),
        ("date_part('year', a) = 2024", 0, True),
        ("date_part('year', a) = 2024 AND date_part('month', a) = 5", 0, False),
        ("date_part('month', a) = 5 AND date_part('year', a) = 2024", 1, False),
        ("date_trunc('day', a) = '2024-05-01' OR date_trunc('month', a) = '2024-06-01'", 0, False),
        ("date_trunc('day', a) IN ('2024-05-01') OR date_trunc('month', a) = '2024-06-01'", 0, False),
        ("date_trunc('day', a + b) = '2024-05-01' OR date_trunc('year', a) = '2024-01-01'", 0, False),
        ("date_trunc('day', a, 'UTC') = '2024-05-01'", 0, False),  # the zone of the session is another
        ("date_trunc('day', a, 'UTC') = $1 OR date_trunc('month', a) = '2024-06-01'", 0, False),
    ],
)  # fmt: skip
def test_only_calls_of_the_obstacles_own_unit_are_rewritten(
    condition: str,
    number: int,
    rewritten: bool,  # noqa: FBT001 - a case of the table
) -> None:
    statement = identify(f"SELECT z FROM t WHERE {condition}")
    expression = statement.facts.obstacles[number].expression or ""
    made = without_function(statement.sql, "a", expression, "timestamp without time zone")
    assert (made is not None) == rewritten


def test_what_is_of_another_unit_stays() -> None:
    statement = identify(
        "SELECT z FROM t WHERE extract(year FROM a) = 1 AND extract(month FROM a) = 5"
    )
    made = without_function(statement.sql, "a", "EXTRACT(year FROM a)", "date")
    assert made is not None
    assert made.count("make_date") == 2
    assert made.endswith("AND EXTRACT(MONTH FROM a) = $2")


def test_arrays_for_lists() -> None:
    listed = identify("SELECT a FROM t WHERE a IN (1, 2, 3) AND b NOT IN ('x', 'y')").sql
    assert with_arrays(listed) == "SELECT a FROM t WHERE a = ANY ($1) AND b <> ALL ($4)"
