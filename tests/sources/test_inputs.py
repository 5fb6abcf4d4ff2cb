"""What users hand in: files, folders, patterns, pipes; each is recognised, read and accounted."""

import bz2
import gzip
import io
import json
import lzma
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import lz4.frame
import pytest
import zstandard
from hypothesis import given, settings
from hypothesis import strategies as st

from analyzer.errors import InputError, UsageError
from analyzer.model.recording import Recording
from analyzer.sources.detection import recognise
from analyzer.sources.inputs import gather
from analyzer.sources.opening import HEAD_BYTES, open_input
from analyzer.sources.options import ReadOptions
from analyzer.sql.keys import StatementKeyTable

Reading = Callable[..., Any]  # into a recording: conftest.Read
Making = Callable[..., str]  # a log from its entries

EXECUTION = ("LOG", "duration: 1.000 ms  statement: SELECT 1")


@pytest.mark.parametrize(
    ("path", "name"),
    [
        ("prisma/pglog/default_client.stderr.log", "stderr"),
        ("prisma/pglog/default_client.csv", "csvlog"),
        ("prisma/pglog/default_client.json", "jsonlog"),
        ("prisma/pglog/default_client.pg_stat_statements.jsonl", "pg_stat_statements-jsonl"),
        ("nplusone/django/lazy_children.pgss.json", "pg_stat_statements-json"),
        ("prisma/prisma/query_events_default_client.jsonl", "prisma-events"),
        ("prisma/schema/schema.prisma", "schema-prisma"),
        ("nplusone/schema.sql", "schema-sql"),
        ("plans/version-matrix/pg16-nestloop.json", "explain-json"),
        ("plans/version-matrix/pg16-nestloop.txt", "explain-text"),
        ("plans/version-matrix/pg16-nestloop.min.txt", "explain-text"),
        ("plans/version-matrix/pg16-nestloop.yaml", "explain-yaml"),
        ("plans/version-matrix/pg16-nestloop.xml", "explain-xml"),
    ],
)
def test_formats_are_recognised_by_content(
    data: Path, read: Reading, tmp_path: Path, path: str, name: str
) -> None:
    renamed = tmp_path / "input"  # the name says nothing
    renamed.write_bytes((data / path).read_bytes())
    source = read(renamed).source
    assert source.format == name
    assert source.detected_by
    assert source.failure is None
    assert source.entries > 0
    assert source.bytes == renamed.stat().st_size
    assert source.bytes_unparsed == 0


def test_a_csv_of_counters_is_recognised_by_its_header(read_text: Reading) -> None:
    found = read_text("queryid,query,calls,total_exec_time\n7,SELECT $1,3,1.5\n")
    assert found.source.format == "pg_stat_statements-csv"
    assert [counters.calls for counters in found.recording.counters] == [3]


def test_facts_of_other_rooms_arrive(data: Path, read: Reading) -> None:
    found = read(
        data / "prisma/schema/schema.prisma",
        data / "plans/version-matrix/pg16-nestloop.json",
        data / "nplusone/django/lazy_children.pgss.json",
    ).recording
    assert found.catalog is not None
    assert found.catalog.table("containers") is not None
    (plan,) = found.plans
    assert (plan.format, plan.source) == ("json", 1)
    assert json.loads(plan.text)[0]["Plan"]["Node Type"] == "Nested Loop"
    assert {counters.source for counters in found.counters} == {2}


PACKERS: dict[str, Callable[[bytes], bytes]] = {
    "gzip": gzip.compress,
    "bzip2": bz2.compress,
    "xz": lzma.compress,
    "zstd": zstandard.ZstdCompressor().compress,
    "lz4": lambda data: bytes(lz4.frame.compress(data)),
}


@pytest.mark.parametrize("packer", PACKERS)
def test_packed_inputs_are_read_by_their_magic(
    read_text: Reading, stderr_log: Making, packer: str
) -> None:
    text = stderr_log(EXECUTION) * 3
    found = read_text(PACKERS[packer](text.encode()))
    assert found.source.executions == 3
    assert found.source.bytes == len(text)
    assert found.source.detected_by.endswith(f" ({packer})")


