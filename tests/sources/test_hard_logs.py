"""Logs that are hard to read, in every format and with both readers: nothing invented, lost or hidden.

The fixture `read` (conftest.py) holds for each of them that every byte is accounted for.
"""

import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest
from logs_strategy import EPOCH_US, PREFIX, WRITERS, Entry, logged

from analyzer.errors import InputError
from analyzer.model.executions import ExecutionChunk
from analyzer.pipeline import Options, run
from analyzer.sql.parameters import parted

Reading = Callable[..., Any]  # into a recording: conftest.Read

FAKE = "duration: 12.3 ms  statement: fake"
LINE = f"2026-11-22 08:00:00.000 UTC [7] app@db web LOG:  {FAKE}"
RECORD = WRITERS["csvlog"]([logged(FAKE)]).decode()
OBJECT = WRITERS["jsonlog"]([logged(FAKE)]).decode()
TEXTS = {
    "fake": f"SELECT '{FAKE}'",
    "fake-first": FAKE,
    "fake-line": f"SELECT '\n{FAKE}\n'",
    "fake-behind-tab": f"SELECT '\n\t{FAKE}\n\t'",
    "fake-entry": f"SELECT '\n{LINE}\n', 2",
    "fake-entry-behind-tab": f"SELECT '\n\t{LINE}\n'",
    "fake-record": f"SELECT '\n{RECORD}', 2",
    "fake-object": f"SELECT '\n{OBJECT}', 2",
    "fake-comment": f"SELECT 1 -- {FAKE}\n, 2 /* \n{FAKE} */",
    "dollar-quotes": "SELECT $$it's \"x\"$$, $tag$ $$ ', $2 = ' $tag$",
    "escapes": r"SELECT E'\'', E'\\', E'it\'s \n', 'it''s', '\'",
    "comments": 'SELECT 1 -- it\'s: a "comment"\n, /* a\nb */ 2',
    "emoji": "SELECT '😀 👩‍👩‍👧 東京', \"Zoë\"",
    "right-to-left": "SELECT 'שלום \u202e عليكم'",
    "separators": "SELECT 'a\u2028b\u2029c\u0085d\u00a0e\ufefff'",
    "controls": "SELECT 'a\x1fb\x0bc\x0cd\x7fe\x1b[31mf'",
    "backslashes": r"SELECT '\\', '\n', '\u0041', '\x00', '#011'",
    "quotes": 'SELECT """", "a""b", \'","\', \'""\'',
    "lines": "\n\n  SELECT 1\n\n\t, 2\n",
    "empty": "",
    "script": "SELECT 1;\nSELECT 2;",
}
VALUES = {
    "next": "$1 = ''', $2 = ''', $2 = ', $2 = '",
    "lines": "$1 = 'a\nb\n\tc\n', $2 = NULL, $3 = '\n'",
    "fake": f"$1 = '{FAKE}', $2 = '\n{FAKE}\n\t{FAKE}'",
    "fake-entry": f"$1 = '\n{LINE}\n'",
    "unicode": "$1 = '😀 \u2028 שלום', $2 = 'Zoë'",
    "quotes": '$1 = \'"a","b"\', $2 = \'\\"\', $3 = \'{"message": "x"}\'',
}
LAST = logged("duration: 0.25 ms  statement: SELECT 99", at=5)


