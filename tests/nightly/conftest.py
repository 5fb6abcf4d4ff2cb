"""What the tests of the nightly job share: real receivers of alerts, and a document to tell of."""

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

TESTS = Path(__file__).parent.parent
sys.path[:0] = [str(Path(__file__).parent), str(TESTS / "sources"), str(TESTS)]
from receivers import Hook, Post, serving  # noqa: E402 - its folder is put on the path above


@pytest.fixture
def hook() -> Iterator[Hook]:
    with serving(Hook()) as server:
        yield server


@pytest.fixture
def post() -> Iterator[Post]:
    with serving(Post()) as server:
        yield server


@pytest.fixture
def document() -> dict[str, Any]:
    """The parts of a report that alerts and metrics read, over the target and with two findings."""
    target: dict[str, Any] = {
        "ms": 100.0,
        "quantile": 0.95,
        "value_ms": 143.2,
        "low_ms": 143.2,
        "high_ms": 143.2,
        "method": "exact",
        "verdict": "missed",
        "executions": 1200,
        "request": {"unit": "transaction", "value_ms": 412.0, "verdict": "missed"},
        "client": None,
    }
    return {
        "target": target,
        "window": {"from": "2026-11-26T03:00:00Z", "to": "2026-11-27T03:00:00Z"},
        "findings": [
            {
                "key": "n-plus-one-1",
                "detector": "n-plus-one",
                "status": "new",
                "severity": "high",
                "title": 'orders <script> & "lines"\nload one by one',
            },
            {
                "key": "select-star-1",
                "detector": "select-star-wide",
                "status": "ongoing",
                "severity": "low",
                "title": "wide",
            },
        ],
        "detectors": [{"id": "n-plus-one"}, {"id": "write-loop"}, {"id": "select-star-wide"}],
    }
