"""The native scanner and the Python readers give identical columns, on logs of every kind."""

from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from logs_strategy import (
    EPOCH_US,
    EXAMPLES,
    PREFIX,
    WRITERS,
    Entry,
    as_csvlog,
    as_jsonlog,
    entries,
    logged,
)
from twins import assert_twins, read, recognised, told

from analyzer.sources.logs import FORMATS
from analyzer.sources.logs.native import is_available
from analyzer.sources.logs.prefix import FRAMED_LINES
from analyzer.sources.options import ReadOptions

DATA = Path(__file__).parent.parent / "data"
LOGS = sorted(
    path
    for folder in ("logs", "nplusone", "prisma", "plans")
    for path in (DATA / folder).rglob("*")
    if path.is_file() and path.suffix in {".log", ".csv", ".json", ".jsonlog"}
)


def test_the_scanner_was_compiled() -> None:
    assert is_available(), "tools/setup test compiles it"


def logs() -> list[Path]:
    found = []
    for path in LOGS:
        try:
            form = recognised(path)[1]
        except AssertionError:
            continue
        if form in FORMATS:
            found.append(path)
    return found


@pytest.mark.parametrize("path", logs(), ids=lambda path: str(path.relative_to(DATA)))
def test_captures(path: Path) -> None:
    data, form, prefix = recognised(path)
    assert_twins(data, form, prefix)


RELAXED = settings(max_examples=EXAMPLES, deadline=None, suppress_health_check=list(HealthCheck))


@pytest.mark.parametrize("form", sorted(FORMATS))
@RELAXED
@given(made=entries(), piece=st.sampled_from([1, 7, 100, 1 << 20]))
def test_generated_logs(form: str, made: list[Entry], piece: int) -> None:
    assert_twins(WRITERS[form](made), form, PREFIX if form == "stderr" else None, piece=piece)


@pytest.mark.parametrize("form", sorted(FORMATS))
@RELAXED
@given(made=entries(), since=st.integers(0, 70), until=st.integers(0, 200))
def test_windows(form: str, made: list[Entry], since: int, until: int) -> None:
    options = ReadOptions(
        since_us=EPOCH_US + since * 1_000_000, until_us=EPOCH_US + until * 1_000_000
    )
    assert_twins(WRITERS[form](made), form, PREFIX if form == "stderr" else None, options)


@pytest.mark.parametrize("form", sorted(FORMATS))
@RELAXED
@given(made=entries(), data=st.data())
def test_damaged_logs(form: str, made: list[Entry], data: st.DataObject) -> None:
    """Bytes cut out, doubled, or replaced by what hurts."""
    log = bytearray(WRITERS[form](made))
    for _ in range(data.draw(st.integers(1, 3))):
        at = data.draw(st.integers(0, len(log)))
        size = data.draw(st.integers(0, 40))
        hurts = [
            b"",
            b"\0",
            b"\xe9",
            b"\r\n",
            b"\n",
            b"\n\t",
            b'"',
            b"'",
            b"{",
            b"\\ud800",
            bytes(log[at : at + size]) * 2,
        ]
        log[at : at + size] = data.draw(st.sampled_from(hurts))
    assert_twins(bytes(log), form, PREFIX if form == "stderr" else None)


PREFIXES = {
    "%t:%r:%u@%d:[%p]:": "2026-11-22 08:00:00 UTC:10.0.0.7(4242):app@shop:[7]:",
    "%m [%p] %l-1 %c %x %v %e %Q %a,%u,%d,%h ": "2026-11-22 08:00:00.123 CET [7] 3-1 6abc.7 0 3/12 00000 -55 my app,u,d,10.0.0.1 ",
    "%n %p %b %i|": "1795334400.123 7 client backend SELECT|",
    "%t [%p]: [%l-1] user=%u,db=%d,app=%a,client=%h ": "2026-11-22 08:00:00 UTC [7]: [3-1] user=u,db=d,app=a,client=::1 ",
    "<%m>%%%s ": "<2026-11-22 08:00:00.001 +02>%2026-11-22 07:00:00 +02 ",
    "%-10u %m ": "app        2026-11-22 08:00:00.123 UTC ",
}


@pytest.mark.parametrize("prefix", PREFIXES)
def test_prefixes(prefix: str) -> None:
    head = PREFIXES[prefix]
    log = (
        f"{head}LOG:  duration: 1.5 ms  execute <unnamed>: SELECT $1\n{head}DETAIL:  parameters: $1 = '5'\n"
        f"{head}LOG:  00000: duration: 2.5 ms  statement: SELECT 7\n\t, 8\n{head}LOG:  checkpoint starting: time\n"
    ).encode()
    if "-10u" in prefix:  # padded fields are Python's
        recording, chunk = read(log, "stderr", prefix, native=True)
        assert recording.coverage.sources[0].reader == "python"
        assert len(told(recording, chunk)["key"]) == 2
    else:
        assert len(assert_twins(log, "stderr", prefix).keys.texts) == 2


