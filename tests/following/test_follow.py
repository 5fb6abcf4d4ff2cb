"""`pg95 report --follow`: logs that grow, rotate and are truncated while they are read."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from analyzer import pipeline
from analyzer.following.follower import Follower
from analyzer.following.watch import LONGEST_SECONDS, LOOK_SECONDS, QUIET_SECONDS, Watch
from analyzer.sources.options import ReadOptions

DATA = Path(__file__).parents[1] / "data"
BURST = (DATA / "nplusone" / "django" / "nested.csv").read_bytes()
APPLICATION = (DATA / "applications" / "django" / "verbose.log").read_bytes()
FOUND = "N+1"
PATIENCE_SECONDS = 60  # for a process on a busy machine; nothing is measured by it


def now_us() -> int:
    return time.time_ns() // 1000


def following(*paths: Path) -> Follower:
    """A follower that begins behind what the files hold."""
    follower = Follower(pipeline.Options(inputs=[str(path) for path in paths], read=ReadOptions()))
    follower.skip(now_us())
    return follower


def settle(path: Path) -> None:
    """Make a file look as if it was last written to some time ago."""
    then = time.time() - 5
    os.utime(path, (then, then))


def titles(follower: Follower) -> list[str]:
    document, _ = follower.read(now_us())
    return [] if document is None else [one["title"] for one in document["findings"]]


def append(path: Path, data: bytes) -> None:
    with path.open("ab") as file:
        file.write(data)
    settle(path)


def test_what_stood_there_is_skipped_and_what_comes_is_told_once(tmp_path: Path) -> None:
    log = tmp_path / "app.csv"
    append(log, BURST)
    follower = following(log)
    assert titles(follower) == []
    append(log, BURST)
    assert any(FOUND in title for title in titles(follower))
    append(log, BURST)
    assert titles(follower) == []  # told before
    assert follower.totals.bursts == 2
    assert all(one.bursts == 2 for one in follower.seen.values())


@pytest.mark.parametrize("how", ["renamed", "copied and truncated"])
def test_rotation_loses_nothing_and_counts_nothing_twice(tmp_path: Path, how: str) -> None:
    log, old = tmp_path / "app.csv", tmp_path / "app.csv.1"
    append(log, BURST)
    follower = following(tmp_path)
    half = BURST.index(b"\n", len(BURST) // 2) + 1
    append(log, BURST[:half])  # written before the rotation, not read yet
    if how == "renamed":
        log.rename(old)
    else:
        shutil.copy(log, old)
        os.truncate(log, 0)
    follower.read(now_us())
    other = BURST.replace(b"2026-", b"2027-")  # another file begins otherwise
    append(log, other)
    assert any(FOUND in one.title for one in follower.seen.values()) or any(
        FOUND in title for title in titles(follower)
    )
    follower.read(now_us())
    whole = following(tmp_path / "other.csv")
    append(tmp_path / "other.csv", BURST)
    whole.read(now_us())
    executions = whole.totals.executions
    assert executions < follower.totals.executions <= 2 * executions


def test_a_truncated_file_is_read_from_its_start(tmp_path: Path) -> None:
    log = tmp_path / "app.csv"
    append(log, BURST.replace(b"2026-", b"2025-") * 2)
    follower = following(log)
    os.truncate(log, 0)
    append(log, BURST)
    assert any(FOUND in title for title in titles(follower))


def test_half_a_line_waits_for_its_other_half(tmp_path: Path) -> None:
    log = tmp_path / "app.csv"
    append(log, BURST)
    follower = following(log)
    cut = BURST.rindex(b"duration: ")
    append(log, BURST[:cut])
    follower.read(now_us())
    first = follower.totals.executions
    append(log, BURST[cut:])
    _, notes = follower.read(now_us())
    assert notes == []
    assert follower.totals.executions == first + 1


def test_an_applications_log_and_several_files(tmp_path: Path) -> None:
    server, application = tmp_path / "server.csv", tmp_path / "app.log"
    append(server, BURST)
    append(application, APPLICATION)
    follower = following(server, application)
    append(application, APPLICATION)
    assert any(FOUND in title for title in titles(follower))
    append(server, BURST)
    assert titles(follower)


def test_memory_is_bounded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("analyzer.following.follower._REMEMBERED", 1)
    log = tmp_path / "app.csv"
    append(log, BURST[:200])
    follower = following(log)
    append(log, BURST)
    follower.read(now_us())
    assert len(follower.seen) == 1


def test_a_burst_ends_when_writing_pauses_or_goes_on_for_long(tmp_path: Path) -> None:
    log = tmp_path / "app.log"
    log.write_bytes(b"one\n")
    watch = Watch([str(tmp_path)])
    assert watch.start(0.0) == [str(log)]
    assert not watch.is_due(5.0)
    log.write_bytes(b"one\ntwo\n")
    assert not watch.is_due(10.0)
    assert watch.is_due(10.0 + QUIET_SECONDS)
    watch.done(10.0 + QUIET_SECONDS)
    assert not watch.is_due(20.0)
    for step in range(int(LONGEST_SECONDS * 5) + 1):  # written to all the time
        log.write_bytes(b"x" * step)
        due = watch.is_due(30.0 + step / 5)
    assert due
    watch.done(30.0 + LONGEST_SECONDS)
    assert watch.is_due(40.0)  # the last entry is read when it is over
    watch.done(40.0)
    (tmp_path / "new.log").write_bytes(b"new\n")
    assert not watch.is_due(40.0 + LOOK_SECONDS)
    assert watch.is_due(41.0 + LOOK_SECONDS)


Start = Callable[..., "subprocess.Popen[bytes]"]


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    """Starts pg95 report --follow, and waits until it follows."""
    running = []

    def begin(*words: str) -> "subprocess.Popen[bytes]":
        command = [sys.executable, "-m", "analyzer", "report", "--follow", *words]
        with (tmp_path / "out").open("wb") as out, (tmp_path / "err").open("wb") as err:
            process = subprocess.Popen(command, stdout=out, stderr=err)
        running.append(process)
        wait_for(tmp_path / "err", b"following", process)
        return process

    yield begin
    for process in running:
        process.kill()
        process.wait()


def wait_for(path: Path, text: bytes, process: "subprocess.Popen[bytes]") -> None:
    until = time.monotonic() + PATIENCE_SECONDS
    while text not in path.read_bytes():
        assert process.poll() is None, path.read_bytes()
        assert time.monotonic() < until, path.read_bytes()
        time.sleep(0.05)


def test_a_finding_comes_while_it_runs_and_a_summary_when_it_is_stopped(
    tmp_path: Path, start: Start
) -> None:
    log = tmp_path / "app.csv"
    log.write_bytes(BURST)
    process = start(str(log))
    with log.open("ab") as file:
        file.write(BURST)
    wait_for(tmp_path / "out", FOUND.encode(), process)
    process.send_signal(signal.SIGINT)
    assert process.wait(PATIENCE_SECONDS) == 0
    text = (tmp_path / "out").read_text()
    assert "in 1 burst" in text
    assert "\x1b" not in text


@pytest.mark.parametrize("form", ["stderr", "jsonlog"])
def test_json_is_a_line_for_each_finding(tmp_path: Path, start: Start, form: str) -> None:
    ending = {"stderr": "log", "jsonlog": "json"}[form]
    source = next((Path(__file__).parents[2] / "sample_logs" / form).glob(f"*.{ending}*"))
    log = tmp_path / "logs" / f"app.{ending}"
    log.parent.mkdir()
    log.write_bytes(source.read_bytes())
    process = start(str(log.parent), "--format", "json", "--fail-on", "findings")
    with log.open("ab") as file:
        file.write(source.read_bytes())
    wait_for(tmp_path / "out", b"\n", process)
    process.send_signal(signal.SIGTERM)
    assert process.wait(PATIENCE_SECONDS) == 1
    *lines, last = map(json.loads, (tmp_path / "out").read_text().splitlines())
    assert {line["finding"]["detector"] for line in lines}
    assert all(line["redaction"] == "strict" for line in lines)
    assert last["summary"]["findings"] == len(last["summary"]["seen"])


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["-"], "write the stream into one"),
        (["{log}", "-o", "r.html"], "leave out --output"),
        (["{log}", "--format", "csv"], "for a terminal"),
        (["{log}", "--fail-on", "target"], "findings only"),
        ([], "--follow what"),
    ],
)
def test_what_says_nothing_while_following_is_refused(
    tmp_path: Path, words: list[str], says: str
) -> None:
    log = tmp_path / "app.csv"
    log.write_bytes(BURST)
    done = subprocess.run(
        [sys.executable, "-m", "analyzer", "report", "--follow"]
        + [word.format(log=log) for word in words],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 2
    assert says in done.stderr
