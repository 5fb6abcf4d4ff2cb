"""`/* pg95:ignore n-plus-one */` in statements: which detectors are told to pass them over."""

from collections.abc import Mapping, Sequence

import numpy as np

from analyzer.model.columns import Column, Rows
from analyzer.patterns import regex
from analyzer.workload.comment_numbers import NONE, CommentNumbers
from analyzer.workload.totals import Totals

_MARK = "pg95:ignore"
_DIRECTIVE = regex(
    r"pg95:ignore[ \t]+([a-z][a-z0-9-]{0,40}(?:[ \t]*,[ \t]*[a-z][a-z0-9-]{0,40}){0,9})"
)
_WIDE = 1 << 32


class Ignored:
    """Counts, by statement, the executions whose comments name detectors (or "all")."""

    def __init__(self, comments: Sequence[str]) -> None:
        """`comments` are the recording's; there may be more of them with every slice."""
        self._of_comments = CommentNumbers(comments, self._number)
        self._sets: dict[frozenset[str], int] = {}
        self._marked = Totals()

    def add(self, statement: Rows, comments: Column, found: Rows) -> None:
        """Executions: each one's statement and comment (numbers, -1 none), and which comments these are."""
        self._of_comments.learn(found)
        if not self._sets:  # nearly always
            return
        numbers = self._of_comments.of(comments)
        marked = np.flatnonzero(numbers >= 0)
        self._marked.count(statement[marked].astype(np.int64) * _WIDE + numbers[marked])

    def _number(self, comment: str) -> int:
        names = read_ignored(comment)
        return self._sets.setdefault(names, len(self._sets)) if names else NONE

    def by_statement(self, executions: Mapping[int, int]) -> dict[int, frozenset[str]]:
        """The detectors that every execution of a statement names, by statement.

        `executions` is how many there were of each.
        """
        keys, counts = self._marked.items()
        sets = list(self._sets)
        found: dict[int, tuple[int, frozenset[str]]] = {}
        for key, count in zip(keys.tolist(), counts.tolist(), strict=True):
            statement, names = key // _WIDE, sets[key % _WIDE]
            before, known = found.get(statement, (0, names))
            found[statement] = (before + count, known & names)
        return {
            statement: names
            for statement, (count, names) in found.items()
            if names and count >= executions.get(statement, 0)
        }


def read_ignored(comment: str) -> frozenset[str]:
    """The detectors that a comment names."""
    if _MARK not in comment:
        return frozenset()
    found = _DIRECTIVE.findall(comment)
    return frozenset(name.strip() for part in found for name in part.split(","))
