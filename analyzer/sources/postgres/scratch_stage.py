"""Statements run by turns in two sessions, without a change of indexes and with it, until it is clear which is slower."""

import time
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import field, replace

import psycopg

from analyzer.model.explain import Sample
from analyzer.model.verification import ENOUGH, MOST, BuiltIndex, Measured
from analyzer.records import changing, record
from analyzer.sources.postgres.explain import told
from analyzer.sources.postgres.scratch_change import ScratchChange
from analyzer.sources.postgres.scratch_side import PROOF_MS, Side, index_names, shape, surprise
from analyzer.sql.read_only import NotExplainableError, parameter_count

LONGER = 4.0  # times a statement's own time without the change, and an execution with it is ended
_LEAST_LIMIT_MS = 1000.0
_COLD_MS = 200.0  # a statement that takes less notices when an index is read for the first time
_SHARE = 0.25  # of the time that is left, for a statement's first execution
_LONG = f"without any change it takes more than {_SHARE:.0%} of the time that was left: give more by --verify-seconds"
_OVER = "the time (--verify-seconds) was used up before"


@record
class _Plain:
    """A statement without the change: what its plan does and which indexes that has, or why it is not run."""

    shape: str = ""
    indexes: frozenset[str] = frozenset()
    why_not: str | None = None


@changing
class Memory:
    """What was measured on a server, which holds for every change that gives a statement the same plan.

    `plain` and `first_ms` (None: too long) are without a change, by shape; `known` by shape and plan with it.
    """

    plain: dict[str, _Plain] = field(default_factory=dict)
    first_ms: dict[str, float | None] = field(default_factory=dict)
    known: dict[tuple[str, str], Measured] = field(default_factory=dict)


@changing
class _Run:
    """A statement that is being measured under one plan."""

    sample: Sample
    out: Collection[str]
    limit_ms: float
    known: Measured

    @property
    def over(self) -> bool:
        """Whether it need not, or cannot, run again."""
        return self.known.over or self.known.why_not is not None


class _TimeIsUpError(Exception):
    """The time that was given for all of it is used up."""


