"""Slices of executions as bytes. What grows with a run goes once: statements, their facts, sessions and routes."""

import pickle
import struct
from dataclasses import fields
from typing import Any

import numpy as np

from analyzer.model.columns import distinct, grown
from analyzer.model.executions import ByteTexts, JoinedTexts
from analyzer.model.statement import StatementFacts
from analyzer.model.work import WorkSlice
from analyzer.sources.workers.ring import Piece, aligned

_LENGTH = struct.Struct("<q")
_LISTS = ("statements", "sessions", "route_names")


class SlicePacker:
    """Packs the slices of a run, in their order."""

    def __init__(self) -> None:
        self._told = dict.fromkeys(_LISTS, 0)
        self._facts = np.zeros(0, dtype=bool)  # by key: whether its facts were told

    def packed(self, work: WorkSlice) -> list[Piece]:
        """A slice, in pieces that a ring puts one behind the other."""
        held: dict[str, Any] = {one.name: getattr(work, one.name) for one in fields(work)}
        for name in _LISTS:
            held[name] = held[name][self._told[name] :]
            self._told[name] += len(held[name])
        held["key_facts"] = len(work.key_facts), self._new_facts(work)
        texts = work.texts
        tables = texts.tables if isinstance(texts, JoinedTexts) else [texts]
        known = [ByteTexts.of(table) for table in tables]
        held["texts"] = [(np.frombuffer(one.data, dtype="u1"), one.ends) for one in known]
        columns: list[pickle.PickleBuffer] = []
        header = pickle.dumps(held, 5, buffer_callback=columns.append)
        pieces = [column.raw() for column in columns]
        sizes = np.array([len(header), *map(len, pieces)], dtype="i8")
        return [_LENGTH.pack(len(sizes)), sizes.data.cast("B"), header, *pieces]

    def _new_facts(self, work: WorkSlice) -> list[tuple[int, StatementFacts | None]]:
        """Facts of the slice's texts that are new, with the texts' numbers."""
        self._facts = grown(self._facts, len(work.key_facts))
        keys = distinct(np.concatenate([work.key, work.asides.key]))
        new = keys[~self._facts[keys]]
        self._facts[new] = True
        return [(key, work.key_facts[key]) for key in new.tolist()]


class SliceOpener:
    """Opens them again, in the same order."""

    def __init__(self) -> None:
        self._lists: dict[str, list[Any]] = {name: [] for name in _LISTS}
        self._facts: list[StatementFacts | None] = []

    def opened(self, message: memoryview) -> WorkSlice:
        """A slice, copied out of a message."""
        (count,) = _LENGTH.unpack_from(message)
        place = aligned(_LENGTH.size)
        sizes = np.frombuffer(message[place : place + 8 * count], dtype="i8").tolist()
        place += aligned(8 * count)
        pieces = []
        for size in sizes:
            pieces.append(bytearray(message[place : place + size]))
            place += aligned(size)
        held: dict[str, Any] = pickle.loads(pieces[0], buffers=pieces[1:])  # noqa: S301 - this run's own bytes
        for name in _LISTS:
            self._lists[name] += held[name]
            held[name] = self._lists[name]
        size, new = held["key_facts"]
        self._facts += [None] * (size - len(self._facts))
        for key, facts in new:
            self._facts[key] = facts
        held["key_facts"] = self._facts
        texts = [ByteTexts(data.tobytes(), ends) for data, ends in held["texts"]]
        return WorkSlice(**held | {"texts": texts[0] if len(texts) == 1 else JoinedTexts(texts)})
