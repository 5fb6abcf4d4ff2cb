"""How an stderr entry looks inside a record, and what its log_line_prefix lacks."""

from collections.abc import Iterable

from analyzer.patterns import regex
from analyzer.records import record
from analyzer.sources.logs.prefix import SEVERITIES

LONGEST_PREFIX = 1000  # bytes before the severity

# PostgreSQL writes two spaces after a severity; a piece that was cut there ends with the first.
_END = rb"):(?:  | ?\Z)"
SEVERITY = regex(rb"(?<![A-Za-z])(" + SEVERITIES + _END)
BELONGING = regex(rb"(?<![A-Za-z])(?:DETAIL|HINT|QUERY|CONTEXT|LOCATION|STATEMENT|BACKTRACE" + _END)
ENTRY = regex(
    rb"(?<![A-Za-z])(?:LOG|ERROR|FATAL|PANIC|WARNING|NOTICE|INFO|DEBUG[1-5]?|COMMERROR" + _END
)
_TIME = regex(rb"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d|(?<!\d)\d{10}\.\d{3}(?!\d)")
_SESSION = regex(rb"(?<![\w.])[0-9a-f]{8}\.[0-9a-f]{1,7}(?![\w.])")
_NUMBER = regex(rb"\d+")
_TAB_EXPANDED = b" " * 8  # as journalctl writes a TAB
_TELLING = 8  # bytes of a prefix; its line number (%l) may differ
_SAMPLES = 300


@record
class Missing:
    """What the log_line_prefix of the inner lines does not give, and the outer record does."""

    time: bool
    process: bool


def missing(samples: Iterable[tuple[bytes, bytes]]) -> Missing | None:
    """What most entries lack, of (process id of the outer record, text of the entry).

    A process id counts as given where the prefix has it or a session id. None: there is no entry
    among the samples.
    """
    entries = timed = named = 0
    for process, text in samples:
        found = ENTRY.search(text, 0, LONGEST_PREFIX)
        if found is None or not begins_entry(text):
            continue
        prefix = text[: found.start()]
        entries += 1
        timed += _TIME.search(prefix) is not None
        numbers = _NUMBER.findall(prefix)
        named += not process or process in numbers or _SESSION.search(prefix) is not None
        if entries == _SAMPLES:
            break
    if not entries:
        return None
    return Missing(time=timed * 2 < entries, process=named * 2 < entries)


def begins_further_line(line: bytes, first: bytes | None = None) -> bool:
    """Whether a line is DETAIL or its like, with a prefix of its own.

    `first` is its entry's first line, if known: it has the same prefix.
    """
    if line[:1] == b"\t" or line.startswith(_TAB_EXPANDED):
        return False
    found = BELONGING.search(line, 0, LONGEST_PREFIX)
    if found is None:
        return False
    if first is None:
        return True
    if not found.start():  # the prefix is empty
        return SEVERITY.match(first) is not None
    same = min(found.start(), _TELLING)
    return line[:same] == first[:same]


def begins_entry(line: bytes) -> bool:
    """Whether a line has a severity, and is no continuation line."""
    if line[:1] == b"\t" or line.startswith(_TAB_EXPANDED):
        return False
    return ENTRY.search(line, 0, LONGEST_PREFIX) is not None


def continued(line: bytes) -> bytes:
    """A continuation line with its TAB, where a collector took it or made it spaces."""
    return line if line[:1] == b"\t" else b"\t" + line.removeprefix(_TAB_EXPANDED)


def entry_lines(head: bytes, text: bytes) -> bytes:
    r"""An entry as stderr has it, with `head` before its prefix; no newline at its end.

    In a record its lines are parted by newlines: those of DETAIL and its like have a prefix of
    their own, and all others have the TAB that PostgreSQL put there, or none has.
    """
    if b"\n" not in text:
        return head + text if head else text
    first, *rest = text.rstrip(b"\n").split(b"\n")
    further = [begins_further_line(line, first) for line in rest]
    own = [line for line, new in zip(rest, further, strict=True) if not new]
    if all(line[:1] == b"\t" for line in own):
        tab, drop = b"", b""
    else:
        tab = b"\t"
        drop = _TAB_EXPANDED if all(line.startswith(_TAB_EXPANDED) for line in own) else b""
    lines = [head + first]
    lines += (
        head + line if new else tab + line.removeprefix(drop)
        for line, new in zip(rest, further, strict=True)
    )
    return b"\n".join(lines)


def indented(text: bytes) -> bytes:
    """A text behind a severity: a TAB after each newline."""
    return text.replace(b"\n", b"\n\t") if b"\n" in text else text
