"""Filters of plans: columns, operators, wrapped columns, and text that is no SQL."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analyzer.model.statement import Arity
from analyzer.sql.conditions import Condition, parse_condition
from analyzer.sql.quoting import quote_identifier, quote_table


def only(text: str, alias: str | None = None, **types: str) -> Condition:
    parsed = parse_condition(text, alias=alias, column_type=types.get if types else None)
    assert parsed is not None
    (condition,) = parsed.conditions
    return condition


@pytest.mark.parametrize(
    ("text", "column", "operator", "arity"),
    [
        ("(cid = 77)", "cid", "=", Arity.ONE),
        ("(cid = $1)", "cid", "=", Arity.ONE),
        ("(5 < cid)", "cid", ">", Arity.ONE),
        ("(cid = ANY ('{1,2}'::integer[]))", "cid", "=", Arity.MANY),
        ("((cid = 1) OR (cid = 2))", "cid", "=", Arity.MANY),
        ("(deleted_at IS NULL)", "deleted_at", "is null", Arity.EXPRESSION),
        ("paid", "paid", "is true", Arity.EXPRESSION),
        ("(NOT paid)", "paid", "is false", Arity.EXPRESSION),
        ("(name ~~ 'a%'::text)", "name", "like", Arity.ONE),
        ("(amt = (InitPlan 1).col1)", "amt", "=", Arity.ONE),
        ("(amt = $0)", "amt", "=", Arity.ONE),
        ("(\"trackingCode\" = 'x'::uuid)", "trackingCode", "=", Arity.ONE),
    ],
)
def test_conditions(text: str, column: str, operator: str, arity: Arity) -> None:
    condition = only(text)
    assert (condition.column, condition.operator, condition.arity) == (column, operator, arity)
    assert condition.wrapped is None


def test_anded_conditions_keep_their_order() -> None:
    parsed = parse_condition("((a = 1) AND (b > 2) AND (random() < '0.1'::double precision))")
    assert parsed is not None
    assert [c.column for c in parsed.conditions] == ["a", "b"]
    assert parsed.opaque == 1
    assert not parsed.disjunctive


def test_an_or_over_columns_stands_at_the_top() -> None:
    parsed = parse_condition("((a = 1) OR (b = 2))")
    assert parsed is not None
    assert (parsed.conditions, parsed.disjunctive) == ((), True)


def test_columns_of_other_tables_are_values() -> None:
    assert only("(o.cid = c.id)", alias="o").column == "cid"
    assert only("(o.cid = c.id)", alias="c").column == "id"
    parsed = parse_condition("(o.cid = o.id)", alias="o")
    assert parsed is not None
    assert parsed.conditions == ()


@pytest.mark.parametrize(
    ("text", "expression", "immutable"),
    [
        ("(lower((email)::text) = 'a'::text)", "lower((email)::text)", True),
        ("((d ->> 'k'::text) = 'v'::text)", "(d ->> 'k')", True),
        ("((created_at)::date = '2024-01-01'::date)", "(created_at)::date", False),
        ("((amount + 1) = 5)", "(amount + 1)", False),
        ("(COALESCE(name, 'secret') = 'y')", "coalesce(\u2026)", False),
        (
            "(replace(name, 'secret'::text, 'x'::text) = 'y')",
            "replace(name, \u2026, \u2026)",
            False,
        ),
        ("(my_function(name) = 'y')", "my_function(name)", False),
        ('(upper("we""ird;--") = \'X\')', 'upper("we""ird;--")', True),
    ],
)
def test_wrapped_columns(text: str, expression: str, *, immutable: bool) -> None:
    wrapped = only(text).wrapped
    assert wrapped is not None
    assert (wrapped.text, wrapped.immutable) == (expression, immutable)


def test_types_decide_what_is_immutable() -> None:
    text = "(date_trunc('day'::text, t) = '2024-01-01'::timestamp)"
    local = only(text, t="timestamp without time zone").wrapped
    zoned = only(text, t="timestamp with time zone").wrapped
    assert local is not None
    assert zoned is not None
    assert (local.immutable, zoned.immutable) == (True, False)


@pytest.mark.parametrize(
    ("text", "type_", "relabels"),
    [
        ("((email)::text = 'a'::text)", "character varying(80)", True),
        ("((email)::text = '5'::text)", "integer", False),
        ("((email)::text = 'a'::text)", "uuid", False),
        ("((email)::text = 'a'::text)", "character(3)", False),
        ("((email)::inet = '::1'::inet)", "cidr", True),
    ],
)
def test_a_cast_over_a_known_type(text: str, type_: str, *, relabels: bool) -> None:
    condition = only(text, email=type_)
    assert (condition.wrapped is None) is relabels
    assert condition.certain


def test_a_cast_over_an_unknown_type() -> None:
    assert only("((email)::text = 'a'::text)").wrapped is None
    assert not only("((email)::text = 'a'::text)").certain
    assert only("((zip)::text = '12345'::text)").wrapped is None
    assert only("((user_id)::text = '5'::text)").wrapped is not None
    assert only("((id)::numeric = 5.5)").wrapped is not None


def test_patterns() -> None:
    assert only("(n ~~ 'ab%'::text)").pattern == "prefix"
    assert only("(n ~~ '%ab'::text)").pattern == "anywhere"
    assert only("(n ~~ $1)").pattern is None


@pytest.mark.parametrize(
    "text",
    [
        "(hashed SubPlan 1)",
        "(NOT (hashed SubPlan 1))",
        "(NOT (ANY (c.id = (hashed SubPlan 1).col1)))",
        "EXISTS(SubPlan 1)",
        "(alternatives: SubPlan 1 or hashed SubPlan 2)",
        "(SubPlan 1)",
        "((embedding <=> '[1,2]'::vector) < '0.5'::double precision)",
        "(t.* IS NOT NULL)",
    ],
)
def test_what_compares_no_column_is_opaque(text: str) -> None:
    parsed = parse_condition(text)
    assert parsed is not None
    assert parsed.conditions == ()


@pytest.mark.parametrize("text", ["", "garbage((", "x; DROP TABLE y", "a = 1) OR (1 = 1", "\0"])
def test_what_is_no_condition_is_none_or_harmless(text: str) -> None:
    parse_condition(text)
    assert parse_condition("garbage((") is None


@pytest.mark.parametrize("times", [1_000, 3_000, 100_000])
def test_hostile_nesting_ends(times: int) -> None:
    for text in (
        "NOT " * times + "a",
        "a" + "::int" * times + " = 1",
        "f(" * times + "a" + ")" * times,
    ):
        parse_condition(text)


def test_long_lists_are_shortened_not_refused() -> None:
    values = ",".join(str(number) for number in range(50_000))
    condition = only(f"(id = ANY ('{{{values}}}'::integer[]))")
    assert (condition.column, condition.arity) == ("id", Arity.MANY)


@settings(max_examples=100, deadline=None)
@given(st.text(alphabet="ab12 ='()<>~|%$.:,\"{}[]NOTANDORSubPlan\n", max_size=80))
def test_any_text_is_survived(text: str) -> None:
    parse_condition(text)


@settings(max_examples=100, deadline=None)
@given(st.text(st.characters(codec="utf-8", exclude_characters="\0"), min_size=1, max_size=20))
def test_any_name_survives_quoting(name: str) -> None:
    assert only(f"({quote_identifier(name)} = 1)").column == name


def test_quoting_as_postgresql_does() -> None:
    assert quote_identifier("user") == '"user"'
    assert quote_identifier("orders") == "orders"
    assert quote_identifier('a"; DROP TABLE x; --') == '"a""; DROP TABLE x; --"'
    assert quote_table("sales.Order") == 'sales."Order"'
    with pytest.raises(ValueError, match="identifier"):
        quote_identifier("")
