"""What statements cost under any set of candidates, from as few what-if questions as possible.

An answer tells more than one cost. A plan that uses the indexes U, chosen while S could be used, is
the cheapest for every set between U and S: nothing of what it needs is gone, and nothing new is
there. And whatever set holds U costs at most as much, because the planner could choose that plan.
So each answer is kept as (U, S, cost): the first rule spares questions, the second gives a bound that
the search uses (Papadomanolakis et al., "Efficient Use of the Query Optimizer for Automated Physical
Design", VLDB 2007, and Dash et al., "CoPhy", VLDB 2011, on what such bounds are good for).

The planner chooses by its cost, and the search by what a plan is counted as: the cost, and what the planner is known to
leave out of it (loops.py). So an index that makes the planner take a plan which is counted as more than the one
that it takes now is worth less than nothing.

Sets of candidates are integers with a bit for each.
"""

import math
import sys
import time
from bisect import insort
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import field

from analyzer.errors import WhatIfError
from analyzer.indexes.pool import Pool
from analyzer.model.plan import Plan
from analyzer.model.what_if import PlannedStatement, WhatIf
from analyzer.records import changing


class OutOfBudgetError(Exception):
    """The calls or the seconds that were allowed are used up."""


@changing
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


@changing
class _Known:
    """What is known of one statement.

    `answers` are (cost, used, offered); `plans` are (cost, used, counted) without those that a cheaper one
    makes pointless, the cheapest first; `exact` are costs by the set that was asked about.
    """

    relevant: int
    answers: list[tuple[float, int, int]] = field(default_factory=list)
    plans: list[tuple[float, int, float]] = field(default_factory=list)
    exact: dict[int, float] = field(default_factory=dict)
    named: int = 0  # what any of the plans uses
    bounds: dict[int, tuple[float, int]] = field(default_factory=dict)  # by named candidates

    def learn(self, cost: float, used: int, offered: int, counted: float) -> None:
        """Take in an answer: a plan's cost, and what it is counted as."""
        self.exact[offered] = cost
        insort(self.answers, (cost, used, offered))
        if any(other <= cost and known & used == known for other, known, _ in self.plans):
            return
        self.plans = [plan for plan in self.plans if plan[0] < cost or plan[1] & used != used]
        insort(self.plans, (cost, used, counted))
        self.named |= used
        self.bounds.clear()


def _nothing(_plan: Plan) -> float:
    """Of a planner whose costs are taken as they are."""
    return 0.0


class PlanCosts:
    """Asks and remembers. Statements are named by their position in `statements`.

    `base` is each statement's cost with no candidate; statements that cannot be planned are in
    `failed`, by position, with the reason, and cost nothing. `unanswered` are questions about candidates
    that the planner did not answer (a timeout, an index refused), by reason. `uncounted` says what the planner leaves out
    of a plan's cost.
    """

    def __init__(
        self,
        what_if: WhatIf,
        statements: Sequence[PlannedStatement],
        pool: Pool,
        relevant: tuple[Sequence[int], Sequence[int]],
        limits: Limits,
        uncounted: Callable[[Plan], float] = _nothing,
    ) -> None:
        self.statements = statements
        self.pool = pool
        self.failed: dict[int, str] = {}
        self.unanswered: Counter[str] = Counter()
        self.base: list[float] = []
        self._what_if = what_if
        self._uncounted = uncounted
        self._limits = Limits(sys.maxsize, math.inf)  # what all costs now is asked in any case
        self._own = list(relevant[0])
        self._known = [_Known(mask) for mask in relevant[1]]
        for number in range(len(statements)):
            try:
                self.base.append(self.cost(number, 0))
            except WhatIfError as error:
                self.failed[number] = str(error)
                self.base.append(0.0)
                self._known[number] = _Known(0, [(0.0, 0, -1)], [(0.0, 0, 0.0)])
        self._limits = limits

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

    def plans(self, number: int) -> list[tuple[float, int, float]]:
        """Known plans (cost, used, counted), the cheapest first, that no cheaper one makes pointless."""
        return self._known[number].plans

    def bound(self, number: int, chosen: int) -> tuple[float, int]:
        """What the statement's plan under a set is counted as, by known plans, and what it uses; nothing is asked."""
        known = self._known[number]
        chosen &= known.named
        found = known.bounds.get(chosen)
        if found is None:
            found = next(
                ((counted, used) for _, used, counted in known.plans if used & chosen == used),
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
        except WhatIfError as error:
            if not seen:  # without any candidate: it has no plan at all
                raise
            self.unanswered[str(error)] += 1
            known.exact[seen] = self.base[number]  # nothing is known to be gained
            return self.base[number]
        names = {self.pool.candidates[place].name: place for place in offered}
        used = 0
        for name in found.indexes:
            if name in names:
                used |= 1 << names[name]
        more = self._uncounted(found.plan) if found.plan is not None else 0.0
        known.learn(found.cost, used, seen, found.cost + more)
        return found.cost

    def used(self, number: int, chosen: int) -> int:
        """Which of a set the statement's plan uses, as far as answers tell (its cost is known)."""
        seen = chosen & self._known[number].relevant
        cost = self.cost(number, chosen)
        for other, used, _ in self._known[number].answers:
            if other <= cost and used & seen == used:
                return used
        return 0
