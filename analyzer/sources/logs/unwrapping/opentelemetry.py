"""OpenTelemetry's logs as JSON (OTLP): Neon's export of PostgreSQL's log, and others'.

    {"resourceLogs":[{"scopeLogs":[{"logRecords":[{"timeUnixNano":"…","body":{"stringValue":"…"},
     "attributes":[{"key":"appname","value":{"stringValue":"postgres"}}, …]}]}]}]}

Neon sends PostgreSQL's syslog messages through a collector: `body` is the RFC 5424 line, or the
server's own line where a collector took the header into `attributes` (proc_id, message).
"""

from collections.abc import Iterator

from analyzer.patterns import regex
from analyzer.sources.logs.unwrapping._assembly import Messages
from analyzer.sources.logs.unwrapping._json import JsonUnwrapper
from analyzer.sources.logs.unwrapping._stamps import Stamps
from analyzer.sources.logs.unwrapping._texts import encoded
from analyzer.sources.logs.unwrapping.journald import numbered
from analyzer.sources.logs.unwrapping.syslog import HEADER, program, unescaped

_PROCESS = regex(rb"\[(\d{1,10})\]")


def _text(value: object) -> str:
    """An AnyValue's text, "" if it is none."""
    if isinstance(value, dict):
        text = value.get("stringValue", value.get("intValue"))
        if isinstance(text, int | str) and not isinstance(text, bool):
            return str(text)
    return ""


def _attributes(record: dict[str, object]) -> dict[str, str]:
    held = record.get("attributes")
    if not isinstance(held, list):
        return {}
    return {str(one.get("key")): _text(one.get("value")) for one in held if isinstance(one, dict)}


def log_records(value: dict[str, object]) -> Iterator[dict[str, object]]:
    """All log records of an OTLP message."""
    for resource in _dicts(value.get("resourceLogs")):
        for scope in _dicts(resource.get("scopeLogs")):
            yield from _dicts(scope.get("logRecords"))


def _dicts(value: object) -> list[dict[str, object]]:
    return [one for one in value if isinstance(one, dict)] if isinstance(value, list) else []


class _Part:
    """One log record taken apart."""

    def __init__(self, record: dict[str, object]) -> None:
        attributes = _attributes(record)
        text = encoded(_text(record.get("body")))
        header = HEADER.match(text)
        if header:
            self.origin = header[2] or header[3]
            self.program, self.process = program(self.origin)
            text = text[header.end() :]
        else:
            text = encoded(attributes.get("message", "")) or text
            self.program = encoded(attributes.get("appname", ""))
            self.process = encoded(attributes.get("proc_id", ""))
            host = attributes.get("hostname", "")
            self.origin = b"%s %s" % (encoded(host), self.process)
        self.process = self.process if self.process.isdigit() else b""
        self.number, self.piece, text = numbered(text)
        self.text = unescaped(text)
        time = record.get("timeUnixNano") or record.get("observedTimeUnixNano")
        self.stamp = encoded(str(time)) if isinstance(time, int | str) else b""


class OpenTelemetryUnwrapper(JsonUnwrapper):
    """Unwraps OTLP's log records. Those of a program that is named and not postgres are foreign."""

    name = "otlp"
    title = "OpenTelemetry logs (Neon)"
    verified = False

    def _begin(self) -> None:
        self._messages = Messages(Stamps(self._timezone, self._now))

    def _learn(self, values: list[dict[str, object]]) -> None:
        if not self._messages.learnt:
            parts = [_Part(value) for value in values]
            self._messages.learn(
                (
                    part.process,
                    Messages.told(part.process, part.number, part.piece, part.text)[1],
                )
                for part in parts
                if part.piece in (b"", b"1")
            )

    def _records(self, value: dict[str, object]) -> list[dict[str, object]]:
        return list(log_records(value)) if "resourceLogs" in value else [value]

    def _take(self, value: dict[str, object]) -> bool | None:
        part = _Part(value)
        if not part.text:
            return False
        if part.program not in (b"", b"postgres", b"postgresql"):
            return None
        return self._messages.record(
            part.origin, part.process, part.stamp, part.number, part.piece, part.text
        )

    def _given(self, *, last: bool) -> bytes:
        return self._messages.assembly.take(last=last)
