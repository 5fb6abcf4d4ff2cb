"""Google Cloud Logging: Cloud SQL for PostgreSQL and AlloyDB.

Entries are JSON, one to a line (sinks) or in an array (`gcloud logging read`, which gives the
newest first, and the console). `textPayload` has a line of the server's log, whose prefix is
`%m [%p]: [%l-1] db=%d,user=%u `; Cloud SQL once left out its time. AlloyDB puts the place in the
source before messages: `LOG:  [g_vacuum.c:851]  …`.
"""

from collections.abc import Iterator

from analyzer.patterns import regex
from analyzer.sources.logs.unwrapping._entries import LONGEST_PREFIX, SEVERITY
from analyzer.sources.logs.unwrapping._json import JsonUnwrapper
from analyzer.sources.logs.unwrapping._stamps import Stamps
from analyzer.sources.logs.unwrapping._texts import Texts, encoded

_PLACE = regex(rb"\[[\w./+-]{1,128}:\d{1,9}\][ ]{1,2}")


def without_place(text: bytes) -> bytes:
    """An entry without the place in AlloyDB's source that stands before its message."""
    found = SEVERITY.search(text, 0, LONGEST_PREFIX)
    place = _PLACE.match(text, found.end()) if found else None
    return text[: place.start()] + text[place.end() :] if place else text


class CloudLoggingUnwrapper(JsonUnwrapper):
    """Unwraps Cloud Logging's entries. AlloyDB's are read as its documentation shows them."""

    name = "cloudsql"
    title = "Google Cloud Logging (Cloud SQL, AlloyDB)"

    def _begin(self) -> None:
        self._texts = Texts(Stamps(self._timezone, self._now))

    def _learn(self, values: list[dict[str, object]]) -> None:
        self._texts.learn(list(self._samples(values)))

    def _samples(self, values: list[dict[str, object]]) -> Iterator[tuple[bytes, bytes]]:
        for value in values:
            text, stamp = value.get("textPayload"), value.get("timestamp")
            if isinstance(text, str) and isinstance(stamp, str):
                yield encoded(stamp), encoded(text)

    def _take(self, value: dict[str, object]) -> bool | None:
        text, log = value.get("textPayload"), value.get("logName")
        if not isinstance(text, str):
            other = value.keys() & {"jsonPayload", "protoPayload", "httpRequest"}
            return None if other else False
        line = encoded(text)
        if isinstance(log, str) and not log.endswith("postgres.log"):
            if SEVERITY.search(line, 0, LONGEST_PREFIX) is None:
                return None
        elif isinstance(log, str) and "alloydb" in log:
            line = without_place(line)
        stamp = value.get("timestamp")
        return self._texts.add(encoded(stamp) if isinstance(stamp, str) else b"", line)

    def _given(self, *, last: bool) -> bytes:
        return self._texts.take(last=last)
