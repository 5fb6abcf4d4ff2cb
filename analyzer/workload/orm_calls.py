"""Which call of an ORM sends each statement, where comments tell (Prisma's `prismaQuery` tag)."""

from collections.abc import Sequence

import numpy as np

from analyzer.model.columns import Column, Rows
from analyzer.workload.comment_numbers import NONE, CommentNumbers
from analyzer.workload.tags import read_call
from analyzer.workload.totals import Totals

_MOST_CALLS = 5_000  # different ones; what comes beyond is not told
_WIDE = 1 << 32


class OrmCalls:
    """Counts, by statement, the calls that its executions name."""

    def __init__(self, comments: Sequence[str]) -> None:
        """`comments` are the recording's; there may be more of them with every slice."""
        self._of_comments = CommentNumbers(comments, self._number)
        self._numbers: dict[str, int] = {}
        self._counts = Totals()

    def add(self, statement: Rows, comments: Column, found: Rows) -> None:
        """Executions: each one's statement and comment (numbers, -1 none), and which comments these are."""
        self._of_comments.learn(found)
        if self._numbers:
            numbers = self._of_comments.of(comments)
            told = np.flatnonzero(numbers >= 0)
            self._counts.count(statement[told].astype(np.int64) * _WIDE + numbers[told])

    def by_statement(self) -> dict[int, tuple[str, ...]]:
        """The calls of each statement that names any, most frequent first."""
        keys, counts = self._counts.items()
        names = list(self._numbers)
        found: dict[int, list[tuple[int, str]]] = {}
        for key, count in zip(keys.tolist(), counts.tolist(), strict=True):
            found.setdefault(key // _WIDE, []).append((-count, names[key % _WIDE]))
        return {number: tuple(name for _, name in sorted(calls)) for number, calls in found.items()}

    def _number(self, comment: str) -> int:
        call = read_call(comment)
        if call is None or (call not in self._numbers and len(self._numbers) >= _MOST_CALLS):
            return NONE
        return self._numbers.setdefault(call, len(self._numbers))
