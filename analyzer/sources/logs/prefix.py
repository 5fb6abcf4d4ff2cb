"""log_line_prefix: the setting compiled to a pattern that takes stderr lines apart.

Escapes as in PostgreSQL's documentation (log_line_prefix, versions 10 to 18). The pattern is on
bytes and bounded: texts that clients choose (application name, user, database) are at most
_TEXT long and end at the literal that follows them in the setting, and only texts followed by
white space may be tried at several lengths.
"""

import re

from analyzer.errors import UsageError
from analyzer.patterns import regex
from analyzer.records import record

FIELDS = (
    "time",
    "process",
    "session",
    "line",
    "user",
    "database",
    "application",
    "query_id",
    "code",
    "severity",
)
SEVERITIES = (
    rb"LOG|DETAIL|STATEMENT|ERROR|WARNING|FATAL|PANIC|HINT|CONTEXT|QUERY|NOTICE|INFO|LOCATION"
    rb"|DEBUG[1-5]?|COMMERROR"
)
BELONGING = frozenset((b"DETAIL", b"STATEMENT", b"HINT", b"CONTEXT", b"QUERY", b"LOCATION"))

_TEXT = 128  # bytes; NAMEDATALEN is 64 unless PostgreSQL was built otherwise
_HOST = 256
_DAY = rb"\d{4}-[\d :-]{14}"  # the clock judges it; one repeated class is quick
_ZONE = rb"(?: [A-Za-z0-9+\-/_<>]{1,40})?"

# As in analyzer.sources.logs.meaning, which reads it where a format has no pattern of its own.
_DURATION = (
    rb"(?:duration: (?P<duration>\d{1,12}(?:\.\d{1,9})?) ms"
    rb"(?:  (?P<kind>[a-z]++)(?: [^\n]*?)?:(?: |(?=\r?\n)))?)?"
)

FRAMED_LINES = 1000
_MESSAGE = rb"(?P<message>[^\n]*+(?:\n\t[^\n]*+){0,%d})\n" % FRAMED_LINES

# Escape: the pattern of its value. %u %d %a %i %b are in _free.
_VALUES: dict[str, tuple[str | None, bytes]] = {
    "m": ("time", _DAY + rb"[.,]\d{3}" + _ZONE),
    "t": ("time", _DAY + _ZONE),
    "n": ("time", rb"\d{9,11}\.\d{3}"),
    "s": (None, _DAY + _ZONE),
    "p": ("process", rb"\d{1,10}"),
    "P": (None, rb"\d{0,10}"),
    "c": ("session", rb"[0-9a-f]{1,16}\.[0-9a-f]{1,8}"),
    "l": ("line", rb"\d{1,19}"),
    "v": (None, rb"(?:\d{1,10}/\d{1,19})?"),
    "x": (None, rb"\d{0,20}"),
    "e": ("code", rb"[0-9A-Z]{5}"),
    "Q": ("query_id", rb"-?\d{1,20}"),
    "h": (None, rb"[^\s,;|()]{0,%d}" % _HOST),
    "L": (None, rb"[^\s,;|()]{0,%d}" % _HOST),
    "r": (None, rb"[^\s,;|()]{0,%d}(?:\(\d{1,5}\))?" % _HOST),
}
_FREE = {"u": "user", "d": "database", "a": "application", "i": None, "b": None}
_TOKEN = regex(r"%(-?\d{1,3})?([A-Za-z%])|([^%]+|%)")


@record
class Prefix:
    """A compiled log_line_prefix. `entry` matches from a line's start to its message's start.

    `groups` are the numbers of the FIELDS' groups in both patterns, in that order; one that the
    setting does not give is always None. `fields` are those it gives. `whole` is the expression of
    a prefix that has all, also what %q leaves out of entries that belong to no session.
    """

    text: str
    entry: "re.Pattern[bytes]"
    groups: tuple[int, ...]
    fields: frozenset[str]
    whole: bytes

    @property
    def framed(self) -> "re.Pattern[bytes]":
        """Matches what `entry` does, then the message with its continuation lines and the newline.

        Continuation lines begin with a TAB; up to FRAMED_LINES are taken, as each costs the
        expression memory. The groups "duration" and "kind" are the duration at the message's start
        and of what it is, "message" is what follows them. Compiled when it is asked for: detection
        tries dozens of settings and needs it of none.
        """
        return re.compile(self.entry.pattern + _DURATION + _MESSAGE)


