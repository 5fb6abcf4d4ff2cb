"""What `--verify` runs, told in what it does instead of how long it takes: verdicts that no busy machine changes."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from analyzer.model.explain import Sample
from analyzer.sources.postgres.scratch_side import Side

Plan = dict[str, Any]


def pages(plan: Plan) -> float:
    """The pages that a plan's execution touched."""
    return float(plan["Shared Hit Blocks"] + plan["Shared Read Blocks"])


def rows(plan: Plan) -> float:
    """The rows that a plan's nodes gave each other."""
    return sum(float(node["Actual Rows"] * node["Actual Loops"]) for node in _nodes(plan))


def count_work(monkeypatch: pytest.MonkeyPatch, work: Callable[[Plan], float]) -> None:
    """From here on a statement on a scratch server takes as many ms as it does work.

    Everything else is as it is: it is run, with the plan that the server makes.
    """

    def counted(self: Side, sample: Sample) -> tuple[float, Plan]:
        plan = self._explained(sample, "ANALYZE, BUFFERS, TIMING OFF, FORMAT JSON")["Plan"]
        return work(plan), plan

    monkeypatch.setattr(Side, "run", counted)


def _nodes(plan: Plan) -> Iterator[Plan]:
    yield plan
    for child in plan.get("Plans", ()):
        yield from _nodes(child)
