"""Statements by shape: which one a key's text is an execution of, and whose it is."""

from collections.abc import Sequence

import numpy as np

from analyzer.model.columns import Column, Flags, Rows, distinct, grown, numbered_by_sight
from analyzer.model.statement import Kind, Role, Statement, StatementFacts
from analyzer.sql.identity import identify
from analyzer.workload.openers import CHECK, MAY, NEVER

_UNKNOWN = -2
_UNNUMBERED = -1
# Transaction control and the FETCH of a cursor stand wherever they are needed.
_OPENING = (Role.WORKLOAD, Role.SESSION, Role.HEALTH_CHECK)
_CONTROL = (Kind.TRANSACTION, Kind.UTILITY)


class StatementTable:
    """Statements numbered in order of first sight; each key's text is identified once."""

    def __init__(self, texts: Sequence[str]) -> None:
        """`texts` are those of the recording's keys; there may be more of them with every slice."""
        self._texts = texts
        self._by_key: list[Statement | None] = []
        self._numbers: dict[str, int] = {}
        self._number_of_key = np.zeros(0, dtype=np.int64)
        self._works = np.zeros(0, dtype=bool)
        self._own = np.zeros(0, dtype=bool)
        self._boundary = np.zeros(0, dtype=np.int8)
        self._opens = np.zeros(0, dtype=np.int8)
        self.kept: list[Statement] = []
        self.facts: list[StatementFacts | None] = []  # by key, None for one that was not asked for

    def of_key(self, key: int) -> Statement:
        """The statement that a key's text is an execution of."""
        self._fit(key + 1)
        statement = self._by_key[key]
        if statement is None:
            statement = self._by_key[key] = identify(self._texts[key])
            facts = self.facts[key] = statement.facts
            self._works[key] = facts.role is Role.WORKLOAD
            self._own[key] = facts.role is Role.OWN
            self._boundary[key] = facts.boundary
            self._opens[key] = _opens(facts)
            self._number_of_key[key] = _UNNUMBERED
        return statement

    def number(self, statement: Statement) -> int:
        """The statement's position in `kept`, added when new."""
        number = self._numbers.get(statement.shape_id)
        if number is None:
            number = len(self.kept)
            self._numbers[statement.shape_id] = number
            self.kept.append(statement)
        return number

    def known(self, statement: Statement) -> int | None:
        """The statement's position if it is kept already."""
        return self._numbers.get(statement.shape_id)

    def learn(self, keys: Column) -> None:
        """Identify every key among `keys`: the other methods on columns ask for that."""
        found = distinct(keys)
        if len(found):
            self._fit(int(found[-1]) + 1)
        for key in found[self._number_of_key[found] == _UNKNOWN].tolist():
            self.of_key(key)

    def numbers(self, keys: Column) -> Rows:
        """The statement's number of each row; new statements are numbered in the rows' order."""
        if len(keys) == 0:
            return np.zeros(0, dtype=np.int64)
        if (self._number_of_key[distinct(keys)] == _UNNUMBERED).any():
            for row in numbered_by_sight(keys)[1].tolist():
                key = int(keys[row])
                self._number_of_key[key] = self.number(self.of_key(key))
        found: Rows = self._number_of_key[keys]
        return found

    def works(self, keys: Column) -> Flags:
        """Whether each row is the team's own work."""
        flags: Flags = self._works[keys]
        return flags

    def own(self, keys: Column) -> Flags:
        """Whether each row was issued by pg95 itself."""
        flags: Flags = self._own[keys]
        return flags

    def boundaries(self, keys: Column) -> Column:
        """+1 for each row that opens a transaction, -1 for one that ends one."""
        found: Column = self._boundary[keys]
        return found

    def opens(self, keys: Column) -> Column:
        """Whether each row's statement may be what a request begins with: NEVER, MAY or CHECK."""
        found: Column = self._opens[keys]
        return found

    def _fit(self, size: int) -> None:
        missing = size - len(self._by_key)
        if missing > 0:
            self._by_key += [None] * missing
            self.facts += [None] * missing
            self._number_of_key = grown(self._number_of_key, size, _UNKNOWN)
            self._works = grown(self._works, size)
            self._own = grown(self._own, size)
            self._boundary = grown(self._boundary, size)
            self._opens = grown(self._opens, size)


def _opens(facts: StatementFacts) -> int:
    if facts.role not in _OPENING or facts.kind in _CONTROL:
        return NEVER
    return CHECK if facts.role is Role.HEALTH_CHECK else MAY
