"""Kills `pg95 nightly` with SIGKILL at random instants, and counts what the history has in the end.

A log grows, rotates (renamed, or copied and truncated) and is compressed while nights over it are
killed and begun again. In the end what the history has by statement and hour has to be what one
night over all of the log, never killed, has. By hand, 300 kills: make bench-nightly

The nights are processes forked from one that has imported everything, so that most kills hit the
job and not the start of Python; every tenth is a `pg95 nightly` of its own.
"""

import argparse
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).parent.parent
sys.path[:0] = [str(ROOT / "tests" / "sources")]

from growing import FORMATS, GrowingLog  # noqa: E402 - it lies among the tests

_CONFIG = """
[history]
path = "{store}"
[[logs]]
name = "app"
paths = ["logs/*"]
settle_minutes = {settle}
[outputs]
json = "out/report.json"
md = "out/report.md"
[metrics]
textfile = "out/pg95.prom"
"""
_QUIET = ["nightly", "-q", "--config"]

Rows = dict[tuple[object, ...], tuple[object, ...]]


@dataclass(slots=True)
class Tally:
    """How the nights ended, and how long those took that were left alone (seconds)."""

    killed: int = 0
    survived: int = 0
    failed: list[str] = field(default_factory=list)
    nights: int = 0
    executions: int = 0