@pytest.fixture(params=sorted(WRITERS))
def form(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def read_form(read_text: Reading, form: str) -> Reading:
    """Reads entries, or a log's bytes, in the format `form`."""

    def reading(made: Sequence[Entry] | bytes, **options: object) -> Any:  # noqa: ANN401 - conftest.Read
        log = made if isinstance(made, bytes) else WRITERS[form](made)
        prefix = PREFIX if form == "stderr" else None
        found = read_text(log, **{"log_format": form, "log_line_prefix": prefix} | options)
        assert found.source.bytes == len(log)
        return found

    return reading


def assert_clean(found: Any, executions: int) -> None:  # noqa: ANN401 - conftest.Read
    source = found.source
    assert (source.executions, len(found.executions)) == (executions, executions)
    assert (source.unparsed_lines, source.bytes_unparsed, source.truncated) == (0, 0, 0)
    assert source.first_unparsed is None


@pytest.mark.parametrize("kind", ["statement", "execute S_1"])
@pytest.mark.parametrize("text", TEXTS.values(), ids=TEXTS)
def test_a_statement_may_hold_anything(read_form: Reading, text: str, kind: str) -> None:
    found = read_form([logged(f"duration: 1.5 ms  {kind}: {text}"), LAST])
    assert_clean(found, 2)
    assert found.statements == [text, "SELECT 99"]
    assert found.executions.duration_ms == [1.5, 0.25]


@pytest.mark.parametrize("values", VALUES.values(), ids=VALUES)
def test_parameters_may_hold_anything(read_form: Reading, values: str) -> None:
    given = [f"parameters: {values}", f"Parameters: {values}"]  # to PostgreSQL 15, and from 16 on
    made = [logged("duration: 1.5 ms  execute a: SELECT $1", detail) for detail in given]
    found = read_form([*made, LAST])
    assert_clean(found, 3)
    assert found.parameters == [values, values, "99"]


def test_what_belongs_to_an_entry_is_no_execution(read_form: Reading) -> None:
    canceled = "canceling statement due to user request"
    found = read_form([Entry(0, 7, "ERROR", canceled, FAKE, FAKE, "57014"), LAST])
    assert_clean(found, 1)
    assert found.source.errors == 1
    assert found.statements == ["SELECT 99"]


@pytest.mark.parametrize("severity", ["WARNING", "NOTICE", "INFO", "ERROR"])
def test_a_text_that_a_function_raises_is_no_execution(read_form: Reading, severity: str) -> None:
    found = read_form([Entry(1, 1, severity, FAKE), LAST])
    assert_clean(found, 1)
    assert found.executions.duration_ms == [0.25]


@pytest.mark.parametrize("text", [text for text in TEXTS.values() if text], ids=filter(None, TEXTS))
def test_a_log_from_windows(read_form: Reading, form: str, text: str) -> None:
    made = [logged("duration: 1.5 ms  execute a: SELECT $1", "parameters: $1 = 'a\nb'")]
    log = WRITERS[form]([*made, logged(f"duration: 2.5 ms  statement: {text}"), LAST])
    found = read_form(log.replace(b"\n", b"\r\n"))
    assert_clean(found, 3)
    assert found.statements[1:] == [text, "SELECT 99"]
    assert found.parameters[0] == "$1 = 'a\nb'"


def test_latin_1_and_nul_bytes_are_kept_as_escapes(read_form: Reading, form: str) -> None:
    log = WRITERS[form]([logged("duration: 1.5 ms  statement: SELECT 'Zoë', 'a<>b'"), LAST])
    damaged = log.replace("Zoë".encode(), b"Zo\xeb").replace(b"<>", b"\0")
    found = read_form(damaged)
    assert_clean(found, 2)
    assert found.statements == [r"SELECT 'Zo\xeb', 'a\x00b'", "SELECT 99"]


def test_a_hole_of_nul_bytes_costs_one_entry(read_form: Reading, form: str) -> None:
    entry = WRITERS[form]([logged("duration: 1.5 ms  statement: SELECT 1")])
    found = read_form(entry * 3 + bytes(4000) + entry * 3)
    source = found.source
    assert (source.executions, source.unparsed_lines) == (5, 1)
    assert source.bytes_unparsed == 4000 + len(entry)
    assert source.first_unparsed.startswith(f"line 4, byte {3 * len(entry)}: \\x00")


def test_a_cut_file_says_what_is_missing(read_form: Reading, form: str) -> None:
    text = "SELECT 'cut', 'off'"
    before = WRITERS[form]([LAST, LAST])
    last = WRITERS[form]([logged(f"duration: 1.5 ms  statement: {text}")])
    for size in range(1, len(last)):
        found = read_form(before + last[:size])
        source = found.source
        assert found.statements[:2] == ["SELECT 99", "SELECT 99"]
        if source.executions == 2:
            # An stderr entry that was cut in its prefix, or in what says that it is an execution.
            assert source.bytes_unparsed == size or source.entries == 3
        elif found.statements[2] != text:
            assert text.startswith(found.statements[2])
            assert source.truncated == 1
            assert found.executions.flags[2] == ExecutionChunk.FLAG_TRUNCATED


def test_an_empty_file_is_an_error(read_form: Reading) -> None:
    with pytest.raises(InputError, match="is empty; nothing to analyse in it"):
        read_form(b"")


def test_a_wrong_format_is_an_error_that_shows_the_first_line(
    read_form: Reading, form: str
) -> None:
    wrong = {"stderr": "jsonlog", "csvlog": "stderr", "jsonlog": "csvlog"}[form]
    log = WRITERS[wrong]([LAST, LAST])
    shown = log[:60].decode().replace("\\", "\\\\")
    with pytest.raises(InputError) as hidden:
        read_form(log)
    assert "line 1, byte 0: " in str(hidden.value)
    assert "SELECT 99" not in str(hidden.value)
    with pytest.raises(InputError) as caught:
        read_form(log, show_values=True)
    assert f"line 1, byte 0: {shown}" in str(caught.value)
    assert "--log-format" in str(caught.value) or "--log-line-prefix" in str(caught.value)


@pytest.mark.parametrize("native", [True, False])
def test_a_wrong_prefix_ends_the_command_with_3(tmp_path: Path, *, native: bool) -> None:
    path = tmp_path / "postgresql.log"
    path.write_bytes(WRITERS["stderr"]([LAST]))
    words = ["report", str(path), "--log-line-prefix", "%t|%p|%u ", "-o", str(tmp_path / "x.json")]
    done = subprocess.run(
        [sys.executable, "-m", "analyzer", *words],
        env={"PG95_PURE_PYTHON": "" if native else "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 3
    assert "line 1, byte 0: 2026-11-22 08:00:00.005 UTC [7] app@db web LOG:" in done.stderr
    assert "SHOW log_line_prefix" in done.stderr
    assert not (tmp_path / "x.json").exists()


@pytest.mark.parametrize(
    ("zone", "given", "hours"),
    [
        ("UTC", None, 0),
        ("CET", None, 1),
        ("CEST", None, 2),
        ("+02", None, 2),
        ("-0330", None, -3.5),
        ("America/New_York", None, -5),
        ("EST", "America/New_York", -5),
        ("EDT", "America/New_York", -4),
        ("XYZ", "America/New_York", -5),
        ("XYZ", "+02:00", 2),
    ],
)
def test_zones_by_name_and_offset(
    read_form: Reading, form: str, zone: str, given: str | None, hours: float
) -> None:
    found = read_form(WRITERS[form]([LAST], zone), timezone=given)
    assert_clean(found, 1)
    assert found.executions.end_us == [EPOCH_US + 5_000 - round(hours * 3_600_000_000)]
    assert len(found.warnings) == (zone == "XYZ")  # unknown letters, read as the user's zone


@pytest.mark.parametrize(
    "name",
    ["<unnamed>", "S_1", "S_1/C_2", "fetch from S_1/C_3", "_plan0x7f: x", "lrupsc_1_0", "a b", "é"],
)
def test_names_of_prepared_statements_and_cursors(read_form: Reading, name: str) -> None:
    text = f"SELECT a FROM t -- {FAKE}\nWHERE b = $1"
    made = [
        logged(f"duration: 0.1 ms  parse {name}: {text}"),
        logged(f"duration: 0.2 ms  bind {name}: {text}", "parameters: $1 = 'bound'"),
        logged(f"duration: 3.5 ms  execute {name}: {text}", "parameters: $1 = 'given'"),
    ]
    found = read_form([*made, LAST])
    assert_clean(found, 2)
    assert (found.source.parse, found.source.bind) == (1, 1)
    assert found.executions.duration_ms == [3.5, 0.25]
    assert found.parameters == ["$1 = 'given'", "99"]
    if ": " not in name:  # PostgreSQL does not quote it: where it ends cannot be known
        assert found.statements == [text, "SELECT 99"]


def test_statements_of_cursors(read_form: Reading) -> None:
    declared = "DECLARE c_1 CURSOR FOR SELECT a FROM t"
    texts = [declared, "FETCH 100 FROM c_1", "FETCH 100 FROM c_1", "CLOSE c_1"]
    found = read_form([logged(f"duration: 1.5 ms  statement: {text}") for text in texts])
    assert_clean(found, 4)
    assert found.statements == texts


@pytest.mark.parametrize("text", TEXTS.values(), ids=TEXTS)
def test_duration_and_statement_apart_are_joined(read_form: Reading, text: str) -> None:
    """log_duration with log_statement = 'all': the simple protocol, and the extended one."""
    parameters = "parameters: $1 = 'x'"
    found = read_form([
        logged(f"statement: {text}", session=1),
        logged("duration: 0.1 ms", session=2),  # of parse and bind
        logged("duration: 0.2 ms", session=2),
        logged(f"execute <unnamed>: {text}", parameters, session=2),
        logged("duration: 1.5 ms", session=1),
        logged("duration: 2.5 ms", session=2),
    ])  # fmt: skip
    assert_clean(found, 2)
    assert found.statements == [text, text]
    assert found.executions.duration_ms == [1.5, 2.5]
    assert parted(found.parameters[1])[0] == "$1 = 'x'"  # literals of the text stand behind


def test_a_duration_is_never_joined_with_a_statement_that_failed(read_form: Reading) -> None:
    found = read_form([
        logged("statement: SELECT 1/0"),
        Entry(1, 7, "ERROR", "division by zero", "", "SELECT 1/0", "22012"),
        logged("duration: 0.1 ms", at=2),
        LAST,
    ])  # fmt: skip
    assert_clean(found, 1)
    assert any("1 durations came without their statement" in text for text in found.warnings)


def test_both_settings_together_count_once(read_form: Reading) -> None:
    """log_min_duration_statement = 0 with log_statement = 'all': the duration comes alone."""
    found = read_form([logged("statement: SELECT 1"), logged("duration: 1.5 ms"), LAST])
    assert_clean(found, 2)
    assert found.executions.duration_ms == [1.5, 0.25]


def test_a_log_that_says_how_it_is_sampled_is_flagged(read_form: Reading, form: str) -> None:
    rate = 'parameter "log_statement_sample_rate" changed to "0.1"'
    fake = 'parameter "log_min_duration_statement" changed to "5s"'
    found = read_form([
        logged('parameter "log_min_duration_sample" changed to "10ms"', session=1),
        logged(rate, session=1),
        logged(f"duration: 1.5 ms  statement: SELECT '\n{fake}\n'"),
        Entry(3, 7, "ERROR", "syntax error", fake, fake, "42601"),
        LAST,
    ])  # fmt: skip
    assert_clean(found, 2)
    told = found.recording.coverage.logged_settings
    assert {name: setting.value for name, setting in told.items()} == {
        "log_min_duration_sample": 10.0,
        "log_statement_sample_rate": 0.1,
    }
    assert {setting.at_us for setting in told.values()} == {EPOCH_US}
    assert found.source.format == form
    document = run(Options(inputs=[found.source.path])).document
    sampling = document["coverage"]["sampling"]
    assert (sampling["rate"], sampling["floor_ms"], sampling["by"]) == (0.1, 10.0, "statement")
