"""The nightly job from its configuration to what it leaves behind, run as its command is."""

import json
import shutil
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

import pytest
from growing import written

from analyzer.cli import cli
from analyzer.cli._failures import run_safely
from analyzer.history import open_store

if TYPE_CHECKING:
    from conftest import Hook


class Postgres(Protocol):
    """The server of tests/conftest.py."""

    def create_database(self, name: str) -> str: ...
    def psql(self, sql: str, dsn: str | None = None) -> str: ...


CONFIG = """
[target]
ms = {target}
[history]
path = "history.db"
[[logs]]
name = "app"
paths = ["logs/*"]
settle_minutes = 0
[outputs]
html = "out/%Y-%m-%d.html"
json = "out/report.json"
md = "out/report.md"
latest = "none"
[alerts]
on = ["target", "new", "regression"]
[alerts.webhook]
url_env = "PG95_TEST_HOOK"
[metrics]
textfile = "out/pg95.prom"
"""


def _loops() -> str:
    """An N+1: projects, and then the tasks of each, one by one."""
    lines = []
    for place in range(8 * 13):
        turn, child = divmod(place, 13)
        what = f"tasks WHERE project_id = {turn * 13 + child}" if child else "projects"
        at = f"2026-01-01 00:00:0{turn}.{child:03} UTC [98] 69560062.62"
        sql = f"SELECT id, name FROM {what}"
        lines.append(f"{at} u@d LOG:  duration: 0.500 ms  statement: {sql}\n")
    return "".join(lines)


LOOPS = _loops()


class Done(NamedTuple):
    """What a night printed."""

    stdout: str
    stderr: str


