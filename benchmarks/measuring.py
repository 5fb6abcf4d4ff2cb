"""How the benchmark measures: a child's CPU and memory, pieces of logs, the machine, slopes."""

import math
import os
import platform
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

MB = 1_000_000
_BLOCK = 1 << 20
# An entry of stderr begins with a line of its own severity; DETAIL and the like belong to it.
_STDERR_START = re.compile(rb"\n(?=[^\t\n][^\n]{0,200}? (?:LOG|ERROR|FATAL|PANIC|WARNING):  )")
_NEWLINE = re.compile(rb"\n")


@dataclass(frozen=True, slots=True)
class Usage:
    """What one run of a program took.

    CPU seconds are user and system time of all its threads and of the children that it waited
    for; `peak_bytes` is the largest resident size.
    """

    cpu_s: float
    wall_s: float
    peak_bytes: int


def run(
    command: Sequence[str | Path], *, cwd: Path, environment: Mapping[str, str] | None = None
) -> Usage:
    """Run a program to its end and tell what it took.

    The kernel counts a new program's peak from its parent's size on, so whoever calls this has to
    stay small: logs are generated in a process of their own and read in blocks.

    Raises:
        RuntimeError: the program ended with another exit code than 0; with the end of its output.
    """
    with tempfile.TemporaryFile() as output:
        began = time.monotonic()
        process = subprocess.Popen(
            [str(word) for word in command],
            cwd=cwd,
            env={**os.environ, **(environment or {})},
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
        )
        _, status, used = os.wait4(process.pid, 0)
        wall_s = time.monotonic() - began
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode != 0:
            output.seek(0)
            said = output.read()[-2000:].decode("utf-8", errors="replace")
            raise RuntimeError(f"{Path(command[0]).name} ended with {process.returncode}:\n{said}")
    return Usage(used.ru_utime + used.ru_stime, wall_s, used.ru_maxrss * 1024)


def copy_entries(source: BinaryIO, target: Path, limit_bytes: int, log_format: str) -> int:
    """Copy whole entries from where `source` stands, at most `limit_bytes`, and stop behind them.

    Returns the bytes copied. For the generator's logs: entries are far below 1 MB.

    Raises:
        ValueError: not one whole entry fits.
    """
    start = source.tell()
    size = source.seek(0, os.SEEK_END)
    end = size
    if start + limit_bytes < size:
        end = _last_cut(source, start, start + limit_bytes, log_format)
    source.seek(start)
    with target.open("wb") as copy:
        while (left := end - source.tell()) > 0:
            copy.write(source.read(min(_BLOCK, left)))
    return end - start


def _last_cut(source: BinaryIO, start: int, limit: int, log_format: str) -> int:
    """The last position up to `limit` at which an entry begins."""
    window = max(start, limit - _BLOCK)
    source.seek(start)
    quotes = 0
    while log_format == "csvlog" and (left := window - source.tell()) > 0:
        quotes += source.read(min(_BLOCK, left)).count(b'"')
    source.seek(window)
    # The beginning of the next entry has to be seen: a severity stands within 200 bytes.
    tail = source.read(limit - window + 300)
    boundary = _STDERR_START if log_format == "stderr" else _NEWLINE
    cuts = [found.end() for found in boundary.finditer(tail) if window + found.end() <= limit]
    for cut in reversed(cuts):
        # In csvlog a newline within quotes is text.
        if log_format != "csvlog" or (quotes + tail.count(b'"', 0, cut)) % 2 == 0:
            return window + cut
    raise ValueError(f"no whole {log_format} entry ends before byte {limit}")


def log_log_slope(points: Sequence[tuple[float, float]]) -> float:
    """The slope of log(y) over log(x), by least squares: 1 is linear growth, 2 quadratic."""
    xs = [math.log(x) for x, _ in points]
    ys = [math.log(y) for _, y in points]
    mean_x, mean_y = sum(xs) / len(xs), sum(ys) / len(ys)
    spread = sum((x - mean_x) ** 2 for x in xs)
    return sum((x - mean_x) * (y - mean_y) for x, y in zip(xs, ys, strict=True)) / spread


def machine() -> dict[str, str]:
    """What the figures depend on, without the machine's name."""
    processor = _proc_value("/proc/cpuinfo", "model name") or platform.processor() or "unknown"
    memory_kb = _proc_value("/proc/meminfo", "MemTotal").split()
    return {
        "CPU": processor,
        "cores": str(len(os.sched_getaffinity(0))),
        "RAM": f"{int(memory_kb[0]) / 1024 / 1024:.0f} GiB" if memory_kb else "unknown",
        "kernel": f"{platform.system()} {platform.release()}",
        "Python": platform.python_version(),
        "load before": f"{os.getloadavg()[0]:.2f}",
    }


def _proc_value(path: str, key: str) -> str:
    """The value of a `key: value` line, "" if there is none."""
    if not Path(path).exists():
        return ""
    for line in Path(path).read_text(encoding="utf-8").splitlines():
        name, _, value = line.partition(":")
        if name.strip() == key:
            return value.strip()
    return ""


def progress(text: str) -> None:
    """Tell on stderr what is being measured."""
    print(text, file=sys.stderr, flush=True)
