"""Where the events of the generated traffic are written down: log files, and the truth about them.

One stream of entries goes to all formats; each file ends at its own size, and its truth is what the
stream had told by then.
"""

from array import array
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import IO, Any, Self

import numpy as np
from log_formats import FILE_NAMES, RENDERERS, Entry, Process
from log_shapes import Shapes, Tally

_BLOCK = 256  # entries between two looks at the sizes
_MILLISECONDS = [f".{n:03d} UTC" for n in range(1000)]


def utc(at_us: int) -> str:
    """A moment (µs since 1970) as the log writes it in whole seconds."""
    return datetime.fromtimestamp(at_us // 1_000_000, UTC).strftime("%Y-%m-%d %H:%M:%S")


class Journal:
    """Takes entries in the order of time and writes them in every format that is not full yet.

    `now_us` is the time (µs since 1970) at which entries are logged. `events` counts what the
    server says beside executions; `durations` holds the µs of every execution that is not
    transaction control or a health check.
    """

    def __init__(
        self, directory: Path, formats: list[str], limit_bytes: int, shapes: Shapes
    ) -> None:
        """Open a file per format in `directory`; each is full at `limit_bytes`, give or take a block."""
        self._limit = limit_bytes
        self._shapes = shapes
        self._files: dict[str, IO[bytes]] = {
            name: (directory / FILE_NAMES[name]).open("wb") for name in formats
        }
        self._sizes = dict.fromkeys(formats, 0)
        self._lines: dict[str, list[str]] = {name: [] for name in formats}
        self._open = [(RENDERERS[name], self._lines[name].append) for name in formats]
        self._waiting = 0
        self._second = -1
        self._second_text = ""
        self.now_us = 0
        self.entries = 0
        self.events: Counter[str] = Counter()
        self.durations = array("I")
        self.truth: dict[str, dict[str, Any]] = {}

    def __enter__(self) -> Self:
        """Nothing to prepare."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Close the files."""
        for file in self._files.values():
            file.close()

    @property
    def full(self) -> bool:
        """Whether every file has its size."""
        return not self._lines

    def write(self, process: Process, entry: Entry, event: str = "") -> None:
        """One entry of a process, logged now; counted in `events` under `event` if that is given."""
        second, rest = divmod(self.now_us, 1_000_000)
        if second != self._second:
            self._second, self._second_text = second, utc(self.now_us)
        stamp = self._second_text + _MILLISECONDS[rest // 1000]
        process.line += 1
        self.entries += 1
        self._waiting += 1
        if event:
            self.events[event] += 1
        for render, append in self._open:
            append(render(stamp, process, entry))

    def settle(self) -> None:
        """Between two steps of the traffic, when counts and entries agree: write, look at sizes."""
        if self._waiting < _BLOCK:
            return
        self._waiting = 0
        for name, lines in list(self._lines.items()):
            data = "".join(lines).encode()
            lines.clear()
            self._files[name].write(data)
            self._sizes[name] += len(data)
            if self._sizes[name] >= self._limit:
                self.truth[name] = self._so_far(self._sizes[name])
                del self._lines[name]
                self._open = [(RENDERERS[each], self._lines[each].append) for each in self._lines]

    def _so_far(self, size_bytes: int) -> dict[str, Any]:
        """What has been told: sums, and a row per shape (and per arity of its lists)."""
        rows = {
            f"{shape.name}/{arity}" if arity else shape.name: _row(tally)
            for shape in self._shapes.all
            for arity, tally in sorted(shape.tallies.items())
        }
        sums = {
            key: sum(row[key] for row in rows.values())
            for key in ("calls", "errors", "plans", "parses", "binds")
        }
        total_us = sum(
            tally.total_us for shape in self._shapes.all for tally in shape.tallies.values()
        )
        return {
            "bytes": size_bytes,
            "entries": self.entries,
            **sums,
            "total_ms": total_us / 1000,
            "p95_ms": self._p95_ms(),
            "target_executions": len(self.durations),
            "events": dict(sorted(self.events.items())),
            "shapes": rows,
        }

    def _p95_ms(self) -> float | None:
        """The nearest-rank P95 of `durations` in ms; None without executions.

        Statements that were cancelled have no duration. They count, as slower than all others.
        """
        if not self.durations:
            return None
        durations = np.frombuffer(self.durations, dtype=np.uintc)
        count = len(durations) + self.events["error-57014"]
        rank = min(-(-95 * count // 100), len(durations)) - 1
        return float(np.partition(durations, rank)[rank]) / 1000


def _row(tally: Tally) -> dict[str, Any]:
    return {
        "sql": tally.sql,
        "calls": tally.calls,
        "total_ms": tally.total_us / 1000,
        "errors": tally.errors,
        "plans": tally.plans,
        "parses": tally.parses,
        "parse_ms": tally.parse_us / 1000,
        "binds": tally.binds,
        "bind_ms": tally.bind_us / 1000,
    }
