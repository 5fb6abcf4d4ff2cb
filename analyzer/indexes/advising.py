"""Index advice by what-if: the workload resolved, candidates made and measured, a set chosen and told."""

import time
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import field, replace

from analyzer.indexes.generation import candidates_of, is_tiny
from analyzer.indexes.loops import uncounted_pages
from analyzer.indexes.making import Maker
from analyzer.indexes.merging import merged
from analyzer.indexes.partial import Asked, HeldRows
from analyzer.indexes.partitions import Partitions
from analyzer.indexes.plan_costs import Limits, PlanCosts
from analyzer.indexes.pool import Pool
from analyzer.indexes.relevance import relevant
from analyzer.indexes.search import Terms
from analyzer.indexes.selection import Progress, Selected, Selector
from analyzer.indexes.telling import Telling
from analyzer.indexes.writes import TableWrites, add_up, price
from analyzer.model.access import StatementAccess
from analyzer.model.catalog import Catalog
from analyzer.model.index_advice import CreatedIndex
from analyzer.model.index_candidate import IndexCandidate
from analyzer.model.index_request import AdvisedStatement, AdvisedWorkload, IndexRequest
from analyzer.model.plan import Plan
from analyzer.model.what_if import WhatIf
from analyzer.records import changing, record
from analyzer.sql.access import statement_access

_ASKING = (
    0.85  # of the seconds: what is left is for choosing among what was learned, and telling it
)
_TELLING = 4  # questions a statement that telling the choice may ask beyond the search
_LEAST_SHARE = 0.0005  # of the workload's cost, that an index has to bring where no budget is given
_LEAST_UNDER_BUDGET = 1e-7
_REASONS = 5  # that are told one by one


@record
class Tried:
    """What came of it.

    `candidates` are the chosen ones, `refused` those that this way cannot try, with the reason.

    Costs are the workload's, in planner units times executions. `unanswered` are questions that count as
    "nothing gained" because the planner did not answer them, by reason. `notes` are for the coverage.
    """

    create: tuple[CreatedIndex, ...]
    cost_before: float
    cost_after: float
    calls: int
    bytes: int
    finished: bool
    candidates: tuple[IndexCandidate, ...] = ()
    refused: tuple[tuple[IndexCandidate, str], ...] = ()
    unanswered: Mapping[str, int] = field(default_factory=dict)
    notes: tuple[str, ...] = ()


def advise_by_what_if(
    workload: AdvisedWorkload,
    catalog: Catalog,
    what_if: WhatIf,
    request: IndexRequest,
    progress: Callable[[str], None] | None = None,
) -> Tried:
    """The best set of indexes for the workload, as the planner estimates.

    Args:
        workload: statements with weights; writes among them count against indexes.
        catalog: tables with their statistics and the indexes that exist.
        what_if: who is asked.
        request: budget, width and limits.
        progress: told what is being done.
    """
    return _Advising(workload, catalog, what_if, request, progress).run()


@changing
class _Reading:
    """The workload resolved: statements with their accesses, and what could not be."""

    statements: list[AdvisedStatement] = field(default_factory=list)
    accesses: list[StatementAccess] = field(default_factory=list)
    unread: int = 0
    unresolved: Counter[str] = field(default_factory=Counter)


