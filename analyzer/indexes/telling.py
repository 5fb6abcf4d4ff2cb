"""The chosen indexes told: whom each serves and how, what it costs, how it is built and undone."""

from collections.abc import Mapping, Sequence

from analyzer.errors import WhatIfError
from analyzer.indexes.building import created_index
from analyzer.indexes.candidates import trade_off
from analyzer.indexes.loops import uncounted_pages
from analyzer.indexes.plan_costs import PlanCosts
from analyzer.indexes.writes import TableWrites, price, shown
from analyzer.model.catalog import Catalog
from analyzer.model.index_advice import CreatedIndex, StatementGain
from analyzer.model.index_candidate import IndexCandidate
from analyzer.model.index_request import CAREFUL_PAGE_PRICE, AdvisedStatement
from analyzer.model.plan import Plan
from analyzer.model.what_if import PlanEstimate, WhatIf

_OPTIMISM = (
    "Not verified by execution: the planner's estimate with an index that does not exist yet, which is a "
    "little optimistic; compare EXPLAIN (ANALYZE, BUFFERS) before and after"
)

_DOUBT = (
    "; MAY MAKE SLOWER, as nested loops of the plan with it read more than its cost counts: {}. --verify measures it, "
    "--careful advises without such plans"
)


class Telling:
    """Asks for the plans of the chosen set once more, and writes them down.

    `unanswered` are the statements, by position, that have no plan with the set, and why: they count as
    if nothing served them.
    """

    def __init__(
        self,
        costs: PlanCosts,
        what_if: WhatIf,
        statements: Sequence[AdvisedStatement],
        catalog: Catalog,
        writes: Mapping[str, TableWrites],
    ) -> None:
        self._costs = costs
        self._what_if = what_if
        self._statements = statements
        self._catalog = catalog
        self._writes = writes
        self._after: dict[int, PlanEstimate] = {}
        self._before: dict[int, PlanEstimate | None] = {}
        self.unanswered: dict[int, str] = {}

    def cost(self, chosen: int) -> float:
        """What the workload costs under the set."""
        after = self._estimates(chosen)
        return sum(
            one.planned.weight
            * (after[number].cost if number in after else self._costs.base[number])
            for number, one in enumerate(self._statements)
        )

    def created(self, chosen: int, write_cost: float) -> tuple[CreatedIndex, ...]:
        """The indexes of the set that some plan uses, the most useful first."""
        after = self._estimates(chosen)
        found = []
        for place in self._costs.pool.members(chosen):
            candidate = self._costs.pool.candidates[place]
            served = [
                number for number, estimate in after.items() if candidate.name in estimate.indexes
            ]
            if served:
                worth = sum(self._gain(number) for number in served)
                found.append((worth, self._created(place, served, write_cost)))
        found.sort(key=lambda pair: (-pair[0], pair[1].name))
        return tuple(created for _, created in found)

    def _gain(self, number: int) -> float:
        weight = self._statements[number].planned.weight
        return weight * (self._costs.base[number] - self._after[number].cost)

    def _estimates(self, chosen: int) -> dict[int, PlanEstimate]:
        """The plan of each statement with the whole set."""
        pool = self._costs.pool
        indexes = [pool.candidates[place] for place in pool.members(chosen)]
        for number, one in enumerate(self._statements):
            known = number in self._after or number in self.unanswered
            if indexes and not known and number not in self._costs.failed:
                try:
                    self._after[number] = self._what_if.estimate(one.planned, indexes)
                except WhatIfError as error:
                    self.unanswered[number] = str(error)
        return self._after

    def _created(self, place: int, served: Sequence[int], write_cost: float) -> CreatedIndex:
        candidate, size = self._costs.pool.candidates[place], self._costs.pool.sizes[place]
        table = self._catalog.table(candidate.table)
        writes = self._writes.get(candidate.table)
        costs: Mapping[str, float | int | None] = {}
        if table is not None:
            found = price(candidate, table, writes, size, write_cost)
            costs = shown(found, writes, table)
        order = sorted(served, key=lambda number: -self._gain(number))
        told = f"{trade_off(table, candidate.keys, size, candidate.method)} {_OPTIMISM}"
        return created_index(
            candidate,
            self._catalog,
            size=size,
            statements=[self._served(number, candidate) for number in order],
            write_cost=costs,
            verified_by="what-if",
            risk=f"{told}{self._doubts(order)}",
        )

    def _served(self, number: int, candidate: IndexCandidate) -> StatementGain:
        one, after, before = self._statements[number], self._after[number], self._now(number)
        return StatementGain(
            shape_id=one.planned.shape_id,
            cost_before=round(self._costs.base[number], 2),
            cost_after=round(after.cost, 2),
            node_before=_node(before.plan, candidate) if before else None,
            node_after=_node(after.plan, candidate, by_index=True),
            name=one.name,
            weight=one.planned.weight,
        )

    def _now(self, number: int) -> PlanEstimate | None:
        """The statement's plan without any candidate; None where the server changed its mind about planning it."""
        if number not in self._before:
            try:
                self._before[number] = self._what_if.estimate(self._statements[number].planned, ())
            except WhatIfError:
                self._before[number] = None
        return self._before[number]

    def _doubts(self, served: Sequence[int]) -> str:
        """Which of an index's statements may get slower by plans that read more than their cost counts."""
        found = []
        for number in served:
            before, after = self._now(number), self._after[number]
            if before is None or before.plan is None or after.plan is None:
                continue
            known = (self._catalog, self._costs.pool.by_name)
            pages = uncounted_pages(after.plan, *known)
            now = before.cost + CAREFUL_PAGE_PRICE * uncounted_pages(before.plan, *known)
            if after.cost + CAREFUL_PAGE_PRICE * pages > now:
                one = self._statements[number]
                found.append(f"{one.name or one.planned.shape_id} ({pages:,.0f} pages)")
        return _DOUBT.format(", ".join(found)) if found else ""


def _node(plan: Plan | None, candidate: IndexCandidate, *, by_index: bool = False) -> str | None:
    """How a plan gets at the index's table, in words."""
    if plan is None:
        return None
    table = candidate.table.rpartition(".")[2]
    nodes = list(plan.root.walk())
    if by_index:
        found = next((node for node in nodes if node.index == candidate.name), None)
    else:
        found = next((node for node in nodes if node.relation == table), None)
    if found is None:
        return None
    return f"{found.type} using {found.index}" if found.index else f"{found.type} on {table}"
