"""What a planner answered, kept: advice that is made anew without some of its indexes asks most of the same questions."""

from collections.abc import Collection
from dataclasses import field, replace

from analyzer.model.index_candidate import IndexCandidate
from analyzer.model.what_if import PlanEstimate, PlannedStatement, WhatIf
from analyzer.records import changing


@changing
class Answers:
    """All answers of a run, and how many questions they took (`calls`).

    `plans` are by statement and the CREATE INDEX of each index that was offered; `sizes` and `reasons` (why one cannot be
    tried) by that of the index. They hold as long as the server's statistics do.
    """

    calls: int = 0
    plans: dict[tuple[str, frozenset[str]], PlanEstimate] = field(default_factory=dict)
    sizes: dict[str, int | None] = field(default_factory=dict)
    reasons: dict[str, str | None] = field(default_factory=dict)


class Remembered:
    """A `WhatIf` that asks another one only what is not known yet."""

    def __init__(self, what_if: WhatIf, answers: Answers) -> None:
        self._what_if = what_if
        self._answers = answers

    @property
    def method(self) -> str:
        """Which way the other one is."""
        return self._what_if.method

    @property
    def calls(self) -> int:
        """The questions that were asked for these answers, of whatever planner."""
        return self._answers.calls

    def estimate(
        self, statement: PlannedStatement, indexes: Collection[IndexCandidate]
    ) -> PlanEstimate:
        """The plan; a question that was not answered is asked again.

        Raises:
            WhatIfError, ServerError: as the other one does.
        """
        key = (statement.sql, frozenset(index.sql for index in indexes))
        found = self._answers.plans.get(key)
        if found is None:
            before = self._what_if.calls
            try:
                found = self._what_if.estimate(statement, indexes)
            finally:
                self._answers.calls += self._what_if.calls - before
            if found.plan is not None:  # its text is most of it, and nobody reads it
                found = replace(found, plan=replace(found.plan, raw=""))
            self._answers.plans[key] = found
        return found

    def size_bytes(self, index: IndexCandidate) -> int | None:
        """The planner's own estimate of an index's size."""
        if index.sql not in self._answers.sizes:
            self._answers.sizes[index.sql] = self._what_if.size_bytes(index)
        return self._answers.sizes[index.sql]

    def refused(self, index: IndexCandidate) -> str | None:
        """Why an index cannot be tried."""
        if index.sql not in self._answers.reasons:
            self._answers.reasons[index.sql] = self._what_if.refused(index)
        return self._answers.reasons[index.sql]

    def close(self) -> None:
        """Close the other one; the answers stay."""
        self._what_if.close()