class Nights:
    """Begins nights, each in a process that may be killed."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._server = subprocess.Popen(
            [sys.executable, str(Path(__file__)), "--serve"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            cwd=folder,
        )

    def begin(self, config: str) -> int:
        """Begin a night in a forked process; its process id."""
        return int(self._ask(config))

    def end(self) -> str:
        """Wait for that night: its exit code, negative for a signal."""
        return self._ask("wait")

    def _ask(self, line: str) -> str:
        if self._server.stdin is None or self._server.stdout is None:
            raise RuntimeError(line)
        self._server.stdin.write(line + "\n")
        self._server.stdin.flush()
        return self._server.stdout.readline().strip()

    def close(self) -> None:
        """End the process that forks them."""
        if self._server.stdin is not None and self._server.stdout is not None:
            self._server.stdin.close()
            self._server.stdout.close()
        self._server.wait()


def serve() -> None:
    """Fork a night for each configuration that is named on stdin."""
    import analyzer.nightly.job  # noqa: PLC0415 - what a night imports, imported once
    import analyzer.report.views.markdown  # noqa: F401, PLC0415 - as above
    from analyzer.cli import cli  # noqa: PLC0415 - as above
    from analyzer.cli._failures import run_safely  # noqa: PLC0415 - as above

    child = 0
    for line in sys.stdin:
        if line.strip() == "wait":
            _, status = os.waitpid(child, 0)
            print(os.waitstatus_to_exitcode(status), flush=True)
            continue
        child = os.fork()
        if child == 0:
            sys.argv = ["pg95", *_QUIET, line.strip()]
            os._exit(run_safely(cli))
        print(child, flush=True)


def kill_nights(folder: Path, form: str, kills: int, seed: int, *, own: bool = True) -> Tally:
    """Grow a log and kill nights over it; `own`: some of them are a `pg95` of their own."""
    chance = random.Random(seed)  # noqa: S311 - a run that can be repeated
    (folder / "logs").mkdir(parents=True)
    for name, settle in (("pg95.toml", 10), ("last.toml", 0)):
        (folder / name).write_text(_CONFIG.format(store="history.db", settle=settle))
    (folder / "whole.toml").write_text(_CONFIG.format(store="whole.db", settle=0))
    log, nights, tally = GrowingLog(folder / "logs", form, chance), Nights(folder), Tally()
    patience = 0.0  # how long a night takes: the first one is left alone, to tell
    try:
        while tally.killed < kills:
            log.step()
            tally.nights += 1
            if own and tally.nights % 10 == 0:
                _own_night(folder, chance, tally)
                continue
            began = time.monotonic()
            process = nights.begin("pg95.toml")
            end = began + chance.uniform(0, patience * 1.1)
            while time.monotonic() < end:
                if chance.random() < 0.05:
                    log.step()  # while it is read
                time.sleep(min(0.01, max(0.0, end - time.monotonic())))
            if patience and chance.random() < 0.9:
                os.kill(process, signal.SIGKILL)
            code = nights.end()
            _count(tally, code)
            if code == "0":
                took = time.monotonic() - began
                patience = 0.7 * patience + 0.3 * took if patience else took
        log.finish()
        for config in ("pg95.toml", "last.toml", "whole.toml"):
            nights.begin(config)
            _count(tally, nights.end())
    finally:
        nights.close()
    return tally


def _own_night(folder: Path, chance: random.Random, tally: Tally) -> None:
    """A night as cron begins it, killed somewhere."""
    process = subprocess.Popen([sys.executable, "-m", "analyzer", *_QUIET, "pg95.toml"], cwd=folder)
    try:
        code = process.wait(chance.uniform(0.2, 2.5))
    except subprocess.TimeoutExpired:
        process.kill()
        code = process.wait()
    _count(tally, str(code))


def _count(tally: Tally, code: str) -> None:
    if code == str(-signal.SIGKILL):
        tally.killed += 1
    elif code == "0":
        tally.survived += 1
    else:
        tally.failed.append(code)


def kept(store: Path) -> Rows:
    """What a history has by statement and hour: calls, sums, the extremes and the histogram."""
    from analyzer.history import tables  # noqa: PLC0415 - killing starts without
    from analyzer.history.opening import open_engine  # noqa: PLC0415 - as above

    engine, names, rows = open_engine(str(store)), {0: "everything"}, {}
    with engine.connect() as connection:
        for one in connection.execute(tables.statement.select()):
            names[one.id] = one.shape_id
        for row in connection.execute(tables.statement_hour.select()):
            key = (names[row.statement], row.start_hour, row.hours, row.client)
            sums = (row.calls, row.samples, round(row.total_ms, 3), row.min_ms, row.max_ms)
            rows[key] = (*sums, row.histogram)
    engine.dispose()
    return rows


def differences(folder: Path) -> list[str]:
    """Where the nights' history and that of one pass disagree."""
    nights, whole = kept(folder / "history.db"), kept(folder / "whole.db")
    return [
        f"{key}: {nights.get(key, ('nothing',))[:5]} against {whole.get(key, ('nothing',))[:5]}"
        for key in sorted({*nights, *whole}, key=str)
        if nights.get(key) != whole.get(key)
    ]


def executions(store: Path) -> int:
    """How many executions a history has."""
    rows = kept(store).items()
    return sum(int(str(row[0])) for key, row in rows if key[0] == "everything")


def main() -> None:
    """Kill as often as is asked for, in each format of logs, and say what came of it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kills", type=int, default=300)
    parser.add_argument("--seed", type=int, default=95)
    parser.add_argument("--serve", action="store_true", help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.serve:
        serve()
        return
    began, wrong = time.monotonic(), 0
    for place, form in enumerate(FORMATS):
        folder = Path(tempfile.mkdtemp(prefix="pg95-kills-"))
        kills = asked.kills // len(FORMATS) + (place < asked.kills % len(FORMATS))
        tally = kill_nights(folder, form, kills, asked.seed + place)
        found = differences(folder)
        wrong += bool(found) + len(tally.failed)
        print(
            f"{form}: {tally.killed} nights killed, {tally.survived} not, others: "
            f"{dict(Counter(tally.failed))}; {executions(folder / 'history.db')} executions, "
            f"{len(found)} differences from one pass over all"
        )
        print("\n".join(found[:5]))
        shutil.rmtree(folder)
    print(f"{time.monotonic() - began:.0f} s")
    sys.exit(1 if wrong else 0)


if __name__ == "__main__":
    main()
