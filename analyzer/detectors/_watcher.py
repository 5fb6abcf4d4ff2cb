"""What passes over slices beside the search for loops: a watcher keeps figures and lets rows go."""

from abc import ABC, abstractmethod
from collections.abc import Sequence

import numpy as np

from analyzer.detectors._guard import Guard
from analyzer.detectors._places import NONE
from analyzer.model.columns import Column, Rows, distinct, grown
from analyzer.model.statement import Statement, StatementFacts
from analyzer.model.work import WorkSlice
from analyzer.sql.parameters import Values, values_in


class Watcher(ABC):
    """Watches slices of executions for one detector.

    What goes wrong is raised when `settle` is called: it costs that detector, never the report.
    """

    def __init__(self) -> None:
        self._guard = Guard()

    def observe(self, work: WorkSlice, covered: Rows = NONE) -> Rows:
        """Look at a slice; gives the rows (row numbers) that this watcher explains.

        `covered` are rows that others have explained already.
        """
        return self._guard.look(lambda: self._watch(work, covered), NONE)

    def settle(self) -> None:
        """Raise what went wrong on the way."""
        self._guard.settle()

    @abstractmethod
    def _watch(self, work: WorkSlice, covered: Rows) -> Rows: ...


class Learned(ABC):
    """A number per statement, worked out once for each from its facts."""

    def __init__(self) -> None:
        self._values: list[int] = []

    def of(self, statements: Sequence[Statement]) -> Column:
        """The numbers of all statements."""
        for statement in statements[len(self._values) :]:
            self._values.append(self._judge(statement))
        return np.array(self._values, dtype=np.int64)

    @abstractmethod
    def _judge(self, statement: Statement) -> int: ...


class LearnedKeys(ABC):
    """A number (≥ 0) per text, worked out once for each from its own facts.

    Texts of one shape may differ in having a LIMIT or an OFFSET: a fingerprint does not see them.
    """

    def __init__(self) -> None:
        self._values = np.zeros(0, dtype=np.int64)

    def by_text(self, work: WorkSlice) -> Column:
        """The numbers of all texts; -1 of those that were in no slice so far."""
        self._values = grown(self._values, len(work.key_facts), -1)
        keys = distinct(work.key)
        for key in keys[self._values[keys] < 0].tolist():
            facts = work.key_facts[key]
            self._values[key] = 0 if facts is None else self._judge(facts)
        return self._values

    @abstractmethod
    def _judge(self, facts: StatementFacts) -> int: ...


def values_of(work: WorkSlice, row: int) -> Values:
    """The values of a row; none where they were not logged."""
    number = int(work.parameters[row])
    return values_in(work.texts[number]) if number >= 0 else Values()
