"""Cancelled executions of the team, each with the time that it took at least and whose it was."""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence

import numpy as np

from analyzer.model.cancelled import Cancelled
from analyzer.model.columns import Floats
from analyzer.model.event import Event
from analyzer.model.recording import Recording
from analyzer.model.statement import Statement
from analyzer.records import record
from analyzer.workload.tags import read_route
from analyzer.workload.timeouts import Timeouts

REASONS = (  # what ends an execution before it is done; a failure to get a lock at once does not
    *("statement-timeout", "transaction-timeout", "lock-timeout", "user-request"),
    *("recovery-conflict", "administrator", "unknown"),
)
_LOG = "the log tells since when they ran or waited"
_NOTHING = "nothing tells since when they ran"
_SECOND_US = 1_000_000
_NO_SESSION = "pid:0"  # of a log without %p and %c


@record
class Stopped:
    """A cancelled execution: it took `at_least_ms`, known from `source` (in words)."""

    statement: Statement
    at_least_ms: float
    source: str = _NOTHING
    database: str | None = None
    user: str | None = None
    application: str | None = None
    route: str | None = None

    def names(self, dimension: str) -> tuple[str, ...]:
        """Its names in a dimension of targets; none where the log does not tell it."""
        if dimension == "table":
            return self.statement.facts.tables
        if dimension == "statement":
            return (self.statement.shape_id,)
        found: str | None = getattr(self, dimension)
        return () if found is None else (found,)


def times(stopped: Iterable[Stopped]) -> Floats:
    """What each took at least (ms)."""
    return np.array([one.at_least_ms for one in stopped])


def told(stopped: Iterable[Stopped]) -> str:
    """Where their times are known from, in words."""
    counts = Counter(one.source for one in stopped)
    if set(counts) <= {_LOG}:
        return ""
    parts = sorted(counts.items(), key=lambda item: (-item[1], item[0]))
    return "; ".join(f"{count}: {source}" for source, count in parts)


class TimeoutSource:
    """Says how long an execution ran at least that its statement_timeout ended, where that is sure."""

    def __init__(self, recording: Recording, timeouts: Timeouts) -> None:
        """`timeouts` are those that the log's sessions set."""
        self._recording = recording
        self._timeouts = timeouts

    def of(self, one: Cancelled, *, complete: bool) -> tuple[float, str]:
        """(ms, where from); 0 with the reason where it is not known. `complete`: the log has all statements."""
        if not complete:
            return (
                0.0,
                f"{_NOTHING}, and a log without all statements hides what statement_timeout was set",
            )
        session, database, user, _ = one.speaker
        if self._recording.sessions.get(session) == _NO_SESSION:
            return 0.0, f"{_NOTHING}, and the log does not tell sessions apart (%c or %p)"
        kind, ms = self._timeouts.of(session, one.at_us)
        if kind == "set":
            return (
                (ms, "the statement_timeout that their session had set") if ms else (0.0, _NOTHING)
            )
        if kind == "unclear":
            return 0.0, f"{_NOTHING}, and their session's statement_timeout is not sure"
        return self._default(session, database, user)

    def _default(self, session: int, database: int, user: int) -> tuple[float, str]:
        """That of a session which never changed it: its server's, if its beginning is in the log."""
        if not _began_in_log(self._recording.sessions.get(session) or "", self._timeouts.first_us):
            return 0.0, f"{_NOTHING}, and their sessions began before the log"
        known = self._recording.timeouts
        if known is None:
            return 0.0, f"{_NOTHING}; --dsn would tell the statement_timeout of their roles"
        names = self._recording.names
        found = known.of(names.get(database), names.get(user))
        if found is None or not found[0]:
            return 0.0, f"{_NOTHING}, and the server does not show their statement_timeout"
        ms, whose = found
        return (
            ms,
            f"the statement_timeout {whose} as it is now (what a client asked for when it connected is in no log)",
        )


def _began_in_log(session: str, first_us: int | None) -> bool:
    """Whether a session began after the log did: by its id, or as it took over another's process."""
    if session.startswith("pid:"):
        return "#" in session
    start, dot, _ = session.partition(".")
    try:
        began_us = int(start, 16) * _SECOND_US
    except ValueError:
        return False
    return bool(dot) and first_us is not None and began_us >= first_us


def all_stopped(
    recording: Recording,
    events: tuple[Mapping[tuple[str, str], Event], Mapping[int, Statement]],
    statement_of: Callable[[int], Statement],
    source: TimeoutSource,
    *,
    complete: bool,
) -> list[Stopped]:
    """Every cancelled execution whose statement is known, of inputs that are no views of others.

    `events` are merged, with the statements of their keys: what they count beyond those that were kept
    one by one took 0 ms at least, and is nobody's.
    """
    skipped = {n for n, one in enumerate(recording.coverage.sources) if one.same_as}
    found: list[Stopped] = []
    kept: Counter[tuple[str, str]] = Counter()
    for one in recording.cancelled:
        if one.source in skipped or one.reason not in REASONS:
            continue
        statement = statement_of(one.key)
        kept[one.reason, statement.shape_id] += 1
        found.append(_stopped(recording, one, statement, source, complete=complete))
    for (kind, reason), event in events[0].items():
        if kind != "cancelled" or reason not in REASONS or event.statements is None:
            continue
        for key, tally in event.statements.kept.items():
            statement = events[1][key]
            missing = tally.count - kept[reason, statement.shape_id]
            found += [Stopped(statement, 0.0)] * max(missing, 0)
    return found


def _stopped(
    recording: Recording,
    one: Cancelled,
    statement: Statement,
    source: TimeoutSource,
    *,
    complete: bool,
) -> Stopped:
    ms, told_by = one.at_least_ms, _LOG if one.at_least_ms else _NOTHING
    if one.reason == "statement-timeout" and not (one.whole and ms):
        longest, where = source.of(one, complete=complete)
        if longest > ms:
            ms, told_by = longest, where
        elif not ms:
            told_by = where
    database, user, application = (recording.names.get(number) for number in one.speaker[1:])
    comment = recording.comments.get(one.comment)
    route = None if comment is None else read_route(comment)
    return Stopped(statement, ms, told_by, database, user, application, route)


def by_name(stopped: Sequence[Stopped], dimension: str) -> dict[str, list[Stopped]]:
    """By the names of a dimension, those whose name the log tells."""
    found: dict[str, list[Stopped]] = {}
    for one in stopped:
        for name in one.names(dimension):
            found.setdefault(name, []).append(one)
    return found
