"""Which files of a log hold what was not read yet, after whatever rotation did to them.

A content is known by its first bytes, uncompressed, and by the bytes before the position: neither a
new name, nor a copy, nor compression changes those. So what is renamed, copied and truncated
(copytruncate), or compressed is read on where it was left.
"""

import os
import time
from collections.abc import Sequence
from dataclasses import field, replace
from uuid import uuid4

from analyzer.errors import InputError
from analyzer.model.log_position import LogPosition
from analyzer.records import changing, record
from analyzer.sources.expansion import expand, identity
from analyzer.sources.increments.portion import HEAD_BYTES, Found, head_hash, tail_hash
from analyzer.sources.opening import is_url, open_input
from analyzer.sources.options import ReadOptions

REMEMBERED_DAYS = 40  # a content that is not seen for so long is forgotten
_DAY_US = 86_400_000_000
_TOLD = 0  # the time of change of a content that is away, once that was told


@record
class LogFiles:
    """A `[[logs]]` section: its name, its files (paths, folders, globs), and how they are read.

    A file that was not written to for `settle_seconds` is taken to be whole to its end.
    """

    name: str
    paths: Sequence[str]
    options: ReadOptions = field(default_factory=ReadOptions)
    settle_seconds: float = 600.0


@changing
class News:
    """What there is to read, the positions that stay, those to be forgotten, and what to tell."""

    found: list[Found] = field(default_factory=list)
    kept: list[LogPosition] = field(default_factory=list)
    forgotten: list[LogPosition] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


@record
class _File:
    """A file as it was when it was looked at, all of it through one opening: names may change meanwhile.

    `goes_on` has the ids of the contents that it may be: where what was read of those last stands
    before their position.
    """

    path: str
    status: os.stat_result
    head: bytes
    is_plain: bool
    goes_on: frozenset[str]

    def is_as_it_was(self, position: LogPosition) -> bool:
        """Whether nothing was done to the file since it was read to its end."""
        return position.is_finished and _unchanged(self.path, self.status, position)

    def shrank(self, position: LogPosition) -> bool:
        """Whether some of what was read is no longer there."""
        return self.is_plain and self.status.st_size < position.offset


def find_new(log: LogFiles, known: Sequence[LogPosition], now_us: int) -> News:
    """What stands in the files of a log behind its known positions; `now_us` is the time, UTC.

    Files that cannot be read are told and otherwise passed over; their positions stay.
    """
    news = News()
    left = list(known)
    files, unreadable = [], set()
    for path, status in _listed(log, news):
        same = next(
            (one for one in left if one.is_finished and _unchanged(path, status, one)), None
        )
        if same is not None:
            left.remove(same)
            news.kept.append(replace(same, path=path, seen_us=now_us))
            continue
        try:
            file = _opened(path, left)
        except InputError as error:
            news.notes.append(str(error))
            unreadable.add(path)
            continue
        if file is not None:
            files.append(file)
    _match(log, left, files, news, now_us)
    _add_new(log, files, news, now_us)
    for position in left:
        if position.path in unreadable:  # what it held may have been found under another name
            news.kept.append(position)
        else:
            _note_absent(position, news, now_us)
    news.found.sort(key=lambda one: (one.before.modified_ns, one.path))
    return news


def _listed(log: LogFiles, news: News) -> list[tuple[str, os.stat_result]]:
    """The files there are, each once."""
    found: dict[str, tuple[str, os.stat_result]] = {}
    for path, _ in expand(log.paths):
        if path == "-" or is_url(path):
            news.notes.append(f"[[logs]] {log.name}: {path} is no file of this machine, not read")
            continue
        try:
            found.setdefault(identity(path), (path, os.stat(path.partition("!")[0])))  # noqa: PTH116
        except OSError as error:
            news.notes.append(f"[[logs]] {log.name}: {path} ({error.strerror}), not read")
    return list(found.values())


def _unchanged(path: str, status: os.stat_result, position: LogPosition) -> bool:
    is_member = "!" in path or "!" in position.path
    return (
        status.st_ino == position.inode
        and status.st_dev == position.device
        and status.st_size == position.size_bytes
        and status.st_mtime_ns == position.modified_ns
        and (not is_member or path == position.path)
    )


def _opened(path: str, left: list[LogPosition]) -> _File | None:
    """A file that is looked at; None of one that is empty.

    Raises:
        InputError: it cannot be read, or is gone.
    """
    with open_input(path) as stream:
        head, status = stream.head[:HEAD_BYTES], stream.status
        if not head or status is None:
            return None
        plain = stream.seekable_file
        descriptor = None if plain is None else plain[0].fileno()
        goes_on = frozenset(
            one.id for one in left if _goes_on(head, status.st_size, descriptor, one)
        )
        return _File(path, status, head, plain is not None, goes_on)


