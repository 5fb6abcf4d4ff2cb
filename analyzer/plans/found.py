"""What the reader of a format finds in a text: a document, and in which state."""

from collections.abc import Mapping

from analyzer.records import record

Document = Mapping[str, object]


@record
class Found:
    """A document (the keys of EXPLAIN (FORMAT JSON)) and the text it was read from.

    `line` is where in the input's text it begins. `truncated`: it ended too early, and holds what came
    before. `wrapped`: broken lines were put together.
    """

    document: Document
    raw: str
    line: int = 1
    truncated: bool = False
    wrapped: bool = False
    duration_ms: float | None = None


class PlanProblemError(ValueError):
    """A text is no plan: says what is wrong in it. The reader adds the input's name."""


def is_rooted(document: Document) -> bool:
    """Whether a document that was cut off has a plan; nodes of which not even the type is left go."""
    root = document.get("Plan")
    if not isinstance(root, dict) or not isinstance(root.get("Node Type"), str):
        return False
    node: object = root
    while isinstance(node, dict) and "Plans" in node:  # it is the last that was cut
        below = node["Plans"] if isinstance(node["Plans"], list) else []
        below = [one for one in below if isinstance(one, dict) and one.get("Node Type")]
        node["Plans"] = below
        node = below[-1] if below else None
    return True


def merge_workers(first: object, second: object) -> object:
    """One list of workers out of two that a node has: PostgreSQL up to 12 prints "Workers" twice."""
    if not isinstance(first, list) or not isinstance(second, list):
        return second
    merged: list[object] = list(first)
    for worker in second:
        number = worker.get("Worker Number") if isinstance(worker, dict) else None
        for at, other in enumerate(merged):
            if (
                isinstance(other, dict)
                and number is not None
                and other.get("Worker Number") == number
            ):
                merged[at] = {**other, **worker}
                break
        else:
            merged.append(worker)
    return merged
