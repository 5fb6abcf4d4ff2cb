"""How a worker's process is begun: forked where that is safe, else a new interpreter.

A fork has all that this process has imported, which takes a new one a third of a second. But it is
safe only while this process has no other thread, and only Linux tells that (and lets libraries that
are loaded go on in a fork).
"""

import gc
import json
import multiprocessing
import signal
import subprocess
import sys
from collections.abc import Collection, Sequence
from multiprocessing.connection import Connection
from pathlib import Path
from socket import socket
from typing import Protocol

from analyzer.sources.workers import child

_THREADS = Path("/proc/self/task")

# The child imports what this process would, from where this process would: nothing from the folder
# that it is started in.
_BOOT = (
    "import gc, sys, json; given = json.loads(sys.argv[1]); sys.path[:] = given['path'];"
    "gc.set_threshold(*given['collect']);"
    "from multiprocessing.connection import Connection;"
    "from analyzer.sources.workers.child import main;"
    "main(Connection(given['link']), given['ring'], given['claims'])"
)


class WorkerProcess(Protocol):
    """A process that was begun."""

    @property
    def pid(self) -> int:
        """Its number."""
        ...

    def ended(self, patience_s: float) -> int | None:
        """Its exit code, negative for a signal's; None if it does not end within so many seconds."""
        ...

    def stop(self) -> None:
        """End it, whatever it is doing."""
        ...


class _Interpreter:
    """A new interpreter."""

    def __init__(self, link: socket, ring: int, claims: int, files: Collection[int]) -> None:
        given = {"path": sys.path, "link": link.fileno(), "ring": ring, "claims": claims}
        self._process = subprocess.Popen(  # noqa: S603 - this Python, and our own code
            [
                sys.executable,
                "-P",
                "-c",
                _BOOT,
                json.dumps(given | {"collect": gc.get_threshold()}),
            ],
            stdin=subprocess.DEVNULL,
            pass_fds=(link.fileno(), ring, claims, *files),
        )

    @property
    def pid(self) -> int:
        return self._process.pid

    def ended(self, patience_s: float) -> int | None:
        try:
            return self._process.wait(patience_s)
        except subprocess.TimeoutExpired:
            return None

    def stop(self) -> None:
        self._process.terminate()
        self._process.wait()


class _Fork:
    """A copy of this process."""

    def __init__(self, link: socket, ring: int, claims: int, parents: Sequence[Connection]) -> None:
        context = multiprocessing.get_context("fork")
        self._process = context.Process(
            target=_go_on, args=(link, ring, claims, parents), daemon=True
        )
        self._process.start()

    @property
    def pid(self) -> int:
        return self._process.pid or 0

    def ended(self, patience_s: float) -> int | None:
        self._process.join(patience_s)
        return self._process.exitcode

    def stop(self) -> None:
        self._process.terminate()
        self._process.join()


def _go_on(link: socket, ring: int, claims: int, parents: Sequence[Connection]) -> None:
    """The fork's own work."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    for connection in parents:  # held open here, they would hide the end of the parent
        connection.close()
    child.main(Connection(link.detach()), ring, claims)


def may_fork() -> bool:
    """Whether a fork of this process is sure to run: there is no thread that could hold a lock."""
    return sys.platform == "linux" and _THREADS.is_dir() and len([*_THREADS.iterdir()]) == 1


def begun(
    link: socket, ring: int, claims: int, files: Collection[int], parents: Sequence[Connection]
) -> WorkerProcess:
    """Begin a process that reads parts.

    `link` is its end of the connection to this process, `ring`, `claims` and `files` are descriptors
    that it needs. `parents` are this process's ends of all such connections.

    Raises:
        OSError: no process can be started.
    """
    if may_fork():
        return _Fork(link, ring, claims, parents)
    return _Interpreter(link, ring, claims, files)