@pytest.mark.parametrize("packer", PACKERS)
def test_a_cut_archive_gives_what_it_has_and_a_warning(
    read_text: Reading, stderr_log: Making, packer: str
) -> None:
    lines = "".join(
        stderr_log(("LOG", f"duration: {n}.5 ms  statement: SELECT {n * 7919}"))
        for n in range(200_000 if packer == "bzip2" else 20_000)
    )
    packed = PACKERS[packer](lines.encode())
    found = read_text(packed[: len(packed) * 3 // 4])
    assert 0 < found.source.executions < lines.count("\n")
    assert any("what came before it was read" in warning for warning in found.warnings)


@pytest.mark.parametrize("members", [1, 2])
def test_a_zip_archive_is_read_member_by_member(
    tmp_path: Path, read: Reading, stderr_log: Making, members: int
) -> None:
    path = tmp_path / "logs.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for number in range(members):
            archive.writestr(f"day{number}.log", stderr_log(EXECUTION) * (number + 1))
    found = read(path)
    sources = found.recording.coverage.sources
    expected = [f"{path}!day{number}.log" for number in range(members)]
    assert [source.path for source in sources] == expected
    assert [source.executions for source in sources] == [1, 2][:members]


@pytest.mark.parametrize(
    ("content", "remedy"),
    [
        (b"7z\xbc\xaf\x27\x1c\0\4", r"7z x -so \S+/input.log \| pg95 report -"),
        (bytes(257) + b"ustar\x0000", r"tar -xf \S+/input.log -C logs"),
        (b"\x28\xb5\x2f\xfdrest", "the zstd data is cut; nothing to analyse in it"),
        (
            b"PK\x03\x04rest",
            "a zip archive without a file in it: .* as if the archive had been cut",
        ),
    ],
)
def test_archives_that_give_nothing_say_why_or_name_the_remedy(
    read_text: Reading, content: bytes, remedy: str
) -> None:
    with pytest.raises(InputError, match=remedy):
        read_text(content)


def test_standard_input(monkeypatch: pytest.MonkeyPatch, read: Reading, stderr_log: Making) -> None:
    raw = io.BytesIO(stderr_log(EXECUTION).encode())
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(raw))
    assert read("-").source.executions == 1
    assert not raw.closed


def test_folders_are_walked_in_order_and_hidden_files_left_out(
    tmp_path: Path, read: Reading, stderr_log: Making
) -> None:
    for name in ("b/2.log", "b/1.log", "a.log", ".hidden.log", ".git/x.log"):
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(stderr_log(EXECUTION))
    found = read(tmp_path)
    names = [
        Path(source.path).relative_to(tmp_path).as_posix()
        for source in found.recording.coverage.sources
    ]
    assert sorted(names) == ["a.log", "b/1.log", "b/2.log"]
    assert names.index("b/1.log") < names.index("b/2.log")
    assert len(found.executions) == 3
    assert list(found.executions.source) == [0, 1, 2]


def test_what_a_folder_holds_beside_inputs_is_skipped_with_a_warning(
    tmp_path: Path, read: Reading, stderr_log: Making
) -> None:
    (tmp_path / "README.md").write_text("# Logs\n\nCREATE TABLE is explained here. LOG:  too.\n")
    (tmp_path / "marks.jsonl").write_text('{"scenario": "n1", "start": "x"}\n')
    (tmp_path / "server.log").write_text(stderr_log(EXECUTION))
    found = read(tmp_path).recording
    formats = {Path(source.path).name: source.format for source in found.coverage.sources}
    assert formats == {"README.md": "skipped", "marks.jsonl": "skipped", "server.log": "stderr"}
    (warning,) = found.coverage.warnings  # none about the README: it is only listed
    assert "marks.jsonl" in warning
    assert "skipped" in warning
    assert all(source.failure is None for source in found.coverage.sources)


def test_patterns_are_expanded_and_a_file_is_read_once(
    tmp_path: Path, read: Reading, stderr_log: Making
) -> None:
    for name in ("b.log", "a.log", "c.txt"):
        (tmp_path / name).write_text(stderr_log(EXECUTION))
    found = read(tmp_path / "*.log", tmp_path / "a.log").recording
    assert [Path(source.path).name for source in found.coverage.sources] == ["a.log", "b.log"]
    assert any("named twice" in warning for warning in found.coverage.warnings)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "is empty"),
        (bytes(range(256)) * 300, "binary data"),
        (b"Dear diary,\nnothing happened.\n", "--log-line-prefix"),
        (b'{"level": "info", "msg": "hello"}\n', "known are"),
    ],
)
def test_a_bad_input_alone_is_an_error_with_its_remedy(
    read_text: Reading, content: bytes, words: str
) -> None:
    with pytest.raises(InputError, match=words) as caught:
        read_text(content)
    if content:
        assert "line 1, byte 0: " in str(caught.value)
    assert all(c.isprintable() or c == "\n" for c in str(caught.value))


