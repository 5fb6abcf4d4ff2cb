"""--fail-on: each condition by itself, and what cannot be asked for."""

from typing import Any

import pytest

from analyzer.cli._conditions import FAIL_ON, exit_code, fail_conditions
from analyzer.errors import UsageError


def document(**more: object) -> dict[str, Any]:
    """A report in which everything is well."""
    target = {"verdict": "met", "request": {"verdict": "met"}}
    return {"target": target, "findings": [], "changes": [], **more}


def finding(status: str | None, severity: str = "low") -> dict[str, Any]:
    return {"severity": severity, "status": status}


@pytest.mark.parametrize(
    ("more", "held"),
    [
        ({}, set()),
        ({"target": {"verdict": "missed", "request": {"verdict": "met"}}}, {"target"}),
        ({"target": {"verdict": "met", "request": {"verdict": "missed"}}}, {"requests"}),
        ({"target": {"verdict": "unknown", "request": None}}, {"target", "requests"}),
        ({"findings": [finding("new")]}, {"findings", "new"}),
        ({"findings": [finding("ongoing"), finding(None)]}, {"findings"}),
        (
            {"findings": [finding("gone"), finding("acknowledged"), finding("new", "info")]},
            set(),
        ),
        ({"changes": [{"slower": False}, {"slower": True}]}, {"regression"}),
    ],
)
def test_each_condition(more: dict[str, Any], held: set[str]) -> None:
    asked = set(FAIL_ON) - {"never"}
    assert {one for one in asked if exit_code(document(**more), {one}) == 1} == held


def test_what_got_slower_may_be_judged_elsewhere() -> None:
    slower = document(changes=[{"slower": True}])
    assert exit_code(slower, {"regression"}, slower=False) == 0
    assert exit_code(document(), {"regression"}, slower=True) == 1


def test_conditions_are_read() -> None:
    assert fail_conditions("never") == set()
    assert fail_conditions(" target, requests,") == {"target", "requests"}
    assert fail_conditions("new", compares=True) == {"new"}
    with pytest.raises(UsageError, match="compare with earlier runs"):
        fail_conditions("target,new")
    with pytest.raises(UsageError, match="--fail-on requests: choose from target"):
        fail_conditions("requests", among=("target",))
