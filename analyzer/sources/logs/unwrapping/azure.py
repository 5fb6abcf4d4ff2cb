"""Azure Database for PostgreSQL: diagnostic records of the category PostgreSQLLogs.

    {"time": …, "category": "PostgreSQLLogs", "operationName": "LogEvent", "properties":
     {"timestamp": …, "processId": 2030, "errorLevel": "LOG", "sqlerrcode": "00000",
      "message": "2023-02-27 22:21:11.823 UTC [2030] [user=…,db=…,app=…] LOG:  duration: …",
      "detail": "parameters: …"}}

One to a line in a storage account, in {"records": […]} from an event hub. Log Analytics gives the
same fields in its rows under names of its own (ErrorLevel, Message, errorLevel_s …). The message
has the prefix of Flexible Server; DETAIL, and STATEMENT where there is one, are fields.
"""

from analyzer.patterns import regex
from analyzer.sources.logs.unwrapping._entries import (
    LONGEST_PREFIX,
    SEVERITY,
    entry_lines,
    indented,
)
from analyzer.sources.logs.unwrapping._json import JsonUnwrapper
from analyzer.sources.logs.unwrapping._stamps import Stamps
from analyzer.sources.logs.unwrapping._texts import encoded

_PREFIXED = regex(  # Cosmos DB's, which leaves out the severity
    rb"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d(?:\.\d{3})? \S{1,40} \[\d{1,10}\] \[user=[^\n]{0,400}?\] "
)
_SINGLE = regex(  # Single Server's prefix: %t-%c-
    rb"(\d{4}-\d\d-\d\d \d\d:\d\d:\d\d)(?: (\S{1,40}?))?-([0-9a-f]{1,16})\.([0-9a-f]{1,8})-"
)
_FURTHER = (b"DETAIL", b"HINT", b"CONTEXT", b"STATEMENT")
_CATEGORY = "postgresqllogs"


def fields_of(value: dict[str, object]) -> dict[str, object]:
    """A record's fields by their names in small letters, without Log Analytics' type at the end."""
    properties = value.get("properties")
    source = properties if isinstance(properties, dict) else value
    fields = {}
    for name, field in source.items():
        key = name.lower()
        fields[key[:-2] if key.endswith(("_s", "_d")) else key] = field
    return fields


class AzureUnwrapper(JsonUnwrapper):
    """Unwraps Azure's records of PostgreSQL's log; other categories are counted apart."""

    name = "azure"
    title = "Azure Database for PostgreSQL"
    verified = False

    def _begin(self) -> None:
        self._stamps = Stamps(self._timezone, self._now)
        self._out: list[bytes] = []

    def _take(self, value: dict[str, object]) -> bool | None:
        category = value.get("category", value.get("Category"))
        if isinstance(category, str) and category.lower() != _CATEGORY:
            return None
        fields = fields_of(value)
        message = fields.get("message")
        if not isinstance(message, str):
            return False
        text = self._entry(encoded(message), fields, value)
        found = SEVERITY.search(text, 0, LONGEST_PREFIX)
        if found is None:
            return False
        self._out.append(entry_lines(b"", text))
        prefix = text[: found.start()]
        for severity in _FURTHER:
            further = fields.get(severity.decode().lower())
            if isinstance(further, str) and further:
                self._out.append(b"%s%s:  %s" % (prefix, severity, indented(encoded(further))))
        return True

    def _entry(self, message: bytes, fields: dict[str, object], value: dict[str, object]) -> bytes:
        """The message with prefix and severity, b"" if there is no time for it."""
        level = fields.get("errorlevel")
        severity = encoded(level) if isinstance(level, str) and level else b"LOG"
        if SEVERITY.search(message, 0, LONGEST_PREFIX) and message[:4].isdigit():
            return message
        if found := _PREFIXED.match(message):
            return b"%s%s:  %s" % (found.group(), severity, message[found.end() :])
        given = fields.get("prefix")
        single = _SINGLE.fullmatch(encoded(given)) if isinstance(given, str) else None
        if single:
            time, zone, start, process = single.groups()
            head = b"%s.000 %s [%d] %s.%s" % (
                time, zone or b"UTC", int(process, 16), start.rjust(8, b"0"), process,
            )  # fmt: skip
            return b"%s %s:  %s" % (head, severity, message)
        return self._bare(message, severity, fields, value)

    def _bare(
        self,
        message: bytes,
        severity: bytes,
        fields: dict[str, object],
        value: dict[str, object],
    ) -> bytes:
        """A message without a prefix of its own, with what the record's fields give."""
        names = ("timestamp", "timegenerated", "time")
        times = [fields.get(name) for name in names] + [value.get("time")]
        stamp = next((time for time in times if isinstance(time, str) and time), "")
        time = self._stamps.read(encoded(stamp))
        if time is None:
            return b""
        process, code = (
            fields.get("processid"),
            fields.get("sqlerrcode", fields.get("sqlerrorcode")),
        )
        number = int(process) if isinstance(process, int | float) else 0
        state = encoded(code) if isinstance(code, str) and code else b"00000"
        return b"%s [%d] %s %s:  %s" % (time, number, state, severity, message)

    def _given(self, *, last: bool) -> bytes:  # noqa: ARG002  # nothing is kept back
        given = b"".join(entry + b"\n" for entry in self._out)
        self._out.clear()
        return given