def test_missing_unreadable_and_senseless_paths(tmp_path: Path, read: Reading) -> None:
    with pytest.raises(InputError, match="no such file"):
        read(tmp_path / "nope.log")
    with pytest.raises(InputError, match="no such file"):
        read(tmp_path / "*.nope")
    with pytest.raises(InputError, match="cannot be read"):
        read("a\0b")
    with pytest.raises(InputError, match="no input that can be read"):
        read(tmp_path)


def test_a_bad_input_beside_good_ones_is_a_warning(
    tmp_path: Path, read: Reading, stderr_log: Making
) -> None:
    good, bad = tmp_path / "good.log", tmp_path / "bad.log"
    good.write_text(stderr_log(EXECUTION))
    bad.write_bytes(bytes(range(256)) * 300)
    found = read(bad, good, tmp_path / "missing").recording
    failures = [source.failure for source in found.coverage.sources]
    assert failures[0]
    assert failures[1] is None
    assert failures[2]
    assert len(found.coverage.warnings) == 2
    assert found.coverage.sources[0].bytes == found.coverage.sources[0].bytes_unparsed == 76_800


def test_a_wrong_prefix_shows_the_first_line_and_the_remedy(
    read_text: Reading, stderr_log: Making
) -> None:
    with pytest.raises(InputError) as caught:
        read_text(stderr_log(EXECUTION), log_line_prefix="%t|%p|%u ")
    message = str(caught.value)
    assert "line 1, byte 0: 2026-11-22 08:45:20.123 UTC [77]" in message
    assert "SHOW log_line_prefix" in message
    assert "'%t|%p|%u '" in message


def test_a_prefix_that_nobody_knows_asks_for_it(read_text: Reading) -> None:
    line = "<<20261122>> ann LOG:  duration: 1.000 ms  statement: SELECT 1\n"
    with pytest.raises(InputError, match="give --log-line-prefix"):
        read_text(line * 5)


def test_the_users_format_is_obeyed(
    read_text: Reading, stderr_log: Making, data: Path, read: Reading
) -> None:
    with pytest.raises(InputError, match="csvlog"):
        read_text(stderr_log(EXECUTION), log_format="csvlog")
    found = read_text(stderr_log(EXECUTION), log_format="stderr")
    assert found.source.executions == 1
    assert found.source.detected_by.startswith("--log-format")
    plan = read(data / "plans/version-matrix/pg16-nestloop.json", log_format="csvlog")
    assert plan.source.format == "explain-json"


def test_options_without_meaning_are_usage_errors(read_text: Reading, stderr_log: Making) -> None:
    with pytest.raises(UsageError, match="time zone"):
        read_text(stderr_log(EXECUTION), timezone="Mars/Olympus")
    with pytest.raises(UsageError, match="no time"):
        read_text(stderr_log(EXECUTION), log_line_prefix="[%p] ")


