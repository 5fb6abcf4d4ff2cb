"""Plans asked of a live server: what is asked for, what came of it, and who can answer."""

from collections.abc import Sequence
from dataclasses import field
from typing import Protocol

from analyzer.records import record

TOP = 20
MAX_SECONDS = 30.0
VERIFY_SECONDS = 600.0  # in which statements are run on a scratch server


@record
class ExplainRequest:
    """Which statements are explained: the `top` that take most time, within `max_seconds`.

    With `analyze`, those that provably only read are run as well (EXPLAIN ANALYZE). `dsn` names the server
    that explains, where it is another than the one whose counters are read: a replica.
    """

    analyze: bool = False
    top: int = TOP
    max_seconds: float = MAX_SECONDS
    dsn: str | None = None


@record
class Sample:
    """A statement as it ran: its text, and the values of its `$n` as text (None: NULL).

    `values` is None where they are not known; a text without `$n` needs none. `name` is what it is called where that
    is not its shape (a file).
    """

    shape_id: str
    text: str
    values: tuple[str | None, ...] | None = None
    name: str | None = None


@record
class Explained:
    """What came of one sample. `document` is the plan in FORMAT JSON, None where there is none.

    `why_not` says why there is no plan, or why the statement was not run though that was asked for.
    `timed_out`: a limit ended it (the server's timeouts, or the budget).
    """

    shape_id: str
    document: str | None = None
    analyzed: bool = False
    why_not: str | None = None
    timed_out: bool = False


class Explainer(Protocol):
    """Somebody who can explain statements (analyzer.sources.postgres.explain has the one that does)."""

    def explain(self, samples: Sequence[Sample], request: ExplainRequest) -> "Answers":
        """Explain the samples, one at a time and in their order, until the budget is used up."""
        ...


@record
class Answers:
    """An answer for each sample, from the server `origin` (`postgresql://user@host:port/database`)."""

    origin: str
    answers: Sequence[Explained] = field(default=())
