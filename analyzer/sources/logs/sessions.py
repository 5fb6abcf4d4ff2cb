"""A session as its log entries show it: what the next entry of the same backend refers to."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from analyzer.sources.logs.events import Occurrence


Speaker = tuple[int, ...]


class Session:
    """The state of one backend while its entries are read; plain attributes, for the hot path.

    `number` is its name's in the recording, `speaker` that and database, user and application.
    `row` is the execution that a DETAIL would complete
    (-1 none), `event` the event that a STATEMENT would, `waiting` the statement (and its
    parameters) that was logged without its duration. `text` and `interned` are the last statement
    and its key. `key` is that of the last execution, -1 where a parse or bind
    followed; `began` the log time of the last
    parse or bind, with its statement's key, or of a statement that was logged, with its text.
    `who` is whatever the reader compares to see that user, database or application
    changed. `slot` is its number in the native scanner (-1 none). A `renewable` session is known by its process id, which a later backend may get.
    """

    __slots__ = (
        "began",
        "ended",
        "event",
        "fresh",
        "generation",
        "interned",
        "key",
        "name",
        "number",
        "process",
        "renewable",
        "row",
        "slot",
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
        self.slot = -1
        self.event: Occurrence | None = None
        self.began: tuple[int, int | str] | None = None
        self.waiting: tuple[str, str | None] | None = None
        self.text: str | None = None
        self.interned: tuple[int, str | None, str | None] = (-1, None, None)
        self.key = -1

    def renew(self) -> None:
        """Another backend took over the process id: "pid:7" becomes "pid:7#2"."""
        self.generation += 1
        self.name = f"{self.process}#{self.generation}"
        self.used = self.fresh = self.ended = False
        self.waiting = self.began = None
