"""Nights that are killed at random instants lose nothing and count nothing twice.

The benchmark that kills 300 (make bench-nightly), with a few.
"""

import importlib
import sys
from pathlib import Path
from types import ModuleType

import pytest

sys.path[:0] = [str(Path(__file__).parent.parent.parent / "benchmarks")]


@pytest.fixture(scope="module")
def kills() -> ModuleType:
    return importlib.import_module("nightly_kills")


@pytest.mark.parametrize("form", ["stderr", "csvlog", "jsonlog"])
def test_totals_are_those_of_one_pass(tmp_path: Path, kills: ModuleType, form: str) -> None:
    tally = kills.kill_nights(tmp_path, form, 5, seed=7, own=False)
    assert tally.killed == 5
    assert not tally.failed
    assert kills.executions(tmp_path / "whole.db") > 50
    assert kills.differences(tmp_path) == []