class ScratchStage:
    """A stage (model/verification.py): `before` is the session without the change."""

    def __init__(
        self,
        before: Side,
        change: ScratchChange,
        memory: Memory,
        progress: Callable[[str], None],
    ) -> None:
        self.built: Mapping[str, BuiltIndex] = change.built
        self.dropped: Mapping[str, str | None] = change.dropped
        self._before = before
        self._after = change.side
        self._change = change
        self._ends = change.ends
        self._progress = progress
        self._plain = memory.plain
        self._first_ms = memory.first_ms
        self._known = memory.known

    def time_left(self) -> bool:
        """Whether there is time to measure more."""
        return time.monotonic() < self._ends

    def measure(self, samples: Sequence[Sample], out: Collection[str]) -> list[Measured]:
        """The times of each, in the samples' order; those that cannot be run say why."""
        found: dict[str, Measured] = {}
        running: list[tuple[str, _Run]] = []
        for number, sample in enumerate(samples):
            self._progress(
                f"--verify: statement {number + 1} of {len(samples)}, {self._left_s():.0f} s left"
            )
            try:
                begun = self._begun(sample, out)
            except _TimeIsUpError:
                begun = _unrun(sample, _OVER)
            except psycopg.Error as error:
                if self._before.connection.closed or self._after.connection.closed:
                    raise
                begun = _unrun(sample, f"the server: {told(error)}")
            if isinstance(begun, Measured):
                found[sample.shape_id] = begun
            else:
                running.append((begun[0], begun[1]))
        self._rounds([run for _, run in running])
        for key, run in running:
            known = run.known
            if known.enough:
                self._known[known.shape_id, key] = known
            elif known.why_not is None:
                known = replace(_unrun(run.sample, _OVER), used=known.used, lost=known.lost)
            found[known.shape_id] = known
        return [found[sample.shape_id] for sample in samples]

    def _left_s(self) -> float:
        return max(0.0, self._ends - time.monotonic())

    def _begun(self, sample: Sample, out: Collection[str]) -> Measured | tuple[str, _Run]:
        """What is known of the statement under this change; else what it takes to measure it, by its plan."""
        shape_id = sample.shape_id
        plain = self._plain.get(shape_id)
        if plain is None:
            plain = self._plain[shape_id] = self._without(sample)
        if plain.why_not is not None:
            return _unrun(sample, plain.why_not)
        with self._change.made(out, PROOF_MS):
            plan = self._after.plan(sample)
        does = shape(plan)
        known = replace(
            self._known.get((shape_id, does)) or Measured(shape_id, name=sample.name),
            used=self._change.used(index_names(plan), out),
            lost=self._change.lost(plain.indexes, out),
        )
        if does == plain.shape:
            return replace(known, same_plan=True)
        if known.over:
            return known
        own_ms = self._own_ms(sample)
        if own_ms is None:
            return replace(known, why_not=_LONG)
        run = _Run(sample, out, max(_LEAST_LIMIT_MS, LONGER * own_ms), known)
        if own_ms < _COLD_MS:  # else what is not in memory yet makes no difference
            self._after_ms(run)
        return does, run

    def _own_ms(self, sample: Sample) -> float | None:
        """How long the statement's first execution without the change takes; None where that is too long."""
        shape_id = sample.shape_id
        if shape_id not in self._first_ms:
            allowed_ms = _SHARE * self._left_s() * 1000
            if allowed_ms <= 0:
                raise _TimeIsUpError
            self._first_ms[shape_id] = None
            with suppress(psycopg.errors.QueryCanceled), self._before.reading(allowed_ms):
                self._first_ms[shape_id] = self._before.run(sample)[0]
        return self._first_ms[shape_id]

    def _without(self, sample: Sample) -> _Plain:
        """The statement's plan without the change, or why it is not to be run."""
        try:
            if parameter_count(sample.text) and sample.values is None:
                return _Plain(why_not="the values of its parameters are not known")
            why_not = self._before.why_not(sample.text)
            if why_not is not None:
                return _Plain(why_not=why_not)
            with self._before.reading(PROOF_MS):
                plan = self._before.plan(sample)
        except (NotExplainableError, UnicodeError) as error:
            return _Plain(why_not=str(error))
        return _Plain(shape(plan), frozenset(index_names(plan)))

    def _rounds(self, running: Sequence[_Run]) -> None:
        """Run the statements by turns until it is clear of each whether it is slower, or time is up.

        What is not clear after half of the time that is left is left at that: others need the rest.
        """
        half = time.monotonic() + self._left_s() / 2
        rounds = range(MOST)
        try:
            if self._is_short_for(running):
                self._one_by_one(running)
                rounds = range(ENOUGH, MOST)
            for number in rounds:
                open_still = [run for run in running if not run.over]
                if not open_still or (number >= ENOUGH and time.monotonic() > half):
                    return
                for run in open_still:
                    self._progress(
                        f"--verify: round {number + 1}, {len(open_still)} statements, "
                        f"{self._left_s():.0f} s left"
                    )
                    self._tried(run, after_first=number % 2 == 1)
        except _TimeIsUpError:
            return

    def _is_short_for(self, running: Sequence[_Run]) -> bool:
        """Whether the time left is not enough to compare all of them, if none got slower."""
        pair_ms = sum(2 * (self._first_ms[run.known.shape_id] or 0.0) for run in running)
        return ENOUGH * pair_ms > self._left_s() * 1000

    def _one_by_one(self, running: Sequence[_Run]) -> None:
        """Compare one after the other, the shortest first: of as many as there is time for something is known.

        By turns, time would be up in a round in which all have run, and none often enough.
        """
        for run in sorted(running, key=lambda run: self._first_ms[run.known.shape_id] or 0.0):
            for number in range(ENOUGH):
                if not run.over:
                    self._progress(f"--verify: one by one, {self._left_s():.0f} s left")
                    self._tried(run, after_first=number % 2 == 1)

    def _tried(self, run: _Run, *, after_first: bool) -> None:
        """One more pair; what ends in an error, as a lock that is not to be had, is not run any more."""
        try:
            self._pair(run, after_first=after_first)
        except psycopg.Error as error:
            if self._before.connection.closed or self._after.connection.closed:
                raise
            run.known = _unrun(run.sample, f"the server: {told(error)}")

    def _pair(self, run: _Run, *, after_first: bool) -> None:
        """One more execution on each side; one that a limit ended counts as that long."""
        if after_first:
            after, before = self._after_ms(run), self._before_ms(run)
        else:
            before, after = self._before_ms(run), self._after_ms(run)
        run.known = replace(
            run.known,
            before_ms=(*run.known.before_ms, before),
            after_ms=(*run.known.after_ms, after),
            ended=run.known.ended + (after >= run.limit_ms),
        )

    def _before_ms(self, run: _Run) -> float:
        with self._limited(run) as took, self._before.reading(self._allowed_ms(run)):
            took.append(self._before.run(run.sample)[0])
        return took[0]

    def _after_ms(self, run: _Run) -> float:
        with self._limited(run) as took, self._change.made(run.out, self._allowed_ms(run)):
            self._after.plan(run.sample)  # what a DROP made the session forget is not its cost
            took_ms, plan = self._after.run(run.sample)
            took.append(took_ms)
            run.known = replace(run.known, surprise=surprise(plan))
        return took[0]

    @contextmanager
    def _limited(self, run: _Run) -> Iterator[list[float]]:
        """An execution's time; that of the limit where it was ended by it."""
        took: list[float] = []
        try:
            yield took
        except psycopg.errors.QueryCanceled:
            if not self.time_left():
                raise _TimeIsUpError from None
            took.append(run.limit_ms)

    def _allowed_ms(self, run: _Run) -> float:
        left_ms = self._left_s() * 1000
        if left_ms <= 0:
            raise _TimeIsUpError
        return min(run.limit_ms, left_ms)


def _unrun(sample: Sample, why_not: str) -> Measured:
    return Measured(sample.shape_id, why_not=why_not, name=sample.name)
