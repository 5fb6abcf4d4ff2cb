"""The set of indexes for a workload: what-if questions and search, in turns.

First every statement is asked about all of its candidates at once, about them with the largest left
out step by step, and about each alone. What these answers tell goes into the search (search.py), which
gives the best set by known plans. That set is then asked about itself and about what lies around it,
which shows plans that nobody knew, and the search goes on from there, until it finds nothing better or
the limits are reached: then the best set so far stands.
"""

from collections.abc import Callable, Sequence

from analyzer.indexes.plan_costs import OutOfBudgetError, PlanCosts
from analyzer.indexes.search import Search, Terms
from analyzer.model.index_candidate import IndexCandidate
from analyzer.records import record

_ROUNDS = 40
_PATIENCE = 3  # rounds without anything better before the search ends
_AROUND = 60  # candidates tried beside a set, of each statement and round
_WINNERS = 6  # plans of a statement whose indexes are merged with each other
_NEXT_TO_FREE = 0.001  # of the workload's cost without indexes
_MUCH_BETTER = 1.5
_SHARED = 0.5  # of all questions are spent, and what is left is for the search itself
_PEELS = 8  # questions with what was used left out

Progress = Callable[[str], None]
Merge = Callable[[IndexCandidate, IndexCandidate], IndexCandidate | None]
Measure = Callable[
    [IndexCandidate], tuple[int, float] | None
]  # size in bytes, price; None: refused


@record
class Selected:
    """`chosen` of the pool; `finished` is False where the limits ended the search."""

    chosen: int
    finished: bool
    rounds: int


