"""How many bytes a statement takes in the log, by how the server is told to write it.

What is known is written down: the text, the prefix, the words of the message. What is not, the values
of parameters, is taken for VALUE_BYTES each. The rest are the separators and fields that PostgreSQL
puts around an entry in each format (measured: tests/doctor/test_volume_on_server.py).
"""

from collections.abc import Mapping
from typing import Literal, TypeAlias

from analyzer.patterns import regex
from analyzer.records import record

Protocol: TypeAlias = Literal["simple", "prepared", "extended"]

VALUE_BYTES = 8
_PARAMETER = regex(r"\$\d+")
_ESCAPE = regex(r"%(-?\d*)([a-zA-Z%])")
# What log_line_prefix's escapes come to in a session, in bytes; names are counted as they are.
_ESCAPE_BYTES: Mapping[str, int] = {
    "a": 8,
    "u": 8,
    "d": 8,
    "r": 20,
    "h": 12,
    "b": 14,
    "p": 6,
    "P": 0,
    "t": 23,
    "m": 27,
    "n": 14,
    "i": 8,
    "e": 5,
    "c": 14,
    "l": 5,
    "s": 23,
    "v": 8,
    "x": 1,
    "q": 0,
    "Q": 19,
    "L": 12,
    "%": 1,
}
_LOG = len("LOG:  ")
_DURATION = len("duration: 0.123 ms  ")
_DETAIL = len("DETAIL:  Parameters: ")
_STATEMENT = len("statement: ")
_EXECUTE = len("execute <unnamed>: ")
# Around the message: times, session, ids, severity, SQLSTATE, names, kind of process, query id.
_CSV_FIELDS = 205
_JSON_FIELDS = 405
_JSON_DETAIL = len(',"detail":""')


@record
class LogForm:
    """How the log is written: its destinations, and the bytes of log_line_prefix in a session."""

    destinations: tuple[str, ...]
    prefix_bytes: int


def log_form(settings: Mapping[str, str]) -> LogForm:
    """What log_destination and log_line_prefix come to."""
    where = settings.get("log_destination", "stderr")
    names = tuple(name.strip() for name in where.split(",") if name.strip())
    prefix = settings.get("log_line_prefix", "%m [%p] ")
    plain = len(_ESCAPE.sub("", prefix).encode())
    told = 0
    for width, escape in _ESCAPE.findall(prefix):
        size = _ESCAPE_BYTES.get(escape, 0)
        told += max(size, abs(int(width))) if width.strip("-") else size
    return LogForm(names or ("stderr",), plain + told)


def execution_bytes(text: str, form: LogForm, protocol: Protocol) -> int:
    """Bytes that one execution takes in all destinations, if it is logged with its duration.

    By the extended protocol it is one entry for the execution; parse and bind have theirs
    (`preparation_bytes`). By the simple one values stand in the text, where `$n` is here.
    """
    parameters = [found[0] for found in _PARAMETER.finditer(text)]
    values = VALUE_BYTES * len(parameters)
    if protocol == "simple" or not parameters:
        grown = values - sum(map(len, parameters))
        named = _STATEMENT if protocol == "simple" else _EXECUTE
        return _entry(text, named, grown, 0, form)
    return _entry(text, _EXECUTE, 0, _detail(len(set(parameters))), form)


def preparation_bytes(text: str, form: LogForm, protocol: Protocol) -> int:
    """Bytes of the parse and bind entries of one execution, if these are logged as well.

    A statement that is prepared once is bound each time, and parsed hardly ever.
    """
    if protocol == "simple":
        return 0
    parameters = len(set(_PARAMETER.findall(text)))
    bind = _entry(text, len("bind <unnamed>: "), 0, _detail(parameters) if parameters else 0, form)
    if protocol == "prepared":
        return bind
    return bind + _entry(text, len("parse <unnamed>: "), 0, 0, form)


def _detail(parameters: int) -> int:
    """Bytes of `$1 = 'value', …`."""
    return sum(len(f"${n + 1} = '', ") + VALUE_BYTES for n in range(parameters)) - 2


def _entry(text: str, named: int, grown: int, detail: int, form: LogForm) -> int:
    """One entry with a message of that text, and `detail` bytes of parameters (0: none)."""
    size, lines = len(text.encode()), text.count("\n")
    message = _DURATION + named + size + grown
    total = 0
    for name in form.destinations:
        if name == "csvlog":
            quoted = text.count('"')
            total += _CSV_FIELDS + message + quoted + (detail + 14 if detail else 0)
        elif name == "jsonlog":
            escaped = text.count('"') + lines + text.count("\t")
            total += (
                _JSON_FIELDS + message + escaped + (detail + 14 + _JSON_DETAIL if detail else 0)
            )
        else:
            total += form.prefix_bytes + _LOG + message + lines + 1
            total += form.prefix_bytes + _DETAIL + detail + 1 if detail else 0
    return total
