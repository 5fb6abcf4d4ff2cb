"""How a worker's process is begun: forked where that is safe, else a new interpreter; and how it ends.

A fork has all that this process has imported, which takes a new one a third of a second. But it is
safe only while this process has no other thread, and only Linux tells that (and lets libraries that
are loaded go on in a fork).
"""

import gc
import json
import multiprocessing
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Collection, Sequence
from multiprocessing.connection import Connection
from pathlib import Path
from socket import socket, socketpair
from typing import Protocol

from analyzer.errors import AnalyzerError
from analyzer.records import changing
from analyzer.sources.workers.ring import shared_file

_PATIENCE_SECONDS = 5
_THREADS = Path("/proc/self/task")

# The child imports what this process would, from where this process would: nothing from the folder
# that it is started in.
_BOOT = (
    "import gc, sys, json; given = json.loads(sys.argv[1]); sys.path[:] = given['path'];"
    "gc.set_threshold(*given['collect']);"
    "from importlib import import_module;"
    "from multiprocessing.connection import Connection;"
    "main = getattr(import_module(given['module']), given['main']);"
    "main(Connection(given['link']), *given['shared'])"
)

Main = Callable[..., None]  # a function of a module, of a connection and descriptors


class WorkerError(AnalyzerError):
    """A worker process cannot be started, or ended before its work was done."""


@changing
class Failure:
    """Its work went wrong in a way that is no one's fault but the program's."""

    error: BaseException


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

    def __init__(
        self, main: Main, link: socket, shared: Sequence[int], files: Collection[int]
    ) -> None:
        given = {
            "path": sys.path,
            "collect": gc.get_threshold(),
            "module": main.__module__,
            "main": main.__name__,
            "link": link.fileno(),
            "shared": shared,
        }
        self._process = subprocess.Popen(  # noqa: S603 - this Python, and our own code
            [sys.executable, "-P", "-c", _BOOT, json.dumps(given)],
            stdin=subprocess.DEVNULL,
            pass_fds=(link.fileno(), *shared, *files),
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

    def __init__(
        self, main: Main, link: socket, shared: Sequence[int], parents: Sequence[Connection]
    ) -> None:
        context = multiprocessing.get_context("fork")
        self._process = context.Process(
            target=_go_on, args=(main, link, shared, parents), daemon=True
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


def _go_on(main: Main, link: socket, shared: Sequence[int], parents: Sequence[Connection]) -> None:
    """The fork's own work."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    for connection in parents:  # held open here, they would hide the end of the parent
        connection.close()
    main(Connection(link.detach()), *shared)


def may_fork() -> bool:
    """Whether a fork of this process is sure to run: there is no thread that could hold a lock."""
    return sys.platform == "linux" and _THREADS.is_dir() and len([*_THREADS.iterdir()]) == 1


class Worker:
    """A process that was begun, with a connection to it and memory that both share.

    `task` says what it does, for errors. `link` is this process's end of the connection, `ring` the descriptor of the
    memory.
    """

    def __init__(
        self,
        task: str,
        main: Main,
        ring_bytes: int,
        shared: Sequence[int] = (),
        files: Collection[int] = (),
        others: Sequence[Connection] = (),
    ) -> None:
        """Begin it with `main`, of its end of the connection, the memory's descriptor and the `shared` ones.

        `files` are descriptors that it needs, too, `others` this process's ends of all other such connections.

        Raises:
            WorkerError: no process can be started.
        """
        self._task = task
        ours, theirs = socketpair()
        self.link, self.ring = Connection(ours.detach()), shared_file(ring_bytes)
        given = [self.ring, *shared]
        self._process: WorkerProcess
        try:
            with theirs:
                if may_fork():
                    self._process = _Fork(main, theirs, given, [self.link, *others])
                else:
                    self._process = _Interpreter(main, theirs, given, files)
        except OSError as error:
            self.link.close()
            os.close(self.ring)
            raise WorkerError(
                f"no process that {task} can be started ({error.strerror}); --workers 1 does without"
            ) from error

    @property
    def pid(self) -> int:
        """The process's number."""
        return self._process.pid

    def end(self) -> WorkerError:
        """How a process ended that should not have, as an error."""
        code = self._process.ended(_PATIENCE_SECONDS)
        if code is None:
            return WorkerError(
                f"a process that {self._task} does not answer; --workers 1 does without it"
            )
        how = signal.Signals(-code).name if code < 0 else f"exit code {code}"
        return WorkerError(
            f"a process that {self._task} ended unexpectedly ({how}; SIGKILL may be for want of "
            "memory); --workers 1 does without such processes"
        )

    def stop(self) -> None:
        """End the process, whatever it is doing."""
        self.link.close()
        self._process.stop()
