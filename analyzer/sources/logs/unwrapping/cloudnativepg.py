"""CloudNativePG: the instance manager's JSON, whose `record` has csvlog's columns by name.

    {"level":"info","ts":…,"logger":"postgres","msg":"record","record":{"log_time":…, …}}

Before PostgreSQL's own collector runs, its stderr lines come as `msg`. Lines of the operator's
programs are counted apart. Exports can have the newest first; session_line_num stays.
"""

import re

from analyzer.patterns import regex
from analyzer.sources.logs.unwrapping._columns import jsonlog_entry, jsonlog_lines
from analyzer.sources.logs.unwrapping._json import JsonUnwrapper

_STDERR = regex(
    r"(\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{3} \S{1,40}) \[(\d{1,10})\] ([A-Z]{1,10}\d?):  (.*)",
    re.DOTALL,
)
_FURTHER = frozenset(("DETAIL", "HINT", "CONTEXT", "QUERY", "STATEMENT", "LOCATION"))


class CloudNativePgUnwrapper(JsonUnwrapper):
    """Unwraps the log of a CloudNativePG instance."""

    name = "cnpg"
    title = "CloudNativePG"
    inner = "jsonlog"

    def _begin(self) -> None:
        self._entries: list[dict[str, object]] = []

    def _take(self, value: dict[str, object]) -> bool | None:
        record = value.get("record")
        if isinstance(record, dict):
            entry = jsonlog_entry(record)
            if not {"timestamp", "error_severity"} <= entry.keys():
                return False
            self._entries.append(entry)
            return True
        message = value.get("msg")
        found = _STDERR.fullmatch(message) if isinstance(message, str) else None
        if found is None:
            return None
        time, process, severity, text = found.groups()
        if severity not in _FURTHER:  # else it belongs to the entry before, which needs no more
            entry = {"timestamp": time, "pid": int(process), "error_severity": severity}
            self._entries.append(entry | {"message": text})
        return True

    def _given(self, *, last: bool) -> bytes:  # noqa: ARG002  # nothing is kept back
        given = jsonlog_lines(self._entries)
        self._entries.clear()
        return given
