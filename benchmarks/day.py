"""A day of 50 million executions: does memory stay within reading's bound?

    python benchmarks/day.py [--copies 40] [--mb 500] [--log LOG]

Generates a log of stderr (or takes one of the generator's), and pipes it as often as `--copies` says into
`pg95 report -`, each copy later by an equal part of a day and with traces of its own: 40 copies of 500 MB
are 50 million executions, 20 GB, and no disk holds them. What is shown are executions, findings, CPU seconds and the
largest resident memory, beside those of one copy. Sessions' numbers come again in each copy, as a server's do.
"""

import argparse
import json
import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO, cast

from make_log import make_log
from measuring import MB, Usage

_DAY_MINUTES = 24 * 60
_BLOCK = 8 << 20
_WHEN = re.compile(rb"^(2026-01-05) 00:(\d\d):", re.MULTILINE)
_TRACE = re.compile(rb"traceparent='00-.{4}")
MOST_MB = 300


def later(log: Path, minutes: int, copy: int) -> Iterator[bytes]:
    """The log's lines, `minutes` later, their traces marked with the number of the copy."""
    stamps: dict[bytes, bytes] = {}

    def moved(match: "re.Match[bytes]") -> bytes:
        made = stamps.get(match[2])
        if made is None:
            hour, minute = divmod(int(match[2]) + minutes, 60)
            made = stamps[match[2]] = b"%s %02d:%02d:" % (match[1], hour, minute)
        return made

    trace = b"traceparent='00-%04x" % copy
    with log.open("rb") as source:
        rest = b""
        while block := source.read(_BLOCK):
            lines, newline, rest = (rest + block).rpartition(b"\n")
            yield _TRACE.sub(trace, _WHEN.sub(moved, lines)) + newline
        if rest:
            yield _TRACE.sub(trace, _WHEN.sub(moved, rest)) + b"\n"


def piped(log: Path, copies: int, report: Path) -> Usage:
    """Read that many copies, and tell what it took."""
    command = [sys.executable, "-m", "analyzer", "report", "-", "-o", str(report)]
    with tempfile.TemporaryFile() as said:
        process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=said, stderr=subprocess.STDOUT
        )
        with cast("BinaryIO", process.stdin) as pipe:
            for copy in range(copies):
                for block in later(log, copy * _DAY_MINUTES // copies, copy):
                    pipe.write(block)
        _, status, used = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode != 0:
            said.seek(0)
            raise RuntimeError(said.read()[-2000:].decode("utf-8", errors="replace"))
    return Usage(used.ru_utime + used.ru_stime, 0.0, used.ru_maxrss * 1024)


def main() -> int:
    """Measure one copy and all; 1 if the largest memory is above the bound."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--copies", type=int, default=40)
    parser.add_argument("--mb", type=float, default=500)
    parser.add_argument("--log", type=Path, help="one that benchmarks/make_log.py wrote")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        log = options.log
        if log is None:
            log = make_log(Path(folder), options.mb, 1, ["stderr"])["stderr"]
        report = Path(folder) / "report.json"
        for copies in (1, options.copies):
            used = piped(log, copies, report)
            told = json.loads(report.read_text())
            print(
                f"{copies} × {log.stat().st_size / MB:.0f} MB: {told['coverage']['executions']:,} executions, "
                f"{len(told['findings'])} findings, P95 {told['target']['value_ms']} ms ({told['target']['method']}), "
                f"{used.cpu_s:.1f} CPU s, peak {used.peak_bytes / MB:.0f} MB",
                flush=True,
            )
    return int(used.peak_bytes > MOST_MB * MB)


if __name__ == "__main__":
    sys.exit(main())
