"""What comments of statements say, as a number for each: every comment is read once, however often it comes."""

from collections.abc import Callable, Sequence

import numpy as np

from analyzer.model.columns import Column, Rows, grown

NONE = -1
_UNREAD = -2


class CommentNumbers:
    """Numbers by comment; `read` says the number of what a comment tells, NONE of nothing."""

    def __init__(self, comments: Sequence[str], read: Callable[[str], int]) -> None:
        """`comments` are the recording's; there may be more of them with every slice."""
        self._comments = comments
        self._read = read
        self._of_comment = np.zeros(0, dtype=np.int64)

    def learn(self, found: Rows) -> None:
        """Read the comments of these numbers (ascending) that were not read before."""
        if len(found) == 0:
            return
        self._of_comment[-1:] = _UNREAD  # beyond all comments so far, but not when it grows
        self._of_comment = grown(self._of_comment, int(found[-1]) + 2, _UNREAD)
        for comment in found[self._of_comment[found] == _UNREAD].tolist():
            self._of_comment[comment] = self._read(self._comments[comment])

    def of(self, comments: Column) -> Rows:
        """What each row's comment (its number in the recording, -1 none) tells, NONE of nothing.

        They were all learnt.
        """
        if len(self._of_comment) == 0:
            return np.full(len(comments), NONE, dtype=np.int64)
        self._of_comment[-1] = NONE  # where -1 leads to: no comment has that place
        return self._of_comment.take(comments, mode="wrap")