class _Advising:
    def __init__(
        self,
        workload: AdvisedWorkload,
        catalog: Catalog,
        what_if: WhatIf,
        request: IndexRequest,
        progress: Progress | None,
    ) -> None:
        self._catalog = catalog
        self._what_if = what_if
        self._request = request
        self._progress = progress or (lambda _text: None)
        self._left_out = workload.left_out
        self._reading = _resolved(workload.statements, catalog)
        self._writes = _writes(self._reading)
        self._partitioned = frozenset(table.partition_of for table in catalog)
        self._begun = what_if.calls
        self._held = HeldRows(what_if)
        self._pool = Pool()
        self._refused: dict[str, tuple[IndexCandidate, str]] = {}

    def run(self) -> Tried:
        """Do it."""
        self._progress("candidates")
        own = [self._made_for(number) for number in range(len(self._reading.statements))]
        seen = [relevant(access, self._pool) for access in self._reading.accesses]
        planned = [one.planned for one in self._reading.statements]
        weights = [one.weight for one in planned]
        request = self._request
        limits = Limits(
            self._begun + request.max_calls - _TELLING * len(planned),
            time.monotonic() + _ASKING * request.max_seconds,
        )
        about = (own, seen)
        costs = PlanCosts(self._what_if, planned, self._pool, about, limits, self._uncounted)
        before = sum(weight * cost for weight, cost in zip(weights, costs.base, strict=True))
        share = _LEAST_SHARE if request.budget_bytes is None else _LEAST_UNDER_BUDGET
        terms = Terms(request.budget_bytes, share * before)
        selector = Selector(costs, weights, terms, (self._measured, self._merged), self._progress)
        selected = selector.select()
        return self._told(costs, selected, before)

    def _uncounted(self, plan: Plan) -> float:
        """What the planner leaves out of a plan's cost: what its loops read and it does not count."""
        price = self._request.page_price
        return price * uncounted_pages(plan, self._catalog, self._pool.by_name) if price else 0.0

    def _made_for(self, number: int) -> int:
        """The set of candidates that a statement gives rise to."""
        found = 0
        statement = self._reading.statements[number]
        asked = Asked(statement.constants, statement.fixed)
        for access in self._reading.accesses[number].accesses:
            for made in candidates_of(access, self._catalog, self._request.max_width, asked):
                place = self._pool.number(made)
                if place is None:
                    one = self._held.measured(made, self._catalog.table(made.table))
                    measured = self._measured(one) if one is not None else None
                    if one is None or measured is None:
                        continue
                    place = self._pool.add(one, *measured)
                found |= 1 << place
        return found

    def _measured(self, candidate: IndexCandidate) -> tuple[int, float] | None:
        """Size and price of a candidate; None where this way cannot try it, or it is not wanted."""
        if candidate.name in self._request.without:
            return None
        why_not = self._what_if.refused(candidate)
        if why_not is not None:
            self._refused.setdefault(candidate.sql, (candidate, why_not))
            return None
        size = self._size(candidate)
        table = self._catalog.table(candidate.table)
        if size is None or table is None:
            return None
        writes = self._writes.get(candidate.table)
        return size, price(candidate, table, writes, size, self._request.write_cost).cost

    def _size(self, candidate: IndexCandidate) -> int | None:
        # Of a partitioned table HypoPG knows no rows, unless somebody analyzed the table itself.
        estimated = self._request.size_model == "estimate" or candidate.table in self._partitioned
        if estimated and candidate.bytes is not None:
            return candidate.bytes
        own = self._what_if.size_bytes(
            candidate
        )  # of a partial one it knows how many rows it holds
        return own if own is not None else candidate.bytes

    def _merged(self, first: IndexCandidate, second: IndexCandidate) -> IndexCandidate | None:
        table = self._catalog.table(first.table)
        if table is None or first.table != second.table:
            return None
        made = merged(first, second, Maker(table, self._catalog))
        return self._held.measured(made, table) if made is not None else None

    def _told(self, costs: PlanCosts, selected: Selected, before: float) -> Tried:
        telling = Telling(
            costs, self._what_if, self._reading.statements, self._catalog, self._writes
        )
        created = telling.created(selected.chosen, self._request.write_cost)
        unanswered = costs.unanswered + Counter(telling.unanswered.values())
        method = self._what_if.method
        return Tried(
            create=created,
            cost_before=before,
            cost_after=telling.cost(selected.chosen),
            calls=self._what_if.calls,
            bytes=self._pool.size(selected.chosen),
            finished=selected.finished,
            candidates=tuple(
                self._pool.candidates[place] for place in self._pool.members(selected.chosen)
            ),
            refused=tuple(self._refused.values()),
            unanswered=dict(unanswered.most_common()),
            notes=(*self._notes(costs), *_untold(unanswered, self._refused.values(), method)),
        )

    def _notes(self, costs: PlanCosts) -> list[str]:
        """What was left out and why, for the coverage."""
        reading, method = self._reading, self._what_if.method
        notes = [
            f"index advice: {count} statements left out: {why}" for why, count in self._left_out
        ]
        if reading.unread:
            notes.append(
                f"index advice: {reading.unread} statements could not be resolved (no single query)"
            )
        if reading.unresolved:
            names = ", ".join(name for name, _ in reading.unresolved.most_common(5))
            notes.append(
                f"index advice: {sum(reading.unresolved.values())} statements name what the catalog "
                f"does not have ({names}); their other tables count"
            )
        for why, count in Counter(costs.failed.values()).most_common():
            notes.append(
                f"index advice: {count} statements could not be planned by {method}: {why}"
            )
        return notes


def _untold(
    unanswered: Mapping[str, int], refused: Iterable[tuple[IndexCandidate, str]], method: str
) -> list[str]:
    """What the advice does not know, because its planner did not say: the most frequent reasons first."""
    notes = [
        f"index advice: {count} what-if questions were not answered by {method}, so what these indexes would "
        f"bring is not known and counts as nothing: {why}"
        for why, count in list(unanswered.items())[:_REASONS]
    ]
    if len(unanswered) > _REASONS:
        left = sum(list(unanswered.values())[_REASONS:])
        notes.append(f"index advice: {left} more what-if questions were not answered by {method}")
    reasons = Counter(why for _, why in refused)
    notes += [
        f"index advice: {count} candidates could not be tried by {method}: {why}"
        for why, count in reasons.most_common(_REASONS)
    ]
    return notes


def _resolved(statements: Sequence[AdvisedStatement], catalog: Catalog) -> _Reading:
    reading, partitions = _Reading(), Partitions(catalog)
    for one in statements:
        access = statement_access(one.planned.sql, catalog)
        if access is None:
            reading.unread += 1
            continue
        if access.unresolved:
            reading.unresolved[access.unresolved[0]] += 1
        whole = [replace(use, table=partitions.root(use.table)) for use in access.accesses]
        kept = [use for use in whole if not _tiny(use.table, catalog)]
        writes = [replace(use, table=partitions.root(use.table)) for use in access.writes]
        reading.statements.append(one)
        reading.accesses.append(replace(access, accesses=tuple(kept), writes=tuple(writes)))
    return reading


def _tiny(name: str, catalog: Catalog) -> bool:
    table = catalog.table(name)
    return table is None or is_tiny(table)


def _writes(reading: _Reading) -> dict[str, TableWrites]:
    return add_up(
        (write, one.planned.weight * one.rows)
        for one, access in zip(reading.statements, reading.accesses, strict=True)
        for write in access.writes
    )
