"""A private PostgreSQL 15, pgbouncer and Redis for the test bed, on free ports of 127.0.0.1.

All come from Debian's packages and die with the program that started them. They refuse to run as
root, so for root they run as the user `postgres` that the Debian package makes.
"""

import os
import pwd
import shutil
import signal
import socket
import subprocess
import time
import uuid
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

PROGRAMS = Path("/usr/lib/postgresql/15/bin")
BOUNCER = "/usr/sbin/pgbouncer"
REDIS = "/usr/bin/redis-server"
START_SECONDS = 60
LOG_NAMES = ("postgresql.csv", "postgresql.log")

# Statements are logged in the databases of the runs only (see log_everything), so that migrating
# and seeding leave no entries.
SETTINGS = """
listen_addresses = '127.0.0.1'
port = {port}
unix_socket_directories = '{directory}'
max_connections = 60
timezone = 'UTC'
log_timezone = 'UTC'
shared_buffers = 256MB
fsync = off
synchronous_commit = off
full_page_writes = off
log_destination = 'stderr,csvlog'
logging_collector = on
log_directory = '{directory}/log'
log_filename = 'postgresql.log'
log_file_mode = 0644
log_rotation_age = 0
log_rotation_size = 0
log_line_prefix = '%m [%p] %q%u@%d %a %c %l '
log_min_duration_statement = -1
log_statement = none
"""

BOUNCER_SETTINGS = """
[databases]
* = host=127.0.0.1 port={server_port}
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = {port}
unix_socket_dir =
auth_type = trust
auth_file = {directory}/users.txt
pool_mode = {mode}
default_pool_size = {pool_size}
max_client_conn = 50
server_reset_query =
ignore_startup_parameters = extra_float_digits,options
logfile = {directory}/pgbouncer.log
"""


