"""Values that are written as words, names or lines: what is hidden, and what has to stay readable."""

import pytest

from analyzer.errors import UsageError
from analyzer.model.lines import error_of, form_of
from analyzer.model.names import plain_path, shown_name
from analyzer.report.placeholders import VARIABLE, Placeholders
from analyzer.report.redaction import Redactor
from analyzer.sql.identity import identify
from analyzer.sql.redact import normalise, with_shown_comments


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("SET myapp.token TO acme", "SET myapp.token TO ?"),
        ("SET search_path TO public, acme", "SET search_path TO public, ?"),
        ('SET search_path = "acme", public', "SET search_path = ?, public"),
        ("set local role acme", "set local role ?"),
        ("ALTER ROLE bob SET search_path TO acme", "ALTER ROLE bob SET search_path TO ?"),
        ("SET client_min_messages TO warning", "SET client_min_messages TO warning"),
        ("UPDATE t SET a = b WHERE c = 1", "UPDATE t SET a = b WHERE c = $1"),
        ('SELECT 1 FROM t WHERE a = "bob@mail.example"', 'SELECT $1 FROM t WHERE a = "?"'),
        ('SELECT "Count of rows", "a->b" FROM t', 'SELECT "Count of rows", "a->b" FROM t'),
    ],
)
def test_words_that_are_values(text: str, shown: str) -> None:
    assert normalise(text) == shown


def test_words_compared_in_a_text_that_cannot_be_parsed() -> None:
    text = "SELECT * FROM a JOIN b ON a.id = b.x WHERE name = John Smith AND x = 3 AND"
    shown = "SELECT * FROM a JOIN b ON a.id = b.x WHERE name = ? AND x = $1 AND"
    assert identify(text).sql == shown
    assert identify("SELECT * FROM a WHERE name = other_name").sql.endswith("name = other_name")


@pytest.mark.parametrize(
    ("path", "route"),
    [
        ("/accounts/42/orders?token=x#y", "/accounts/{id}/orders"),
        ("/u/bob@mail.example/", "/u/{id}/"),
        ("https://u:p@h.example/x/7", "/x/{id}"),
        ("/x/550e8400-e29b-41d4-a716-446655440000", "/x/{id}"),
        ("/invite/eyJhbGciOiJIUzI1NiJ9/accept", "/invite/{id}/accept"),
        ("/api/v2/s3/quarterly-report-2024", "/api/v2/s3/quarterly-report-2024"),
        ("books#show", "books#show"),
        ("GET /carts/77?coupon=x", "GET /carts/{id}"),
        ("/a/*/b/42", "/a/*/b/{id}"),
        ("/users/:id", "/users/:id"),
        ("^a/(?P<id>[0-9]+)/$", "^a/(?P<id>[0-9]+)/$"),
    ],
)
def test_routes_hold_no_values(path: str, route: str) -> None:
    assert plain_path(path) == route
    assert plain_path(route) == route


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("worker 12", "worker 12"),
        ("pgadmin 4 - DB:postgres", "pgadmin 4 - DB:postgres"),
        ("celery@host-1", "celery@host-1"),
        ("worker sk_live_4eC39HqLyjWD", "worker ?"),
        ("app - 10.0.0.5:54321", "app - ?"),
        ("app token=abc", "app token=?"),
        ("bob@mail.example", "?"),
        ("2001:db8::1", "?"),
    ],
)
def test_names_of_applications_hold_no_tokens(name: str, shown: str) -> None:
    assert shown_name(name) == shown


def test_lines_that_cannot_be_read_keep_their_form() -> None:
    line = "2026-11-22 08:00:00.005 UTC [7] app@db web LOG:  duration: 1 ms  statement: SELECT 'x'"
    assert form_of(line) == "2026-11-22 08:00:00.005 UTC [7] app@db web LOG: …"
    assert form_of("Dear diary, bob@mail.example 'x' token=y") == "Dear diary, ? '…' token=?"
    assert form_of('{"a": "x", "b": {"c": 5}}') == '{"a": …, "b": …, "c": …}'
    assert form_of('1,"SELECT x",many') == '1,"…" …'


def test_errors_keep_names_and_lose_values() -> None:
    said = 'ERROR: duplicate key value violates unique constraint "a_key"\nDETAIL: Key (email)=(bob) exists'
    assert "bob" not in error_of(said)
    assert '"a_key"' in error_of(said)
    assert error_of('invalid input syntax for type integer: "abc"').endswith('"…"')
    assert error_of("Failing row contains (1, f(x), bob).") == "Failing row contains (…)."


def test_comments_keep_their_tags_and_lose_values() -> None:
    text = "SELECT $1 -- secret\nFROM t /* secret */ WHERE a IN ($2 /*, ... */)"
    assert with_shown_comments(text) == "SELECT $1  \nFROM t   WHERE a IN ($2 /*, ... */)"
    kept = "SELECT $1 /* route='/orders' */ /* pg95:ignore n-plus-one */"
    assert with_shown_comments(kept) == kept
    tagged = "SELECT $1 /*route='%2Fa%2F42',user='secret',action='index'*/"
    assert with_shown_comments(tagged) == "SELECT $1  /*route='/a/{id}',action='index'*/ "


def test_equal_values_have_one_name_that_tells_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(VARIABLE, raising=False)
    redactor = Redactor.of("stable")
    first = redactor.text("a = 'it''s' OR b = E'it\\'s' OR c = $x$it's$x$ OR d = 'other'")
    assert first == "a = ?1 OR b = ?1 OR c = ?1 OR d = ?2"
    assert redactor.parameter("'other'") == "?2"
    assert redactor.parameter("5") == redactor.parameter("'5'")
    # Nothing of the value is in the name: other values in the same places have the same names.
    assert Redactor.of("stable").text("a = 'x' OR b = 'x'") == "a = ?1 OR b = ?1"
    assert all(type(kept) is bytes for kept in redactor.stable._numbers)  # type: ignore[union-attr]


def test_a_given_key_makes_names_that_reports_share(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(VARIABLE, "0123456789abcdef")
    one, other = Redactor.of("stable"), Redactor.of("stable")
    assert one.parameter("bob") == other.parameter("'bob'") != one.parameter("ann")
    assert one.parameter("bob") != Placeholders(b"another key, as long").of("bob")
    monkeypatch.setenv(VARIABLE, "short")
    with pytest.raises(UsageError, match="openssl rand"):
        Redactor.of("stable")