def compile_prefix(text: str, *, strict: bool = False) -> Prefix:
    """Compile a log_line_prefix; `strict` has no white space in user and database (detection).

    Raises:
        UsageError: it has no time, without which executions cannot be placed.
    """
    tokens = _tokens(text)
    parts: list[bytes] = []
    given: set[str] = set()
    optional: int | None = None  # how many parts there are before %q
    for position, (escape, padding, literal) in enumerate(tokens):
        if literal is not None:
            parts.append(re.escape(literal.encode()))
        elif escape == "q":
            optional = len(parts) if optional is None else optional
        else:
            after = tokens[position + 1][2] if position + 1 < len(tokens) else None
            name, value = _value(escape, (after or "").encode(), strict=strict)
            if name is not None and name not in given:
                given.add(name)
                value = b"(?P<%s>%s)" % (name.encode(), value)
            pad = rb"[ ]{0,%d}" % _TEXT
            parts.append(value if padding is None else pad + value + pad)
    if "time" not in given:
        raise UsageError(
            f"the log_line_prefix {text!r} has no time (%m, %t or %n): executions cannot be "
            "placed; give the server's setting as SHOW log_line_prefix prints it"
        )
    whole = b"".join(parts)
    if optional is None:
        return _compiled(text, whole, whole, frozenset(given))
    body = b"%s(?:%s)?" % (b"".join(parts[:optional]), b"".join(parts[optional:]))
    return _compiled(text, body, whole, frozenset(given))


def first_literals(text: str) -> list[bytes]:
    """The literals of a log_line_prefix in their order; only those that every line has (up to %q)."""
    literals = []
    for escape, _, literal in _tokens(text):
        if escape == "q":
            break
        if literal is not None:
            literals.append(literal.encode())
    return literals


def fields_given(text: str) -> set[str]:
    """The FIELDS that a log_line_prefix has an escape for."""
    names = (_VALUES[one][0] if one in _VALUES else _FREE.get(one) for one, _, _ in _tokens(text))
    return {name for name in names if name}


def native_steps(text: str) -> list[tuple[str, str, bytes]] | None:
    """A log_line_prefix as steps for the native scanner: (escape, field or "", literal).

    A step is an escape or a literal. None for a setting whose fields it cannot tell apart: padded
    ones, and texts that no literal ends.
    """
    steps: list[tuple[str, str, bytes]] = []
    given: set[str] = set()
    for escape, padding, literal in _tokens(text):
        if literal is not None:
            steps.append(("", "", literal.encode()))
        elif escape != "q":
            if padding is not None:
                return None
            name = _VALUES[escape][0] if escape in _VALUES else _FREE[escape]
            field = name if name is not None and name not in given else ""
            given.add(field)
            steps.append((escape, field, b""))
    for (escape, _, _), (_, _, after) in zip(steps, [*steps[1:], ("", "", b"")], strict=True):
        if escape in _FREE and not after:
            return None
    return steps


def _compiled(text: str, body: bytes, whole: bytes, given: frozenset[str]) -> Prefix:
    # One group that never matches stands for all fields that the setting does not give.
    body += b"(?P<absent>(?!))?(?P<severity>" + SEVERITIES + b"):  ?"
    entry = re.compile(body)
    absent = entry.groupindex["absent"]
    return Prefix(
        text=text,
        entry=entry,
        groups=tuple(entry.groupindex.get(name, absent) for name in FIELDS),
        fields=given,
        whole=whole,
    )


def _tokens(text: str) -> list[tuple[str, str | None, str | None]]:
    """(escape, padding, None) or ("", None, literal), neighbouring literals joined."""
    tokens: list[tuple[str, str | None, str | None]] = []
    for padding, escape, literal in _TOKEN.findall(text):
        written = "%" if escape == "%" else literal
        if not written:
            known = escape in _VALUES or escape in _FREE or escape == "q"
            if known:  # PostgreSQL leaves out escapes that it does not know
                tokens.append((escape, padding or None, None))
        elif tokens and tokens[-1][2] is not None:
            tokens[-1] = ("", None, tokens[-1][2] + written)
        else:
            tokens.append(("", None, written))
    return tokens


def _value(escape: str, after: bytes, *, strict: bool) -> tuple[str | None, bytes]:
    """The field's name and the pattern of its value; `after` is the literal that follows it."""
    if escape in _VALUES:
        return _VALUES[escape]
    name = _FREE[escape]
    if len(after) == 1 and after.strip():  # as below, and quicker
        return name, rb"[^\n%s]{0,%d}" % (re.escape(after), _TEXT)
    if after.strip():
        return name, rb"(?:(?!%s)[^\n]){0,%d}" % (re.escape(after), _TEXT)
    if escape in "ud" and strict:
        return name, rb"[^\s/,;|=]{0,%d}" % _TEXT
    if escape == "b":
        return name, rb"[a-z ]{0,48}?"
    return name, rb"[^\n]{0,%d}?" % (64 if escape == "i" else _TEXT)
