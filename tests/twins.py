"""Holds a native function against the Python that it is the twin of: the same values, of the same kinds."""

from typing import Any

import numpy as np


def assert_same(twin: Any, *arguments: object) -> Any:  # noqa: ANN401 - a native function gives whatever its Python does
    """What a native function gives, once its Python (`__wrapped__`, analyzer/native.py) has given the same."""
    return assert_equal(twin(*arguments), twin.__wrapped__(*arguments))


def assert_equal(found: Any, expected: Any) -> Any:  # noqa: ANN401 - as above
    """`found`, once it is the column that is expected, all of the columns, or None."""
    if expected is None:
        assert found is None
        return None
    pairs = ((found, expected),)
    if not isinstance(expected, np.ndarray):
        pairs = tuple(zip(found, expected, strict=True))
    for mine, its in pairs:
        assert mine.dtype == its.dtype
        assert mine.tolist() == its.tolist()
    return found
