"""Amazon CloudWatch Logs: the log of RDS and Aurora for PostgreSQL as events.

`aws logs get-log-events` and `filter-log-events` give {"events": [{"timestamp": milliseconds,
"message": …}, …]}, a subscription {"logEvents": […]}; the message is the server's own text.
A file from RDS itself is plain stderr, and so is the message of each event.
"""

from analyzer.sources.logs.unwrapping._json import JsonUnwrapper
from analyzer.sources.logs.unwrapping._stamps import Stamps
from analyzer.sources.logs.unwrapping._texts import Texts, encoded


def _stamp(value: dict[str, object]) -> bytes:
    time = value.get("timestamp", value.get("@timestamp"))
    if isinstance(time, int) and not isinstance(time, bool):
        return str(time).encode()
    return encoded(time) if isinstance(time, str) else b""


class CloudWatchUnwrapper(JsonUnwrapper):
    """Unwraps CloudWatch's events."""

    name = "cloudwatch"
    title = "CloudWatch Logs (RDS, Aurora)"
    verified = False

    def _begin(self) -> None:
        self._texts = Texts(Stamps(self._timezone, self._now))

    def _learn(self, values: list[dict[str, object]]) -> None:
        self._texts.learn(
            [
                (_stamp(value), encoded(text))
                for value in values
                if isinstance(text := value.get("message", value.get("@message")), str)
            ]
        )

    def _take(self, value: dict[str, object]) -> bool | None:
        text = value.get("message", value.get("@message"))
        if not isinstance(text, str):
            return None if value.get("messageType") == "CONTROL_MESSAGE" else False
        return self._texts.add(_stamp(value), encoded(text))

    def _given(self, *, last: bool) -> bytes:
        return self._texts.take(last=last)
