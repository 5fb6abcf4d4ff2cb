"""A workload's executions as arrays, in the orders in which loops are looked for.

Everything here works on row numbers of `Workload.executions`.
"""

from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from analyzer.detectors._links import lookups
from analyzer.model.executions import Clock
from analyzer.model.workload import Workload
from analyzer.sql.parameters import split_parameters

Rows = npt.NDArray[np.int64]
Flags = npt.NDArray[np.bool_]
NONE = np.zeros(0, dtype=np.int64)


class ExecutionRows:
    """Columns read once.

    `place` orders rows by unit of work, then time; `pool` numbers the (database, user,
    application) whose connections may share a unit of work, -1 for traced rows and clients.
    """

    def __init__(self, workload: Workload) -> None:
        table = workload.executions
        self.workload = workload
        self.count = len(table)
        self.statement = _column(table, "statement")
        self.request = _column(table, "request")
        self.end = _column(table, "end_us")
        self._parameters = _column(table, "parameters")
        self._key = _column(table, "key")
        traced = _column(table, "trace") >= 0
        numbers = np.arange(self.count)
        # A trace runs over several sessions; elsewhere the table's order is the log's.
        at = np.where(traced, _column(table, "at"), 0)
        order = np.lexsort((numbers, at, self.request))
        self.place = np.empty(self.count, dtype=np.int64)
        self.place[order] = numbers
        pool = table.groupby(["database", "user", "application"]).ngroup().to_numpy()
        server = (table["clock"] == Clock.SERVER).to_numpy()
        self.pool = np.where(~traced & server, pool, -1)
        self._by_statement = _grouped(self.statement, self.place)
        self._ends: dict[int, Rows] = {}
        self._values: dict[tuple[int, int], str | None] = {}

    def run_between(self, pool: int, start: Rows, end: Rows) -> Rows:
        """How many executions of a pool ended within each [start, end] (µs)."""
        if pool not in self._ends:
            self._ends[pool] = np.sort(self.end[self.pool == pool])
        times = self._ends[pool]
        counts: Rows = np.searchsorted(times, end, side="right") - np.searchsorted(times, start)
        return counts

    def of_statement(self, number: int) -> Rows:
        """All rows of a statement, by unit of work and time."""
        return self._by_statement.get(number, NONE)

    def beside(self, rows: Rows) -> list[int]:
        """The statements that run in the same units of work or pools as these rows."""
        near = np.isin(self.request, self.request[rows])
        pools = np.unique(self.pool[rows])
        pools = pools[pools >= 0]
        if len(pools):
            near |= np.isin(self.pool, pools)
        return [int(number) for number in np.unique(self.statement[near])]

    def same_parameters(self, rows: Rows) -> Rows:
        """A number per row, equal where the parameters' text is; -1 where none was logged."""
        numbers: Rows = self._parameters[rows]
        return numbers

    def value(self, row: int, place: int) -> str | None:
        """The value that the place-th lookup of the row's statement is done with."""
        found = lookups(self.workload.key_facts[int(self._key[row])])
        if place >= len(found):
            return None
        return self._parameter(int(self._parameters[row]), found[place].parameter)

    def limit(self, row: int) -> int | None:
        """The most rows that the execution can have returned, None where nothing tells."""
        facts = self.workload.key_facts[int(self._key[row])]
        if facts.limit_parameter:
            text = self._parameter(int(self._parameters[row]), facts.limit_parameter)
            digits = (text or "").strip("'")
            if digits.isdecimal() and len(digits) < 18:  # noqa: PLR2004 - an int64
                return int(digits)
        return facts.limit if facts.limit is not None and facts.limit >= 0 else None

    def _parameter(self, text: int, parameter: int) -> str | None:
        if text < 0:
            return None
        known = (text, parameter)
        if known not in self._values:
            values = split_parameters(self.workload.parameters[text])
            at = parameter - 1 if parameter > 0 else -parameter - 1
            self._values[known] = values[at] if at < len(values) else None
        return self._values[known]

    def distinct_lookups(self, rows: Rows, groups: Rows, count: int) -> Rows:
        """How many different lookups each group (0..count-1) of rows does.

        Values that were not logged count as different.
        """
        if len(rows) == 0:
            return np.zeros(count, dtype=np.int64)
        several = len(lookups(self.workload.key_facts[int(self._key[rows[0]])]))
        # Each distinct parameter text is read once, however many executions have it.
        texts, inverse = np.unique(self._parameters[rows], return_inverse=True)
        first = np.full(len(texts), -1, dtype=np.int64)
        first[inverse[::-1]] = rows[::-1]
        known: dict[tuple[str | None, ...], int] = {}
        codes = np.empty(len(texts), dtype=np.int64)
        for number, row in enumerate(first.tolist()):
            values = tuple(self.value(row, place) for place in range(several))
            codes[number] = known.setdefault(values, len(known))
        code = np.where(self._parameters[rows] < 0, -1 - np.arange(len(rows)), codes[inverse])
        pairs = np.unique(np.stack([groups, code]), axis=1)
        return np.bincount(pairs[0], minlength=count).astype(np.int64)


def _column(table: pd.DataFrame, name: str) -> Rows:
    return table[name].to_numpy(dtype=np.int64)


def _grouped(values: Rows, place: Rows) -> dict[int, Rows]:
    """Row numbers by value, each group in the order of `place`."""
    if len(values) == 0:
        return {}
    order = np.lexsort((place, values))
    found, starts = np.unique(values[order], return_index=True)
    parts: list[Any] = np.split(order, starts[1:])
    return {int(value): part for value, part in zip(found, parts, strict=True)}
