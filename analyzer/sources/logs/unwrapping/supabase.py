"""Supabase: rows of postgres_logs, as the logs explorer, its API and log drains give them.

`event_message` is the message, `timestamp` microseconds or ISO 8601, and `metadata[0].parsed[0]`
(objects or lists of one) has csvlog's columns by name. A query of the explorer can also have
taken those columns out into the row, by their names or as `parsed.error_severity`.
"""

from analyzer.sources.logs.unwrapping._columns import jsonlog_entry, jsonlog_lines
from analyzer.sources.logs.unwrapping._json import JsonUnwrapper
from analyzer.sources.logs.unwrapping._stamps import Stamps
from analyzer.sources.logs.unwrapping._texts import encoded

_BARE = ("duration: ", "AUDIT: ", "statement: ", "execute ")  # messages told without severity


def _one(value: object) -> dict[str, object]:
    """An object, or the one in a list of one; an empty one for anything else."""
    if isinstance(value, list) and value:
        value = value[0]
    return value if isinstance(value, dict) else {}


def columns_of(row: dict[str, object]) -> dict[str, object]:
    """The columns of csvlog, wherever the row has them."""
    metadata = _one(row.get("metadata"))
    parsed = _one(metadata.get("parsed")) or _one(row.get("parsed"))
    if parsed:
        return parsed
    attributes = _one(row.get("log_attributes")) or row
    taken = {
        key.removeprefix("metadata.").removeprefix("parsed."): value
        for key, value in attributes.items()
    }
    return taken if "error_severity" in taken else {}


class SupabaseUnwrapper(JsonUnwrapper):
    """Unwraps rows of Supabase's postgres_logs; those of its other services are counted apart."""

    name = "supabase"
    title = "Supabase logs"
    verified = False
    inner = "jsonlog"

    def _begin(self) -> None:
        self._stamps = Stamps(self._timezone, self._now)
        self._entries: list[dict[str, object]] = []

    def _take(self, value: dict[str, object]) -> bool | None:
        columns = columns_of(value)
        message = value.get("event_message") or columns.get("message")
        if not isinstance(message, str):
            return None if "metadata" in value or columns else False
        if not columns and not message.startswith(_BARE):
            return None
        entry = jsonlog_entry(columns)
        entry.pop("timestamp", None)
        time = columns.get("timestamp", columns.get("log_time"))
        stamp = self._time(time) or self._time(value.get("timestamp"))
        if stamp is None:
            return False
        entry.setdefault("error_severity", "LOG")
        self._entries.append({"timestamp": stamp, **entry, "message": message})
        return True

    def _time(self, value: object) -> str | None:
        if isinstance(value, bool) or not isinstance(value, int | str):
            return None
        stamp = self._stamps.read(encoded(str(value)))
        if stamp is None:
            return None
        text = stamp.decode("ascii")
        return text if " " in text[11:] else text + " UTC"  # the explorer's have no zone

    def _given(self, *, last: bool) -> bytes:  # noqa: ARG002  # nothing is kept back
        given = jsonlog_lines(self._entries)
        self._entries.clear()
        return given
