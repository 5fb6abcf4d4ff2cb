"""The chosen indexes told: whom each serves and how, what it costs, how it is built and undone."""

from collections.abc import Mapping, Sequence

from analyzer.errors import WhatIfError
from analyzer.indexes.building import created_index
from analyzer.indexes.candidates import trade_off
from analyzer.indexes.plan_costs import PlanCosts
from analyzer.indexes.writes import TableWrites, price, shown
from analyzer.model.catalog import Catalog
from analyzer.model.index_advice import CreatedIndex, StatementGain
from analyzer.model.index_candidate import IndexCandidate
from analyzer.model.index_request import AdvisedStatement
from analyzer.model.plan import Plan
from analyzer.model.what_if import PlanEstimate, WhatIf

_OPTIMISM = (
    "Not verified by execution: the planner's estimate with an index that does not exist yet, which is a "
    "little optimistic; compare EXPLAIN (ANALYZE, BUFFERS) before and after"
)


class Telling:
    """Asks for the plans of the chosen set once more, and writes them down."""

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
            if indexes and number not in self._after and number not in self._costs.failed:
                try:
                    self._after[number] = self._what_if.estimate(one.planned, indexes)
                except WhatIfError:  # a timeout: it counts as served by nothing
                    continue
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
        return created_index(
            candidate,
            self._catalog,
            size=size,
            statements=[self._served(number, candidate) for number in order],
            write_cost=costs,
            verified_by="what-if",
            risk=f"{trade_off(table, candidate.keys, size, candidate.method)} {_OPTIMISM}",
        )

    def _served(self, number: int, candidate: IndexCandidate) -> StatementGain:
        one, after = self._statements[number], self._after[number]
        try:
            before = self._what_if.estimate(one.planned, ())
        except WhatIfError:  # it was planned before; the server changed its mind
            before = None
        return StatementGain(
            shape_id=one.planned.shape_id,
            cost_before=round(self._costs.base[number], 2),
            cost_after=round(after.cost, 2),
            node_before=_node(before.plan, candidate) if before else None,
            node_after=_node(after.plan, candidate, by_index=True),
            name=one.name,
            weight=one.planned.weight,
        )


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
