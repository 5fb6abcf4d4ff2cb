"""An entry of 100 MB costs neither the memory nor the time that it seems to ask for, nor its neighbours."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from logs_strategy import WRITERS, logged

SIZE = 100 << 20
MOST_KIB = 450 << 10
MOST_SECONDS = 20
# What `ru_maxrss` says of a child process includes the memory of the process that started it.
PROGRAM = """
import atexit, sys
from pathlib import Path
from analyzer.cli import main

def tell():
    lines = Path("/proc/self/status").read_text().splitlines()
    (most,) = (line.split()[1] for line in lines if line.startswith("VmHWM:"))
    print("VmHWM", most, file=sys.stderr)

atexit.register(tell)
main()
"""
LINES = {"one-line": "it is long, ", "many-lines": "a line of it,\n", "short-lines": "a\n"}


def write(path: Path, form: str, line: str) -> None:
    """Three entries, one with a literal of SIZE bytes, two more."""
    small = WRITERS[form]([logged("duration: 1.5 ms  statement: SELECT 1")])
    # The newline has csvlog quoted.
    long = WRITERS[form]([logged("duration: 2.5 ms  statement: SELECT '<>\n'")])
    before, after = long.split(b"<>")
    newline = {"stderr": "\n\t", "csvlog": "\n", "jsonlog": "\\n"}[form]
    piece = (line * (1 << 20)).replace("\n", newline).encode()[: 1 << 20]
    piece = piece[: piece.rindex(line[-1].replace("\n", newline[-1]).encode()) + 1]
    with path.open("wb") as log:
        log.write(small * 3 + before)
        for _ in range(SIZE // len(piece) + 1):
            log.write(piece)
        log.write(after + small * 2)
    assert path.stat().st_size > SIZE


def report(path: Path, *, native: bool) -> tuple[dict[str, Any], int, float]:
    """Runs `pg95 report` on a log: its JSON, the most memory it took (KiB), and seconds of a CPU."""
    made = path.with_suffix(".report.json")
    process = subprocess.Popen(
        [sys.executable, "-c", PROGRAM, "report", str(path), "-o", str(made)],
        env={"PG95_PURE_PYTHON": "" if native else "1"},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
    )
    with process:
        assert process.stderr is not None
        said = process.stderr.read().decode()
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    assert process.returncode == 0, said
    document: dict[str, Any] = json.loads(made.read_bytes())
    return document, int(said.split()[-1]), usage.ru_utime + usage.ru_stime


@pytest.mark.parametrize("native", [True, False], ids=["native", "python"])
@pytest.mark.parametrize(
    ("form", "line"),
    [
        ("stderr", "one-line"),
        ("stderr", "short-lines"),
        ("csvlog", "many-lines"),
        ("csvlog", "short-lines"),
        ("jsonlog", "many-lines"),
    ],
)
def test_an_entry_of_100_mb(tmp_path: Path, form: str, line: str, *, native: bool) -> None:
    path = tmp_path / "postgresql.log"
    write(path, form, LINES[line])
    document, most_kib, seconds = report(path, native=native)
    path_bytes = path.stat().st_size
    path.unlink()
    (source,) = document["coverage"]["sources"]
    assert (source["bytes"], source["truncated"]) == (path_bytes, 1)
    # What lost its end is an execution in stderr, whose lines show where the next entry begins.
    assert source["executions"] == (6 if form == "stderr" else 5)
    assert (source["bytes_unparsed"] > SIZE) == (form != "stderr")
    assert most_kib < MOST_KIB
    assert seconds < MOST_SECONDS
