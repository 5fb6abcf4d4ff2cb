"""statement_timeout as sessions set it, where a log of all statements shows that in order.

Of each session the times are kept from which on another value holds, as its SET, RESET and the ends of its
transactions make it.
"""

from bisect import bisect_left
from collections.abc import Mapping, Sequence
from dataclasses import field

import numpy as np

from analyzer.model.columns import Column, Flags, Rows, distinct, grown
from analyzer.records import changing
from analyzer.sql.timeouts import TimeoutChange, timeout_change

MOST_KEPT = 500_000  # changes; of those beyond nothing is known any more
_SECOND_US = 1_000_000
_DEFAULT, _UNCLEAR = -1.0, -2.0  # beside milliseconds
_FOLLOWED = ("key", "session", "end_us", "boundary")


@changing
class _Session:
    """The times (µs) of changes, and the value from each on.

    `committed` is what a rollback leads back to, `to_commit` what a commit keeps; None outside a
    transaction that changed it.
    """

    times: list[int] = field(default_factory=list)
    values: list[float] = field(default_factory=list)
    committed: float | None = None
    to_commit: float | None = None

    @property
    def now(self) -> float:
        return self.values[-1] if self.values else _DEFAULT

    def becomes(self, at_us: int, value: float) -> None:
        if self.times and at_us < self.times[-1]:  # out of order: what holds is not known
            at_us, value = self.times[-1], _UNCLEAR
        self.times.append(at_us)
        self.values.append(value)


class Timeouts:
    """By session, statement_timeout over time; sessions that never change it are not kept."""

    def __init__(self, texts: Sequence[str]) -> None:
        """`texts` are those of the recording's keys; there may be more of them with every slice."""
        self._texts = texts
        self._looked_at = 0
        self._by_key: dict[int, TimeoutChange] = {}
        self._changes = np.zeros(0, dtype=bool)
        self._sessions: dict[int, _Session] = {}
        self._kept = 0
        self.first_us: int | None = None  # when the first execution of all ended

    def add(self, columns: Mapping[str, Column], rows: Rows, transaction: Rows) -> None:
        """Executions in order of session and time, of which `rows` are of finished work.

        Columns key, session, end_us, and boundary, which is -1 where a transaction ends. `transaction` is -1 for those
        outside of one.
        """
        if len(rows):
            first_us = int(columns["end_us"].take(rows).min())
            self.first_us = first_us if self.first_us is None else min(first_us, self.first_us)
        self._learn()
        if self._kept > MOST_KEPT or not self._by_key:
            return
        columns = {name: columns[name].take(rows) for name in _FOLLOWED}
        changes = self._changes[columns["key"]]
        touched = {n for n, one in self._sessions.items() if one.committed is not None}
        if changes.any():
            touched.update(distinct(columns["session"][changes]).tolist())
        if not touched:
            return
        ends = (columns["boundary"] == -1) & np.isin(columns["session"], list(touched))
        self._follow(columns, np.flatnonzero(changes | ends), transaction.take(rows) >= 0)

    def _learn(self) -> None:
        """Look at the texts that are new."""
        self._changes = grown(self._changes, len(self._texts))
        for key in range(self._looked_at, len(self._texts)):
            change = timeout_change(self._texts[key])
            if change is not None:
                self._by_key[key] = change
                self._changes[key] = True
        self._looked_at = len(self._texts)

    def _follow(self, columns: Mapping[str, Column], rows: Rows, inside: Flags) -> None:
        for row in rows.tolist():
            number, key = int(columns["session"][row]), int(columns["key"][row])
            session, at_us = self._sessions.get(number), int(columns["end_us"][row])
            change = self._by_key.get(key)
            if session is None and (change is None or change.kind == "back"):
                continue
            session = self._sessions.setdefault(number, _Session())
            before = len(session.times)
            if change is None:
                _end(session, at_us, self._texts[key])
            else:
                _change(session, at_us, change, inside=bool(inside[row]))
            self._kept += len(session.times) - before

    def of(self, session: int, at_us: int) -> tuple[str, float]:
        """What held in a session just before a time: `default` (what it began with), `set` (ms) or `unclear`."""
        if self._kept > MOST_KEPT:
            return "unclear", 0.0
        found = self._sessions.get(session)
        if found is None:
            return "default", 0.0
        place = bisect_left(found.times, at_us)
        # In a log of whole seconds a change in the same second may have been before.
        in_second = place < len(found.times) and found.times[place] == at_us
        if in_second and at_us % _SECOND_US == 0:
            return "unclear", 0.0
        value = found.values[place - 1] if place else _DEFAULT
        if value == _DEFAULT:
            return "default", 0.0
        return ("unclear", 0.0) if value == _UNCLEAR else ("set", value)


def _change(session: _Session, at_us: int, change: TimeoutChange, *, inside: bool) -> None:
    if change.kind == "back" and session.committed is None:
        return  # nothing was changed since
    values = {"default": _DEFAULT, "unclear": _UNCLEAR, "back": _UNCLEAR}
    value = values.get(change.kind, change.ms)
    if change.kind == "local" and not inside:
        value = _UNCLEAR  # without effect, or the log does not show where its transaction began
    if inside or change.kind == "local":
        if session.committed is None:
            session.committed = session.to_commit = session.now
        if change.kind != "local":
            session.to_commit = value
    session.becomes(at_us, value)


def _end(session: _Session, at_us: int, text: str) -> None:
    """The end of a transaction: it takes back what was for it alone, or all."""
    if session.committed is None or session.to_commit is None:
        return
    undone = text.lstrip()[:8].upper().startswith(("ROLLBACK", "ABORT"))
    session.becomes(at_us, session.committed if undone else session.to_commit)
    session.committed = session.to_commit = None
