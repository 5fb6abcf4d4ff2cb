"""Wrapped logs are told from others by their content, and no bytes crash an unwrapper."""

import io
import lzma
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from analyzer.sources.logs.unwrapping import UNWRAPPERS, recognise_wrapping

DATA = Path(__file__).parent.parent / "data"
HEAD = 64 * 1024


def unwrapped_names() -> list[str]:
    names = ["logs/mixed.log.xz", "logs/mixed.csv.xz", "logs/mixed.json.xz"]
    names += [f"logs/wrapped/numbered.{kind}.xz" for kind in ("stderr.log", "csv", "json")]
    names += ["logs/wrapped/bare.stderr.log.xz"]
    for folder in ("prisma", "plans", "schema", "nplusone"):
        paths = sorted(path for path in (DATA / folder).rglob("*") if path.is_file())
        names += [str(path.relative_to(DATA)) for path in paths]
    return names


def test_nothing_that_is_not_wrapped_is_taken_for_it() -> None:
    names = unwrapped_names()
    assert len(names) > 100
    for name in names:
        data = (DATA / name).read_bytes()
        head = (lzma.decompress(data) if name.endswith(".xz") else data)[:HEAD]
        assert recognise_wrapping(head) is None, name


@pytest.mark.parametrize(
    "head",
    [
        b"",
        b"\n\n",
        b"{",
        b"[",
        b"[1, 2]",
        b'[{"query": "SELECT 1", "calls": 3}]',
        b'[{"Plan": {"Node Type": "Seq Scan"}}]',
        b'{"timestamp":"2026-11-22 08:45:20.000 UTC","error_severity":"LOG","message":"x"}\n',
        b'{"timestamp":"2026-11-22T08:00:00Z","duration":1.5,"query":"SELECT 1","params":"[]"}\n',
        b"Nov 22 08:00:00 db1 CRON[77]: session opened\n" * 9,
        b"2026-11-22T08:00:00.123456789Z stderr F GET /index.html\n" * 9,
        b"2026-11-22 08:00:00.123 UTC [7] LOG:  duration: 1 ms  statement: SELECT '{\"log\": 1}'\n",
        b"CREATE TABLE logs (data text);\n",
    ],
)
def test_texts_that_only_look_like_it(head: bytes) -> None:
    assert recognise_wrapping(head) is None


def test_names_are_the_tables() -> None:
    assert all(kind.name == name and kind.title for name, kind in UNWRAPPERS.items())
    assert {name for name, kind in UNWRAPPERS.items() if not kind.verified} == {
        "azure",
        "cloudwatch",
        "otlp",
        "supabase",
    }


SAMPLES = (
    b'{"textPayload":"2026-11-22 08:00:00 UTC [7] LOG:  x","timestamp":"2026-11-22T08:00:00Z","logName":"a/postgres.log"}',
    b'{"MESSAGE":"[3-1] LOG:  x","_PID":"7","SYSLOG_IDENTIFIER":"postgres","__REALTIME_TIMESTAMP":"1"}',
    b'{"MESSAGE":[65,66],"_COMM":"postgres","__REALTIME_TIMESTAMP":"x"}',
    b'{"record":{"log_time":"2026","error_severity":"LOG"},"msg":"record"}',
    b'{"category":"PostgreSQLLogs","properties":{"message":"x","detail":3}}',
    b'{"resourceLogs":[{"scopeLogs":[{"logRecords":[{"body":{"stringValue":"LOG:  x"}},3]}]}]}',
    b'{"event_message":"duration: 1","timestamp":1,"metadata":[{"parsed":[{"error_severity":"LOG"}]}]}',
    b'{"log":"x","stream":"stdout"}',
    b'{"message":"x","timestamp":1,"id":"2"}',
    b"Nov 22 08:00:00 db1 postgres[77]: [5-1] LOG:  x",
    b"<1>1 2026-11-22T08:00:00Z h postgres 7 - - [5-2] \tx#011#012",
    b"2026-11-22T08:00:00+00:00 app[postgres.7]: [A] [1-1] sql_error_code = 00000 LOG:  x",
    b"2026-11-22T08:00:00.123456789Z stderr P x",
    b"\tcontinued",
    b"{",
    b"}",
    b"[",
    b'{"records":[',
    b"]}",
    b",",
    b'"',
    b"\\",
    b"\0",
)
ANY_BYTES = st.binary(max_size=300) | st.lists(
    st.sampled_from(SAMPLES) | st.sampled_from([b"\n", b"\r\n", b" "]) | st.binary(max_size=9),
    max_size=14,
).map(b"".join)


@pytest.mark.parametrize("kind", sorted(UNWRAPPERS))
@settings(max_examples=60, deadline=None)
@given(data=ANY_BYTES)
@example(data=b"\n".join(SAMPLES))
def test_no_bytes_crash_an_unwrapper_or_count_twice(kind: str, data: bytes) -> None:
    recognise_wrapping(data)
    unwrapper = UNWRAPPERS[kind](io.BytesIO(data))  # type: ignore[arg-type]
    inner = unwrapper.read()
    assert inner == b"" or inner.endswith(b"\n") or unwrapper.name in ("cri", "docker")
    assert 0 <= unwrapper.bytes_unparsed <= len(data)
    assert 0 <= unwrapper.bytes_unparsed + unwrapper.foreign_bytes <= len(data)
    assert (unwrapper.first_unparsed is None) == (unwrapper.unparsed_lines == 0)
    assert all(isinstance(note, str) for note in unwrapper.notes)
