"""The tokens of a text: nothing lost, and refusal where the text cannot be read to its end."""

import pytest
import statements_strategy as sql
from hypothesis import given, settings

from analyzer.sql.tokens import Unbalanced, tokens


def _kinds(text: str) -> list[tuple[str, str]]:
    return [(kind, token) for _, kind, token, _ in tokens(text)]


def test_every_kind() -> None:
    assert _kinds("a1 'b' E'\\'' $$c$$ 5 $2 -- d\n/* e */ f[1] \"2\"") == [
        ("string", "'b'"),
        ("escaped", "E'\\''"),
        ("dollar", "$$c$$"),
        ("number", "5"),
        ("parameter", "$2"),
        ("comment", "-- d"),
        ("comment", "/* e */"),
        ("kept", "1"),
        ("end", ""),
    ]


@pytest.mark.parametrize(
    ("text", "read", "offset"),
    [
        ("SELECT 1, 'a", 8, 10),
        ('SELECT 1, "a', 8, 10),
        ("SELECT 1, /* a", 8, 10),
        ("SELECT 1, /* a /* b */ */", 8, 10),
        ("SELECT 1, $a$ b", 8, 10),
        ("SELECT 1, U&'a'", 8, 10),
        ("SELECT E'a' -- b\n'c'", 16, 17),
    ],
)  # fmt: skip
def test_what_is_refused_says_where(text: str, read: int, offset: int) -> None:
    with pytest.raises(Unbalanced) as refused:
        list(tokens(text))
    assert (refused.value.read, refused.value.offset) == (read, offset)


@settings(max_examples=1000, deadline=None)
@given(sql.texts())
def test_tokens_add_up_to_the_text(text: str) -> None:
    position = 0
    refused = None
    try:
        for plain, _, token, offset in tokens(text):
            assert text[position:offset] == plain
            position = offset + len(token)
            assert text.startswith(token, offset)
    except Unbalanced as error:
        refused = error
    if refused:
        assert position == refused.read <= refused.offset <= len(text)
    else:
        assert position == len(text)
