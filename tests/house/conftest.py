"""What the tests of the house share: where the checkout is."""

from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def checkout() -> Path:
    """The folder with pyproject.toml."""
    top = Path(__file__).resolve().parents[2]
    assert (top / "pyproject.toml").is_file()
    return top
