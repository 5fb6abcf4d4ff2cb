"""A change of indexes on a scratch server, in one session that alone sees it, and any part of it taken back.

New indexes are built once, in a transaction that is never committed. A part of them is taken away for one
execution by DROP INDEX in a savepoint that is rolled back; existing indexes are dropped the same way. That takes an
exclusive lock of the table for that long, which the session without the change, holding nothing between its
executions, does not get in the way of.
"""

import time
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from hashlib import blake2b
from typing import Any

import psycopg

from analyzer.model.verification import BuiltIndex
from analyzer.records import record
from analyzer.sources.postgres.explain import told
from analyzer.sources.postgres.scratch_side import PROOF_MS, SAVEPOINT, Side
from analyzer.sources.postgres.sqlfiles import query
from analyzer.sql.trial_index import NotTriableError, TrialIndex, trial_drop, trial_index


@record
class _Drop:
    """An index that can be taken away: how, and its names in plans."""

    drop: str
    names: frozenset[str]


class ScratchChange:
    """The change, as `side` sees it.

    `built` and `dropped` say what came of each part (model/verification.py); `ends`, of time.monotonic(), is
    when nothing more is begun.
    """

    def __init__(self, side: Side, ends: float, progress: Callable[[str], None]) -> None:
        self.built: dict[str, BuiltIndex] = {}
        self.dropped: dict[str, str | None] = {}
        self.side = side
        self.ends = ends
        self._progress = progress
        self._new: dict[str, _Drop] = {}  # by the advised name: how to be without it
        self._gone: dict[str, _Drop] = {}  # by the advised statement

    def build(self, indexes: Sequence[str]) -> None:
        """Build what can be built, by names that are the same on every stage; what came of each is in `built`."""
        for number, text in enumerate(indexes):
            self._progress(f"--verify: building index {number + 1} of {len(indexes)}")
            name = (
                f"pg95_trial_{blake2b(text.encode('utf-8', 'replace'), digest_size=8).hexdigest()}"
            )
            try:
                trial = trial_index(text, name)
            except NotTriableError as error:
                self.built[text] = BuiltIndex(text, why_not=str(error))
                continue
            self.built[trial.name] = self._built(trial, name)

    def try_drops(self, drops: Sequence[str]) -> None:
        """Find out which indexes can be dropped, by doing it for a moment; why not is in `dropped`."""
        for text in drops:
            try:
                found = self._droppable(text)
            except NotTriableError as error:
                self.dropped[text] = str(error)
            except psycopg.Error as error:
                if self.side.connection.closed:
                    raise
                self.dropped[text] = f"the server: {told(error)}"
            else:
                self.dropped[text] = None if found else "there is no such index"
                if found:
                    self._gone[text] = found

    def _droppable(self, text: str) -> _Drop | None:
        trial, connection = trial_drop(text), self.side.connection
        with connection.transaction(SAVEPOINT, force_rollback=True):
            self.side.take_path()
            found = self._index(trial.name)
            self.side.take_path()
            if found is not None:
                connection.execute(query("trial_limits").encode(), {"timeout": f"{PROOF_MS}ms"})
                connection.execute(f"/* pg95 */ {trial.drop}".encode())
        return None if found is None else _Drop(trial.drop, frozenset(found[0]))

    def _index(self, name: str) -> tuple[list[str], int] | None:
        """An index's names in plans and its bytes, with those of its parts; leaves pg_catalog as the path."""
        connection = self.side.connection
        meant: Any = connection.execute(query("trial_names").encode(), {"names": [name]}).fetchone()
        self.side.take_path("pg_catalog")
        row: Any = connection.execute(query("trial_index").encode(), {"oid": meant[1]}).fetchone()
        return row  # type: ignore[no-any-return] # the query's columns

    def _built(self, trial: TrialIndex, name: str) -> BuiltIndex:
        connection = self.side.connection
        nothing = BuiltIndex(trial.name)
        left_ms = (self.ends - time.monotonic()) * 1000
        if left_ms <= 0:
            return replace(nothing, why_not="there was no time left to build it")
        try:
            reason = self.side.why_not(trial.probe)
            if reason is not None:
                return replace(nothing, why_not=f"it is not proved harmless: {reason}")
            with connection.transaction(SAVEPOINT):
                limits = {"timeout": f"{int(left_ms)}ms"}
                connection.execute(query("trial_limits").encode(), limits)
                self.side.take_path()
                begun = time.monotonic()
                for extension in trial.extensions:
                    connection.execute(f"/* pg95 */ {extension}".encode())
                connection.execute(f"/* pg95 */ {trial.create}".encode())
                took_ms = (time.monotonic() - begun) * 1000
                if trial.computes:  # statistics of its expressions
                    connection.execute(f"/* pg95 */ ANALYZE {trial.table}".encode())
                qualified = trial.beside(name)
                names, size = self._index(qualified) or ([], 0)
        except psycopg.Error as error:
            if connection.closed:
                raise
            return replace(nothing, why_not=f"the server: {told(error)}")
        self._new[trial.name] = _Drop(f"DROP INDEX {qualified}", frozenset(names))
        return replace(nothing, bytes=size, build_ms=took_ms)

    def used(self, in_plan: Collection[str], out: Collection[str]) -> frozenset[str]:
        """The new indexes among those of a plan with the change, by their advised names."""
        return _touched(self._new, in_plan, out)

    def lost(self, in_plan: Collection[str], out: Collection[str]) -> frozenset[str]:
        """The dropped indexes among those of a plan without the change, by the advised statements."""
        return _touched(self._gone, in_plan, out)

    @contextmanager
    def made(self, out: Collection[str], timeout_ms: float) -> Iterator[None]:
        """A savepoint that reads, with the change but for the part that is out."""
        drops = [drop.drop for name, drop in self._new.items() if name in out]
        drops += [drop.drop for text, drop in self._gone.items() if text not in out]
        connection = self.side.connection
        with connection.transaction(SAVEPOINT, force_rollback=True):
            if drops:
                connection.execute(query("trial_limits").encode(), {"timeout": f"{PROOF_MS}ms"})
                self.side.take_path()
                for drop in drops:
                    connection.execute(f"/* pg95 */ {drop}".encode())
            self.side.only_read(timeout_ms)
            yield


def _touched(
    changes: Mapping[str, _Drop], in_plan: Collection[str], out: Collection[str]
) -> frozenset[str]:
    return frozenset(
        name
        for name, change in changes.items()
        if name not in out and not change.names.isdisjoint(in_plan)
    )
