"""A real night on a store that is a year old: its log, and what `pg95 nightly` costs beyond reading it."""

import shutil
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

import numpy as np

from analyzer.configuration import read_configuration
from analyzer.model.history import StatementName
from analyzer.nightly.job import Asked, run_night
from analyzer.nightly.settings import read_settings
from analyzer.pipeline import Options, run

_EACH = 120  # executions of each statement: enough to compare P95s
_BEGIN_HOUR = 3  # nights begin at night, not with a day of UTC
_DAY_S = 86_400
_CONFIG = """
[history]
path = "{history}"
[[logs]]
name = "app"
paths = ["{log}"]
settle_minutes = 0
[outputs]
html = "out/%Y-%m-%d.html"
json = "out/%Y-%m-%d.json"
md = "out/%Y-%m-%d.md"
[metrics]
textfile = "out/pg95.prom"
"""


class Cost(NamedTuple):
    """Seconds of CPU and elapsed of one round: a report alone, and a night."""

    report_cpu_s: float
    report_s: float
    night_cpu_s: float
    night_s: float


def write_log(path: Path, statements: int, start_us: int, seed: int = 7) -> None:
    """A night of executions of all statements in turn, from three o'clock to three o'clock."""
    random = np.random.default_rng(seed)
    begin_s = start_us / 1e6 + _BEGIN_HOUR * 3600
    step_s = _DAY_S / (_EACH * statements)
    tables = [_in_letters(number) for number in range(statements)]
    with path.open("w", encoding="utf-8") as file:
        for turn in range(_EACH):
            durations = np.exp2(random.normal(1.0, 1.0, statements)).tolist()
            for number, duration_ms in enumerate(durations):
                at_s = begin_s + (turn * statements + number) * step_s
                stamp = datetime.fromtimestamp(at_s, UTC).strftime("%Y-%m-%d %H:%M:%S.%f")[:-3]
                sql = f"SELECT id, name FROM {tables[number]} WHERE id = {turn}"  # noqa: S608 - never run
                file.write(
                    f"{stamp} UTC [{4000 + number % 20}] app@shop LOG:  duration: {duration_ms:.3f} ms  statement: {sql}\n"
                )


def _in_letters(number: int) -> str:
    """A table's name: fingerprints leave out the digits of one."""
    letters = "".join(chr(ord("a") + int(digit)) for digit in str(number))
    return f"table_{letters}"


def names_in(log: Path) -> list[StatementName]:
    """The statements of a log as a history knows them."""
    hours = run(Options(inputs=[str(log)], keep_hours=True)).hours
    found = {one.statement.shape_id: one.statement for one in hours if one.statement is not None}
    return sorted(found.values(), key=lambda one: (len(one.sql), one.sql))


def cost(history: Path, log: Path, start_us: int, rounds: int) -> Sequence[Cost]:
    """Nights on copies of a store, in turns with reports of the same log with the same outputs."""
    folder = history.parent
    end_of_night = datetime.fromtimestamp(start_us / 1e6 + _DAY_S + (_BEGIN_HOUR + 1) * 3600, UTC)
    (folder / "pg95.toml").write_text(_CONFIG.format(history="copy.db", log=log))
    found = []
    for _ in range(rounds):
        begun = (time.process_time(), time.perf_counter())
        run(Options(inputs=[str(log)], keep_hours=True))
        between = (time.process_time(), time.perf_counter())
        for stale in folder.glob("copy.db*"):
            stale.unlink()
        shutil.copyfile(history, folder / "copy.db")
        (folder / "copy.db").chmod(0o600)
        configuration = read_configuration(str(folder / "pg95.toml"))
        settings = read_settings(configuration)
        start = (time.process_time(), time.perf_counter())
        run_night(settings, configuration, Asked(now=lambda: end_of_night), lambda _step: None)
        end = (time.process_time(), time.perf_counter())
        found.append(
            Cost(between[0] - begun[0], between[1] - begun[1], end[0] - start[0], end[1] - start[1])
        )
    return found
