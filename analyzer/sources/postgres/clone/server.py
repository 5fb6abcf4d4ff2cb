"""A server of one's own for a while: started in a private folder, gone with it however pg95 ends.

The folder is of mode 0700, the server listens on a socket in it and nowhere else. A watchdog holds the
reading end of a pipe: when pg95 is gone, killed or not, it stops the server and removes the folder. What
is left where both were killed, the next start removes: nobody holds the lock on such a folder.
"""

import fcntl
import os
import pwd
import shutil
import subprocess
import tempfile
import time
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import psycopg

from analyzer.errors import ServerError
from analyzer.sources.postgres.clone.programs import Programs, within_reach
from analyzer.sources.postgres.connection import Connection

PREFIX = "pg95-clone-"
SUPERUSER = "pg95_admin"
_START_S = 60.0
_STOP_S = 10.0
_POLL_S = 0.02
_LONGEST_SOCKET = 100  # bytes; the kernel's limit is 107 with the socket's own name
_SETTINGS: Mapping[str, str] = {
    "listen_addresses": "",
    "autovacuum": "off",  # it would find the tables empty
    "fsync": "off",
    "full_page_writes": "off",
    "synchronous_commit": "off",
    "wal_level": "minimal",
    "max_wal_senders": "0",
    "max_connections": "10",
    "shared_buffers": "32MB",
    "max_locks_per_transaction": "4096",  # a table may have a thousand candidates
    "max_parallel_maintenance_workers": "0",
    "jit": "off",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "logging_collector": "off",
    "unix_socket_permissions": "0700",
    "shared_preload_libraries": "",
    "log_min_messages": "fatal",
    "log_min_error_statement": "panic",  # statements hold values
}
_WATCHDOG = (
    'while read -r _; do :; done; kill -QUIT "$1" 2>/dev/null; n=0; '
    'while kill -0 "$1" 2>/dev/null && [ $n -lt 100 ]; do sleep 0.1; n=$((n+1)); done; rm -rf "$2"'
)