def test_unparsed_lines_are_counted_with_the_first_shown(
    read_text: Reading, stderr_log: Making
) -> None:
    entry = stderr_log(EXECUTION)
    junk = "sh: 1: \x1b[31mno\x07 such\n" + "y" * 500 + "\n\tbelongs to it\n"
    found = read_text(entry * 4 + junk + entry * 4)
    source = found.source
    assert (source.executions, source.unparsed_lines) == (8, 3)
    assert source.bytes_unparsed == len(junk)
    assert source.first_unparsed == (f"line 5, byte {4 * len(entry)}: sh: 1: \\x1b[31mno\\x07 such")
    assert any("3 lines" in warning and "byte" in warning for warning in found.warnings)


def test_a_long_unparsable_line_is_shown_in_part(read_text: Reading, stderr_log: Making) -> None:
    found = read_text("z" * 5000 + "\n" + stderr_log(EXECUTION))
    shown = found.source.first_unparsed.removeprefix("line 1, byte 0: ")
    assert len(shown) == 200
    assert shown.endswith("…")


@pytest.mark.parametrize("name", ["stderr.log", "csv", "json"])
def test_windows_line_ends(data: Path, read_text: Reading, name: str) -> None:
    text = (data / f"prisma/pglog/default_client.{name}").read_bytes()
    found = read_text(text.replace(b"\n", b"\r\n"))
    assert found.source.executions == 127
    assert found.source.unparsed_lines == 0
    assert not any("\r" in statement for statement in found.statements)
    assert not any("\r" in (parameters or "") for parameters in found.parameters)


def test_latin_1_and_nul_bytes_are_kept_as_escapes(read_text: Reading, stderr_log: Making) -> None:
    text = stderr_log(("LOG", "duration: 1.000 ms  statement: SELECT 'Zoë', 'a\0b' FROM t"))
    found = read_text(text.encode("latin-1"))
    assert found.statements == [r"SELECT 'Zo\xeb', 'a\x00b' FROM t"]
    assert found.source.bytes_unparsed == 0


def test_a_hole_of_nul_bytes_costs_one_line(read_text: Reading, stderr_log: Making) -> None:
    entry = stderr_log(EXECUTION)
    found = read_text(entry * 3 + "\0" * 4000 + entry * 3)
    assert found.source.executions == 5
    assert found.source.unparsed_lines == 1
    assert found.source.bytes_unparsed == 4000 + len(entry)


def test_progress_is_told_with_the_size_on_disk(tmp_path: Path, stderr_log: Making) -> None:
    path = tmp_path / "x.log"
    path.write_text(stderr_log(EXECUTION) * 3000)
    told: list[tuple[str, int, int | None]] = []
    recording = Recording(keys=StatementKeyTable())
    gathering = gather([str(path)], ReadOptions(), recording, lambda *step: told.append(step))
    assert sum(len(chunk) for stream in gathering.streams for chunk in stream.chunks) == 3000
    gathering.finish()
    size = path.stat().st_size
    assert told[-1] == (str(path), size, size)
    assert [step[1] for step in told] == sorted(step[1] for step in told)


def test_the_head_does_not_use_up_the_stream(tmp_path: Path) -> None:
    path = tmp_path / "x"
    path.write_bytes(bytes(range(256)) * 1000)
    with open_input(str(path)) as stream:
        assert len(stream.head) == HEAD_BYTES
        assert not stream.whole
        assert stream.readall() == path.read_bytes()
        assert stream.bytes_read == 256_000


@settings(max_examples=100, deadline=None)
@given(
    st.binary(max_size=300)
    | st.lists(
        st.sampled_from(
            [b"{", b"[", b'"Plan": {', b'"query"', b"model x {", b"CREATE TABLE t (", b"\n", b"--"]
        ),
        max_size=12,
    ).map(b"".join),
    st.sampled_from(["auto", "stderr", "csvlog", "jsonlog"]),
)
def test_recognition_never_crashes(head: bytes, log_format: str) -> None:
    found = recognise(head, whole=True, options=ReadOptions(log_format=log_format))
    assert found is None or found.evidence
