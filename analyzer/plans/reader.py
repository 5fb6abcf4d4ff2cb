"""The way into this room: a recorded plan's text and format in, plan trees out."""

from collections.abc import Callable, Iterator, Mapping

from analyzer.errors import InputError
from analyzer.model.plan import Plan, RecordedPlan
from analyzer.plans import json_format
from analyzer.plans.document import Document, PlanProblemError, build_plan

# A format's reader yields each document of a text with the slice of text it was read from.
_Reader = Callable[[str], Iterator[tuple[Document, str]]]
_READERS: Mapping[str, _Reader] = {"json": json_format.documents}


class PartlyUnreadError(InputError):
    """A text held more than could be read; `plans` are those that were read before."""

    def __init__(self, message: str, plans: list[Plan]) -> None:
        super().__init__(message)
        self.plans = plans


def read_plans(recorded: RecordedPlan) -> list[Plan]:
    """Every plan in a recorded text, in order; a text may hold several.

    Args:
        recorded: the text as found: JSON of EXPLAIN or auto_explain, bare, inside log text, or
            decorated by psql (borders, header, `+` continuations, row count, CSV, HTML).

    Returns:
        At least one plan, each with times per node; without ANALYZE the times are None.

    Raises:
        InputError: nothing in the text could be read as a plan, or its format is not read.
        PartlyUnreadError: some plans were read and a later one could not be.
    """
    where = _where(recorded)
    reader = _READERS.get(recorded.format)
    if reader is None:
        raise InputError(
            f"{where}: plans in {recorded.format.upper()} format are not read yet; take them with "
            "EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON), or set auto_explain.log_format = 'json'"
        )
    plans: list[Plan] = []
    try:
        plans.extend(build_plan(document, recorded, raw) for document, raw in reader(recorded.text))
    except PlanProblemError as problem:
        message = (
            f"{where}: {problem}; take the plan again with EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON)"
        )
        if plans:
            raise PartlyUnreadError(
                f"{message} ({len(plans)} before it were read)", plans
            ) from None
        raise InputError(message) from problem
    if not plans:
        raise InputError(
            f'{where}: no plan in it: expected JSON with a "Plan" key, as EXPLAIN (FORMAT JSON) prints'
        )
    return plans


def _where(recorded: RecordedPlan) -> str:
    return recorded.origin if recorded.line is None else f"{recorded.origin}, line {recorded.line}"
