"""What PostgreSQL's messages about itself say: checkpoints, autovacuum, connections, the server.

Each reader takes a message that begins as its table says, and gives a `Happening` or None. Texts
differ by version (13 to 18 were looked at), so figures are looked for one by one. Localised
messages are not recognised.
"""

import functools
import re
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import NamedTuple

from analyzer.patterns import regex

_NOTHING: Mapping[str, float] = MappingProxyType({})
_NO_PARTS: Mapping[str, str] = MappingProxyType({})
_LOOKED_AT = 4_000  # characters of a message: a vacuum's report has about 1,500
_NAME = 128  # characters of a table's, user's or database's name: twice what PostgreSQL allows

_TEMPORARY_FILE = regex(r'temporary file: path "[^"\n]{1,4096}", size (\d{1,18})')
_CHECKPOINT: dict[str, tuple[re.Pattern[str], float]] = {
    "write_ms": (regex(r"\bwrite=(\d{1,9}\.\d{1,6}) s"), 1e3),
    "sync_ms": (regex(r"\bsync=(\d{1,9}\.\d{1,6}) s"), 1e3),
    "total_ms": (regex(r"\btotal=(\d{1,9}\.\d{1,6}) s"), 1e3),
    "longest_sync_ms": (regex(r"\blongest=(\d{1,9}\.\d{1,6}) s"), 1e3),
    "buffers": (regex(r"\bwrote (\d{1,12}) buffers"), 1),
    "slru_buffers": (regex(r"\bwrote (\d{1,12}) SLRU buffers"), 1),
    "files_added": (regex(r"(\d{1,9}) (?:WAL|transaction log) file\(s\) added"), 1),
    "files_removed": (regex(r"added, (\d{1,9}) removed"), 1),
    "files_recycled": (regex(r"removed, (\d{1,9}) recycled"), 1),
    "synced_files": (regex(r"\bsync files=(\d{1,9})"), 1),
    "distance_bytes": (regex(r"\bdistance=(\d{1,15}) kB"), 1024),
    "estimate_bytes": (regex(r"\bestimate=(\d{1,15}) kB"), 1024),
}
_VACUUM: dict[str, tuple[re.Pattern[str], float]] = {
    "elapsed_ms": (regex(r"\belapsed:? (\d{1,9}\.\d{1,6}) s"), 1e3),
    "tuples_removed": (regex(r"\btuples: (\d{1,15}) removed"), 1),
    "tuples_dead": (regex(r"\b(\d{1,15}) are dead but not yet removable"), 1),
    "pages_removed": (regex(r"\bpages: (\d{1,12}) removed"), 1),
    "wal_bytes": (regex(r"\bWAL usage: [^\n]{0,100}?\b(\d{1,18}) bytes"), 1),
}
_TABLE = regex(r'[^"\n]{1,80} of table "([^"\n]{1,400})"')
_SESSION_TIME = regex(r"disconnection: session time: (\d{1,9}):(\d\d):(\d\d\.\d{1,6}) ")
_NAMED = regex(r"user=.* database=", re.DOTALL)
_ENDS = regex(r" (?:application_name=|SSL enabled|GSS |host=|\()")
_READY = regex(r"setup total=(\d{1,12}(?:\.\d{1,6})?) ms")
_PARAMETER = regex(r'parameter "([\w.]{1,128})" ')

# How a message begins and the code of a `server` event. The first that fits holds.
_SERVER = (
    ("starting PostgreSQL ", "start"),
    ("database system is ready to accept ", "ready"),
    ("database system is shut down", "stop"),
    ("received smart shutdown request", "stop-request"),
    ("received fast shutdown request", "stop-request"),
    ("received immediate shutdown request", "stop-request"),
    ("all server processes terminated; reinitializing", "restart-after-crash"),
    ("database system was interrupted", "recovery"),
    ("database system was not properly shut down", "recovery"),
    ("database system shutdown was interrupted", "recovery"),
    ("starting archive recovery", "recovery"),
    ("starting point-in-time recovery", "recovery"),
    ("starting backup recovery", "recovery"),
    ("entering standby mode", "standby"),
    ("started streaming WAL from primary", "standby"),
    ("received promote request", "promotion"),
    ("archive recovery complete", "promotion"),
    ("received SIGHUP, reloading configuration files", "reload"),
    ('parameter "', "parameter"),
    ("archive command failed with exit code ", "archive-failed"),
    ("archive command was terminated by ", "archive-failed"),
    ("using stale statistics instead of current ones", "stale-statistics"),
)
_CRASHED = regex(
    r'[\w ]{3,60}(?: "[^"\n]{1,128}")? \(PID \d{1,12}\) was terminated by (?:signal|exception) '
)
_CHECKPOINT_CAUSES = (  # the first of these words that a checkpoint starts with
    ("shutdown", "shutdown"),
    ("end-of-recovery", "recovery"),
    ("wal", "wal"),
    ("xlog", "wal"),
    ("time", "timed"),
)


class Happening(NamedTuple):
    """One entry's event: `amounts` by measure, `parts` the names by what is told apart.

    One that is `only_parts` is told by another entry too, which counts.
    """

    kind: str
    code: str
    amounts: Mapping[str, float] = _NOTHING
    parts: Mapping[str, str] = _NO_PARTS
    only_parts: bool = False


