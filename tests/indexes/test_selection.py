"""Choosing a set of indexes from what a planner answers: together, instead of each other, and within limits."""

import time
from collections.abc import Collection, Sequence

import pytest

from analyzer.errors import WhatIfError
from analyzer.indexes.making import Maker
from analyzer.indexes.plan_costs import Limits, PlanCosts
from analyzer.indexes.pool import Pool
from analyzer.indexes.search import Terms
from analyzer.indexes.selection import Selected, Selector
from analyzer.model.catalog import Column, Table
from analyzer.model.index_candidate import IndexCandidate, IndexKey
from analyzer.model.what_if import PlanEstimate, PlannedStatement

MAKER = Maker(Table("t", tuple(Column(name, "integer") for name in "abcdefgh")), None)
Plans = Sequence[tuple[float, str]]  # cost, and the indexes it takes: "a" is (a), "ab" is (a, b)


def index(columns: str) -> IndexCandidate:
    return MAKER.make([IndexKey(one, "equality") for one in columns])


class Planner:
    """Takes of each statement's plans the cheapest whose indexes are offered, as a planner does."""

    method = "hypopg"

    def __init__(self, statements: dict[str, Plans]) -> None:
        self.calls = 0
        self._statements = statements

    def estimate(
        self, statement: PlannedStatement, indexes: Collection[IndexCandidate]
    ) -> PlanEstimate:
        self.calls += 1
        plans = self._statements[statement.sql]
        if not plans:
            raise WhatIfError("no plan")
        offered = {one.name for one in indexes}
        able = [
            (cost, names)
            for cost, text in plans
            if (names := frozenset(index(part).name for part in text.split())) <= offered
        ]
        return PlanEstimate(*min(able, key=lambda plan: plan[0]))

    def size_bytes(self, index: IndexCandidate) -> int | None:
        return len(index.columns)

    def refused(self, index: IndexCandidate) -> str | None:  # noqa: ARG002 - as the Protocol has it
        return None

    def close(self) -> None:
        pass


def chosen(
    statements: dict[str, Plans],
    sizes: dict[str, int],
    *,
    budget: int | None = None,
    prices: dict[str, float] | None = None,
    calls: int = 5000,
    own: dict[str, str] | None = None,
) -> tuple[set[str], Selected, Planner]:
    planner, pool = Planner(statements), Pool()
    for text, size in sizes.items():
        pool.add(index(text), size, (prices or {}).get(text, 0.0))
    every = (1 << len(sizes)) - 1
    planned = [PlannedStatement(name, name) for name in statements]
    seen = [every] * len(planned)
    made = [
        sum(1 << number for number, text in enumerate(sizes) if text in own[name].split())
        if own
        else every
        for name in statements
    ]
    costs = PlanCosts(planner, planned, pool, (made, seen), Limits(calls, time.monotonic() + 60))
    terms = Terms(budget, 0.001)
    selector = Selector(
        costs, [1.0] * len(planned), terms, (lambda _one: None, lambda _a, _b: None)
    )
    found = selector.select()
    names = {"".join(pool.candidates[place].columns) for place in pool.members(found.chosen)}
    return names, found, planner


def test_indexes_that_only_help_together_come_together() -> None:
    statements = {"join": [(100.0, ""), (10.0, "a c")], "other": [(50.0, ""), (45.0, "e")]}
    assert chosen(statements, {"a": 5, "c": 5, "e": 5}, budget=10)[0] == {"a", "c"}


def test_what_another_makes_superfluous_is_left_out() -> None:
    statements = {
        "one": [(100.0, ""), (20.0, "a"), (20.0, "ab")],
        "two": [(100.0, ""), (90.0, "a"), (5.0, "ab")],
    }
    assert chosen(statements, {"a": 3, "ab": 5})[0] == {"ab"}


def test_many_small_ones_may_be_worth_more_than_a_large_one() -> None:
    statements = {
        "large": [(100.0, ""), (10.0, "a")],
        "b": [(60.0, ""), (10.0, "b")],
        "c": [(60.0, ""), (10.0, "c")],
        "d": [(60.0, ""), (10.0, "d")],
    }
    sizes = {"a": 9, "b": 3, "c": 3, "d": 3}
    assert chosen(statements, sizes, budget=9)[0] == {"b", "c", "d"}
    assert chosen(statements, sizes, budget=8)[0] < {"b", "c", "d"}
    assert chosen(statements, sizes)[0] == {"a", "b", "c", "d"}


def test_an_index_made_for_one_statement_serves_another_beside_its_own() -> None:
    """The second statement would rather have (a, c), and nobody made (a, b) for it."""
    statements = {
        "one": [(100.0, ""), (10.0, "ab"), (5.0, "e")],
        "two": [(100.0, ""), (40.0, "ab"), (12.0, "ab d"), (10.0, "ac d")],
    }
    sizes = {"ab": 5, "ac": 5, "d": 2, "e": 7}
    own = {"one": "ab e", "two": "ac d"}
    assert chosen(statements, sizes, budget=7, own=own)[0] == {"ab", "d"}


def test_what_writers_pay_more_for_than_readers_gain_is_left_out() -> None:
    statements = {"one": [(100.0, ""), (20.0, "a"), (15.0, "ab")]}
    sizes = {"a": 3, "ab": 5}
    assert chosen(statements, sizes, prices={"a": 1.0, "ab": 30.0})[0] == {"a"}
    assert chosen(statements, sizes, prices={"a": 81.0, "ab": 86.0})[0] == set()


def test_few_questions_are_asked_and_limits_hold() -> None:
    statements: dict[str, Plans] = {
        name: [(100.0, ""), (30.0, name), (20.0, f"{name} h")] for name in "abcdefg"
    }
    sizes = dict.fromkeys("abcdefgh", 4)
    names, found, planner = chosen(statements, sizes)
    assert names == set("abcdefgh")
    assert found.finished
    assert planner.calls < 200  # of 2 ** 8 sets times 7 statements
    few, cut, asked = chosen(statements, sizes, calls=30)
    assert not cut.finished
    assert asked.calls <= 30
    assert few


def test_a_statement_without_a_plan_costs_only_itself() -> None:
    statements: dict[str, Plans] = {"broken": [], "one": [(100.0, ""), (20.0, "a")]}
    assert chosen(statements, {"a": 3})[0] == {"a"}


@pytest.mark.parametrize("budget", [0, 1])
def test_a_budget_that_holds_nothing(budget: int) -> None:
    assert chosen({"one": [(100.0, ""), (20.0, "a")]}, {"a": 3}, budget=budget)[0] == set()