class CloneServer:
    """A running server. Closed by `close`, or by the watchdog."""

    def __init__(self, programs: Programs) -> None:
        """Start it.

        Raises:
            ServerError: it cannot be; the message says why, and what helps.
        """
        remove_stale()
        self.programs = programs
        self.folder = Path(tempfile.mkdtemp(prefix=f"{PREFIX}{os.getpid()}-", dir=_place()))
        self._lock = _locked(self.folder)
        self._server: subprocess.Popen[bytes] | None = None
        self._watchdog: subprocess.Popen[bytes] | None = None
        self._sessions: list[Connection] = []
        self._user = _unprivileged()
        try:
            self._bring_within_reach()
            self._initialise()
            self._start()
        except BaseException:
            self.close()
            raise

    @property
    def data(self) -> Path:
        """Where the files of its tables are."""
        return self.folder / "data"

    def connect(self, user: str = SUPERUSER, database: str = "postgres") -> Connection:
        """A session that commits each statement, with what was asked for in its own text."""
        connection = psycopg.connect(
            host=str(self.folder),
            user=user,
            dbname=database,
            autocommit=True,
            prepare_threshold=None,
            application_name="pg95",
        )
        self._sessions.append(connection)
        return connection

    def owned(self, path: Path) -> None:
        """Let the server have a file that pg95 made."""
        if self._user is not None:
            os.chown(path, self._user.pw_uid, self._user.pw_gid)

    def close(self) -> None:
        """Stop it and remove all of it; does nothing the second time."""
        for session in self._sessions:
            session.close()
        self._sessions.clear()
        if self._server is not None:
            self._server.send_signal(
                3
            )  # SIGQUIT: an immediate shutdown, nothing here is to be kept
            try:
                self._server.wait(_STOP_S)
            except subprocess.TimeoutExpired:
                self._server.kill()
                self._server.wait()
            self._server = None
        if self._watchdog is not None:
            self._watchdog.kill()
            self._watchdog.communicate()
            self._watchdog = None
        shutil.rmtree(self.folder, ignore_errors=True)
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None

    def _bring_within_reach(self) -> None:
        self.owned(self.folder)
        if self._user is None:
            return
        try:
            folder = within_reach(self.programs.folder, self.folder / "programs", self._user)
        except OSError as error:  # shutil.Error is one: it lists the files
            raise ServerError(self._failed("initdb", f"it cannot be copied: {error}")) from error
        self.programs = replace(self.programs, folder=folder)

    def _initialise(self) -> None:
        done = self._run(
            *("initdb", "--pgdata", str(self.data), "--username", SUPERUSER),
            *("--encoding=UTF8", "--no-locale", "--auth=trust", "--no-sync", "--no-instructions"),
            "--no-data-checksums",  # pages are written past it
        )
        if done.returncode:
            raise ServerError(self._failed("initdb", done.stderr or done.stdout))
        with (self.data / "postgresql.conf").open("a", encoding="utf-8") as file:
            file.writelines(f"{name} = '{value}'\n" for name, value in _SETTINGS.items())
            folder = str(self.folder).replace("'", "''")
            file.write(f"unix_socket_directories = '{folder}'\n")

    def _run(self, program: str, *arguments: str) -> "subprocess.CompletedProcess[str]":
        try:
            return subprocess.run(  # noqa: S603 - a program of the user's machine
                [self.programs.folder / program, *arguments],
                capture_output=True,
                text=True,
                errors="replace",
                check=False,
                cwd=self.folder,
                env=_environment(),
                user=self._uid,
                group=self._gid,
                extra_groups=None if self._uid is None else [],
            )
        except OSError as error:
            raise ServerError(self._failed(program, str(error))) from error

    def _start(self) -> None:
        log = self.folder / "log"
        with log.open("wb") as output:
            self._server = subprocess.Popen(  # noqa: S603 - as above
                [self.programs.folder / "postgres", "-D", str(self.data)],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                cwd=self.folder,
                env=_environment(),
                start_new_session=True,  # Ctrl-C is for pg95, which stops the server itself
                user=self._uid,
                group=self._gid,
                extra_groups=None if self._uid is None else [],
            )
        self._watchdog = subprocess.Popen(  # noqa: S603 - a fixed text
            ["/bin/sh", "-c", _WATCHDOG, "pg95-watchdog", str(self._server.pid), str(self.folder)],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        ends = time.monotonic() + _START_S
        while True:
            try:
                self.connect().close()
            except psycopg.OperationalError as error:
                if self._server.poll() is not None or time.monotonic() > ends:
                    said = log.read_text(encoding="utf-8", errors="replace")
                    raise ServerError(self._failed("postgres", said or str(error))) from None
                time.sleep(_POLL_S)
            else:
                return

    @property
    def _uid(self) -> int | None:
        """PostgreSQL does not run as root: for root it runs as another user."""
        return self._user.pw_uid if self._user is not None else None

    @property
    def _gid(self) -> int | None:
        return self._user.pw_gid if self._user is not None else None

    def _failed(self, program: str, said: str) -> str:
        last = "; ".join(line.strip() for line in said.strip().splitlines()[-3:])
        advice = "run pg95 as an ordinary user" if self._user is not None else "see its message"
        return f"the clone's server ({self.programs.folder / program}) does not start: {last}; {advice}"


def remove_stale() -> None:
    """Remove the folders of clones whose pg95 is gone; a server that still runs there ends by itself.

    (A postmaster whose files are gone notices within a minute, and shuts down.)
    """
    for folder in Path(_place()).glob(f"{PREFIX}*"):
        try:
            if folder.is_symlink() or folder.stat().st_uid not in _own_ids() or _lives(folder):
                continue
            lock = _locked(folder)
        except OSError:
            continue  # it went meanwhile, or is somebody else's
        if lock is not None:
            shutil.rmtree(folder, ignore_errors=True)
            os.close(lock)


def _lives(folder: Path) -> bool:
    """Whether the process that made a folder is there: it may be about to lock it."""
    number = folder.name.removeprefix(PREFIX).partition("-")[0]
    if not number.isdigit():
        return False
    try:
        os.kill(int(number), 0)
    except ProcessLookupError:
        return False
    except (PermissionError, OverflowError):
        return True
    return True


def _own_ids() -> set[int]:
    """Whose folders may be removed: one's own, and root's clones are of the server's user."""
    user = _unprivileged()
    return {os.geteuid()} | ({user.pw_uid} if user is not None else set())


def _locked(folder: Path) -> int | None:
    """The descriptor of a lock on a folder, None where another process holds it."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        os.close(descriptor)
        return None
    return descriptor


def _place() -> str:
    """Where clones are kept: a socket's path has to be short."""
    place = tempfile.gettempdir()
    return place if len(os.fsencode(place)) + len(PREFIX) + 30 < _LONGEST_SOCKET else "/tmp"  # noqa: S108 - a folder of mode 0700 in it


def _unprivileged() -> pwd.struct_passwd | None:
    """The user that the server runs as: None for one's own, which root's cannot be."""
    if os.geteuid() != 0:
        return None
    for name in ("postgres", "nobody"):
        try:
            return pwd.getpwnam(name)
        except KeyError:
            continue
    raise ServerError(
        "PostgreSQL does not run as root, and there is neither a user postgres nor nobody; run pg95 as "
        "an ordinary user"
    )


def _environment() -> dict[str, str]:
    """The environment without libpq's and PostgreSQL's variables, which would mean other servers."""
    return {name: value for name, value in os.environ.items() if not name.startswith("PG")} | {
        "LC_ALL": "C"
    }
