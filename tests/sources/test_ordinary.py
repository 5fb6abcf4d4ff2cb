"""The shortcut for ordinary entries: taken where it should be, and to where the long way leads."""

import lzma
from pathlib import Path
from unittest import mock

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from logs_strategy import EXAMPLES, PREFIX, WRITERS, Entry, entries, logged
from twins import read, recognised, told

from analyzer.sources.logs import framing
from analyzer.sources.logs.framing import Block
from analyzer.sources.logs.ordinary import OrdinaryEntries
from analyzer.sql import keys

DATA = Path(__file__).parent.parent / "data"


def handed_over(data: bytes, form: str, prefix: str | None) -> int:
    """How many of a log's bytes went the long way."""
    sizes = []
    hand_over = OrdinaryEntries._hand_over

    def counted(self: OrdinaryEntries, block: Block, start: int, end: int) -> bool:
        sizes.append(end - start)
        return hand_over(self, block, start, end)

    with mock.patch.object(OrdinaryEntries, "_hand_over", counted):
        read(data, form, prefix, native=False)
    return sum(sizes)


def assert_same(data: bytes, form: str, prefix: str | None) -> None:
    """With the shortcut and without it the same is read."""
    found = told(*read(data, form, prefix, native=False))
    with mock.patch.object(OrdinaryEntries, "_entries", lambda _self, _block, _batch, end: end):
        expected = told(*read(data, form, prefix, native=False))
    for name, value in expected.items():
        assert found[name] == value, name


def many() -> list[Entry]:
    """Entries of a session, most of them ordinary, with what needs a second look in their texts."""
    detail = "parameters: $1 = 'it''s \"é\" \\ a\n\tb', $2 = NULL"
    made = [logged("connection authorized: user=app database=db")]
    for number in range(200):
        text = f"SELECT \"é\", {number}\n\t, E'\\\\' FROM t WHERE a = $1 /*route='/a'*/"
        made += [
            logged(f"duration: 0.1 ms  {kind} s/p: {text}", detail, at=number)
            for kind in ("parse", "bind", "execute")
        ]
        made.append(logged(f"duration: 12.25 ms  statement: {text}", at=number))
    return made


@pytest.mark.parametrize("form", sorted(WRITERS))
@pytest.mark.parametrize("size", [100, 1000, 1 << 20])
def test_most_are_taken_in_bulk(form: str, size: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Also where blocks end within a record."""
    monkeypatch.setattr(framing, "CHUNK_BYTES", size)
    data = WRITERS[form](many())
    prefix = PREFIX if form == "stderr" else None
    assert_same(data, form, prefix)
    if size == 1 << 20:
        most = len(data) / (3 if form == "jsonlog" else 20)  # every fourth line is spaced there
        assert handed_over(data, form, prefix) < most


@pytest.mark.parametrize(
    "prefix",
    [
        "%m [%p] ",
        "%t:%r:%u@%d:[%p]:",
        "%m [%p] %l %q%u@%d ",
        "%m %c %q[%l] %a,%e,%Q ",
        "%u %d %a %p %m ",
    ],
)
def test_a_detail_repeats_its_prefix_but_for_the_line(prefix: str) -> None:
    values = {"%m": "2026-11-22 08:00:00.123 CET", "%t": "2026-11-22 08:00:00 CET", "%p": "7"}
    values |= {"%r": "10.0.0.7(4242)", "%u": "app", "%d": "db", "%c": "6abc.7", "%a": "my app"}
    values |= {"%e": "00000", "%Q": "-55", "%q": ""}
    log = ""
    for line, said in enumerate(
        [
            "LOG:  connection authorized: user=app",
            *["LOG:  duration: 1.5 ms  execute a: SELECT $1", "DETAIL:  parameters: $1 = '5'"] * 9,
        ],
    ):
        head = prefix.replace("%l", str(line + 1))
        for escape, value in values.items():
            head = head.replace(escape, value)
        log += f"{head}{said}\n"
    assert_same(log.encode(), "stderr", prefix)
    assert handed_over(log.encode(), "stderr", prefix) < len(log) / 9


@pytest.mark.parametrize("name", ["mixed.log", "mixed.csv", "mixed.json"])
def test_what_servers_write(name: str, tmp_path: Path) -> None:
    """Captures of a server, whose keys, columns and spaces the expressions have to know."""
    path = tmp_path / name
    path.write_bytes(lzma.decompress((DATA / "logs" / f"{name}.xz").read_bytes()))
    data, form, prefix = recognised(path)
    assert_same(data, form, prefix)
    assert handed_over(data, form, prefix) < 0.4 * len(data)


@pytest.mark.parametrize("form", sorted(WRITERS))
@settings(max_examples=EXAMPLES, deadline=None, suppress_health_check=list(HealthCheck))
@given(made=entries(), size=st.sampled_from([50, 1000, 1 << 20]))
def test_generated_logs(form: str, made: list[Entry], size: int) -> None:
    with mock.patch.object(framing, "CHUNK_BYTES", size):
        assert_same(WRITERS[form](made), form, PREFIX if form == "stderr" else None)


@pytest.mark.parametrize("form", sorted(WRITERS))
def test_one_in_many_answers_is_checked(form: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("analyzer.sources.logs.ordinary.CHECK_EVERY", 50)
    data = WRITERS[form](many())
    recording, _ = read(data, form, PREFIX if form == "stderr" else None, native=False)
    assert recording.keys.checked >= 8
    assert recording.keys.disagreed == 0
    # A key that holds texts of two fingerprints.
    monkeypatch.setattr(keys, "safe_key", lambda _text: ("key", None, None))
    data = WRITERS[form]([logged("duration: 1 ms  statement: SELECT a FROM t"), *many()])
    recording, _ = read(data, form, PREFIX if form == "stderr" else None, native=False)
    assert recording.keys.disagreed > 0
