"""Syslog and journal: what PostgreSQL handed to a daemon is what it wrote to stderr itself."""

import io
import lzma
import re
from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest

from analyzer.sources.logs.prefix_detection import detect_prefix
from analyzer.sources.logs.unwrapping import UNWRAPPERS, Unwrapper, recognise_wrapping

FOLDER = Path(__file__).parent.parent / "data/logs/wrapped"
ENTRY_LINES = re.compile(rb"[^\n]*(?:\n\t[^\n]*)*\n")
HEAD = 64 * 1024
NOW = datetime(2026, 12, 31, 23, 0, tzinfo=UTC)
# What PostgreSQL says before its collector, which writes stderr.log, runs.
BEFORE_THE_COLLECTOR = ("redirecting log output", "Future log output will appear")

Opened = tuple[bytes, Unwrapper]


def content(name: str) -> bytes:
    return lzma.decompress((FOLDER / f"{name}.xz").read_bytes())


def opened(data: bytes, expected: str) -> Unwrapper:
    wrapping = recognise_wrapping(data[:HEAD])
    assert wrapping is not None
    assert wrapping[0] == expected
    return UNWRAPPERS[expected](io.BytesIO(data), now=NOW)  # type: ignore[arg-type]


def entries(data: bytes) -> "Counter[bytes]":
    """Lines with their continuation, less what stderr.log cannot have."""
    found = Counter(ENTRY_LINES.findall(data))
    for line in list(found):
        if any(text.encode() in line for text in BEFORE_THE_COLLECTOR):
            del found[line]
    return found


def truth(name: str) -> "Counter[bytes]":
    """The entries of stderr. rsyslog writes a TAB as #011, and nobody can tell that from a text's own."""
    return entries(content(f"{name}.stderr.log").replace(b"#011", b"\t"))


@pytest.mark.parametrize(
    ("run", "name", "wrapping"),
    [
        ("numbered", "numbered.bsd.log", "syslog"),
        ("numbered", "numbered.iso.log", "syslog"),
        ("numbered", "numbered.ietf.log", "syslog"),
        ("pieces", "pieces.bsd.log", "syslog"),
        ("journal", "journal.json", "journald"),
    ],
)
def test_every_entry_comes_back_byte_for_byte(run: str, name: str, wrapping: str) -> None:
    data = content(name)
    unwrapper = opened(data, wrapping)
    inner = unwrapper.read()
    expected = truth(run) if wrapping == "syslog" else entries(content(f"{run}.stderr.log"))
    assert entries(inner) == expected
    assert sum(expected.values()) > 300
    assert unwrapper.inner == "stderr"
    assert (unwrapper.bytes_unparsed, unwrapper.unparsed_lines) == (0, 0)
    assert unwrapper.first_unparsed is None
    assert unwrapper.foreign_lines > 20  # su's and the daemon's own
    assert "of other programs than PostgreSQL" in unwrapper.notes[0]
    detected = detect_prefix(inner)
    assert detected is not None
    assert detected.prefix.text == "%m [%p] %q%u@%d "


def test_foreign_records_are_counted_to_the_byte() -> None:
    data = content("numbered.iso.log")
    unwrapper = opened(data, "syslog")
    unwrapper.read()
    others = [line for line in data.splitlines(keepends=True) if b" postgres[" not in line]
    assert unwrapper.foreign_lines == len(others)
    assert unwrapper.foreign_bytes == sum(map(len, others))


@pytest.mark.parametrize("kind", ["bsd", "iso", "ietf"])
def test_an_empty_prefix_is_given_time_and_process_of_the_record(kind: str) -> None:
    unwrapper = opened(content(f"bare.{kind}.log"), "syslog")
    inner = unwrapper.read()
    zone = rb"" if kind == "bsd" else rb" UTC"
    head = re.compile(rb"(?m)^2026-11-23 06:52:\d\d\.\d{3}%s \[\d+\] " % zone)
    assert entries(head.sub(b"", inner)) == truth("bare")
    detected = detect_prefix(inner)
    assert detected is not None
    assert detected.prefix.text == "%m [%p] "
    assert detected.matching == detected.samples
    assert any("no year; taken to be 2026" in note for note in unwrapper.notes) == (kind == "bsd")


@pytest.mark.parametrize("kind", ["bsd", "ietf"])
def test_messages_that_were_not_cut_up_come_back_but_for_one_that_rsyslog_cut(kind: str) -> None:
    unwrapper = opened(content(f"whole.{kind}.log"), "syslog")
    found, expected = entries(unwrapper.read()), truth("whole")
    (lost,) = (expected - found).elements()
    (cut,) = (found - expected).elements()
    assert len(cut) > 8000
    assert lost.startswith(cut.rstrip(b"\n"))
    assert any("daemons cut (8 KB): 1;" in note for note in unwrapper.notes)


