"""Stores of both kinds for every test that asks for one."""

import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Protocol

import numpy as np
import pytest

from analyzer.history import open_store
from analyzer.history.store import Store
from analyzer.model.columns import Floats

sys.path.insert(0, str(Path(__file__).parent))


class Postgres(Protocol):
    dsn: str

    def create_database(self, name: str) -> str: ...
    def psql(self, sql: str, dsn: str | None = None) -> str: ...


@pytest.fixture(params=["sqlite", "postgresql"])
def where(request: pytest.FixtureRequest, tmp_path: Path, postgres15: Postgres) -> str:
    """The address of a store that is not there yet, in a file and on a server."""
    if request.param == "sqlite":
        return str(tmp_path / "kept" / "history.db")
    return postgres15.create_database("history")


@pytest.fixture
def store(where: str) -> Iterator[Store]:
    with open_store(where) as opened:
        yield opened


@pytest.fixture
def draw() -> Callable[[int], Floats]:
    """Log-normal durations from a seed, median 20 ms."""
    generator = np.random.default_rng(95)
    return lambda count: np.asarray(generator.lognormal(3.0, 0.8, count))
