"""Logs out of entries: made by hand or drawn by Hypothesis, written in each of the formats.

No test itself; conftest.py lets the tests import it from beside them.
"""

import csv
import io
import json
import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from hypothesis import strategies as st

PREFIX = "%m [%p] %q%u@%d %a "
# tools/fuzz says for how many seconds; a test makes about this many of the longer examples in one.
EXAMPLES = max(60, 10 * int(os.environ.get("PG95_FUZZ_SECONDS", "0")))
EPOCH_US = 1_795_334_400_000_000  # of an entry at 0 milliseconds


@dataclass(frozen=True)
class Entry:
    """An entry of a log, before it is written in one of the formats."""

    milliseconds: int
    session: int
    severity: str
    message: str
    detail: str = ""
    statement: str = ""
    code: str = "00000"
    user: str = "app"
    application: str = "web"


def logged(message: str, detail: str = "", *, at: int = 0, session: int = 7) -> Entry:
    """An entry of severity LOG."""
    return Entry(at, session, "LOG", message, detail)


FRAGMENTS = (
    *("SELECT", " ", "\n", "\t", "1", "42.5", "'a'", "'it''s'", "E'\\''", "$1", "$2", "$$x$$"),
    *("-- c\n", "/* c */", "/*request_id:7f3,route:x*/", '"q"', "FROM t", "WHERE a = ", "\u2028"),
    "/*traceparent='00-0123456789abcdef0123456789abcdef-0123456789abcdef-01',route='/a'*/",
    "/*traceparent='00-00000000000000000000000000000000-0123456789abcdef-01',route='/a'*/",
    "/*jobId='7',traceparent='00-0123456789abcdef0123456789abcdef-0123456789abcdef-01'*/",
    "/*jobId='7',traceparent='00-0123456789abcdef0000000000000003-0123456789abcdef-01'*/",
    *("IN (1, 2, 3)", "IN ($1, $2, $3)", "VALUES (1), (2), (3)", ";", "é", "東京", "😀", "[1]"),
    *("float(8)", "::int", "(", ")", ",", "-1", "BEGIN", "duration: 12.3 ms  statement: fake"),
    *("'", '"', "\\", "U&'x'", "\x1f", "\u00a0", "שלום", "\u202e"),
)
STATEMENTS = (
    *("BEGIN", "COMMIT", "SELECT a FROM t WHERE id = $1", "SELECT a FROM t WHERE id = 7"),
    "SAVEPOINT s1",
)
texts = st.one_of(
    st.sampled_from(STATEMENTS),
    st.lists(st.sampled_from(FRAGMENTS), min_size=1, max_size=12).map("".join),
)
DURATIONS = ("0.012", "1.5", "120", "0.1234", "3.000", "99999.999")
PARAMETERS = (
    *("parameters: $1 = '5'", "Parameters: $1 = 'a\nb', $2 = NULL"),
    *("parameters: $1 = ''', $2 = '", "other"),
)
EVENTS = (
    *("connection received: host=a", "connection authorized: user=a"),
    *("disconnection: session time: 0:00", 'temporary file: path "x", size 5'),
)
USERS = ("app", "app", "", "o'neil", "[unknown]")


def plans_of(text: str) -> tuple[str, ...]:
    """A plan of a statement in the formats of auto_explain, and as none of them."""
    quoted = json.dumps(text, ensure_ascii=False)
    node = "Seq Scan on t  (cost=0.00..1.00 rows=1 width=4)"
    return (
        f'{{\n  "Query Text": {quoted},\n  "Plan": {{\n    "Node Type": "Result"\n  }}\n}}',
        f"Query Text: {text}\n{node}\n  Filter: (a = 1)",
        f"Query Text: {text}\nQuery Parameters: $1 = '1'\n{node}",
        f'Query Text: {quoted}\nPlan: \n  Node Type: "Result"',
        '{"Query Text": "x"}',
        f"Query Text: {text}",
    )


# Some messages of one kind: severity, message, detail, statement, SQLSTATE.
_Message = tuple[str, str, str, str, str]


