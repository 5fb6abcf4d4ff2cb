"""What all tests share: private PostgreSQL 15, a standby of it, and 18, logging in all three formats.

A server is started once per test process (so once per worker under pytest-xdist) if a test asks for
it, on a free port of 127.0.0.1: 15 from Debian's packages, 18 from what tools/postgres18 fetched. It
goes when the session ends, however it ends: the kernel sends it a fast shutdown when the test process
dies. PostgreSQL refuses to run as root, so for root it runs as the user `postgres` that the Debian
package makes. A missing server is a failure.
"""

import os
import pwd
import shutil
import signal
import socket
import subprocess
import tempfile
import time
import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import hypothesis
import pytest

from analyzer.sources.postgres.clone.programs import within_reach

# `make test` draws the same examples each time, however busy the machine is; `make fuzz` looks for new ones.
hypothesis.settings.register_profile(
    "same", derandomize=True, deadline=None, suppress_health_check=[hypothesis.HealthCheck.too_slow]
)
hypothesis.settings.register_profile("new", deadline=None)
hypothesis.settings.load_profile("same")

LogFormat = Literal["stderr", "csvlog", "jsonlog"]

VERSION = "15"
PACKAGES = "postgresql-15 postgresql-contrib postgresql-15-hypopg"
START_SECONDS = 60
LOG_NAMES: Mapping[LogFormat, str] = {
    "stderr": "postgresql.log",
    "csvlog": "postgresql.csv",
    "jsonlog": "postgresql.json",
}

SETTINGS = """
listen_addresses = '127.0.0.1'
port = {port}
unix_socket_directories = '{directory}'
max_connections = 50
shared_preload_libraries = 'pg_stat_statements,auto_explain'
pg_stat_statements.max = 20000  # all tests share it: what runs out of room is not exact
timezone = 'UTC'
log_timezone = 'UTC'

# A scratch server: what it holds need not survive a crash.
fsync = off
synchronous_commit = off
full_page_writes = off
# What autovacuum would do meanwhile (statistics, pages visible to all) changes plans, at no time that a test knows.
autovacuum = off
# ANALYZE reads all rows of tables up to 300,000, and draws none by chance.
default_statistics_target = 1000

log_destination = 'stderr,csvlog,jsonlog'
logging_collector = on
log_directory = '{directory}/log'
log_filename = 'postgresql.log'
log_file_mode = 0644
log_rotation_age = 0
log_rotation_size = 0
log_line_prefix = '%m [%p] %q%u@%d/%a %c %l '
log_min_duration_statement = 0
log_statement = none

auto_explain.log_min_duration = 5
auto_explain.log_analyze = on
auto_explain.log_buffers = on
auto_explain.log_format = json
"""

# Members of `password_required` (no superuser is one) show a password over TCP, others need none.
HOST_RULES = """
local all all trust
host all +password_required 127.0.0.1/32 scram-sha-256
host all all 127.0.0.1/32 trust
host replication all 127.0.0.1/32 trust
"""

# A standby that keeps nothing waiting which the primary sends: what is in its way is cancelled at once.
STANDBY_SETTINGS = """
port = {port}
unix_socket_directories = '{directory}'
log_directory = '{directory}/log'
hot_standby = on
max_standby_streaming_delay = 0
"""


