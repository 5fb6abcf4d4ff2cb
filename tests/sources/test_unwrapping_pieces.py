"""Messages that PostgreSQL cut up for syslog: put together again, or counted."""

import io
import re
from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analyzer.sources.logs.unwrapping import UNWRAPPERS, Unwrapper

ENTRY_LINES = re.compile(rb"[^\n]*(?:\n\t[^\n]*)*\n")
NOW = datetime(2026, 12, 31, 23, 0, tzinfo=UTC)

# PostgreSQL's write_syslog (src/backend/utils/error/elog.c) in Python.
LIMIT = 900


def cut_up(message: bytes) -> list[bytes]:
    pieces = []
    while message:
        if message[:1] == b"\n":
            message = message[1:]
            continue
        line = message.partition(b"\n")[0]
        piece = line[:LIMIT]
        while piece and len(piece) < len(line) and (line[len(piece)] & 0xC0) == 0x80:
            piece = piece[:-1]
        rest = message[len(piece) : len(piece) + 1]
        if rest and not rest.isspace():
            blank = max(piece.rfind(b" "), piece.rfind(b"\t"))
            piece = piece[:blank] if blank > 0 else piece
        pieces.append(piece)
        message = message[len(piece) :]
    return pieces


WORDS = st.sampled_from(
    [
        "SELECT",
        "a",
        "'it''s'",
        "HINT:  x",
        "LOG:  y",
        "\n",
        "\n\n",
        "grüße",
        "😀",
        "[3-1]",
        "--",
        "\\",
    ]
) | st.builds(lambda n, c: c * n, st.integers(1, 1200), st.sampled_from(["x", "é", "7"]))
TEXTS = st.lists(WORDS, min_size=1, max_size=60).map(
    lambda words: re.sub(r"\n\s*", "\n", " ".join(words)).strip() or "x"
)
PREFIX = b"2026-11-22 08:00:00.123 UTC [%d] ann@shop "


@st.composite
def logs(draw: st.DrawFn) -> tuple[dict[int, list[bytes]], list[tuple[int, bytes]]]:
    """Entries by process, and their records in some order in which processes take turns."""
    entries_of: dict[int, list[bytes]] = {}
    queues: dict[int, list[bytes]] = {}
    for process in (7, 8, 9):
        prefix = PREFIX % process
        for number in range(draw(st.integers(0, 4))):
            lines = [b"LOG:  ", b"DETAIL:  "] if draw(st.booleans()) else [b"LOG:  "]
            entry = b"".join(
                prefix + severity + draw(TEXTS).encode().replace(b"\n", b"\n\t") + b"\n"
                for severity in lines
            )
            entries_of.setdefault(process, []).append(entry)
            queues.setdefault(process, []).extend(
                b"[%d-%d] %s" % (number + 3, n, piece) for n, piece in enumerate(cut_up(entry), 1)
            )
    records = []
    while queues:
        process = draw(st.sampled_from(sorted(queues)))
        records.append((process, queues[process].pop(0)))
        if not queues[process]:
            del queues[process]
    return entries_of, records


@settings(max_examples=60, deadline=None)
@given(logs(), st.booleans(), st.integers(1, 3))
def test_mixed_pieces_become_the_entries_that_were_cut_up(
    log: tuple[dict[int, list[bytes]], list[tuple[int, bytes]]],
    escape: bool,  # noqa: FBT001  # drawn
    copies: int,
) -> None:
    entries_of, records = log
    lines = []
    for process, piece in records * copies:
        text = piece.replace(b"\t", b"#011") if escape else piece
        lines.append(b"Nov 22 08:00:00 db1 postgres[%d]: %s\n" % (process, text))
    unwrapper = UNWRAPPERS["syslog"](io.BytesIO(b"".join(lines)))  # type: ignore[arg-type]
    inner = unwrapper.read()
    assert unwrapper.bytes_unparsed == 0
    for process in entries_of:
        own = [e for e in ENTRY_LINES.findall(inner) if b"[%d] ann@shop " % process in e]
        assert b"".join(own) == b"".join(entries_of[process]) * copies
    assert len(inner) == sum(len(e) for own in entries_of.values() for e in own) * copies


def line(text: str, process: int = 77, program: str = "postgres") -> str:
    return f"2026-11-22T08:00:01.5+01:00 db1 {program}[{process}]: {text}\n"


def unwrapped(text: str, kind: str = "syslog") -> tuple[str, Unwrapper]:
    unwrapper = UNWRAPPERS[kind](io.BytesIO(text.encode()), now=NOW)  # type: ignore[arg-type]
    return unwrapper.read().decode(), unwrapper


LOG = "2026-11-22 08:00:00.123 UTC [77] LOG:  "


def test_pieces_without_their_beginning_are_unparsed_and_the_first_is_shown() -> None:
    lost = line("[4-2] \tFROM books")
    inner, unwrapper = unwrapped(line("[3-1] " + LOG + "a") + lost + line("[5-1] " + LOG + "b"))
    assert inner == f"{LOG}a\n{LOG}b\n"
    assert (unwrapper.bytes_unparsed, unwrapper.unparsed_lines) == (len(lost), 1)
    assert unwrapper.first_unparsed is not None
    assert unwrapper.first_unparsed.startswith(
        f"line 2, byte {len(line('[3-1] ' + LOG + 'a'))}: 2026"
    )


def test_a_piece_that_was_lost_on_the_way_costs_those_after_it() -> None:
    pieces = [line(f"[3-{n}] \tline {n}") for n in (2, 4, 5)]
    inner, unwrapper = unwrapped(line("[3-1] " + LOG + "a") + "".join(pieces))
    assert inner == f"{LOG}a\n\tline 2\n"
    assert unwrapper.bytes_unparsed == len(pieces[1]) + len(pieces[2])


def test_a_message_that_grows_over_many_blocks_and_records(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("analyzer.sources.logs.unwrapping._base.BLOCK_BYTES", 5000)
    monkeypatch.setattr("analyzer.sources.logs.unwrapping._assembly._RECENT", 10)
    lines = [line("[3-1] " + LOG + "begins", 1)]
    for n in range(2, 400):
        lines.append(line(f"[3-{n}] \tline {n}", 1))
        lines.append(line(f"[{n}-1] {LOG}other {n}", 2))
    inner, unwrapper = unwrapped("".join(lines))
    assert unwrapper.bytes_unparsed == 0
    joined = "".join(f"\tline {n}\n" for n in range(2, 400))
    assert f"{LOG}begins\n{joined}" in inner
    assert inner.count("other") == 398


def test_memory_for_messages_that_never_end_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("analyzer.sources.logs.unwrapping._base.BLOCK_BYTES", 5000)
    module = "analyzer.sources.logs.unwrapping._assembly"
    monkeypatch.setattr(f"{module}.LONGEST_ENTRY_BYTES", 20_000)
    lines = [line("[3-1] " + LOG + "begins", 1)]
    lines += [line(f"[3-{n}] \t{'x' * 100}", 1) for n in range(2, 1000)]
    inner, unwrapper = unwrapped("".join(lines))
    assert 20_000 < len(inner) < 30_000
    assert len(inner) + unwrapper.bytes_unparsed > 90_000
