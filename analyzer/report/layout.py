"""SQL made readable without parsing it: line breaks before clauses, a one-line summary.

Works on any text, also one that PostgreSQL would refuse; only white space is ever changed by
`lay_out`. Long texts are cut before they are looked at, so the work is bounded.
"""

import re
from functools import lru_cache

from analyzer.patterns import regex
from analyzer.records import record
from analyzer.report.formats import cut, neutralise, one_line

_TOKEN = regex(
    r'"[^"]*+(?:""[^"]*+)*"(?!")'  # a quoted identifier
    r"|'[^']*+(?:''[^']*+)*'(?!')"  # a string
    r"|/\*[^*]*+\*++(?:[^/*][^*]*+\*++)*/"  # a comment
    r"|--[^\n]*+"  # a comment to the end of its line: what is in it is no clause
    r"|/\*[\s\S]*+"  # a comment that never ends takes the rest: looked at once
    r"|[^\W\d]\w*+|[()]|\s++|.",
    re.DOTALL,
)
_CLAUSES = frozenset(
    {"FROM", "WHERE", "GROUP", "ORDER", "HAVING", "LIMIT", "OFFSET", "UNION", "INTERSECT"}
    | {"EXCEPT", "RETURNING", "VALUES", "SET", "WINDOW", "FETCH"}
    | {"JOIN", "LEFT", "RIGHT", "INNER", "FULL", "CROSS", "NATURAL"}
)
_JOIN_WORDS = frozenset({"LEFT", "RIGHT", "INNER", "FULL", "CROSS", "NATURAL", "OUTER"})
_NO_JOIN_AFTER = frozenset({"SELECT", "DISTINCT", ",", "(", "="}) | _JOIN_WORDS
_NO_BREAK_AFTER = frozenset({"DELETE", "DISTINCT", "UPDATE", "FOR", "."})
_SIMPLE = regex(r'"([a-z_][a-z0-9_]*)"')
_PUBLIC = regex(r'(?<![\w"$])public\.(?=[\w"])')
_LONG_LIST = 40
_LOOKED_AT = 4_000
_REMEMBERED = 1_024  # statements: a page names each of them in many places


@record
class Shown:
    """A text as displayed: `hidden` counts the characters that were cut off its end."""

    text: str
    hidden: int


def display(text: str, limit: int, language: str = "sql") -> Shown:
    """Code for a block, at most `limit` characters of it; SQL gets lines of its own."""
    kept = neutralise(text[:limit])
    return Shown(lay_out(kept) if language == "sql" else kept, max(0, len(text) - limit))


@lru_cache(maxsize=_REMEMBERED)
def lay_out(sql: str) -> str:
    """The text with a line for each clause, unless it has lines of its own."""
    if "\n" in sql.strip():
        return sql
    lines: list[str] = []
    depth = 0
    previous = ""
    between = False
    for piece in _TOKEN.findall(sql):
        word = piece.upper()
        if depth == 0 and lines:
            if word in _CLAUSES and not _joined(word, previous):
                _break(lines, "\n")
            elif word in ("AND", "OR") and not between:
                _break(lines, "\n  ")
        between = word == "BETWEEN" or (between and word != "AND")
        depth = _depth(depth, piece)
        lines.append(piece)
        previous = previous if piece.isspace() else word
    return "".join(lines)


def _depth(depth: int, piece: str) -> int:
    return max(0, depth + (piece == "(") - (piece == ")"))


def _joined(word: str, previous: str) -> bool:
    """Whether the word belongs on the line of the word before: LEFT JOIN, DELETE FROM, left(…)."""
    if word in _JOIN_WORDS or word == "JOIN":
        return previous in _NO_JOIN_AFTER
    return previous in _NO_BREAK_AFTER


def _break(pieces: list[str], line: str) -> None:
    if pieces[-1].isspace():
        pieces[-1] = line


def brief(sql: str, width: int) -> str:
    """A statement on one line: a long select list is left out, quotes around plain names too."""
    return cut(_shortened(sql[:_LOOKED_AT]), width)


@lru_cache(maxsize=_REMEMBERED)
def _shortened(sql: str) -> str:
    text = _without_list(one_line(sql))
    return _PUBLIC.sub("", _SIMPLE.sub(r"\1", text))


def _without_list(text: str) -> str:
    """`SELECT a, b, c … FROM t` as `SELECT … FROM t` where the list is long."""
    if text[:7].upper() != "SELECT ":
        return text
    depth = 0
    for found in _TOKEN.finditer(text):
        depth = _depth(depth, found[0])
        if depth == 0 and found[0].upper() == "FROM" and found.start() > _LONG_LIST:
            return f"{text[:6]} … {text[found.start() :]}"
    return text