@dataclass(frozen=True, slots=True)
class Server:
    """A running PostgreSQL. `dsn` is a URI for its superuser `postgres`, no password needed.

    A role that is a member of `password_required` must give its password over TCP:
    `CREATE ROLE reader LOGIN PASSWORD 'secret' IN ROLE password_required`.
    `bin_directory` has the clients (psql, pgbench …), PostgreSQL 15's for all servers.
    """

    dsn: str
    host: str
    port: int
    directory: Path
    bin_directory: Path

    def log_path(self, log_format: LogFormat = "stderr") -> Path:
        """The log file that the server is writing in that format."""
        return self.directory / "log" / LOG_NAMES[log_format]

    def psql(self, sql: str, dsn: str | None = None) -> str:
        """Run a script with psql, stopping at the first error; its unaligned rows, if any."""
        psql = str(self.bin_directory / "psql")
        done = subprocess.run(
            [psql, "-X", "-q", "-A", "-t", "-v", "ON_ERROR_STOP=1", "-d", dsn or self.dsn],
            input=sql,
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode != 0:
            raise RuntimeError(f"psql failed on {sql!r}: {done.stderr}")
        return done.stdout.strip("\n")

    def create_database(self, name: str) -> str:
        """A new, empty database (an old one of that name is dropped first): its DSN."""
        quoted = '"' + name.replace('"', '""') + '"'
        self.psql(f"DROP DATABASE IF EXISTS {quoted} WITH (FORCE)")
        self.psql(f"CREATE DATABASE {quoted}")
        return f"postgresql://postgres@{self.host}:{self.port}/{name}"

    def flush_logs(self) -> None:
        """Wait until everything logged so far is in the three log files.

        The logging collector writes in the order in which it was told, so a mark sent now
        arrives last. The mark itself is logged: a NOTICE-level statement `DO $$ … $$`.
        """
        mark = f"pg95-test-mark-{uuid.uuid4().hex}"
        self.psql(f"DO $$ BEGIN RAISE LOG '{mark}'; END $$")
        deadline = time.monotonic() + START_SECONDS
        waiting = [self.log_path(log_format) for log_format in LOG_NAMES]
        while waiting:
            waiting = [path for path in waiting if mark.encode() not in path.read_bytes()]
            if waiting and time.monotonic() > deadline:
                raise RuntimeError(f"{waiting[0]} did not receive {mark}")
            time.sleep(0.02)


def bin_directory() -> Path:
    """Where PostgreSQL 15's programs are; fails the test run where they are not."""
    candidates = [Path(f"/usr/lib/postgresql/{VERSION}/bin")]
    pg_config = shutil.which("pg_config")
    if pg_config:
        answer = subprocess.run([pg_config, "--bindir"], capture_output=True, text=True, check=True)
        candidates.append(Path(answer.stdout.strip()))
    for candidate in candidates:
        if all((candidate / name).exists() for name in ("postgres", "initdb", "psql")):
            version = subprocess.run(
                [candidate / "postgres", "--version"], capture_output=True, text=True, check=True
            ).stdout
            if f" {VERSION}." in version:
                return candidate
    pytest.fail(
        f"PostgreSQL {VERSION} is needed and was not found in "
        f"{', '.join(str(candidate) for candidate in candidates)}. "
        f"`make test` installs it, or: apt-get install {PACKAGES}",
        pytrace=False,
    )


def _unprivileged_user() -> str | None:
    """The user to run the server as: None for the current one, `postgres` for root."""
    if os.geteuid() != 0:
        return None
    try:
        return pwd.getpwnam("postgres").pw_name
    except KeyError:
        pytest.fail(
            "PostgreSQL does not run as root, and there is no user `postgres`. "
            f"Install Debian's package, which makes it: apt-get install {PACKAGES}",
            pytrace=False,
        )


def _as_user(user: str | None, *command: str | Path) -> list[str]:
    """`command`, run as `user`, and sent a fast shutdown (SIGINT) if this process dies."""
    identity = [f"--reuid={user}", f"--regid={user}", "--init-groups"] if user else []
    return ["setpriv", *identity, "--pdeathsig=INT", "--", *map(str, command)]


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _initialise(
    directory: Path, programs: Path, user: str | None, port: int, settings: str
) -> None:
    """Make the cluster's files in `directory`/data and configure them."""
    directory.chmod(0o755)  # the logs are read by whoever runs the tests
    if user:
        shutil.chown(directory, user, user)
    data = directory / "data"
    made = subprocess.run(
        _as_user(
            user, programs / "initdb", "--pgdata", data, "--username=postgres", "--auth=trust",
            "--encoding=UTF8", "--no-locale", "--no-sync", "--no-instructions",
        ),
        capture_output=True,
        text=True,
        check=False,
        cwd=directory,
    )  # fmt: skip
    if made.returncode != 0:
        pytest.fail(f"initdb failed:\n{made.stdout}{made.stderr}", pytrace=False)
    with (data / "postgresql.conf").open("a", encoding="utf-8") as configuration:
        configuration.write(SETTINGS.format(port=port, directory=directory) + settings)
    (data / "pg_hba.conf").write_text(HOST_RULES, encoding="utf-8")


def _wait_until_ready(
    process: "subprocess.Popen[bytes]", programs: Path, directory: Path, port: int
) -> None:
    deadline = time.monotonic() + START_SECONDS
    probe = [str(programs / "pg_isready"), "-q", "-h", "127.0.0.1", "-p", str(port)]
    while subprocess.run(probe, check=False).returncode != 0:
        if process.poll() is not None or time.monotonic() > deadline:
            outputs = [directory / "start.log", directory / "log" / "postgresql.log"]
            said = "\n".join(path.read_text() for path in outputs if path.exists())
            pytest.fail(f"PostgreSQL did not start:\n{said}", pytrace=False)
        time.sleep(0.05)


def _stop(process: "subprocess.Popen[bytes]") -> None:
    if process.poll() is None:
        process.send_signal(signal.SIGINT)  # fast shutdown: clients are disconnected
        try:
            process.wait(timeout=30)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


@contextmanager
def running(programs: Path, clients: Path, settings: str = "") -> Iterator[Server]:
    """A server from `programs`, gone with its files afterwards; `settings` come after the usual ones."""
    user = _unprivileged_user()
    port = _free_port()
    # Not pytest's tmp_path: a socket's path has to stay below 108 bytes, and root's is closed to
    # the server's user.
    directory = Path(tempfile.mkdtemp(prefix="pg95-"))
    try:
        if user:  # a wheel's may lie where only root comes
            programs = within_reach(programs, directory / "programs", pwd.getpwnam(user))
        _initialise(directory, programs, user, port, settings)
        with _started(directory, programs, clients, port) as server:
            server.psql("CREATE ROLE password_required NOLOGIN")
            yield server
    finally:
        shutil.rmtree(directory)


@contextmanager
def _started(directory: Path, programs: Path, clients: Path, port: int) -> Iterator[Server]:
    """The server whose files are in `directory`/data, stopped afterwards."""
    with (directory / "start.log").open("wb") as start_log:
        process = subprocess.Popen(
            _as_user(_unprivileged_user(), programs / "postgres", "-D", directory / "data"),
            stdin=subprocess.DEVNULL,
            stdout=start_log,
            stderr=subprocess.STDOUT,
            cwd=directory,
            start_new_session=True,
        )
    try:
        _wait_until_ready(process, clients, directory, port)
        dsn = f"postgresql://postgres@127.0.0.1:{port}/postgres"
        yield Server(dsn, "127.0.0.1", port, directory, clients)
    finally:
        _stop(process)


@pytest.fixture(scope="session")
def postgres15() -> Iterator[Server]:
    """A private PostgreSQL 15 that logs every statement, with its plan from 5 ms on."""
    programs = bin_directory()
    with running(programs, programs) as server:
        yield server


@contextmanager
def _standby(primary: Server) -> Iterator[Server]:
    """A hot standby, made by pg_basebackup and fed by streaming replication."""
    programs, user, port = bin_directory(), _unprivileged_user(), _free_port()
    directory = Path(tempfile.mkdtemp(prefix="pg95-"))
    try:
        directory.chmod(0o755)
        if user:
            shutil.chown(directory, user, user)
        copy = _as_user(
            user, programs / "pg_basebackup", f"--dbname={primary.dsn}", f"--pgdata={directory}/data",
            "--write-recovery-conf", "--checkpoint=fast", "--no-sync",
        )  # fmt: skip
        subprocess.run(copy, check=True, cwd=directory)
        with (directory / "data" / "postgresql.conf").open("a", encoding="utf-8") as configuration:
            configuration.write(STANDBY_SETTINGS.format(port=port, directory=directory))
        with _started(directory, programs, programs, port) as server:
            yield server
    finally:
        shutil.rmtree(directory)


@pytest.fixture(scope="module")
def standby15(postgres15: Server) -> Iterator[Server]:
    """A hot standby of `postgres15`."""
    with _standby(postgres15) as server:
        yield server


@pytest.fixture
def replica15(postgres15: Server) -> Iterator[Server]:
    """As `standby15`, for one test: it holds what is in `postgres15` until then."""
    with _standby(postgres15) as server:
        yield server


@pytest.fixture(scope="session")
def postgres18() -> Iterator[Server]:
    """As `postgres15`, of version 18."""
    fetch = Path(__file__).resolve().parent.parent / "tools" / "postgres18"
    found = subprocess.run([fetch, "--where"], capture_output=True, text=True, check=False)
    if found.returncode != 0:
        pytest.fail(
            f"PostgreSQL 18 is needed and is not in {found.stdout.strip()}. `make test` fetches it, "
            "or: tools/postgres18",
            pytrace=False,
        )
    with running(Path(found.stdout.strip()) / "bin", bin_directory()) as server:
        yield server


@pytest.fixture(scope="session")
def redis_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The URL of a Redis that listens on a free port of this machine, and keeps nothing on disk."""
    program = shutil.which("redis-server")
    if program is None:
        pytest.fail(
            "Redis is needed: `make test` installs it (apt-get install redis-server)", pytrace=False
        )
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    folder = str(tmp_path_factory.mktemp("redis"))
    options = ["--port", str(port), "--bind", "127.0.0.1", "--save", "", "--dir", folder]
    process = subprocess.Popen([program, *options], stdout=subprocess.DEVNULL)
    try:
        _wait_for_redis(port)
        yield f"redis://127.0.0.1:{port}/0"
    finally:
        process.terminate()
        process.wait(timeout=10)


def _wait_for_redis(port: int) -> None:
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.05)
    pytest.fail("Redis did not start", pytrace=False)
