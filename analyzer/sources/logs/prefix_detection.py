"""Find out the log_line_prefix that wrote some lines, by trying settings on them.

Candidates are settings seen in the wild and settings inferred from the lines themselves: a line's
prefix is cut into tokens (time, [pid], user@database, key=value …) and each becomes its escape.
The candidate that explains nearly all sample lines with the most fields wins.
"""

import re
from collections.abc import Sequence

from analyzer.errors import UsageError
from analyzer.patterns import regex
from analyzer.records import record
from analyzer.sources.logs.prefix import (
    FIELDS,
    SEVERITIES,
    Prefix,
    compile_prefix,
    fields_given,
    first_literals,
)

MATCHING = 0.95  # the share of sample lines that a prefix must explain
_SAMPLES = 300
_INFERRED_FROM = 24
_LONGEST_PREFIX = 1000

WELL_KNOWN = (
    "%m [%p] ",
    "%m [%p] %q%u@%d ",
    "%t [%p] ",
    "%t [%p] %q%u@%d ",
    "%t [%p-%l] %q%u@%d ",
    "%t:%r:%u@%d:[%p]:",
    "%m [%p] %q%u@%d/%a ",
    "%m [%p] %q%u@%d/%a %Q ",
    "%m [%p] %q%u@%d app=%a ",
    "%m [%p] %q[user=%u,db=%d,app=%a] ",
    "%m [%p] %u@%d app=%a vxid=%v xid=%x sid=%c line=%l ",
    "%t [%p]: [%l-1] user=%u,db=%d ",
    "%t [%p]: [%l-1] user=%u,db=%d,app=%a,client=%h ",
    "%t [%p]: user=%u,db=%d,app=%a,client=%h ",
    "%t [%p]: [%l-1] db=%d,user=%u,app=%a,client=%h ",
    "%m [%p]: [%l-1] db=%d,user=%u,app=%a,client=%h ",
    "%m [%p] %e: db=%d,user=%u,app=%a,client=%h ",
    "%m [%p] %a ",
    "%m [%p] %q%a ",
    "%m %u@%d [%p] ",
    "%m [%c] %q%u@%d ",
    "%n [%p] ",
)

