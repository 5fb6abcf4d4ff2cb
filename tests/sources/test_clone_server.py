"""A clone's server: private, powerless, and gone with pg95 however that ends."""

import os
import shutil
import signal
import stat
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from clones import CHECKOUT, pg_dump18, programs18

from analyzer.errors import ServerError
from analyzer.model.blueprint import Blueprint
from analyzer.sources.postgres.clone import CloneWhatIf, open_clone
from analyzer.sources.postgres.clone import server as server_module
from analyzer.sources.postgres.clone.btree import height
from analyzer.sources.postgres.clone.building import DATABASE, ROLE
from analyzer.sources.postgres.clone.programs import FOLDER_VARIABLE, choose, found_programs

HOLDER = """
import sys, time
from analyzer.model.blueprint import Blueprint
from analyzer.sources.postgres.clone import open_clone
clone = open_clone(Blueprint("by hand", ("CREATE TABLE t (a integer PRIMARY KEY)",)))
print(clone._server.folder, clone._server._server.pid, flush=True)
time.sleep(600)
"""
PATIENCE_S = 30


@pytest.fixture(autouse=True)
def _programs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(FOLDER_VARIABLE, programs18())


@pytest.fixture
def place(monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A folder of this test's own in place of /tmp, which the server's user may enter."""
    with tempfile.TemporaryDirectory(prefix="pg95c-") as folder:
        Path(folder).chmod(0o755)
        monkeypatch.setenv("TMPDIR", folder)
        monkeypatch.setattr(tempfile, "tempdir", folder)
        yield Path(folder)


@pytest.fixture(scope="module")
def clone() -> Iterator[CloneWhatIf]:
    table = Blueprint("by hand", ("CREATE TABLE t (a integer PRIMARY KEY, b text)",))
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(FOLDER_VARIABLE, programs18())
        with open_clone(table) as opened:
            yield opened


def is_gone(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return True
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"


def wait_until(happened: object) -> None:
    ends = time.monotonic() + PATIENCE_S
    while not happened():  # type: ignore[operator]
        assert time.monotonic() < ends, "it did not happen"
        time.sleep(0.05)


def test_it_listens_on_a_socket_in_a_closed_folder_alone(clone: CloneWhatIf) -> None:
    folder = clone._server.folder
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    admin = clone._server.connect()
    assert admin.execute("SHOW listen_addresses").fetchone() == ("",)
    assert admin.execute("SHOW autovacuum").fetchone() == ("off",)
    assert admin.execute("SHOW unix_socket_directories").fetchone() == (str(folder),)


@pytest.mark.parametrize(
    "text",
    [
        "SELECT pg_read_file('/etc/passwd')",
        "COPY (SELECT 1) TO PROGRAM 'id'",
        "CREATE FUNCTION f() RETURNS integer LANGUAGE c AS '/lib/x.so', 'x'",
        "CREATE EXTENSION file_fdw",
        "ALTER SYSTEM SET listen_addresses = '*'",
        "CREATE ROLE other SUPERUSER",
        "SELECT lo_import('/etc/passwd')",
    ],
)
def test_its_role_can_do_nothing_to_the_machine(clone: CloneWhatIf, text: str) -> None:
    with (
        clone._server.connect(ROLE, DATABASE) as owner,
        pytest.raises(psycopg.errors.InsufficientPrivilege),
    ):
        owner.execute(text.encode())


def test_closing_leaves_nothing(place: Path) -> None:
    clone = open_clone(Blueprint("by hand", ("CREATE TABLE t (a integer)",)))
    server = clone._server._server
    assert server is not None
    assert list(place.glob("pg95-clone-*")) == [clone._server.folder]
    clone.close()
    clone.close()
    assert is_gone(server.pid)
    assert list(place.glob("pg95-clone-*")) == []


def test_a_killed_pg95_leaves_nothing(place: Path) -> None:
    """Not even where it could do nothing about it."""
    held = subprocess.Popen(
        [sys.executable, "-c", HOLDER], cwd=CHECKOUT, stdout=subprocess.PIPE, text=True
    )
    assert held.stdout is not None
    with held.stdout:
        folder, pid = held.stdout.readline().split()
    assert Path(folder).parent == place
    held.send_signal(signal.SIGKILL)
    held.wait()
    wait_until(lambda: is_gone(int(pid)) and not Path(folder).exists())


def test_what_a_killed_watchdog_left_goes_at_the_next_start(place: Path) -> None:
    stale = place / "pg95-clone-999999999-left"
    other = place / "pg95-clone-of-somebody"
    for folder in (stale, other):
        (folder / "data").mkdir(parents=True)
    locked = server_module._locked(other)  # as a running one is
    assert locked is not None
    server_module.remove_stale()
    os.close(locked)
    assert not stale.exists()
    assert other.exists()


def test_a_server_that_does_not_start_is_said_and_leaves_nothing(
    place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(server_module, "_SETTINGS", {"shared_buffers": "nonsense"})
    with pytest.raises(ServerError, match=r"does not start.*shared_buffers"):
        open_clone(Blueprint("by hand", ("CREATE TABLE t (a integer)",)))
    assert list(place.glob("pg95-clone-*")) == []


def test_programs_for_one_user_alone_serve_root_as_well(
    place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Root's server runs as another user, who cannot enter root's folders (a checkout in /root, or by mktemp)."""
    wheel = pg_dump18().parents[2]
    closed = place / "closed"
    for part in (wheel / "pginstall18", wheel.with_name(f"{wheel.name}.libs")):
        shutil.copytree(part, closed / part.relative_to(wheel.parent), symlinks=True)
    closed.chmod(0o700)
    monkeypatch.setenv(FOLDER_VARIABLE, str(closed / wheel.name / "pginstall18" / "bin"))
    server = server_module.CloneServer(choose(("vector",)))
    try:
        with server.connect() as session:
            row = session.execute(
                "SELECT count(*) FROM pg_available_extensions WHERE name = 'vector'"
            )
            assert row.fetchone() == (1,)
    finally:
        server.close()
    assert list(place.iterdir()) == [closed]


def test_older_servers_are_refused_with_what_helps(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Debian's 15 has no functions that restore statistics."""
    monkeypatch.setenv(FOLDER_VARIABLE, "/usr/lib/postgresql/15/bin")
    with pytest.raises(ServerError, match=r"found only 15 in .*pip install 'pg95\[clone\]'"):
        choose(())
    monkeypatch.setenv(FOLDER_VARIABLE, str(tmp_path))
    with pytest.raises(ServerError, match="none was found"):
        choose(())


def test_the_server_with_the_wanted_extensions_is_chosen(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(FOLDER_VARIABLE, raising=False)
    everything = list(found_programs())
    assert "vector" in choose(["vector"]).extensions
    assert all(one.version[0] >= 15 for one in everything)


@pytest.mark.parametrize(
    ("pages", "key_bytes", "levels"),
    [(1, 4, 0), (2, 4, 0), (4117, 4, 2), (50, 4, 1), (300_000, 30, 3)],
)
def test_how_high_a_tree_is(pages: int, key_bytes: float, levels: int) -> None:
    assert height(pages, key_bytes) == levels