def test_stderr_in_the_journal_is_joined_line_by_line() -> None:
    unwrapper = opened(content("journal_stream.json"), "journald")
    found = unwrapper.read()
    assert unwrapper.bytes_unparsed == 0
    # The same workload: the same texts, times and processes apart.
    texts = re.compile(rb"(?m)^2026-[\d: .-]+ UTC \[\d+\] (?:\S+@\S+ )?")
    durations = re.compile(rb"duration: [\d.]+ ms")

    def statements(data: bytes) -> "Counter[bytes]":
        lines = entries(durations.sub(b"duration", texts.sub(b"", data)))
        kept = (b"LOG:  duration  statement: ", b"ERROR:  ", b"STATEMENT:  ", b"CONTEXT:  ")
        return Counter({line: n for line, n in lines.items() if line.startswith(kept)})

    expected = statements(content("journal.stderr.log"))
    assert statements(found) == expected
    assert sum(expected.values()) == 55


def test_a_message_that_journalctl_left_out_is_unparsed_and_the_remedy_told() -> None:
    data = content("journal_stream.cut.json")
    whole, cut = opened(content("journal_stream.json"), "journald"), opened(data, "journald")
    kept, all_of_it = cut.read(), whole.read()
    assert cut.unparsed_lines == data.count(b'"MESSAGE":null') > 0
    assert cut.first_unparsed is not None
    assert sum((entries(all_of_it) - entries(kept)).values()) == cut.unparsed_lines
    assert any("journalctl -o json --all" in note for note in cut.notes)


def test_the_journal_as_text_has_its_tabs_made_spaces() -> None:
    unwrapper = opened(content("journal.short-iso.log"), "syslog")
    found, expected = entries(unwrapper.read()), entries(content("journal.stderr.log"))

    def spaced(counts: "Counter[bytes]") -> "Counter[bytes]":
        return Counter(b" ".join(e.replace(b"#011", b" ").split()) for e in counts.elements())

    assert spaced(found) == spaced(expected)
    assert unwrapper.bytes_unparsed == 0


def line(text: str, process: int = 77, program: str = "postgres") -> str:
    return f"2026-11-22T08:00:01.5+01:00 db1 {program}[{process}]: {text}\n"


def unwrapped(text: str, kind: str = "syslog") -> tuple[str, Unwrapper]:
    unwrapper = UNWRAPPERS[kind](io.BytesIO(text.encode()), now=NOW)  # type: ignore[arg-type]
    return unwrapper.read().decode(), unwrapper


LOG = "2026-11-22 08:00:00.123 UTC [77] LOG:  "


@pytest.mark.parametrize(
    ("records", "expected"),
    [
        ("Nov 22 08:00:00 db1 postgres[77]: [5-1] LOG:  x", "2026-11-22 08:00:00.000 [77] LOG:  x"),
        ("Jan  2 08:00:00.25 db1 postgres[77]: [5-1] LOG:  x", "2026-01-02 08:00:00.250 [77] LOG:  x"),
        ("<134>Feb 29 08:00:00 db1 postgres[77]: [5-1] LOG:  x", "2024-02-29 08:00:00.000 [77] LOG:  x"),
        ("Nov 22 2025 08:00:00 db1 postgres[77]: LOG:  x", "2025-11-22 08:00:00.000 [77] LOG:  x"),
        ("Nov 22 08:00:00 postgres[77]: [5-1] LOG:  x", "2026-11-22 08:00:00.000 [77] LOG:  x"),
        ("2026-11-22T08:00:00+0530 db1 postgres[77]: [5-1] LOG:  x", "2026-11-22 08:00:00.000 +0530 [77] LOG:  x"),
        ("98 <13>1 2026-11-22T08:00:00.123456Z db1 postgres 77 - - \ufeff[5-1] LOG:  x", "2026-11-22 08:00:00.123 UTC [77] LOG:  x"),
        ('<13>1 2026-11-22T08:00:00Z db1 postgres 77 - [a b="\\]" c="d"][e] [5-1] LOG:  x', "2026-11-22 08:00:00.000 UTC [77] LOG:  x"),
        ("Nov 22 08:00:00 db1 shop-db[77]: [5-1] LOG:  x", "2026-11-22 08:00:00.000 [77] LOG:  x"),
        ("Nov 22 08:00:00 db1 postgres[77]: [77] LOG:  x", "2026-11-22 08:00:00.000 [77] LOG:  x"),
    ],
)  # fmt: skip
def test_headers_of_many_kinds(records: str, expected: str) -> None:
    inner, unwrapper = unwrapped(records + "\n")
    assert (inner, unwrapper.bytes_unparsed) == (expected + "\n", 0)


def test_a_stamp_is_never_of_the_future() -> None:
    unwrapper = UNWRAPPERS["syslog"](
        io.BytesIO(b"Dec 31 23:59:59 db1 postgres[7]: [5-1] LOG:  x\n"),  # type: ignore[arg-type]
        now=datetime(2026, 1, 1, 0, 5, tzinfo=UTC),
    )
    assert unwrapper.read() == b"2025-12-31 23:59:59.000 [7] LOG:  x\n"


