"""A line of a log that could not be read, as a message may show it: its form, without what it holds.

What helps to recognise a format is the beginning of a line: its time, process, names and punctuation. What
follows is the server's message or the application's, which quotes values.
"""

import re

from analyzer.model.names import HIDDEN, is_value
from analyzer.patterns import regex

_REST = "…"
# From here on an entry is the message: PostgreSQL's levels, and what introduces a statement or values.
_MESSAGE = regex(
    r"\b((?:LOG|ERROR|FATAL|PANIC|WARNING|NOTICE|INFO|DEBUG\d?|DETAIL|HINT|STATEMENT|CONTEXT|QUERY|LOCATION)\s?:"
    r"|statement:|execute\b|parameters\b|args=|duration:\s[\d.]+\s?ms)",
)
_QUOTED = regex(r'"(?:[^"\\]|\\.|"")*+(?:"|\Z)|\'(?:[^\'\\]|\\.|\'\')*+(?:\'|\Z)')
_JSON_KEY = regex(r'"([\w.$@\-]{1,64})"(?=\s*:)')
_STATEMENT = regex(
    r"\b(?:select|insert|update|delete|with|values|copy|create|alter|set)\s.*",
    re.IGNORECASE | re.DOTALL,
)
_WORD = regex(r"[^\s,;:|()\[\]{}<>]+")
_ASSIGNED = regex(r"(?<=[A-Za-z_])([=:])(?=[^\s=])[^\s,;&]+")
_KEY = regex(r"(\)\s?=\s?|\bcontains )\((?:[^()]++|\([^()]*+\))*\)?")
_SINGLE = regex(r"'(?:[^']|'')*+(?:'|\Z)")
# PostgreSQL puts names and values in the same quotes; the word before them tells which it is.
_DOUBLE = regex(
    r"""(\b(?:relation|column|table|view|constraint|index|type|schema|function|role|database|enum|sequence|extension)\s)?"[^"]*+(?:"|\Z)"""
)
_NUMBER = 12  # digits: a time in microseconds has 16, and says nothing of what is wrong


def form_of(line: str) -> str:
    """The line's form: quoted texts, what is assigned, ids and addresses are hidden, and the message is cut off."""
    if line.lstrip().startswith(("{", "[{")):
        return _json_form(line)
    found = _MESSAGE.search(line)
    head = line[: found.end()] if found else line
    cut = bool(found and line[found.end() :].strip())
    statement = _STATEMENT.search(head)
    if statement:
        head, cut = head[: statement.start()].rstrip(), True
    head = _QUOTED.sub(lambda quoted: quoted[0][0] + _REST + quoted[0][0], head)
    head = _ASSIGNED.sub(rf"\1{HIDDEN}", head)
    head = _WORD.sub(_shown_word, head)
    return f"{head} {_REST}" if cut else head


def error_of(text: str) -> str:
    """What a server said of a failure, without the values that it quotes: names of tables and the like stay."""
    text = _KEY.sub(lambda found: f"{found[1]}(…)", text)
    text = _SINGLE.sub("'…'", text)
    return _DOUBLE.sub(lambda found: found[0] if found[1] else '"…"', text)


def _json_form(line: str) -> str:
    """The names of a JSON object's fields."""
    names = [found[1] for found in _JSON_KEY.finditer(line)]
    return "{" + ", ".join(f'"{name}": {_REST}' for name in names) + "}"


def _shown_word(found: re.Match[str]) -> str:
    word = found[0]
    is_number = word.replace(".", "").replace("-", "").isdigit() and len(word) <= _NUMBER
    return word if is_number or not is_value(word) else HIDDEN
