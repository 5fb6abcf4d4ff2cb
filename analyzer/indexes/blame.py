"""Which part of a change of indexes makes a statement slower: the one without which it is not."""

from collections.abc import Collection, Mapping, Sequence
from math import inf

from analyzer.model.explain import Sample
from analyzer.model.verification import Measured, Stage

_BETTER = 0.9  # of the times that a statement is slower, without a part that is to blame


class Judging:
    """Measures a change on a stage, and takes out of it what makes a statement slower.

    `out` is what was taken out: names of new indexes and statements of drops. `rejected` has, of those that are
    to blame, the statements that they made worse.
    """

    def __init__(
        self,
        stage: Stage,
        samples: Sequence[Sample],
        weights: Mapping[str, float],
        brought: Mapping[str, Collection[str]],
    ) -> None:
        """`weights` are executions by shape (1 where missing), `brought` the drops that a new index brings."""
        self.out: set[str] = set()
        self.rejected: dict[str, list[Measured]] = {}
        self.statements: list[Measured] = []
        self._stage = stage
        self._samples = {sample.shape_id: sample for sample in samples}
        self._weights = weights
        self._brought = brought

    def settle(self) -> None:
        """Measure until nothing is worse, no one can be blamed, or time is up."""
        self._measure()
        hopeless: set[str] = set()
        while self._stage.time_left():
            worst = next((one for one in self.worse() if one.shape_id not in hopeless), None)
            if worst is None:
                return
            blamed = self._blamed(worst)
            if not blamed:
                hopeless.add(worst.shape_id)
                continue
            worse = self.worse()
            for name in blamed:
                self.rejected[name] = [one for one in worse if name in one.touched] or [worst]
                self.out |= {name, *self._brought.get(name, ())}
            self._measure()

    def worse(self) -> list[Measured]:
        """Statements that got slower by the change, the one that lost most time first."""
        worse = [one for one in self.statements if one.worse and one.touched]
        return sorted(worse, key=lambda one: one.before - one.after)

    def _measure(self) -> None:
        self.statements = self._stage.measure(list(self._samples.values()), self.out)

    def _blamed(self, worst: Measured) -> list[str]:
        """What the statement is not slower without: one part of the change, else as few as will do.

        Where it stays slower without any one of them, the one that most of that is owed to goes first.
        """
        left: list[tuple[float, str]] = []  # how many times its time it takes without one
        for name in self._least_useful(worst.touched):
            again = self._without(worst, [name])
            if again is None:
                return []
            if _is_fine(again):
                return [name]
            if again.enough:
                left.append((again.after / again.before, name))
        times, name = min(left, default=(inf, ""))
        if times <= _BETTER * worst.after / worst.before:
            return [name]
        return self._blamed_together(worst)

    def _blamed_together(self, worst: Measured) -> list[str]:
        """Parts that stand in for each other: taken away until it is fine, then given back one by one."""
        gone: list[str] = []
        now = worst
        while not _is_fine(now) and now.touched:
            gone.append(self._least_useful(now.touched)[0])
            again = self._without(worst, gone)
            if again is None:
                return []
            now = again
        if not _is_fine(now):
            return []
        for name in gone[:-1]:
            fewer = [other for other in gone if other != name]
            given_back = self._without(worst, fewer)
            if given_back is not None and _is_fine(given_back):
                gone = fewer
        return gone

    def _without(self, worst: Measured, names: Collection[str]) -> Measured | None:
        """The statement as it is without these, too; None where time is up."""
        if not self._stage.time_left():
            return None
        out = self.out.union(names, *(self._brought.get(name, ()) for name in names))
        (again,) = self._stage.measure([self._samples[worst.shape_id]], out)
        return again

    def _least_useful(self, names: Collection[str]) -> list[str]:
        """What others would miss least first: where either of two may go, that one should."""
        return sorted(names, key=lambda name: (self._saved_ms(name), name))

    def _saved_ms(self, name: str) -> float:
        """What the workload saves in statements that a part of the change has to do with."""
        return sum(
            self._weights.get(one.shape_id, 1.0) * max(0.0, one.before - one.after)
            for one in self.statements
            if one.enough and name in one.touched
        )


def _is_fine(one: Measured) -> bool:
    """Whether a statement was compared and its median is not higher, or its plan is the one it had."""
    return one.same_plan or (one.enough and not one.slower)
