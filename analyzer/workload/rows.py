"""Some rows of a slice's columns."""

from collections.abc import Iterable

import numpy as np

from analyzer.model.columns import Column, Rows
from analyzer.model.executions import ByteTexts, ExecutionChunk

Columns = dict[str, Column]


def taken(columns: Columns, rows: Rows, names: Iterable[str]) -> Columns:
    """Some rows of the columns of these names."""
    return {name: columns[name].take(rows) for name in names}  # quicker than by an index


def standing_alone(chunk: ExecutionChunk, rows: Rows) -> ExecutionChunk | None:
    """Some rows with their own copies of their parameters (the slice's may go); None of none."""
    if len(rows) == 0:
        return None
    columns = taken(chunk.columns, rows, ExecutionChunk.NAMES)
    numbers = columns["parameters"]
    known = np.flatnonzero(numbers >= 0)
    texts = ByteTexts.some_of(chunk.parameters, numbers[known])
    columns["parameters"] = np.full(len(numbers), -1, dtype="i4")
    columns["parameters"][known] = np.arange(len(texts))
    return ExecutionChunk(columns, texts)