NAMES = [
    ("a", "web"),
    ("a", "web"),
    ("a", "web"),
    ("b", "web"),
    ("a", "web"),
    ("a", "jobs"),
    ("a", ""),
    ("a", "web"),
]


@pytest.mark.parametrize("form", sorted(FORMATS))
def test_sessions_whose_names_change(form: str) -> None:
    """What lines of a session have in common is remembered, and not beyond what it says."""
    made = [
        Entry(
            at,
            session,
            "LOG",
            f"duration: 1.0 ms  statement: SELECT {at}",
            user=user,
            application=application,
        )
        for at, (user, application) in enumerate(4 * NAMES)
        for session in (7, 70_001, 70_002)
    ]
    assert_twins(WRITERS[form](made), form, PREFIX if form == "stderr" else None)


@pytest.mark.parametrize(
    "prefix",
    ["%m [%p] %u@%d %a ", "%u %m [%p] %d %a ", "%p %u %m %d %a behind ", "[%p] %m %u@%d %a "],
)
def test_prefixes_that_name_sessions_here_and_there(prefix: str) -> None:
    lines = []
    for at, (user, application) in enumerate(4 * NAMES):
        for session in (7, 70_001, 70_002):
            head = prefix.replace("%m", f"2026-11-22 08:00:00.{at:03} UTC").replace(
                "%p", str(session)
            )
            head = head.replace("%u", user).replace("%d", "shop").replace("%a", application)
            lines.append(f"{head}LOG:  duration: 1.0 ms  statement: SELECT {at}\n")
    assert_twins("".join(lines).encode(), "stderr", prefix)


@pytest.mark.parametrize("form", sorted(FORMATS))
def test_jobs_of_one_trace_and_traces_of_one_comment(form: str) -> None:
    """A job's id goes before a trace's, a trace's before a request's; each time, not only first."""

    def tagged(tags: str, trace: int, at: int) -> Entry:
        parent = f"traceparent='00-{trace:032x}-0123456789abcdef-01'"
        return logged(f"duration: 1.0 ms  statement: SELECT 1 /*{tags},{parent}*/", at=at)

    tags = ("jobId='7',queue='mail'", "request_id='7'", "route='/a'")
    made = [tagged(tags[n % 3], n // 3 % 4, n) for n in range(36)]
    prefix = PREFIX if form == "stderr" else None
    assert_twins(WRITERS[form](made), form, prefix)
    _, chunk = read(WRITERS[form](made), form, prefix, native=True)
    traces = chunk.columns["trace"].tolist()
    assert len(set(traces[::3])) == 1
    assert traces[1::3] == traces[2::3] == [n % 4 or 1 for n in range(12)]


def test_an_entry_of_very_many_lines() -> None:
    """More than the Python reader's expression takes."""
    long = "SELECT 1" + "\n\t, 2" * 3 * FRAMED_LINES
    head = logged(f"duration: 1.0 ms  execute a: {long}", "parameters: $1 = '" + "\n" * 3000 + "'")
    last = logged("duration: 2.0 ms  statement: SELECT 1", at=5)
    for form, written in WRITERS.items():
        prefix = PREFIX if form == "stderr" else None
        recording = assert_twins(written([head, last]), form, prefix)
        assert recording.keys.texts == [long, "SELECT 1"]


def test_an_entry_over_several_buffers() -> None:
    """Larger than the scanner's buffer, which grows for it."""
    head = "2026-11-22 08:00:00.123 UTC [7] app@db web "
    long = "SELECT '" + "x" * 5_000_000 + "'"
    log = f"{head}LOG:  duration: 1.0 ms  statement: {long}\n{head}LOG:  duration: 2.0 ms  statement: SELECT 1\n"
    assert_twins(log.encode(), "stderr", PREFIX)
    made = [
        Entry(0, 1, "LOG", f"duration: 1.0 ms  statement: {long}"),
        Entry(5, 1, "LOG", "duration: 2.0 ms  statement: SELECT 1"),
    ]
    assert_twins(as_csvlog(made), "csvlog")
    assert_twins(as_jsonlog(made), "jsonlog")


def test_a_number_of_more_digits_than_python_reads() -> None:
    sound = logged("duration: 1.0 ms  statement: SELECT 1 FROM t")
    line = as_jsonlog([sound])
    endless = line.replace(b'{"', b'{"other":' + b"9" * 5000 + b',"', 1)
    assert_twins(line + endless + line, "jsonlog")
