"""Routes of the application by number, and which of them each comment tells."""

from collections.abc import Sequence

import numpy as np

from analyzer.model.columns import Column, Rows, distinct, grown
from analyzer.workload.tags import read_job, read_route

MOST_ROUTES = 5_000
OTHER = "(other routes)"  # what comes beyond MOST_ROUTES
_UNREAD = -2


class Routes:
    """Numbers routes in order of first sight; each comment is read once."""

    def __init__(self, comments: Sequence[str]) -> None:
        """`comments` are the recording's; there may be more of them with every slice."""
        self._comments = comments
        self._of_comment = np.zeros(0, dtype=np.int64)
        self._numbers: dict[str, int] = {}
        self.names: list[str] = []
        self.jobs: dict[
            int, tuple[str, str]
        ] = {}  # of routes that are jobs: queue ("" unknown), name

    def of(self, comments: Column) -> Rows:
        """The route's number for each row's comment number, -1 none."""
        found = distinct(comments[comments >= 0])
        if len(found) == 0:
            return np.full(len(comments), -1, dtype=np.int64)
        self._of_comment = grown(self._of_comment, int(found[-1]) + 1, _UNREAD)
        for comment in found[self._of_comment[found] == _UNREAD].tolist():
            self._of_comment[comment] = self._number(self._comments[comment])
        numbers = self._of_comment[np.maximum(comments, 0)]
        return np.where(comments >= 0, numbers, -1)

    def _number(self, comment: str) -> int:
        route = read_route(comment)
        if route is None:
            return -1
        if route not in self._numbers and len(self.names) >= MOST_ROUTES:
            route = OTHER
        number = self._numbers.setdefault(route, len(self.names))
        if number == len(self.names):
            self.names.append(route)
            job = read_job(comment)
            if job is not None and route != OTHER:
                self.jobs[number] = job
        return number
