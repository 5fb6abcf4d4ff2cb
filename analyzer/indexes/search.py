"""The best set of candidates under a budget, as far as known plans tell: no question is asked here.

A set is worth what the cheapest known plan of each statement under it is counted as (see plan_costs.py; of the
cost that is an upper bound), plus what writers pay. The search climbs from a set by whole plans: it adds what a
cheaper plan of one statement still lacks (so indexes that only help together come together), and makes
room by leaving out what is missed least for its size. From the top that it reaches it is pushed off
again in fixed ways, and the best that was met is the answer.
"""

from collections.abc import Iterator, Sequence
from dataclasses import field
from random import Random

from analyzer.indexes.plan_costs import PlanCosts
from analyzer.records import changing, record

_KICKS = 16  # how often the search is pushed off
_SEED = 95  # the same advice on every run


@record
class Terms:
    """What a set has to obey: `budget` bytes (None: any), and what each index must bring at least.

    `least` is in planner units of the whole workload, beside what its writers pay.
    """

    budget: int | None
    least: float = 0.0


@changing
class _State:
    """A set with what it costs: each statement's bound, unweighted, and what that plan uses.

    `losses` are what the workload would pay more without one of the set, as far as that was asked.
    """

    chosen: int
    bounds: list[tuple[float, int]]
    size: int
    value: float
    losses: dict[int, float] = field(default_factory=dict)


class Search:
    """Finds sets over what `costs` knows; knowledge may grow between calls."""

    def __init__(self, costs: PlanCosts, weights: Sequence[float], terms: Terms) -> None:
        self._costs = costs
        self._weights = weights
        self._terms = terms
        self._pool = costs.pool

    def value(self, chosen: int) -> float:
        """What workload and writers pay under a set, at most; and the least that each must bring."""
        return self._state(chosen).value

    def best(self, start: int) -> int:
        """The best set found from `start`."""
        random = Random(_SEED)  # noqa: S311 - no secret: the order of pushes
        top = self._climb(self._state(self._fit(start)))
        at = top
        for _ in range(_KICKS):
            members = self._pool.members(at.chosen)
            if not members or self._costs.over:
                break
            gone = random.sample(members, min(len(members), random.randint(1, 3)))
            kicked = at.chosen
            for number in gone:
                kicked &= ~(1 << number)
            climbed = self._climb(self._state(kicked), tabu=sum(1 << number for number in gone[:1]))
            climbed = self._climb(climbed)
            if climbed.value < top.value:
                top = climbed
            at = climbed if climbed.value <= at.value * 1.01 else top
        return top.chosen

    def _state(self, chosen: int) -> _State:
        bounds = [self._costs.bound(number, chosen) for number in range(len(self._weights))]
        read = sum(weight * bound for weight, (bound, _) in zip(self._weights, bounds, strict=True))
        return _State(chosen, bounds, self._pool.size(chosen), read + self._standing(chosen))

    def _standing(self, chosen: int) -> float:
        """What a set costs whether or not it is used."""
        return self._pool.price(chosen) + self._terms.least * chosen.bit_count()

    def _fit(self, chosen: int) -> int:
        for number in self._pool.members(chosen):
            if chosen >> number & 1:
                chosen &= ~self._pool.rivals(1 << number)
        state = self._state(chosen)
        while self._over(state.size):
            state = self._lighter(state, 0)
        return state.chosen

    def _over(self, size: int) -> bool:
        return self._terms.budget is not None and size > self._terms.budget

    def _climb(self, state: _State, tabu: int = 0) -> _State:
        """Go to better sets as long as there is one a plan away."""
        better = True
        while better:
            better = False
            for wanted in self._moves(state, tabu):
                moved = self._moved(state, wanted)
                if moved is not None and moved.value < state.value * (1 - 1e-9):
                    state, better = moved, True
                    break
            if not better:
                lighter = self._pruned(state)
                better = lighter is not state
                state = lighter
        return state

    def _moves(self, state: _State, tabu: int) -> Iterator[int]:
        """What cheaper plans lack, the one that brings most for its bytes first."""
        found: dict[int, float] = {}
        for number, weight in enumerate(self._weights):
            bound = state.bounds[number][0]
            for _, used, counted in self._costs.plans(number):
                lacking = used & ~state.chosen
                if counted < bound and lacking and not lacking & tabu:
                    found[lacking] = found.get(lacking, 0.0) + weight * (bound - counted)
        sizes = {lacking: self._pool.size(lacking) for lacking in found}
        order = sorted(found, key=lambda one: (-found[one] / (sizes[one] + 1), one))
        for one in order:
            if not self._over(sizes[one]) and not one & self._pool.rivals(one):
                yield one

    def _moved(self, state: _State, wanted: int) -> _State | None:
        moved = self._with(state, wanted)
        while self._over(moved.size):
            lighter = self._lighter(moved, wanted)
            if lighter is moved:
                return None
            moved = lighter
            if moved.value >= state.value:
                return None
        return moved

    def _pruned(self, state: _State, keep: int = 0) -> _State:
        """Without what costs more than it brings."""
        for number in self._pool.members(state.chosen & ~keep):
            if self._loss(state, number) <= 0:
                state = self._without(state, number)
        return state

    def _lighter(self, state: _State, keep: int) -> _State:
        """Without the one that is missed least for the room it makes; the same if there is none."""
        excess = state.size - (self._terms.budget or 0)
        best, least = None, float("inf")
        for number in self._pool.members(state.chosen & ~keep):
            room = min(self._pool.sizes[number], excess) + 1
            loss = self._loss(state, number) / room
            if loss < least:
                best, least = number, loss
        return state if best is None else self._without(state, best)

    def _loss(self, state: _State, number: int) -> float:
        """What the workload pays more without one of a set."""
        loss = state.losses.get(number)
        if loss is None:
            bit = 1 << number
            rest = state.chosen & ~bit
            loss = -self._pool.prices[number] - self._terms.least
            for place, (bound, used) in enumerate(state.bounds):
                if used & bit:
                    loss += self._weights[place] * (self._costs.bound(place, rest)[0] - bound)
            state.losses[number] = loss
        return loss

    def _with(self, state: _State, wanted: int) -> _State:
        for number in self._pool.members(state.chosen & self._pool.rivals(wanted)):
            state = self._without(state, number)
        return self._changed(state, state.chosen | wanted, self._standing(wanted), wanted)

    def _without(self, state: _State, number: int) -> _State:
        bit = 1 << number
        return self._changed(state, state.chosen & ~bit, -self._standing(bit), bit)

    def _changed(self, state: _State, chosen: int, standing: float, difference: int) -> _State:
        """The state of a set that differs by some candidates; what these do not touch is kept."""
        bounds = list(state.bounds)
        value = state.value + standing
        touched = difference
        for place, weight in enumerate(self._weights):
            if self._costs.named(place) & difference:
                before = bounds[place]
                after = bounds[place] = self._costs.bound(place, chosen)
                value += weight * (after[0] - before[0])
                # Whatever else this statement could use may be missed more, or less, from now on.
                touched |= before[1] | after[1]
        losses = {
            number: loss for number, loss in state.losses.items() if not touched >> number & 1
        }
        sign = 1 if chosen & difference else -1
        size = state.size + sign * self._pool.size(difference)
        return _State(chosen, bounds, size, value, losses)