@dataclass(frozen=True, slots=True)
class Server:
    """A running PostgreSQL; its superuser `postgres` needs no password."""

    port: int
    directory: Path

    def psql(self, sql: str, database: str = "postgres") -> str:
        """Run a script, stopping at the first error; its unaligned rows."""
        command = [PROGRAMS / "psql", "-XqAt", "-v", "ON_ERROR_STOP=1", *self._address(database)]
        done = subprocess.run(command, input=sql, capture_output=True, text=True, check=False)
        if done.returncode != 0:
            raise RuntimeError(f"psql failed: {done.stderr}")
        return done.stdout.strip()

    def copy_database(self, source: str, name: str) -> None:
        """A fresh copy of a database that nobody is connected to; an old one of the name goes."""
        self.psql(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')
        self.psql(f'CREATE DATABASE "{name}" TEMPLATE "{source}"')

    def log_everything(self, database: str) -> None:
        """Log every statement of the sessions that connect to a database from now on."""
        self.psql(f'ALTER DATABASE "{database}" SET log_min_duration_statement = 0')

    def schema(self, database: str) -> str:
        """`pg_dump --schema-only` of a database."""
        command = [PROGRAMS / "pg_dump", "--schema-only", "--no-owner", *self._address(database)]
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout

    def dump(self, database: str, path: Path) -> None:
        """`pg_dump` of a database, for `restore`."""
        command = [PROGRAMS / "pg_dump", "-Fc", "-Z1", "-f", path, *self._address(database)]
        subprocess.run(command, check=True)

    def restore(self, database: str, path: Path) -> None:
        """Fill an empty database from a dump, and collect its statistics."""
        command = [PROGRAMS / "pg_restore", "--exit-on-error", *self._address(database), path]
        subprocess.run(command, check=True)
        self.psql("ANALYZE", database)

    def log_sizes(self) -> dict[str, int]:
        """Bytes in each log file, once everything that was logged so far is there."""
        mark = f"test-bed-mark-{uuid.uuid4().hex}"
        self.psql(f"DO $$ BEGIN RAISE LOG '{mark}'; END $$")
        deadline = time.monotonic() + START_SECONDS
        waiting = [self.directory / "log" / name for name in LOG_NAMES]
        while any(mark.encode() not in _tail(path) for path in waiting):
            if time.monotonic() > deadline:
                raise RuntimeError(f"the log did not receive {mark}")
            time.sleep(0.05)
        return {path.name: path.stat().st_size for path in waiting}

    def _address(self, database: str) -> list[str]:
        return ["-h", "127.0.0.1", "-p", str(self.port), "-U", "postgres", "-d", database]


def _tail(path: Path) -> bytes:
    with path.open("rb") as log:
        log.seek(max(0, path.stat().st_size - 65536))
        return log.read()


@contextmanager
def postgres(directory: Path) -> Iterator[Server]:
    """A PostgreSQL with its files in `directory`, which is emptied before."""
    if not (PROGRAMS / "postgres").exists():
        raise FileNotFoundError(f"no PostgreSQL in {PROGRAMS}: apt-get install postgresql-15")
    _prepare(directory)
    user = _unprivileged_user()
    port = free_port()
    data = directory / "data"
    initdb = [PROGRAMS / "initdb", "--pgdata", data, "--username=postgres", "--auth=trust"]
    initdb += ["--encoding=UTF8", "--no-locale", "--no-sync", "--no-instructions"]
    subprocess.run(_as_user(user, initdb), check=True, cwd=directory, stdout=subprocess.DEVNULL)
    with (data / "postgresql.conf").open("a", encoding="utf-8") as settings:
        settings.write(SETTINGS.format(port=port, directory=directory))
    command = _as_user(user, [PROGRAMS / "postgres", "-D", data])
    with _running(command, directory, lambda: _answers(port)):
        yield Server(port, directory)


@contextmanager
def bouncer(
    directory: Path, server: Server, pool_size: int, mode: str = "transaction"
) -> Iterator[int]:
    """A pgbouncer before `server`; its port. `mode` is its pool_mode: session, transaction or statement."""
    if not Path(BOUNCER).exists():
        raise FileNotFoundError(f"no {BOUNCER}: apt-get install pgbouncer")
    _prepare(directory)
    port = free_port()
    text = BOUNCER_SETTINGS.format(
        server_port=server.port, port=port, directory=directory, pool_size=pool_size, mode=mode
    )
    (directory / "pgbouncer.ini").write_text(text, encoding="utf-8")
    (directory / "users.txt").write_text('"postgres" ""\n', encoding="utf-8")
    command = _as_user(_unprivileged_user(), [BOUNCER, directory / "pgbouncer.ini"])
    with _running(command, directory, lambda: _answers(port)):
        yield port


@contextmanager
def redis(directory: Path) -> Iterator[int]:
    """An empty Redis that keeps everything in memory; its port."""
    if not Path(REDIS).exists():
        raise FileNotFoundError(f"no {REDIS}: apt-get install redis-server")
    _prepare(directory)
    port = free_port()
    program = [REDIS, "--port", str(port), "--bind", "127.0.0.1", "--save", "", "--dir", directory]
    command = _as_user(_unprivileged_user(), program)
    with _running(command, directory, lambda: _listens(port)):
        yield port


def free_port() -> int:
    """A port of 127.0.0.1 that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _prepare(directory: Path) -> None:
    if directory.exists():
        shutil.rmtree(directory)
    directory.mkdir(parents=True)
    if user := _unprivileged_user():
        shutil.chown(directory, user, user)


def _unprivileged_user() -> str | None:
    return pwd.getpwnam("postgres").pw_name if os.geteuid() == 0 else None


def _as_user(user: str | None, command: Sequence[str | Path]) -> list[str]:
    """The command as another user, told to stop (SIGINT) if this process dies."""
    identity = [f"--reuid={user}", f"--regid={user}", "--init-groups"] if user else []
    return ["setpriv", *identity, "--pdeathsig=INT", "--", *map(str, command)]


def _answers(port: int) -> bool:
    """Whether a PostgreSQL or a pgbouncer accepts connections."""
    probe = [PROGRAMS / "pg_isready", "-q", "-h", "127.0.0.1", "-p", str(port)]
    return subprocess.run(probe, check=False).returncode == 0


def _listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


@contextmanager
def _running(command: list[str], directory: Path, ready: Callable[[], bool]) -> Iterator[None]:
    with (directory / "start.log").open("wb") as output:
        process = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=output, stderr=output, cwd=directory
        )
    try:
        deadline = time.monotonic() + START_SECONDS
        while not ready():
            if process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(f"did not start:\n{(directory / 'start.log').read_text()}")
            time.sleep(0.1)
        yield
    finally:
        process.send_signal(signal.SIGINT)
        process.wait(timeout=60)