def _begins_as(head: bytes, position: LogPosition) -> bool:
    """Whether the first bytes of a file are those of a known content."""
    count = position.head_bytes
    return len(head) >= count and head_hash(head[:count]) == position.head_hash


def _goes_on(head: bytes, size: int, descriptor: int | None, position: LogPosition) -> bool:
    """Whether a file is that content; of a plain one (`descriptor`) what stands before the position tells."""
    if not _begins_as(head, position):
        return False
    if descriptor is None or not position.tail_hash or size < position.offset:
        return True
    return tail_hash(descriptor, head, position.offset) == position.tail_hash


def _match(
    log: LogFiles, left: list[LogPosition], files: list[_File], news: News, now_us: int
) -> None:
    """Find the files in which known contents are now; what is matched is taken out of both."""
    for position in sorted(left, key=lambda one: -one.head_bytes):
        fitting = [file for file in files if position.id in file.goes_on]
        if not fitting:
            continue
        file = min(fitting, key=lambda one: _unlikely(one, position))
        left.remove(position)
        files.remove(file)
        _drop_copies(file, files, news)
        before = replace(position, path=file.path, seen_us=now_us)
        if file.shrank(position):
            gone = position.offset - file.status.st_size
            news.notes.append(
                f"{file.path}: was truncated: {gone} bytes that were read are gone, and what was "
                "written since then up to its end is not known to be new: reading goes on there"
            )
            news.kept.append(
                replace(before, offset=file.status.st_size, tail_hash="", is_finished=False)
            )
            continue
        if file.is_as_it_was(position):
            news.kept.append(before)
            continue
        news.found.append(_found(file, before, log))


def _found(file: _File, before: LogPosition, log: LogFiles) -> Found:
    return Found(file.path, before, log.options, log.settle_seconds, file.status.st_size)


def _unlikely(file: _File, position: LogPosition) -> tuple[bool, bool, bool, bool, str]:
    """Which of several files with a content is read on: the one that is written, or complete."""
    same = (file.status.st_dev, file.status.st_ino) == (position.device, position.inode)
    return (
        file.shrank(position),
        not same,
        not file.is_plain,
        file.path != position.path,
        file.path,
    )


def _drop_copies(file: _File, files: list[_File], news: News) -> None:
    """Take out those that hold what `file` holds: a copy, or a compressed one being made."""
    for other in [one for one in files if _are_one(one.head, file.head)]:
        files.remove(other)
        news.notes.append(f"{other.path}: holds what {file.path} holds, which is read instead")


def _add_new(log: LogFiles, files: list[_File], news: News, now_us: int) -> None:
    """Contents that nothing was read of; copies of those that are known are left out."""
    while files:
        file = min(files, key=lambda one: (not one.is_plain, -one.status.st_size, one.path))
        files.remove(file)
        copied = next((one for one in news.kept if _is_copy(file, one)), None)
        if copied is not None:
            news.notes.append(f"{file.path}: holds what {copied.path} holds, which was read")
            continue
        _drop_copies(file, files, news)
        start = LogPosition(
            id=uuid4().hex,
            log=log.name,
            path=file.path,
            head_hash=head_hash(file.head),
            head_bytes=len(file.head),
            offset=0,
            tail_hash="",
            device=file.status.st_dev,
            inode=file.status.st_ino,
            size_bytes=0,
            modified_ns=file.status.st_mtime_ns,
            is_finished=False,
            pending=0,
            seen_us=now_us,
        )
        news.found.append(_found(file, start, log))


def _are_one(head: bytes, other: bytes) -> bool:
    """Whether contents that begin so are one; a copy that is being made may not have all of it yet."""
    shorter = min(len(head), len(other))
    return head[:shorter] == other[:shorter]


def _is_copy(file: _File, position: LogPosition) -> bool:
    """Whether a file holds a content that was read."""
    if len(file.head) == HEAD_BYTES or len(file.head) == position.head_bytes:
        return len(file.head) == position.head_bytes and _begins_as(file.head, position)
    try:  # a copy that is being made: what it is a copy of tells
        with open_input(position.path) as stream:
            return stream.head[:HEAD_BYTES].startswith(file.head)
    except InputError:
        return False


def _note_absent(position: LogPosition, news: News, now_us: int) -> None:
    """A content that no file holds any more: tell once what was not read of it."""
    if now_us - position.seen_us > REMEMBERED_DAYS * _DAY_US:
        news.forgotten.append(position)
        return
    if not position.is_finished and position.modified_ns != _TOLD:
        unread = max(0, position.size_bytes - position.offset)
        when = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(position.seen_us / 1e6))
        news.notes.append(
            f"{position.path}: what it held at {when} is in no file any more (deleted, or truncated "
            f"without a copy that `paths` names): {unread} bytes of it, and what was written after "
            "that, were not read"
        )
        position = replace(position, modified_ns=_TOLD)
    news.kept.append(position)