def test_text_that_is_no_syslog_is_unparsed() -> None:
    text = line("[3-1] " + LOG + "a") + "what is this\n\n" + line("[3-2] \tb")
    inner, unwrapper = unwrapped(text)
    assert inner == f"{LOG}a\n\tb\n"
    assert (unwrapper.unparsed_lines, unwrapper.bytes_unparsed) == (2, len("what is this\n\n"))


def test_other_programs_are_foreign_even_if_they_quote_an_error() -> None:
    foreign = line("psql: ERROR:  no such table", program="CRON") + line("LOG:  x", program="a/b")
    foreign += "Nov 22 08:00:00 db1 last message repeated 2 times\n"
    inner, unwrapper = unwrapped(line("[3-1] " + LOG + "a") + foreign)
    assert inner == LOG + "a\n"
    assert (unwrapper.foreign_lines, unwrapper.foreign_bytes) == (3, len(foreign))
    assert unwrapper.bytes_unparsed == 0


def test_newlines_that_a_daemon_left_as_they_are() -> None:
    text = line(LOG + "a\n\tb") + line("x", program="cron") + "\tnot of cron\n"
    inner, unwrapper = unwrapped(text)
    assert inner == f"{LOG}a\n\tb\n"
    assert unwrapper.bytes_unparsed == len("\tnot of cron\n")


def test_several_hosts_in_one_file_are_told_about() -> None:
    other = line("[3-1] " + LOG + "b").replace("db1", "db2")
    _, unwrapper = unwrapped(line("[3-1] " + LOG + "a") + other)
    assert any("2 hosts" in note for note in unwrapper.notes)


def test_a_colour_in_a_statement_is_no_newline() -> None:
    text = line(LOG + "a '#012abc'#012#011b#012" + LOG.replace("LOG", "HINT") + "c#012")
    inner, _ = unwrapped(text)
    assert inner == f"{LOG}a '#012abc'\n\tb\n{LOG.replace('LOG', 'HINT')}c\n"


def test_carriage_returns_at_the_ends_of_lines_go() -> None:
    text = (line("[3-1] " + LOG + "a") + line("[3-2] \tb")).replace("\n", "\r\n")
    assert unwrapped(text)[0] == f"{LOG}a\n\tb\n"


HEROKU = (
    'sql_error_code = 00000 time_ms = "2026-11-22 08:00:00.123 UTC" pid="78" '
    'proc_start_time="2026-11-22 07:00:00 UTC" session_id="6b02ad9d.51a8" vtid="2/0" tid="0" '
    'log_line="3" database="shop" connection_source="1.2.3.4(55)" user="ann" '
    'application_name="web app" '
)


def test_logplex_of_both_kinds() -> None:
    short = "2026-11-22T08:00:00+00:00 app[postgres.77]: [GREEN] "
    drain = "451 <134>1 2026-11-22T08:00:00+00:00 host app postgres.78 - [GREEN] "
    text = (
        f"{short}[15-1]  sql_error_code = 57014 ERROR:  canceled\n"
        f"{drain}[16-1]  {HEROKU}LOG:  duration: 5 ms  statement: SELECT\n"
        f"{short}[15-2]  sql_error_code = 57014 STATEMENT:  SELECT\n"
        f"{drain}[16-2] \t1\n"
        "2026-11-22T08:00:00+00:00 heroku[router]: at=info method=GET\n"
        "2026-11-22T08:00:00+00:00 app[heroku-postgres]: source=X sample#db_size=1bytes\n"
        f"{short}[15-3] \t2\n"
    )
    assert (recognise_wrapping(text.encode()) or ("",))[0] == "logplex"
    inner, unwrapper = unwrapped(text, "logplex")
    blank = "2026-11-22 08:00:00.000 UTC [77] 00000000.4d 15 57014 user=,db=,app= "
    assert inner == (
        f"{blank}ERROR:  canceled\n{blank}STATEMENT:  SELECT\n\t2\n"
        "2026-11-22 08:00:00.123 UTC [78] 6b02ad9d.51a8 3 00000 user=ann,db=shop,app=web app "
        "LOG:  duration: 5 ms  statement: SELECT\n\t1\n"
    )
    assert (unwrapper.foreign_lines, unwrapper.bytes_unparsed) == (2, 0)
    detected = detect_prefix(inner.encode())
    assert detected is not None
    assert detected.prefix.text == "%m [%p] %c %l %e user=%u,db=%d,app=%a "


@pytest.fixture
def small_reads() -> Callable[[Unwrapper], bytes]:
    def reading(unwrapper: Unwrapper) -> bytes:
        return b"".join(iter(lambda: unwrapper.read(7), b""))

    return reading


def test_how_much_is_read_at_a_time_does_not_matter(
    small_reads: Callable[[Unwrapper], bytes],
) -> None:
    data = content("numbered.bsd.log")
    one, other = opened(data, "syslog"), opened(data, "syslog")
    head = one.peek(100)
    assert len(head) == 100
    whole = one.read()
    assert whole.startswith(head)
    assert small_reads(other) == whole
    assert io.BufferedReader(opened(data, "syslog")).read() == whole