_RECEIVED = Happening("connection", "received")
_AUTHENTICATED = Happening("connection", "authenticated")


def _figures(text: str, known: dict[str, tuple[re.Pattern[str], float]]) -> dict[str, float]:
    return {
        name: float(found[1]) * unit
        for name, (pattern, unit) in known.items()
        if (found := pattern.search(text))
    }


def temporary_file(message: str) -> int | None:
    """The bytes of the temporary file that a message tells of, None if it is no such message."""
    found = _TEMPORARY_FILE.match(message, 0, _LOOKED_AT)
    return int(found[1]) if found else None


def _starting(message: str) -> Happening:
    code = "restartpoint" if message.startswith("restartpoint") else ""
    words = message.partition(": ")[2][:200].split()
    cause = next((name for word, name in _CHECKPOINT_CAUSES if word in words), "requested")
    return Happening("checkpoint", code, {}, {"cause": cause}, only_parts=True)


def _complete(message: str) -> Happening:
    code = "restartpoint" if message.startswith("restartpoint") else ""
    return Happening("checkpoint", code, _figures(message, _CHECKPOINT))


def _too_frequent(message: str) -> Happening:  # noqa: ARG001  # as the others
    return Happening("checkpoint", "too-frequent")


def _maintained(message: str) -> Happening | None:
    """An automatic vacuum or analyze: its table, figures, and why where it says so."""
    found = _TABLE.match(message)
    if not found:
        return None
    code = "analyze" if message.startswith("automatic analyze") else "vacuum"
    parts = {"table": found[1][:_NAME]}
    if "to prevent wraparound" in found[0]:
        parts["cause"] = "to prevent wraparound"
    elif found[0].startswith("automatic aggressive"):
        parts["cause"] = "aggressive"
    return Happening("autovacuum", code, _figures(message[found.end() :], _VACUUM), parts)


def _who(text: str) -> Mapping[str, str]:
    """User and database of "user=ann database=shop application_name=…"; names may hold spaces."""
    # The host's port differs each time; few users come again and again.
    head, host, _ = text.partition(" host=")
    return _names(head + host if host and _NAMED.search(head) else text)


@functools.lru_cache(maxsize=256)
def _names(text: str) -> Mapping[str, str]:
    user, _, rest = text.partition("user=")[2].partition(" database=")
    end = _ENDS.search(rest)
    database = rest[: end.start()] if end else rest
    if not rest:
        user = user[: found.start()] if (found := _ENDS.search(user)) else user
    names = {"user": user.strip()[:_NAME], "database": database.strip()[:_NAME]}
    return MappingProxyType({what: name for what, name in names.items() if name})


def _authorized(message: str) -> Happening:
    return Happening("connection", "authorized", _NOTHING, _who(message))


def _disconnected(message: str) -> Happening:
    found = _SESSION_TIME.match(message)
    if not found:
        return Happening("connection", "disconnected")
    hours, minutes, seconds = found.groups()
    milliseconds = (int(hours) * 60 + int(minutes)) * 60_000 + round(float(seconds) * 1e3, 3)
    amounts = {"session_ms": milliseconds}
    return Happening("connection", "disconnected", amounts, _who(message[found.end() :]))


def _received(message: str) -> Happening:  # noqa: ARG001  # as the others
    return _RECEIVED


def _authenticated(message: str) -> Happening:  # noqa: ARG001  # as the others
    return _AUTHENTICATED


def _ready(message: str) -> Happening:
    found = _READY.search(message)
    return Happening("connection", "ready", {"setup_ms": float(found[1])} if found else {})


_Reader = Callable[[str], Happening | None]
_READERS: dict[str, _Reader] = {  # by how a message begins, up to its first ": "
    "connection received: ": _received,
    "connection authenticated: ": _authenticated,
    "connection authorized: ": _authorized,
    "replication connection authorized: ": _authorized,
    "connection ready: ": _ready,
    "disconnection: ": _disconnected,
    "checkpoint starting: ": _starting,
    "restartpoint starting: ": _starting,
    "checkpoint complete: ": _complete,
    "restartpoint complete: ": _complete,
}
_BEGINNING = max(map(len, _READERS))
_OTHER_READERS: tuple[tuple[str, _Reader], ...] = (
    ("automatic ", _maintained),
    ("checkpoints are occurring too frequently ", _too_frequent),
)
_SERVER_BEGINNINGS = tuple(beginning for beginning, _ in _SERVER)


def happening(message: str) -> Happening | None:
    """The event that a message tells of, None if it is none that is counted."""
    reader = _READERS.get(message[: message.find(": ", 0, _BEGINNING) + 2])
    if reader is not None:
        return reader(message[:_LOOKED_AT])
    for beginning, other in _OTHER_READERS:
        if message.startswith(beginning):
            return other(message[:_LOOKED_AT])
    if message.startswith(_SERVER_BEGINNINGS):
        code = next(code for start, code in _SERVER if message.startswith(start))
        found = _PARAMETER.match(message) if code == "parameter" else None
        return Happening("server", code, {}, {"parameter": found[1]} if found else {})
    if " (PID " in message[:200] and _CRASHED.match(message):
        return Happening("server", "crash")
    return None
