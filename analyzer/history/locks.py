"""One nightly job at a time for each store: a lock that goes when its holder does, however it ends."""

import fcntl
import json
import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import sqlalchemy as sa

from analyzer.errors import StoreError
from analyzer.history.opening import shown, telling

_LOCK = 0x70673935


@contextmanager
def file_lock(path: Path) -> Iterator[None]:
    """Hold the lock file beside an SQLite store.

    Raises:
        StoreError: another process has it; the message says who.
    """
    beside = path.with_name(path.name + ".lock")
    try:
        handle = os.open(beside, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise StoreError(f"history {path}: no lock {beside.name} ({error.strerror})") from error
    try:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise _held(str(path), _holder(os.pread(handle, 4096, 0))) from error
        note = {
            "pid": os.getpid(),
            "host": socket.gethostname(),
            "since": datetime.now(UTC).isoformat(timespec="seconds"),
        }
        os.ftruncate(handle, 0)
        os.pwrite(handle, json.dumps(note).encode(), 0)
        yield
    finally:
        os.close(handle)  # and the lock goes with it


def _holder(note: bytes) -> str:
    try:
        said = json.loads(note)
        return f"process {said['pid']} on {said['host']}, since {said['since']}"
    except (ValueError, KeyError, TypeError):  # it has the lock, and has not yet said who it is
        return "a process that began just now"


@contextmanager
def server_lock(engine: sa.Engine, where: str) -> Iterator[None]:
    """Hold an advisory lock of the database on a connection of its own.

    Raises:
        StoreError: another session has it; the message says who.
    """
    with telling(where):
        connection = engine.connect().execution_options(isolation_level="AUTOCOMMIT")
    try:
        with telling(where):
            got = connection.scalar(sa.select(sa.func.pg_try_advisory_lock(_LOCK)))
            holder = None if got else connection.execute(_HOLDER, {"key": _LOCK}).first()
        if not got:
            named = "a session that ends just now"
            if holder is not None:
                named = (
                    f"{holder.name} from {holder.address}, pid {holder.pid}, since {holder.since}"
                )
            raise _held(where, named)
        yield
    finally:
        connection.invalidate()  # a closed session has no locks
        connection.close()


_HOLDER = sa.text(
    """
    SELECT a.pid, coalesce(nullif(a.application_name, ''), 'a session') AS name,
           coalesce(host(a.client_addr), 'the same host') AS address,
           to_char(a.backend_start AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI:SS "UTC"') AS since
    FROM pg_catalog.pg_locks AS l JOIN pg_catalog.pg_stat_activity AS a USING (pid)
    WHERE l.locktype = 'advisory' AND l.granted AND l.objid = :key AND l.classid = 0
      AND l.database = (SELECT oid FROM pg_catalog.pg_database WHERE datname = current_database())
    """
)


def _held(where: str, holder: str) -> StoreError:
    return StoreError(
        f"history {shown(where)}: another pg95 is at work on it ({holder}); wait until it has ended"
    )
