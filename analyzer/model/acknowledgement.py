"""Findings that the team knows of and accepts: by key in a file, or by a comment in the statement."""

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

from analyzer.records import record

FILE, COMMENT = "file", "comment"


@record
class Acknowledgement:
    """That a finding is known. `until` is the last day on which that holds, None without an end.

    `by` is file or comment, `origin` the file (empty for a comment) and `line` where in it.
    """

    key: str
    reason: str
    until: date | None = None
    ticket: str | None = None
    by: str = FILE
    origin: str = ""
    line: int = 0

    def expired(self, today: date) -> bool:
        """Whether the last day is over."""
        return self.until is not None and self.until < today


@record
class Acknowledged:
    """An acknowledgement as it applies to one finding: an expired one only says so."""

    acknowledgement: Acknowledgement
    expired: bool

    @property
    def folds(self) -> bool:
        """Whether the finding is out of the count."""
        return not self.expired


@record
class Acknowledgements:
    """All that a run knows of: by key, and detectors by statement (shape) from comments.

    `ignored` has, by shape_id, the ids of detectors (or "all") that a comment in every execution of
    the statement names.
    """

    by_key: Mapping[str, Acknowledgement]
    ignored: Mapping[str, frozenset[str]]
    today: date

    def of(self, key: str, detector: str, shape_ids: Sequence[str]) -> Acknowledged | None:
        """What is said of a finding; the file's entry first, as it has a reason.

        A comment speaks of the finding's first statement: the child of a loop.
        """
        entry = self.by_key.get(key)
        comment = self.ignored.get(shape_ids[0], frozenset()) if shape_ids else frozenset()
        if entry is not None and not entry.expired(self.today):
            return Acknowledged(entry, expired=False)
        if comment & {detector, "all"}:
            reason = "a pg95:ignore comment in the statement"
            return Acknowledged(Acknowledgement(key, reason, by=COMMENT), expired=False)
        return Acknowledged(entry, expired=True) if entry is not None else None

    def unused(self, keys: Sequence[str]) -> list[Acknowledgement]:
        """Entries of the file that no finding of the run has the key of."""
        seen = set(keys)
        return [entry for key, entry in sorted(self.by_key.items()) if key not in seen]


def as_fields(entry: Acknowledgement) -> dict[str, Any]:
    """An acknowledgement as JSON values."""
    return {
        "reason": entry.reason,
        "ticket": entry.ticket,
        "until": entry.until.isoformat() if entry.until else None,
        "by": entry.by,
    }