class Selector:
    """Chooses from the pool of `costs`."""

    def __init__(
        self,
        costs: PlanCosts,
        weights: Sequence[float],
        terms: Terms,
        ways: tuple[Measure, Merge],
        progress: Progress | None = None,
    ) -> None:
        self._costs = costs
        self._weights = weights
        self._terms = terms
        self._measure, self._merged = ways
        self._progress = progress or (lambda _text: None)
        self._search = Search(costs, weights, terms)
        self._order = sorted(
            range(len(weights)), key=lambda number: -weights[number] * costs.base[number]
        )

    def select(self) -> Selected:
        """The best set that was found."""
        best, rounds, finished = 0, 0, False
        try:
            self._seed()
        except OutOfBudgetError:
            return Selected(self._search.best(0), finished=False, rounds=0)
        idle = 0
        try:
            while rounds < _ROUNDS and idle < _PATIENCE:
                rounds += 1
                before = self._search.value(best)
                best = self._search.best(best)
                self._look_around(best)
                self._merge(best)
                after = self._search.value(best)
                idle = idle + 1 if after > before * 0.9995 and rounds > 1 else 0
                self._progress(f"round {rounds}: {after / self._none():.3f} of the cost")
            finished = True
        except OutOfBudgetError:
            pass
        best = self._search.best(best)
        try:
            best = self._extended(best)
        except OutOfBudgetError:
            finished = False
        return Selected(best, finished, rounds)

    def _extended(self, chosen: int) -> int:
        """Put a wider index in place of one that it begins with, where that is next to free.

        The cost of the workload is dominated by its heaviest statements. Where one index more or less
        wide makes no difference to it, what it does for a single statement decides.
        """
        pool, slack = self._costs.pool, _NEXT_TO_FREE * self._none()
        for one in self._pool_members(chosen):
            longer = pool.rivals(1 << one) & self._useful() & ~chosen
            for other in self._pool_members(longer):
                wider = pool.candidates[other]
                if len(wider.keys) <= len(pool.candidates[one].keys) or wider.include:
                    continue
                instead = chosen & ~(1 << one) | 1 << other
                over = self._terms.budget is not None and pool.size(instead) > self._terms.budget
                if over or pool.rivals(1 << other) & instead:
                    continue
                changed = [
                    (self._costs.cost(number, chosen), self._costs.cost(number, instead))
                    for number in self._order
                ]
                helped = any(after * _MUCH_BETTER <= before for before, after in changed)
                if helped and self._search.value(instead) <= self._search.value(chosen) + slack:
                    chosen = instead
                    break
        return chosen

    def _none(self) -> float:
        return self._search.value(0) or 1.0

    def _seed(self) -> None:
        """Ask about all candidates of a statement, about ever smaller ones, and about each alone."""
        for number in self._order:
            self._peel(number, self._affordable(self._costs.own(number)))
        for number in self._order:
            self._each(number)
        self._share()
        for number in self._order:
            offered = self._affordable(self._costs.own(number))
            plan = self._costs.used(number, offered)
            if plan.bit_count() > 1:
                self._vary(number, plan)
        winners = 0
        for number in self._order:
            for _, used, _ in self._costs.plans(number)[:_WINNERS]:
                winners |= used
        self._merge(winners)

    def _share(self) -> None:
        """Ask each statement about what others use, and have it see what it would use of that.

        One index that does for several statements may be worth more than the best one for each. The heaviest
        statements come first.
        """
        useful = self._useful()
        for number in self._order:
            if self._costs.spent > _SHARED:
                return
            foreign = useful & self._costs.relevant(number) & ~self._costs.own(number)
            offered = self._smallest(self._affordable(foreign))
            self._peel(number, offered | self._affordable(self._costs.own(number)))
            self._peel(number, offered)
            taken = self._costs.named(number) & offered
            for one in self._pool_members(taken):
                self._costs.see(number, 1 << one)
                self._costs.cost(number, 1 << one)
        for number in self._order:
            if self._costs.spent > _SHARED:
                return
            self._stand_in(number)

    def _stand_in(self, number: int) -> None:
        """Ask a statement about its best plans with what others carry in place of what it would.

        Where an index is visited for its keys alone, any with the same keys will do.
        """
        pool, useful = self._costs.pool, self._useful() & self._costs.relevant(number)
        for _, used, _ in self._costs.plans(number)[:_WINNERS]:
            for one in self._pool_members(used):
                for other in self._pool_members(useful & pool.rivals(1 << one)):
                    if pool.candidates[other].keys == pool.candidates[one].keys:
                        self._costs.see(number, 1 << other)
                        self._costs.cost(number, used & ~(1 << one) | 1 << other)

    def _smallest(self, offered: int) -> int:
        """Of those with the same keys over the same rows the smallest.

        What a statement needs carried is in candidates of its own.
        """
        pool = self._costs.pool
        found: dict[tuple[object, ...], int] = {}
        for one in sorted(self._pool_members(offered), key=lambda one: pool.sizes[one]):
            candidate = pool.candidates[one]
            kind = (candidate.table, candidate.method, candidate.keys, candidate.predicate)
            found.setdefault(kind, one)
        return sum(1 << one for one in found.values())

    def _vary(self, number: int, chosen: int) -> None:
        """Ask about a set with each index that the statement uses left out, or another in its place.

        Others are those made for the statement, and those that other statements use and that begin
        as this one does, or as which it begins: one of the two may do for all.
        """
        pool = self._costs.pool
        own = self._affordable(self._costs.own(number)) & ~chosen
        useful = self._useful() & self._costs.relevant(number) & ~chosen
        for one in self._pool_members(self._costs.used(number, chosen)):
            rest = chosen & ~(1 << one)
            self._costs.cost(number, rest)
            alike = self._affordable(useful & pool.rivals(1 << one))
            for other in self._pool_members(own | alike):
                if pool.candidates[other].table == pool.candidates[one].table:
                    self._costs.cost(number, rest | 1 << other)

    def _useful(self) -> int:
        """What any known plan of any statement uses."""
        found = 0
        for number in self._order:
            found |= self._costs.named(number)
        return found

    def _peel(self, number: int, offered: int) -> None:
        for _ in range(_PEELS):
            used = self._costs.used(number, offered)
            if not used:
                return
            largest = max(self._pool_members(used), key=lambda one: self._costs.pool.sizes[one])
            limit = self._costs.pool.sizes[largest]
            offered &= (
                ~used
                if _ % 2
                else ~sum(
                    1 << one
                    for one in self._pool_members(offered)
                    if self._costs.pool.sizes[one] >= limit
                )
            )

    def _each(self, number: int) -> None:
        offered = self._affordable(self._costs.own(number))
        if self._costs.cost(number, offered) >= self._costs.base[number] * 0.999:
            return
        for one in self._pool_members(offered):
            self._costs.cost(number, 1 << one)

    def _affordable(self, offered: int) -> int:
        budget = self._terms.budget
        if budget is None:
            return offered
        return sum(
            1 << one for one in self._pool_members(offered) if self._costs.pool.sizes[one] <= budget
        )

    def _pool_members(self, chosen: int) -> list[int]:
        return self._costs.pool.members(chosen)

    def _look_around(self, chosen: int) -> None:
        """Ask what each statement costs under the set, and with what might be added to it."""
        for number in self._order:
            self._costs.cost(number, chosen)
        for number in self._order:
            offered = self._affordable(self._costs.own(number)) & ~chosen
            if not offered:
                continue
            now = self._costs.bound(number, chosen)[0]
            if self._costs.cost(number, chosen | offered) >= now * 0.999:
                continue
            for one in self._promising(number, chosen, offered)[:_AROUND]:
                self._costs.cost(number, chosen | 1 << one)
            self._vary(number, chosen)

    def _promising(self, number: int, chosen: int, offered: int) -> list[int]:
        """What a statement might use beside a set: what known plans with it promise for its size first."""
        now = self._costs.bound(number, chosen)[0]
        pool = self._costs.pool
        score: dict[int, float] = dict.fromkeys(self._pool_members(offered), 0.0)
        before = self._costs.bound(number, 0)[0]
        for _, used, counted in self._costs.plans(number):
            gain = before - counted + max(0.0, now - counted)
            for one in self._pool_members(used & offered):
                score[one] = max(score[one], gain / (pool.sizes[one] + 1))
        return sorted(score, key=lambda one: (-score[one], pool.sizes[one], one))

    def _merge(self, chosen: int) -> None:
        """Add what two of a set's indexes, or one and a promising one, would be as one index."""
        pool = self._costs.pool
        members = self._pool_members(chosen)
        for first in members:
            for second in members:
                if first == second:
                    continue
                both = self._merged(pool.candidates[first], pool.candidates[second])
                if both is None or pool.number(both) is not None:
                    continue
                measured = self._measure(both)
                if measured is None:
                    continue
                place = pool.add(both, *measured)
                for number in self._order:
                    if self._costs.own(number) & (1 << first | 1 << second):
                        self._costs.see(number, 1 << place)
                        self._costs.cost(number, 1 << place)
