"""A look at the values of some executions: where patterns begin, how long lists are.

A statement's text does not tell whether `LIKE $1` gets '%x', or how many items an IN list has (its
length is no part of the shape). Of each statement that raises the question some executions are
looked at while they pass by, and what is kept are counts and lengths, never a value.
"""

from collections.abc import Sequence
from dataclasses import field

import numpy as np

from analyzer.detectors._guard import Guard
from analyzer.model.columns import Flags, grown
from analyzer.model.statement import Hindrance, Kind, Statement, StatementFacts
from analyzer.model.work import WorkSlice
from analyzer.patterns import regex
from analyzer.records import changing
from analyzer.sql.obstacles import starts_anywhere
from analyzer.sql.parameters import Values, values_in
from analyzer.sql.survey import MANY

MOST = 64  # executions of a statement in the whole run
MOST_OF_SLICE = 16
LIST_MARK = " /*, ... */"  # what the normalised text writes for the items beyond the first
_PARAMETER = regex(r"\$\d+(?! /\*)")
_LIST = regex(r"\$\d+ /\*, \.\.\. \*/")


@changing
class PatternSeen:
    """Of the patterns that were looked at: how many there were, and how many match anywhere."""

    looked_at: int = 0
    anywhere: int = 0


@changing
class ValuesSeen:
    """Of one statement: patterns by the obstacle's position, and the items of its lists."""

    looked_at: int = 0
    patterns: dict[int, PatternSeen] = field(default_factory=dict)
    items: list[int] = field(default_factory=list)


def asks_for_values(statement: Statement) -> bool:
    """Whether something about a statement shows in its values alone."""
    return has_list(statement) or any(
        obstacle.hindrance is Hindrance.PATTERN and obstacle.parameter
        for obstacle in statement.facts.obstacles
    )


def has_list(statement: Statement) -> bool:
    """Whether a statement has an IN list of several values (see Identity in architecture.md)."""
    if statement.facts.kind is Kind.INSERT:
        return False
    return LIST_MARK in statement.sql or MANY in statement.shape_id.split("-")[1:]


class ValueSamples:
    """Looks at each slice for the detectors that ask when all were seen."""

    def __init__(self) -> None:
        self._wanted: Flags = np.zeros(0, dtype=bool)  # by statement
        self._known = 0  # statements
        self._seen: dict[int, ValuesSeen] = {}
        self._guard = Guard()

    def observe(self, work: WorkSlice) -> None:
        """Look at some executions of a slice. What goes wrong is raised when `of` is called."""
        if len(work):
            self._guard.look(lambda: self._look(work), None)

    def of(self, number: int) -> ValuesSeen:
        """What was seen of the statement at a position of Workload.statements."""
        self._guard.settle()
        return self._seen.get(number, ValuesSeen())

    def _look(self, work: WorkSlice) -> None:
        self._learn(work.statements)
        if not self._wanted.any():
            return
        for some in work.some_with_values(self._wanted, MOST_OF_SLICE):
            number = int(work.statement[some[0]])
            seen = self._seen.setdefault(number, ValuesSeen())
            for row in some.tolist():
                self._look_at(work, row, seen)
            if seen.looked_at >= MOST:
                self._wanted[number] = False

    def _learn(self, statements: Sequence[Statement]) -> None:
        if len(statements) > self._known:
            self._wanted = grown(self._wanted, len(statements))
            for number in range(self._known, len(statements)):
                self._wanted[number] = asks_for_values(statements[number])
            self._known = len(statements)

    def _look_at(self, work: WorkSlice, row: int, seen: ValuesSeen) -> None:
        values = values_in(work.texts[int(work.parameters[row])])
        statement = work.statements[int(work.statement[row])]
        facts = work.key_facts[int(work.key[row])] or statement.facts
        seen.looked_at += 1
        _note_patterns(values, facts, seen)
        if has_list(statement):
            lists = len(_LIST.findall(statement.sql))
            # Without a mark (the items are cast) the other values are not told apart: they are few.
            others = len(set(_PARAMETER.findall(statement.sql))) if lists else 0
            seen.items.append(max(1, (len(values.items) - others) // max(1, lists)))


def _note_patterns(values: Values, facts: StatementFacts, seen: ValuesSeen) -> None:
    for place, obstacle in enumerate(facts.obstacles):
        if obstacle.hindrance is not Hindrance.PATTERN:
            continue
        value = values.at(obstacle.parameter)
        anywhere = starts_anywhere(_unquoted(value), obstacle.operator) if value else None
        if anywhere is not None:
            found = seen.patterns.setdefault(place, PatternSeen())
            found.looked_at += 1
            found.anywhere += anywhere


def _unquoted(value: str) -> str:
    """A value without the quotes that a log's DETAIL or a statement's text puts around it."""
    inside = value[1:] if value[:1] in "eEnN" and value[1:2] == "'" else value
    return inside[1:-1] if len(inside) > 1 and inside[0] == inside[-1] == "'" else inside