def _messages(draw: st.DrawFn) -> list[_Message]:
    """What PostgreSQL says about one thing that it did."""
    text, took = draw(texts), f"duration: {draw(st.sampled_from(DURATIONS))} ms"
    given = draw(st.sampled_from(PARAMETERS))
    name = draw(st.sampled_from(("<unnamed>", "a: b", "S/C")))
    event, severity = (
        draw(st.sampled_from(EVENTS)),
        draw(st.sampled_from(("WARNING", "NOTICE", "LOG", "FATAL"))),
    )
    canceled = "canceling statement due to statement timeout"
    kinds: Mapping[str, Sequence[_Message]] = {
        "statement": [("LOG", f"{took}  statement: {text}", "", "", "00000")],
        "execute": [("LOG", f"{took}  execute S_1: {text}", given, "", "00000")],
        "extended": [
            ("LOG", f"{took}  parse {name}: {text}", "", "", "00000"),
            ("LOG", f"{took}  bind {name}: {text}", given, "", "00000"),
            ("LOG", f"{took}  execute {name}: {text}", given, "", "00000"),
        ],
        "logged": [("LOG", f"statement: {text}", given, "", "00000")],
        "bare": [("LOG", took, "", "", "00000")],
        "error": [("ERROR", canceled, "", text, "57014")],
        "plan": [
            ("LOG", f"{took}  plan:\n{draw(st.sampled_from(plans_of(text)))}", "", "", "00000")
        ],
        "event": [("LOG", event, "", draw(st.sampled_from(("", text))), "00000")],
        "other": [(severity, text, "", "", "00000")],
    }
    return list(kinds[draw(st.sampled_from(sorted(kinds)))])


@st.composite
def entries(draw: st.DrawFn) -> list[Entry]:
    """A log of some sessions, in the order of time."""
    made = []
    at = 0
    for _ in range(draw(st.integers(1, 25))):
        at += draw(st.sampled_from([0, 1, 7, 400, 61_000]))
        session, user = draw(st.integers(1, 3)), draw(st.sampled_from(USERS))
        for severity, message, detail, statement, code in _messages(draw):
            made.append(Entry(at, session, severity, message, detail, statement, code, user))
    return made


def stamp(entry: Entry, zone: str) -> str:
    """An entry's log time as %m writes it."""
    seconds, milliseconds = divmod(entry.milliseconds, 1000)
    minutes, seconds = divmod(seconds, 60)
    return f"2026-11-22 08:{minutes % 60:02d}:{seconds:02d}.{milliseconds:03d} {zone}"


def as_stderr(made: Sequence[Entry], zone: str = "UTC") -> bytes:
    """With the prefix PREFIX."""
    lines = []
    for entry in made:
        head = f"{stamp(entry, zone)} [{entry.session}] {entry.user}@db {entry.application} "
        said = {
            entry.severity: entry.message, "DETAIL": entry.detail, "STATEMENT": entry.statement
        }  # fmt: skip
        for severity, text in said.items():
            if text:
                lines.append(f"{head}{severity}:  " + text.replace("\n", "\n\t") + "\n")
    return "".join(lines).encode("utf-8", "surrogateescape")


def as_csvlog(made: Sequence[Entry], zone: str = "UTC") -> bytes:
    """With the columns of PostgreSQL 14 on."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n", quoting=csv.QUOTE_MINIMAL)
    for line, entry in enumerate(made, 1):
        session = f"6abc.{entry.session:x}"
        time = stamp(entry, zone)
        who = (
            time,
            entry.user,
            "db",
            entry.session,
            "10.0.0.7:4242",
            session,
            line,
            "SELECT",
            time,
            "3/1",
            0,
        )
        said = (entry.severity, entry.code, entry.message, entry.detail, "", "", "", "")
        rest = (entry.statement, "", "", entry.application, "client backend", "", 77)
        writer.writerow((*who, *said, *rest))
    return out.getvalue().encode("utf-8", "surrogateescape")


def as_jsonlog(made: Sequence[Entry], zone: str = "UTC") -> bytes:
    r"""Most lines are as PostgreSQL writes them; every fourth is spaced, in ASCII alone (`\u`)."""
    rows = []
    for line, entry in enumerate(made, 1):
        row: dict[str, object] = {"timestamp": stamp(entry, zone), "user": entry.user}
        row |= {"dbname": "db", "pid": entry.session, "session_id": f"6abc.{entry.session:x}"}
        row |= {"line_num": line, "error_severity": entry.severity}
        row |= {"state_code": entry.code} if entry.code != "00000" else {}
        row |= {"message": entry.message}
        row |= {"detail": entry.detail} if entry.detail else {}
        row |= {"statement": entry.statement} if entry.statement else {}
        row |= {"application_name": entry.application, "query_id": -77}
        spaced = line % 4 == 0
        separators = (", ", ": ") if spaced else (",", ":")
        rows.append(json.dumps(row, ensure_ascii=spaced, separators=separators) + "\n")
    return "".join(rows).encode("utf-8", "surrogateescape")


WRITERS: Mapping[str, Callable[..., bytes]] = {
    "stderr": as_stderr,
    "csvlog": as_csvlog,
    "jsonlog": as_jsonlog,
}