_SEVERITY = regex(rb"(?<![A-Za-z])(?:" + SEVERITIES + rb"):  ")
_KEYS = {
    **dict.fromkeys(("user", "usr", "u", "username"), "%u"),
    **dict.fromkeys(("db", "database", "dbname", "d"), "%d"),
    **dict.fromkeys(("app", "application", "appname", "application_name", "a"), "%a"),
    **dict.fromkeys(("client", "host", "remote", "rhost", "h", "ip", "from", "client_ip"), "%h"),
    **dict.fromkeys(("sid", "session", "session_id", "sess"), "%c"),
    **dict.fromkeys(("line", "l", "ln", "line_num"), "%l"),
    **dict.fromkeys(("vxid", "vx", "v", "vtxid"), "%v"),
    **dict.fromkeys(("xid", "txid", "tx", "x", "trx"), "%x"),
    **dict.fromkeys(("pid", "p", "process"), "%p"),
    **dict.fromkeys(("qid", "queryid", "query_id", "query"), "%Q"),
    **dict.fromkeys(("state", "sqlstate", "code", "e", "error"), "%e"),
    **dict.fromkeys(("cmd", "tag", "ps", "command"), "%i"),
    **dict.fromkeys(("backend", "type", "backend_type", "btype"), "%b"),
    **dict.fromkeys(("leader", "leader_pid"), "%P"),
    **dict.fromkeys(("start", "session_start"), "%s"),
}
_DAY = r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d"
_ZONE = r"(?: (?:[A-Za-z]{1,6}|[+-]\d\d(?::?\d\d)?))?(?![\w+-])"
_WORD = r"[^\s@/,;|=:()\[\]]"
# What a token looks like and the escapes it may be, in the order in which they are tried.
_TOKENS: tuple[tuple["re.Pattern[str]", str], ...] = tuple(
    (regex(pattern), escapes)
    for pattern, escapes in (
        (rf"{_DAY}\.\d{{3}}{_ZONE}", "%m"),
        (rf"{_DAY}{_ZONE}", "%t"),
        (r"\d{10}\.\d{3}(?!\d)", "%n"),
        (r"[0-9a-f]{8}\.[0-9a-f]{1,7}(?![\w.])", "%c"),
        (r"\[\d+(?=\])", "[%p"),
        (r"\[\d+-1(?=\])", "[%l-1"),
        (r"\[\d+-\d+(?=\])", "[%p-%l"),
        (rf"(?:\[unknown\]|{_WORD}+)?@(?:\[unknown\]|{_WORD}+)?", "%u@%d"),
        (r"(?:\[local\]|[0-9A-Fa-f.:]+\(\d+\)|[\w.-]+\(\d+\))", "%r"),
        (r"(?:\d{1,3}\.){3}\d{1,3}", "%h"),
        (r"\d+/\d+", "%v"),
        (r"-?\d{14,20}(?![\w.])", "%Q"),
        (r"(?:00000|(?=\d+[A-Z])\d{2}[0-9A-Z]{3})(?![\w.])", "%e"),
        (r"\[unknown\]", "%a"),
    )
)
# A text matches nearly anything, a number or an id only what it should.
_WEIGHTS = tuple(1 if name in ("user", "database", "application") else 3 for name in FIELDS)
_ESCAPE = regex(r"%[A-Za-z]")
_KEY = regex(r"([A-Za-z_]{1,20})=")
_VALUE_END = regex(r"[\s,;|\])]+[A-Za-z_]{1,20}=|[\s,;|\]):-]*\Z")
_NUMBER = regex(r"\d+")
_PLAIN = regex(r"(?:(?!\[unknown\])[\s\[\](),;:|/<>{}#*~-])+")
# Behind a free text may stand a session, the number of its line, and a query's id.
_FREE_TEXT = regex(
    r".+?(?=(?:\s+[0-9a-f]{8}\.[0-9a-f]{1,7}(?:\s+\d{1,10})?)?(?:\s+-?\d{14,20})?[\s:,;|\]-]*\Z)",
    re.DOTALL,
)


@record
class Detected:
    """A prefix with the number of sample lines it explains, of how many."""

    prefix: Prefix
    matching: int
    samples: int

    @property
    def evidence(self) -> str:
        """In words, for coverage."""
        return (
            f"log_line_prefix {self.prefix.text!r} detected: "
            f"it explains {self.matching} of {self.samples} sample lines"
        )


def sample_lines(head: bytes) -> list[bytes]:
    """The lines at the head of a log that begin an entry: a severity near the line's start."""
    lines = []
    for line in head.split(b"\n"):
        if not line.startswith(b"\t") and _SEVERITY.search(line, 0, _LONGEST_PREFIX):
            lines.append(line)
            if len(lines) == _SAMPLES:
                break
    return lines


def detect_prefix(head: bytes) -> Detected | None:
    """The log_line_prefix of the lines at the head of a log; None if none explains them."""
    lines = sample_lines(head)
    if not lines:
        return None
    best, most = None, (0, 0)  # the worth, and of equal worth the first
    could_be = [
        (_worth(text) * len(lines), -number, text) for number, text in enumerate(_candidates(lines))
    ]
    for limit, place, text in sorted(could_be, reverse=True):
        if (limit, place) <= most:  # most settings: not worth compiling
            continue
        fields, matching = _score(text, lines)
        if (fields, place) > most and fields:
            best, most = (text, matching), (fields, place)
    return None if best is None else Detected(compile_prefix(best[0]), best[1], len(lines))


def _worth(text: str) -> int:
    """The worth of a line that gives all the fields of a setting; each has a severity."""
    given = fields_given(text) | {"severity"}
    return sum(weight for name, weight in zip(FIELDS, _WEIGHTS, strict=True) if name in given)


