"""How a night reads its logs: by several processes, and again where one was truncated meanwhile."""

import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from growing import written

from analyzer.configuration import read_configuration
from analyzer.history import open_store
from analyzer.model.executions import ExecutionChunk
from analyzer.nightly.job import Asked, run_night
from analyzer.nightly.looking import TornError
from analyzer.nightly.settings import read_settings
from analyzer.sources.increments.portion import Portion

CONFIG = """
[history]
path = "history.db"
[[logs]]
name = "app"
paths = ["logs/*"]
settle_minutes = {settle}
[outputs]
json = "report.json"
"""


class Place:
    """A folder with a configuration, in which nights are done."""

    def __init__(self, folder: Path, settle: float = 0) -> None:
        self.folder, self.logs = folder, folder / "logs"
        self.logs.mkdir(parents=True)
        (folder / "pg95.toml").write_text(CONFIG.format(settle=settle))
        self.told: list[str] = []

    def night(self, workers: int = 1) -> None:
        configuration = read_configuration(str(self.folder / "pg95.toml"))
        settings = read_settings(configuration)
        run_night(settings, configuration, Asked(workers=workers), self.told.append)

    def report(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads((self.folder / "report.json").read_text())
        return found

    def positions(self) -> list[tuple[str, int, int, str]]:
        with open_store(str(self.folder / "history.db")) as store, store.reading() as reader:
            states = reader.positions("app").values()
            wanted = ("path", "offset", "pending", "head_hash")
            return sorted((Path(s["path"]).name, *(s[name] for name in wanted[1:])) for s in states)

    def calls(self) -> int:
        with open_store(str(self.folder / "history.db")) as store, store.reading() as reader:
            return sum(point.figures.calls for point in reader.trend())


def day(seed: int, count: int) -> bytes:
    """A log of its own day, whose first execution is so fast that all seem to be logged."""
    first = b"2026-01-01 00:00:00.000 UTC [99] 69560063.63 u@d LOG:  duration: 0.010 ms  statement: SELECT a FROM b\n"
    return (first + written("stderr", seed, count)).replace(b"2026-01-01 ", b"2026-02-%02d " % seed)


def test_several_processes_read_what_one_reads(tmp_path: Path) -> None:
    """Files that are new, that have grown, and one of which a part was read before."""
    one, two = (Place(tmp_path / name, settle=60) for name in ("one", "two"))
    for place, workers in ((one, 1), (two, 2)):
        (place.logs / "a.log").write_bytes(day(1, 400))
        (place.logs / "b.log").write_bytes(day(2, 300))
        place.night(workers)
        with (place.logs / "b.log").open("ab") as grown:
            grown.write(day(3, 300))
        (place.logs / "c.log").write_bytes(day(4, 200)[:-30])
        place.night(workers)
    first, second = one.report(), two.report()
    for report in (first, second):
        report.pop("generated_at")
    assert first["coverage"]["sources"] != []
    assert json.dumps(first).replace("/one/", "/two/") == json.dumps(second)
    assert one.positions() == two.positions()
    assert len(one.positions()) == 3
    assert one.calls() == two.calls() > 0


@pytest.fixture
def tears(monkeypatch: pytest.MonkeyPatch) -> list[Path]:
    """Logs that are copied and truncated as soon as one begins to be read, one for each time."""
    waiting: list[Path] = []
    read = Portion.read

    def reading(self: Portion, *arguments: Any) -> Iterator[ExecutionChunk]:  # noqa: ANN401 - passed on
        path = Path(self.found.path)
        if path in waiting:
            waiting.remove(path)
            shutil.copy(path, path.with_name(f"{path.name}.{path.stat().st_mtime_ns}"))
            path.write_bytes(b"")
        yield from read(self, *arguments)

    monkeypatch.setattr(Portion, "read", reading)
    return waiting


def test_a_log_that_is_truncated_while_it_is_read_is_read_again(
    tmp_path: Path, tears: list[Path]
) -> None:
    place, other = Place(tmp_path / "torn"), Place(tmp_path / "whole")
    for one in (place, other):
        (one.logs / "a.log").write_bytes(day(1, 4000))
    other.night()
    tears.append(place.logs / "a.log")
    place.night()
    assert tears == []
    assert [step for step in place.told if step.startswith("beginning again: ")]
    assert place.calls() == other.calls() > 0
    assert place.report()["target"]["value_ms"] == other.report()["target"]["value_ms"]
    place.night()
    assert place.calls() == other.calls()


def test_one_that_is_truncated_again_and_again_is_left_for_the_next_night(
    tmp_path: Path, tears: list[Path]
) -> None:
    place = Place(tmp_path)
    path = place.logs / "a.log"
    path.write_bytes(day(1, 4000))
    tears.append(path)

    def grow(step: str) -> None:
        if step.startswith("beginning again"):
            path.write_bytes(day(2, 4000))
            tears.append(path)

    configuration = read_configuration(str(tmp_path / "pg95.toml"))
    settings = read_settings(configuration)
    with pytest.raises(TornError, match="truncated while it was read"):
        run_night(settings, configuration, Asked(), grow)
    assert place.calls() == 0
    assert place.positions() == []
    tears.clear()
    for copy in place.logs.iterdir():
        copy.unlink()
    path.write_bytes(day(1, 4000))
    place.night()
    assert place.calls() > 0
