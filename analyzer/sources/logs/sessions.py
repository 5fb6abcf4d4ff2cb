"""A session as its log entries show it: what the next entry of the same backend refers to."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from analyzer.model.recording import Event


Speaker = tuple[int, ...]


class Session:
    """The state of one backend while its entries are read; plain attributes, for the hot path.

    `number` is its name's in the recording, `speaker` that and database, user and application.
    `row` is the execution that a DETAIL would complete
    (-1 none), `event` the event that a STATEMENT would, `waiting` the statement (and its
    parameters) that was logged without its duration. `text` and `interned` are the last statement
    and its key. `who` is whatever the reader compares to see that user, database or application
    changed. A `renewable` session is known by its process id, which a later backend may get.
    """

    __slots__ = (
        "ended",
        "event",
        "fresh",
        "generation",
        "interned",
        "name",
        "number",
        "process",
        "renewable",
        "row",
        "speaker",
        "text",
        "used",
        "waiting",
        "who",
    )

    def __init__(self, name: str, number: int, *, renewable: bool) -> None:
        """A session that has said nothing yet."""
        self.process = name
        self.name = name
        self.number = number
        self.renewable = renewable
        self.generation = 1
        self.used = False
        self.fresh = False
        self.ended = False
        self.speaker: Speaker = (number, -1, -1, -1)
        self.who: object = None
        self.row = -1
        self.event: Event | None = None
        self.waiting: tuple[str, str | None] | None = None
        self.text: str | None = None
        self.interned: tuple[int, str | None, str | None] = (-1, None, None)

    def renew(self) -> None:
        """Another backend took over the process id: "pid:7" becomes "pid:7#2"."""
        self.generation += 1
        self.name = f"{self.process}#{self.generation}"
        self.used = self.fresh = self.ended = False
        self.waiting = None
