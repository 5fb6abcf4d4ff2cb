"""The processes of a run (`--workers`): which of them read, and which searches.

Reading takes about as long as all that is made of what was read, so of two processes one reads, and this one does the
rest. From three on one searches, and all others read.
"""

from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from multiprocessing.connection import Connection
from typing import Any, TypeVar

from analyzer.model.recording import Recording
from analyzer.model.work import Search
from analyzer.sources.one_input import ExecutionStream
from analyzer.sources.opening import Progress

_PAIR = 2
_S = TypeVar("_S", bound=Search[Any])


@contextmanager
def reading(
    streams: Sequence[ExecutionStream],
    count: int,
    recording: Recording,
    progress: Progress | None = None,
) -> Iterator[Sequence[Connection]]:
    """Begins those of a run's `count` processes that read its streams: connections to them, none where this one reads."""
    if count < _PAIR or not streams:
        yield ()
        return
    from analyzer.sources.workers.pool import Workers  # noqa: PLC0415 - few runs pay for it

    with Workers(streams, max(count - _PAIR, 1), recording, progress) as workers:
        yield workers.links


def searching(
    search: _S, count: int, links: Sequence[Connection]
) -> AbstractContextManager[Search[_S]]:
    """Whom to show the slices of a run of `count` processes: the search, or one that has it in a process of its own.

    `links` are the connections to the processes that read: none where nothing can be read beside this one (a pipe).
    """
    if count <= _PAIR:
        return nullcontext(search)
    from analyzer.sources.workers.observing import Beside  # noqa: PLC0415 - as above

    return Beside(search, links)
