"""What statements cost under any set of candidates, from as few what-if questions as possible.

An answer tells more than one cost. A plan that uses the indexes U, chosen while S could be used, is
the cheapest for every set between U and S: nothing of what it needs is gone, and nothing new is
there. And whatever set holds U costs at most as much, because the planner could choose that plan.
So each answer is kept as (U, S, cost): the first rule spares questions, the second gives a bound that
the search uses (Papadomanolakis et al., "Efficient Use of the Query Optimizer for Automated Physical
Design", VLDB 2007, and Dash et al., "CoPhy", VLDB 2011, on what such bounds are good for).

Sets of candidates are integers with a bit for each.
"""

import time
from bisect import insort
from collections.abc import Sequence
from dataclasses import dataclass, field

from analyzer.errors import WhatIfError
from analyzer.indexes.pool import Pool
from analyzer.model.what_if import PlannedStatement, WhatIf


class OutOfBudgetError(Exception):
    """The calls or the seconds that were allowed are used up."""


@dataclass(slots=True)
class Limits:
    """Until when questions may be asked: `calls` in all, and `ends` of time.monotonic()."""

    calls: int
    ends: float

    def check(self, what_if: WhatIf) -> None:
        """Raise OutOfBudgetError where nothing is left."""
        if self.over(what_if):
            raise OutOfBudgetError

    def over(self, what_if: WhatIf) -> bool:
        """Whether nothing is left."""
        return what_if.calls >= self.calls or time.monotonic() >= self.ends


@dataclass(slots=True)
class _Known:
    """What is known of one statement.

    `answers` are (cost, used, offered); `plans` are (cost, used) without those that a cheaper one
    makes pointless, the cheapest first; `exact` are costs by the set that was asked about.
    """

    relevant: int
    answers: list[tuple[float, int, int]] = field(default_factory=list)
    plans: list[tuple[float, int]] = field(default_factory=list)
    exact: dict[int, float] = field(default_factory=dict)
    named: int = 0  # what any of the plans uses
    bounds: dict[int, tuple[float, int]] = field(default_factory=dict)  # by named candidates

    def learn(self, cost: float, used: int, offered: int) -> None:
        """Take in an answer."""
        self.exact[offered] = cost
        insort(self.answers, (cost, used, offered))
        if any(other <= cost and known & used == known for other, known in self.plans):
            return
        self.plans = [
            (other, known) for other, known in self.plans if other < cost or known & used != used
        ]
        insort(self.plans, (cost, used))
        self.named |= used
        self.bounds.clear()


class PlanCosts:
    """Asks and remembers. Statements are named by their position in `statements`.

    `base` is each statement's cost with no candidate; statements that cannot be planned are in
    `failed`, by position, with the reason, and cost nothing.
    """

    def __init__(
        self,
        what_if: WhatIf,
        statements: Sequence[PlannedStatement],
        pool: Pool,
        relevant: tuple[Sequence[int], Sequence[int]],
        limits: Limits,
    ) -> None:
        self.statements = statements
        self.pool = pool
        self.failed: dict[int, str] = {}
        self.base: list[float] = []
        self._what_if = what_if
        self._limits = limits
        self._own = list(relevant[0])
        self._known = [_Known(mask) for mask in relevant[1]]
        for number in range(len(statements)):
            try:
                self.base.append(self.cost(number, 0))
            except WhatIfError as error:
                self.failed[number] = str(error)
                self.base.append(0.0)
                self._known[number] = _Known(0, [(0.0, 0, -1)], [(0.0, 0)])

    @property
    def over(self) -> bool:
        """Whether nothing more may be asked."""
        return self._limits.over(self._what_if)

    @property
    def spent(self) -> float:
        """The share of the questions that may be asked that has been."""
        return self._what_if.calls / max(1, self._limits.calls)

    @property
    def calls(self) -> int:
        """Questions asked so far."""
        return self._what_if.calls

    def relevant(self, number: int) -> int:
        """The candidates that may matter to a statement."""
        return self._known[number].relevant

    def named(self, number: int) -> int:
        """The candidates that any known plan of a statement uses."""
        return self._known[number].named

    def own(self, number: int) -> int:
        """The candidates that were made for a statement."""
        return self._own[number] if number not in self.failed else 0

    def see(self, number: int, bit: int) -> None:
        """Let a statement see one more candidate, as if it had been made for it."""
        if number not in self.failed:
            self._known[number].relevant |= bit
            self._own[number] |= bit

    def plans(self, number: int) -> list[tuple[float, int]]:
        """Known plans (cost, used), the cheapest first, that no cheaper one makes pointless."""
        return self._known[number].plans

    def bound(self, number: int, chosen: int) -> tuple[float, int]:
        """At most this much the statement costs under a set, and by using what; nothing is asked."""
        known = self._known[number]
        chosen &= known.named
        found = known.bounds.get(chosen)
        if found is None:
            found = next(
                (plan for plan in known.plans if plan[1] & chosen == plan[1]),
                (self.base[number], 0),
            )
            known.bounds[chosen] = found
        return found

    def cost(self, number: int, chosen: int) -> float:
        """What the statement costs under a set.

        Raises:
            OutOfBudgetError: it is not known and nothing more may be asked.
            WhatIfError: the statement cannot be planned.
        """
        known = self._known[number]
        seen = chosen & known.relevant
        if seen in known.exact:
            return known.exact[seen]
        for cost, used, offered in known.answers:
            if used & seen == used and seen & offered == seen:
                known.exact[seen] = cost
                return cost
        return self._ask(number, seen)

    def _ask(self, number: int, seen: int) -> float:
        self._limits.check(self._what_if)
        known = self._known[number]
        offered = self.pool.members(seen)
        try:
            found = self._what_if.estimate(
                self.statements[number], [self.pool.candidates[place] for place in offered]
            )
        except WhatIfError:
            if not seen:  # without any candidate: it has no plan at all
                raise
            known.exact[seen] = self.base[
                number
            ]  # a timeout, or an index refused: nothing is gained
            return self.base[number]
        names = {self.pool.candidates[place].name: place for place in offered}
        used = 0
        for name in found.indexes:
            if name in names:
                used |= 1 << names[name]
        known.learn(found.cost, used, seen)
        return found.cost

    def used(self, number: int, chosen: int) -> int:
        """Which of a set the statement's plan uses, as far as answers tell (its cost is known)."""
        seen = chosen & self._known[number].relevant
        cost = self.cost(number, chosen)
        for other, used, _ in self._known[number].answers:
            if other <= cost and used & seen == used:
                return used
        return 0
