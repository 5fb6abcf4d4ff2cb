"""log_line_prefix: compiled from the setting, and detected from lines."""

import time

import pytest

from analyzer.errors import UsageError
from analyzer.sources.logs.prefix import FIELDS, compile_prefix
from analyzer.sources.logs.prefix_detection import (
    _candidates,
    _score,
    detect_prefix,
    sample_lines,
)

VALUES = {
    "%m": "2026-11-22 08:45:20.123 UTC",
    "%t": "2026-11-22 08:45:20 UTC",
    "%n": "1795337120.123",
    "%s": "2026-11-22 08:45:17 UTC",
    "%p": "{pid}",
    "%u": "ann",
    "%d": "shop",
    "%a": "my app: [x] 13",
    "%r": "10.0.0.7({port})",
    "%h": "10.0.0.7",
    "%c": "6b02ad9d.51a8",
    "%l": "{line}",
    "%v": "8/{line}",
    "%x": "0",
    "%e": "00000",
    "%i": "SELECT",
    "%b": "client backend",
    "%P": "",
    "%Q": "-7701062088941201724",
    "%%": "%",
}
DETECTED = (
    "%m [%p] %q%u@%d/%a %Q ",
    "%m [%p] %q%u@%d app=%a ",
    "%m [%p] %u@%d app=%a vxid=%v xid=%x sid=%c line=%l ",
    "%m [%p] %q%u@%d ",
    "%t:%r:%u@%d:[%p]:",
    "%t [%p]: [%l-1] user=%u,db=%d,app=%a,client=%h ",
    "%t [%p] ",
    "%m [%p] ",
    "%m [%p] %e: db=%d,user=%u,app=%a,client=%h ",
    "%m [%c] %q%u@%d ",
    "%m [%p-%l] %q%u@%d ",
    "%n [%p] ",
    "%m|%p|user=%u|db=%d|qid=%Q ",
    "%m [%p] host=%r vxid=%v sid=%c cmd=%i ",
    "%m [%p] %a ",
    "%m [%p] %q%u@%d/%a %c %l ",
    "%m [%p] %q%u@%d %a %c %l ",
    "%m [%p] %q%u@%d %a %c ",
)


def lines(setting: str, count: int = 40, *, background: int = 0) -> bytes:
    """Log lines as a server with that setting writes them."""
    written = []
    for number in range(count):
        text = setting.replace("%q", "")
        if number < background:
            text = setting.partition("%q")[0]
        for escape, value in VALUES.items():
            text = text.replace(escape, value)
        text = text.format(pid=4000 + number % 7, port=50000 + number, line=number + 1)
        written.append(f"{text}LOG:  duration: 0.{number:03} ms  statement: SELECT {number}\n")
    return "".join(written).encode()


@pytest.mark.parametrize("setting", DETECTED)
def test_a_prefix_is_detected_from_its_lines(setting: str) -> None:
    detected = detect_prefix(lines(setting))
    assert detected is not None
    wanted = compile_prefix(setting)
    assert detected.matching == detected.samples == 40
    assert detected.prefix.fields >= wanted.fields
    for line in lines(setting).splitlines():
        mine, theirs = detected.prefix.entry.match(line), wanted.entry.match(line)
        assert mine
        assert theirs
        got, want = mine.group(*detected.prefix.groups), theirs.group(*wanted.groups)
        assert all(g == w for g, w in zip(got, want, strict=True) if w is not None)


@pytest.mark.parametrize("background", [0, 15])
@pytest.mark.parametrize("setting", DETECTED)
def test_the_first_of_the_best_settings_is_detected(setting: str, background: int) -> None:
    head = lines(setting, background=background)
    samples = sample_lines(head)
    worth = {text: _score(text, samples) for text in _candidates(samples)}
    best = max(worth, key=lambda text: worth[text][0])  # of equals the first
    detected = detect_prefix(head)
    assert detected is not None
    assert (detected.prefix.text, detected.matching) == (best, worth[best][1])


def test_an_application_without_a_name_is_no_part_of_the_session() -> None:
    setting = "%m [%p] %q%u@%d/%a %c %l "
    detected = detect_prefix(lines(setting).replace(VALUES["%a"].encode(), b"[unknown]"))
    assert detected is not None
    assert detected.prefix.text == setting.replace("%q", "")


def test_lines_of_background_processes_are_explained_by_q() -> None:
    detected = detect_prefix(lines("%m [%p] %q%u@%d ", background=15))
    assert detected is not None
    assert detected.prefix.text == "%m [%p] %q%u@%d "
    assert detected.matching == 40


def test_lines_without_any_time_have_no_prefix() -> None:
    assert detect_prefix(b"LOG:  duration: 1.000 ms  statement: SELECT 1\n" * 9) is None


@pytest.mark.parametrize("escape", [e for e in VALUES if e not in ("%m", "%%")])
@pytest.mark.parametrize("padding", ["", "20", "-20"])
def test_every_escape_with_and_without_padding(escape: str, padding: str) -> None:
    setting = f"%m <%{padding}{escape[1:]}> [%p] "
    value = VALUES[escape].format(pid=7, port=5, line=3)
    width = int(padding or 0)
    shown = value.rjust(width) if width > 0 else value.ljust(-width)
    prefix = compile_prefix(setting)
    line = f"{VALUES['%m']} <{shown}> [7] LOG:  hello\n".encode()
    found = prefix.framed.match(line)
    assert found
    assert found["message"] == b"hello"
    assert found["process"] == b"7"
    if escape == "%a":
        assert found["application"].strip() == value.encode()


def test_percent_and_unknown_escapes_are_as_in_postgresql() -> None:
    prefix = compile_prefix("100%% %z%m [%p] ")
    assert prefix.entry.match(f"100% {VALUES['%m']} [7] LOG:  x".encode())


def test_groups_are_in_the_order_of_the_fields() -> None:
    prefix = compile_prefix("%a|%d|%u|%p|%m ")
    found = prefix.entry.match(f"app|db|ann|7|{VALUES['%m']} ERROR:  x".encode())
    assert found
    fields = dict(zip(FIELDS, found.group(*prefix.groups), strict=True))
    assert fields["user"] == b"ann"
    assert fields["database"] == b"db"
    assert fields["application"] == b"app"
    assert fields["severity"] == b"ERROR"
    assert fields["session"] is None


def test_a_prefix_without_a_time_is_refused() -> None:
    with pytest.raises(UsageError, match="SHOW log_line_prefix"):
        compile_prefix("[%p] %u@%d ")


@pytest.mark.parametrize("setting", ["%m [%p] %u@%d %a ", "%m %u %d %a %i %b ", DETECTED[2]])
def test_hostile_lines_take_bounded_time(setting: str) -> None:
    prefix = compile_prefix(setting)
    line = VALUES["%m"].encode() + b" [7] " + b"a@b " * 250_000 + b"\n"
    start = time.process_time()
    assert prefix.framed.match(line) is None
    assert time.process_time() - start < 2
