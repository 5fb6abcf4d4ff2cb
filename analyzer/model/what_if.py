"""What a statement would cost if indexes were there: asked of a planner, nothing is executed.

Index advice chooses with a `WhatIf` that the pipeline hands in: HypoPG on a server
(`sources/postgres/hypopg.py`) or a throwaway clone (`sources/postgres/clone/`).
"""

from collections.abc import Collection
from dataclasses import dataclass
from typing import Protocol

from analyzer.model.index_candidate import IndexCandidate
from analyzer.model.plan import Plan


@dataclass(frozen=True, slots=True)
class PlannedStatement:
    """One statement to be planned; it is never executed.

    `sql` is one statement without a semicolon; parameters whose values are known stand in it as
    literals, others stay `$n` and are planned generically. `weight` is its executions in the window.
    """

    shape_id: str
    sql: str
    weight: float = 1.0


@dataclass(frozen=True, slots=True)
class PlanEstimate:
    """A statement's plan under a set of indexes.

    `cost` is the planner's total cost of the whole statement. `indexes` are the names of all
    indexes in the plan: those of candidates (`IndexCandidate.name`) and those that exist.
    `plan` is the tree, for the node before and after.
    """

    cost: float
    indexes: frozenset[str]
    plan: Plan | None = None


class WhatIf(Protocol):
    """A planner that can be asked. `method` is hypopg or clone, `calls` the EXPLAINs so far."""

    @property
    def method(self) -> str:
        """Which way this is: what `verified_by` and the coverage name."""

    @property
    def calls(self) -> int:
        """How many statements were planned so far."""

    def estimate(
        self, statement: PlannedStatement, indexes: Collection[IndexCandidate]
    ) -> PlanEstimate:
        """Plan the statement as if exactly these candidates stood beside what exists.

        Raises:
            WhatIfError: this statement cannot be planned (the message says why).
            ServerError: the planner is gone.
        """

    def size_bytes(self, index: IndexCandidate) -> int | None:
        """The planner's own estimate of an index's size, None where it has none."""

    def refused(self, index: IndexCandidate) -> str | None:
        """Why this planner cannot try such an index (a method, an extension), None if it can."""

    def close(self) -> None:
        """Leave nothing behind."""
