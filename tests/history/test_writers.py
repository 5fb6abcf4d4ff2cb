"""Several writers, killed writers and locks: figures and positions always agree."""

import subprocess
import sys
import time
from pathlib import Path

import pytest
from kept import MIDNIGHT_US

from analyzer.errors import StoreError
from analyzer.history import open_store
from analyzer.history.store import Store

WRITER = Path(__file__).with_name("writer.py")
HOUR_US = 3_600_000_000


def start(where: str, nights: str) -> "subprocess.Popen[str]":
    return subprocess.Popen(
        [sys.executable, str(WRITER), where, nights], stdout=subprocess.PIPE, text=True
    )


def counted(where: str) -> tuple[int, set[int], int]:
    """Executions over all, those of each statement, and the position: to be the same number."""
    with open_store(where) as store, store.reading() as reader:
        everything, statements = reader.window(MIDNIGHT_US, MIDNIGHT_US + HOUR_US)
        each = {figures.histogram.total for _, figures in statements.values()}
        calls = everything.calls if everything else 0
        return calls, each, reader.positions("logs").get("log", 0)


def test_writers_side_by_side_lose_nothing(where: str) -> None:
    writers = [start(where, "15") for _ in range(2)]  # they make the store at the same time, too
    for writer in writers:
        writer.communicate()
    assert [writer.returncode for writer in writers] == [0, 0]
    assert counted(where) == (30, {30}, 30)


def test_a_killed_writer_leaves_whole_nights_only(where: str) -> None:
    for pause in (0.0, 0.013, 0.029):
        writer = start(where, "forever")
        assert writer.stdout is not None
        writer.stdout.readline()
        time.sleep(pause)  # some instant of a night
        writer.kill()
        writer.wait()
        writer.stdout.close()
        calls, each, position = counted(where)
        assert calls == position
        assert each == {position}


def test_the_second_to_lock_is_told_who_holds_it(store: Store, where: str) -> None:
    with open_store(where) as other:
        with (
            store.lock(),
            pytest.raises(StoreError, match=r"another pg95 is at work.*\(.+since"),
            other.lock(),
        ):
            pytest.fail("both hold the lock")
        with other.lock():
            pass  # it is free again


def test_a_lock_goes_with_its_holder(store: Store, where: str) -> None:
    code = (
        "import sys, time; from analyzer.history import open_store\n"
        "with open_store(sys.argv[1]) as s, s.lock(): print('held', flush=True); time.sleep(600)"
    )
    holder = subprocess.Popen(
        [sys.executable, "-c", code, where], stdout=subprocess.PIPE, text=True
    )
    assert holder.stdout is not None
    assert holder.stdout.readline() == "held\n"
    with (
        pytest.raises(StoreError, match=str(holder.pid) if where[0] == "/" else "pid"),
        store.lock(),
    ):
        pytest.fail("both hold the lock")
    holder.kill()
    holder.wait()
    holder.stdout.close()
    deadline = time.monotonic() + 30  # PostgreSQL has to notice first
    while True:
        try:
            with store.lock():
                return
        except StoreError:
            assert time.monotonic() < deadline
            time.sleep(0.02)
