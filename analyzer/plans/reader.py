"""The way into this room: a recorded plan's text and format in, plan trees out."""

from collections.abc import Callable, Iterator, Mapping

from analyzer.errors import InputError
from analyzer.model.plan import Plan, RecordedPlan
from analyzer.plans import json_format, text_format, xml_format, yaml_format
from analyzer.plans.document import build_plan
from analyzer.plans.found import Document, Found, PlanProblemError

_READERS: Mapping[str, Callable[[str], Iterator[Found]]] = {
    "json": json_format.documents,
    "text": text_format.documents,
    "xml": xml_format.documents,
    "yaml": yaml_format.documents,
}


class PartlyUnreadError(InputError):
    """A text held more than could be read; `plans` are those that were read before."""

    def __init__(self, message: str, plans: list[Plan]) -> None:
        super().__init__(message)
        self.plans = plans


def documents_of(text: str, form: str) -> Iterator[Document]:
    """The plans of a text that was read already, as documents with the keys of FORMAT JSON.

    Nothing is given of a text that cannot be read: whoever read it first has said so.
    """
    try:
        yield from (found.document for found in _READERS[form](text))
    except PlanProblemError:
        return


def read_plans(recorded: RecordedPlan) -> list[Plan]:
    """Every plan in a recorded text, in order; a text may hold several.

    Args:
        recorded: the text as found: output of EXPLAIN or auto_explain in one of its four formats,
            bare, inside log text, or as clients decorate it.

    Returns:
        At least one plan, each with times per node; without ANALYZE the times are None. One whose
        text ends too early is `truncated`, and has what came before.

    Raises:
        InputError: nothing in the text could be read as a plan; says where and why.
        PartlyUnreadError: some plans were read and a later one could not be.
    """
    where = _where(recorded)
    reader = _READERS[recorded.format]
    plans: list[Plan] = []
    try:
        plans.extend(build_plan(found, recorded) for found in reader(recorded.text))
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
            f"{where}: no plan in it that is written as {recorded.format.upper()}; it begins "
            f"{_beginning(recorded.text)!r}; expected what EXPLAIN or auto_explain prints"
        )
    return plans


def _where(recorded: RecordedPlan) -> str:
    return recorded.origin if recorded.line is None else f"{recorded.origin}, line {recorded.line}"


def _beginning(text: str) -> str:
    return text.strip().partition("\n")[0][:80]