class Place:
    """A folder with a configuration and logs, in which nights are done."""

    def __init__(
        self,
        folder: Path,
        patch: pytest.MonkeyPatch,
        capture: pytest.CaptureFixture[str],
        hook: str,
    ) -> None:
        self.folder = folder
        self._patch, self._capture = patch, capture
        patch.setenv("PG95_TEST_HOOK", hook)
        patch.chdir(folder)
        (folder / "logs").mkdir()
        self.configure()

    def configure(self, target: float = 100.0) -> None:
        (self.folder / "pg95.toml").write_text(CONFIG.format(target=target))

    def log(self, seed: int, count: int = 300, slower: float = 1.0) -> None:
        """Another log file, an hour or more after the one before."""
        # One that is fast shows that the log has every statement.
        text = "2026-01-01 00:00:00.000 UTC [99] 69560063.63 u@d LOG:  duration: 0.010 ms  statement: SELECT a FROM b\n"
        text += LOOPS + written("stderr", seed, count).decode()
        day = f"2026-02-{seed:02} "
        text = text.replace("2026-01-01 ", day)
        if slower != 1.0:
            text = "duration: ".join(
                part if place == 0 else _scaled(part, slower)
                for place, part in enumerate(text.split("duration: "))
            )
        (self.folder / "logs" / f"app-{seed}.log").write_text(text)

    def night(self, *options: str, code: int = 0) -> Done:
        """A night, in this process: starting Python takes longer than the night does."""
        self._patch.setattr(sys, "argv", ["pg95", "nightly", *options])
        self._capture.readouterr()
        ended = run_safely(cli)
        out, err = self._capture.readouterr()
        assert ended == code, err
        return Done(out, err)

    def report(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads((self.folder / "out" / "report.json").read_text())
        return found

    def calls(self) -> int:
        with open_store(str(self.folder / "history.db")) as store, store.reading() as reader:
            return sum(point.figures.calls for point in reader.trend())

    def files(self) -> dict[str, bytes]:
        return {
            str(one.relative_to(self.folder)): one.read_bytes()
            for one in self.folder.rglob("*")
            if one.is_file()
        }


@pytest.fixture
def place(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    hook: "Hook",
) -> Place:
    return Place(tmp_path, monkeypatch, capsys, hook.url)


def _scaled(part: str, factor: float) -> str:
    value, _, rest = part.partition(" ms")
    return f"{float(value) * factor:.3f} ms{rest}"


def test_nights_follow_each_other(tmp_path: Path, place: Place, hook: "Hook") -> None:
    place.log(1, 2500)
    done = place.night()
    assert "pg95: kept in " in done.stderr
    assert done.stdout.startswith("Statements and requests miss P95 < 100 ms (")
    first = place.report()
    assert first["target"]["verdict"] == "missed"
    assert first["target"]["executions"] == place.calls() > 0
    assert {one["status"] for one in first["findings"]} <= {"new"}
    assert [one["on"] for one in hook.got[0]["events"]].count("target") == 1
    assert hook.got[0]["report"].startswith(f"{tmp_path}/out/")
    assert hook.got[0]["report"].endswith(".html")
    assert (tmp_path / "out" / "pg95.prom").read_text().endswith("# EOF\n")

    place.log(2, 2500, slower=6.0)
    place.night("--fail-on", "regression", code=1)
    second = place.report()
    assert second["target"]["executions"] == place.calls() - first["target"]["executions"]
    assert {one["status"] for one in second["findings"]} <= {"new", "ongoing", "gone"}
    assert "ongoing" in {one["status"] for one in second["findings"]}
    assert second["nights"][0]["what"] == "last night"
    assert second["nights"][0]["p95_ms"] == pytest.approx(first["target"]["value_ms"], rel=0.03)
    assert any(one["slower"] for one in second["changes"])
    assert "regression" in {one["on"] for one in hook.got[1]["events"]}
    assert 'pg95_findings_status{status="ongoing"}' in (tmp_path / "out" / "pg95.prom").read_text()

    before, figures = place.calls(), (tmp_path / "out" / "pg95.prom").read_text()
    done = place.night("--fail-on", "new,regression")
    assert place.calls() == before  # a night without anything new
    assert "nothing new: what is there of reports and figures stays" in done.stderr
    assert done.stdout == "Nothing new.\n"
    assert place.report() == second
    assert _without_success(tmp_path / "out" / "pg95.prom") == _without_success(figures)
    assert (tmp_path / "out" / "pg95.prom").read_text() != figures
    assert len(hook.got) == 2
    place.log(3, 500)
    place.night("-q")
    assert (
        place.report()["nights"][0]["to"][:19] == second["window"]["to"][:19]
    )  # not the quiet one


def _without_success(textfile: Path | str) -> list[str]:
    text = textfile if isinstance(textfile, str) else textfile.read_text()
    return [line for line in text.splitlines() if not line.startswith("pg95_last_success")]


def test_a_dry_run_writes_nothing(place: Place, hook: "Hook") -> None:
    place.log(1)
    before = place.files()
    done = place.night("--dry-run")
    assert place.files() == before
    assert not hook.got
    for told in (
        "would write out/report.json",
        "would alert: target: Statements and requests miss P95",
    ):
        assert told in done.stderr
    place.night()
    place.log(2)
    before = place.files()
    place.night("--dry-run")
    changed = {name for name, data in place.files().items() if before.get(name) != data}
    assert changed <= {"history.db-shm", "history.db-wal"}


def test_since_analyses_again_and_keeps_nothing(place: Place, hook: "Hook") -> None:
    place.log(1)
    place.night()
    place.log(2)
    place.night()
    calls, sent = place.calls(), len(hook.got)
    place.night("--since", "2026-02-02T00:00:00Z")
    assert 0 < place.report()["target"]["executions"] < calls
    place.night("--since", "2026-01-01T00:00:00Z")
    assert place.report()["target"]["executions"] == calls
    assert (place.calls(), len(hook.got)) == (calls, sent)
    place.night()
    assert place.calls() == calls


def test_an_alert_that_fails_is_sent_the_next_night(place: Place, hook: "Hook") -> None:
    place.log(1)
    hook.answers = [404]
    done = place.night()
    assert "waits for the next night: webhook ($PG95_TEST_HOOK) answers 404" in done.stderr
    assert "/services/" not in done.stderr
    place.configure(target=100_000)
    place.night()
    assert len(hook.got) == 2
    assert hook.got[0] == hook.got[1]
    place.night()
    assert len(hook.got) == 2


def test_what_cannot_be_read_is_told(tmp_path: Path, place: Place) -> None:
    done = place.night(code=3)
    assert "logs/*" in done.stderr
    (tmp_path / "logs" / "app.log").write_text("no log\n" * 50)
    done = place.night(code=3)
    assert "first unparsable" in done.stderr or "line 1, byte 0" in done.stderr
    assert not (tmp_path / "out").exists()
    place.log(1)
    done = place.night()  # one bad file of two is a warning
    assert "app.log: " in done.stderr
    calls = place.calls()
    assert calls > 0
    done = place.night()
    assert place.calls() == calls


def test_two_nights_at_once(tmp_path: Path, place: Place) -> None:
    place.log(1)
    with open_store(str(tmp_path / "history.db")) as store, store.lock():
        done = place.night(code=3)
    assert "another pg95 is at work on it" in done.stderr
    assert not (tmp_path / "out").exists()
    place.night("-q")


def test_usage(tmp_path: Path, place: Place) -> None:
    assert "choose from" in place.night("--fail-on", "sometimes", code=2).stderr
    (tmp_path / "pg95.toml").unlink()
    assert "nothing to look at" in place.night(code=2).stderr


def test_quiet_says_nothing_and_json_is_a_document(tmp_path: Path, place: Place) -> None:
    shutil.copy(
        Path(__file__).parent.parent.parent / "sample_logs" / "stderr" / "postgresql.log",
        tmp_path / "logs",
    )
    done = place.night("-q")
    assert (done.stdout, done.stderr) == ("", "")
    done = place.night("-q", "--format", "json")
    assert json.loads(done.stdout)["target"]["executions"] == 0


SERVER = """
[history]
path = "history.db"
[[servers]]
name = "prod"
dsn_env = "PG95_TEST_DSN"
[[servers]]
name = "gone"
dsn = "host=127.0.0.1 port=1 dbname=x"
[outputs]
json = "out/report.json"
"""


def test_counters_of_a_server_are_those_since_the_last_night(
    place: Place, postgres15: Postgres, monkeypatch: pytest.MonkeyPatch
) -> None:
    dsn = postgres15.create_database("nightly")
    postgres15.psql("CREATE EXTENSION pg_stat_statements; CREATE TABLE a (id int)", dsn)
    monkeypatch.setenv("PG95_TEST_DSN", dsn)
    (place.folder / "pg95.toml").write_text(SERVER)
    postgres15.psql("SELECT count(*) FROM a AS earlier;" * 3, dsn)
    told = place.night().stderr
    assert "server prod: its first snapshot" in told
    assert "server gone: no counters of this night" in told
    assert place.report()["statements"] == []
    postgres15.psql("SELECT count(*) FROM a AS earlier;" * 2 + "SELECT id FROM a;" * 5, dsn)
    place.night()
    calls = {one["sql"]: one["calls"] for one in place.report()["statements"]}
    assert calls["SELECT count(*) FROM a AS earlier"] == 2
    assert calls["SELECT id FROM a"] == 5
    before = place.report()["statements"]
    place.night("--dry-run")
    assert "nothing new" in place.night().stderr  # pg95's own statements are none
    assert place.report()["statements"] == before
    postgres15.psql("SELECT id FROM a;" * 2, dsn)
    place.night("-q")
    assert {one["sql"]: one["calls"] for one in place.report()["statements"]} == {
        "SELECT id FROM a": 2
    }
