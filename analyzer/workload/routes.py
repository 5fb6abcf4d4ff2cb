"""Routes of the application by number, and which of them each comment tells."""

from collections.abc import Sequence

from analyzer.model.columns import Column, Rows
from analyzer.workload.comment_numbers import NONE, CommentNumbers
from analyzer.workload.tags import read_job, read_route

MOST_ROUTES = 5_000
OTHER = "(other routes)"  # what comes beyond MOST_ROUTES


class Routes:
    """Numbers routes in order of first sight; each comment is read once."""

    def __init__(self, comments: Sequence[str]) -> None:
        """`comments` are the recording's; there may be more of them with every slice."""
        self._of_comments = CommentNumbers(comments, self._number)
        self._numbers: dict[str, int] = {}
        self.names: list[str] = []
        self.jobs: dict[
            int, tuple[str, str]
        ] = {}  # of routes that are jobs: queue ("" unknown), name

    def of(self, comments: Column, found: Rows) -> Rows:
        """The route's number for each row's comment number, -1 none. `found` are those that differ, ascending."""
        self._of_comments.learn(found)
        return self._of_comments.of(comments)

    def _number(self, comment: str) -> int:
        route = read_route(comment)
        if route is None:
            return NONE
        if route not in self._numbers and len(self.names) >= MOST_ROUTES:
            route = OTHER
        number = self._numbers.setdefault(route, len(self.names))
        if number == len(self.names):
            self.names.append(route)
            job = read_job(comment)
            if job is not None and route != OTHER:
                self.jobs[number] = job
        return number
