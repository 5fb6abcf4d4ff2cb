"""Columns in memory that is lent, and in slots that two processes share, are what they are elsewhere."""

import os
from collections.abc import Callable, Iterator
from ctypes import Array, c_ubyte
from pathlib import Path
from unittest import mock

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from logs_strategy import PREFIX, WRITERS, Entry, entries, logged
from twins import assert_twins, told

from analyzer.model.executions import ExecutionChunk, joined
from analyzer.model.recording import Recording
from analyzer.sources.inputs import gather
from analyzer.sources.logs.native import batch, lend_columns
from analyzer.sources.options import ReadOptions
from analyzer.sources.workers import slots as module
from analyzer.sources.workers.packing import Added, Piece, opened, packed
from analyzer.sources.workers.ring import aligned
from analyzer.sources.workers.slots import SLOT_BYTES, Slot, Slots, slot_of
from analyzer.sql.keys import StatementKeyTable

FLUSH = 4_000  # bytes of a log between two chunks


@pytest.fixture(autouse=True)
def small_blocks(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(batch, "LENDERS", [])
    with (
        mock.patch("analyzer.sources.logs.framing.CHUNK_BYTES", FLUSH),
        mock.patch("analyzer.sources.logs.native.driver.FLUSH_BYTES", FLUSH),
    ):
        yield


@pytest.fixture
def shared() -> Iterator[tuple[Slots, Slots]]:
    """The slots as two processes see them."""
    descriptor = Slots.made()
    yield Slots(descriptor), Slots(descriptor)
    os.close(descriptor)


def some(count: int = 400, size: int = 3) -> list[Entry]:
    """Executions with parameters, in chunks of which some have many and some have long ones."""
    made = []
    for n in range(count):
        long = "x" * (size * (n % 50 == 0))
        text = (
            f"SELECT {n} FROM t WHERE a = $1 AND b = '{long}'"
            if n % 7
            else f"SELECT t{n % 3} FROM t"
        )
        detail = f"parameters: $1 = '{n}'" if n % 7 else ""
        made.append(logged(f"duration: {n}.5 ms  execute a: {text}", detail, at=n, session=n % 5))
    return made


def chunks_of(path: Path) -> tuple[Recording, Iterator[ExecutionChunk]]:
    recording = Recording(keys=StatementKeyTable())
    (stream,) = gather([str(path)], ReadOptions(), recording).streams
    return recording, stream.chunks


def written(folder: Path, made: list[Entry]) -> Path:
    path = folder / "postgresql.csv"
    path.write_bytes(WRITERS["csvlog"](made))
    return path


def lender(size: int, lent: list[Array[c_ubyte]]) -> Callable[[], Array[c_ubyte]]:
    """Gives memory in which something stands, and keeps it."""

    def lend() -> Array[c_ubyte]:
        memory = (c_ubyte * size)(*b"\xaa" * size)
        lent.append(memory)
        return memory

    return lend


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.data(), st.sampled_from((1 << 9, 1 << 13, 1 << 16)), st.sampled_from(sorted(WRITERS)))
def test_lent_memory_changes_nothing(data: st.DataObject, size: int, form: str) -> None:
    lent: list[Array[c_ubyte]] = []
    lend_columns(lender(size, lent))
    made = data.draw(entries()) * data.draw(st.integers(1, 20))
    assert_twins(WRITERS[form](made), form, PREFIX if form == "stderr" else None)
    assert lent


@pytest.mark.parametrize("size", [1 << 12, 1 << 13, 1 << 14, 1 << 16])
def test_columns_that_outgrow_what_was_lent_move(tmp_path: Path, size: int) -> None:
    """By their number, or as texts are longer than those before."""
    path = written(tmp_path, some(size=900))
    plain = told(*_joined(path))
    lent: list[Array[c_ubyte]] = []
    lend_columns(lender(size, lent))
    assert told(*_joined(path)) == plain
    _, chunks = chunks_of(path)
    inside = [any(np.shares_memory(c.columns["key"], m) for m in lent) for c in chunks]
    assert any(inside)


def _joined(path: Path) -> tuple[Recording, ExecutionChunk]:
    recording, chunks = chunks_of(path)
    return recording, joined(list(chunks))


def test_a_slot_is_free_when_its_last_array_is_gone(shared: tuple[Slots, Slots]) -> None:
    writer, reader = shared
    lent = [writer.lend() for _ in range(module._SLOTS)]
    assert None not in lent
    assert writer.lend() is None
    array = np.frombuffer(lent[0], dtype="i4")[:5]
    lent[0] = None
    assert writer.lend() is None
    del array
    again = writer.lend()
    assert again is not None
    assert again.number == 0
    again.hand_on()
    del again
    assert writer.lend() is None
    del lent
    of_reader = reader.used(0)
    del of_reader
    assert writer.lend() is not None


def test_only_columns_within_a_slot_have_a_place(shared: tuple[Slots, Slots]) -> None:
    slot = shared[0].lend()
    assert slot is not None
    inside = np.frombuffer(slot, dtype="i8", count=4, offset=64)
    assert slot.place_of(inside) == 64
    assert slot.place_of(np.frombuffer(slot, dtype="u1")) == 0
    assert slot.place_of(inside[::2]) is None
    assert slot.place_of(inside.copy()) is None


def sent_over(reader: Slots, chunk: ExecutionChunk) -> ExecutionChunk:
    """A chunk as it comes out of a ring."""
    pieces: list[Piece] = packed(Added(), chunk)
    message = b"".join(bytes(p).ljust(aligned(len(p)), b"\0") for p in pieces)
    _, found = opened(memoryview(message), reader)
    assert found is not None
    return found


@pytest.mark.parametrize("slots", [0, 1, 12])
@pytest.mark.parametrize("size", [3, SLOT_BYTES // 6])
def test_columns_come_over_in_slots_or_are_copied(
    tmp_path: Path, shared: tuple[Slots, Slots], slots: int, size: int
) -> None:
    """Whether there is a slot for a chunk, or none, or its texts do not fit into it."""
    writer, reader = shared
    kept = [writer.lend() for _ in range(module._SLOTS - slots)]
    path = written(tmp_path, some(size=size))
    expected = [
        {name: column.tolist() for name, column in chunk.columns.items()}
        | {"texts": [chunk.parameters[n] for n in range(len(chunk.parameters))]}
        for chunk in chunks_of(path)[1]
    ]
    lend_columns(writer.lend)
    found, used, came = [], set(), False
    for chunk in chunks_of(path)[1]:
        slot = slot_of(chunk)
        used.add(None if slot is None else slot.number)
        other = sent_over(reader, chunk)
        assert slot is not None or slot_of(other) is None
        came |= slot_of(other) is not None
        found.append(
            {name: column.tolist() for name, column in other.columns.items()}
            | {"texts": [other.parameters[n] for n in range(len(other.parameters))]}
        )
        del slot, other, chunk
    assert found == expected
    assert (used == {None}) == (slots == 0) == (not came)
    del kept
    free = [writer.lend() for _ in range(module._SLOTS)]
    assert all(isinstance(one, Slot) for one in free)