def _score(text: str, lines: Sequence[bytes]) -> tuple[int, int]:
    """The worth of the fields that all lines give, and how many lines match; (0, 0): too few."""
    if not _is_like(lines, first_literals(text)):  # most settings: not worth a pattern
        return 0, 0
    try:
        prefix = compile_prefix(text, strict=True)
    except UsageError:
        return 0, 0
    match = prefix.entry.match
    matching = fields = failed = 0
    for line in lines:
        found = match(line)
        if found:
            matching += 1
            values = zip(_WEIGHTS, found.group(*prefix.groups), strict=True)
            fields += sum(weight for weight, value in values if value is not None)
        else:
            failed += 1
            if failed > (1 - MATCHING) * len(lines):
                return 0, 0
    return fields, matching


def _is_like(lines: Sequence[bytes], literals: Sequence[bytes]) -> bool:
    """Whether enough of the lines have all the literals, one behind the other."""
    left = (1 - MATCHING) * len(lines)
    for line in lines:
        if not _holds(line, literals):
            left -= 1
            if left < 0:
                return False
    return True


def _holds(line: bytes, literals: Sequence[bytes]) -> bool:
    """Whether a line has all the literals, one behind the other."""
    place = 0
    for literal in literals:
        place = line.find(literal, place)
        if place < 0:
            return False
        place += len(literal)
    return True


def _candidates(lines: Sequence[bytes]) -> list[str]:
    """Well-known settings, then inferred ones, each also with %q at every place it could have."""
    candidates = dict.fromkeys(WELL_KNOWN)
    prefixes: dict[str, str] = {}
    for line in lines:
        found = _SEVERITY.search(line, 0, _LONGEST_PREFIX)
        if found:
            text = line[: found.start()].decode("utf-8", "replace")
            prefixes.setdefault(re.sub(r"\w+", "w", text), text)
    # The longest say most: a background process's lines lack user and database.
    for text in sorted(prefixes.values(), key=len, reverse=True)[:_INFERRED_FROM]:
        inferred = _infer(text)
        if inferred:
            candidates[inferred] = None
            for place in re.finditer(r"(?<=[\s\]:])(?=[%\[\w(<])", inferred):
                with_q = inferred[: place.start()] + "%q" + inferred[place.start() :]
                if re.search(r"%[mtn].*%q", with_q):
                    candidates[with_q] = None
    return list(candidates)


def _infer(text: str) -> str | None:
    """The setting that one line's prefix looks like, None if it has no time."""
    parts: list[str] = []
    used: set[str] = set()
    position = 0
    while position < len(text):
        length, part = _next_token(text, position, used)
        parts.append(part)
        used.update(_ESCAPE.findall(part))
        position += length
    setting = "".join(parts)
    return setting if used & {"%m", "%t", "%n"} else None


def _next_token(text: str, position: int, used: set[str]) -> tuple[int, str]:
    """The length of the token at `position` and what stands for it in the setting."""
    key = _KEY.match(text, position)
    if key and key[1].lower() in _KEYS:
        return _keyed(text, key)
    for pattern, escapes in _TOKENS:
        found = pattern.match(text, position)
        if found and found.group():
            if escapes in ("%m", "%t") and used & {"%m", "%t", "%n"}:
                return len(found.group()), "%s"
            if not used & set(_ESCAPE.findall(escapes)):
                return len(found.group()), escapes
    return _other(text, position, used)


def _keyed(text: str, key: "re.Match[str]") -> tuple[int, str]:
    escape = _KEYS[key[1].lower()]
    end = _VALUE_END.search(text, key.end())
    stop = end.start() if end else len(text)
    if "(" in text[key.end() : stop] and text[stop : stop + 1] == ")":
        stop += 1  # of host(port)
    value = text[key.end() : stop]
    if escape == "%h" and "(" in value:
        escape = "%r"
    if escape == "%x" and "/" in value:
        escape = "%v"
    return stop - key.start(), key.group() + escape


def _other(text: str, position: int, used: set[str]) -> tuple[int, str]:
    number = _NUMBER.match(text, position)
    if number and "%p" not in used:
        return len(number.group()), "%p"
    if number:
        return len(number.group()), "%l" if "%l" not in used else "%x"
    plain = _PLAIN.match(text, position)
    if plain:
        return len(plain.group()), plain.group()
    free = _FREE_TEXT.match(text, position) if "%a" not in used else None
    if free:
        return len(free.group()), "%a"
    return 1, text[position].replace("%", "%%")
