"""Server events over all inputs, by statement instead of by the key of its text."""

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from analyzer.model.event import Event, Tally

if TYPE_CHECKING:
    from analyzer.model.recording import Recording
    from analyzer.model.statement import Statement


def merged_events(
    recording: "Recording", statement_of: Callable[[int], "Statement"]
) -> tuple[dict[tuple[str, str], Event], Mapping[int, "Statement"]]:
    """Events by kind and code, over inputs that are no views of others.

    Keys whose texts are one statement become one; the second answer tells each key's statement.
    """
    keys: dict[str, int] = {}
    statements: dict[int, Statement] = {}

    def rename(key: int) -> int:
        statement = statement_of(key)
        first = keys.setdefault(statement.shape_id, key)
        statements[first] = statement
        return first

    events: dict[tuple[str, str], Event] = {}
    for (source, kind, code), event in recording.events.items():
        if not recording.coverage.sources[source].same_as and _something(event):
            total = events.setdefault((kind, code), Event(kind=kind, code=code))
            total.merge_event(event, rename)
    return events, statements


def _something(event: Tally) -> bool:
    return event.count > 0 or any(event.parts.values())
