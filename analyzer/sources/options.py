"""What the user may say about how inputs are to be read."""

from analyzer.records import record
from analyzer.sources.mapping import FieldMap


@record
class ReadOptions:
    """How to read. `log_format` "auto" detects by content; None leaves a thing to detection.

    `timezone` (a name such as Europe/Berlin, or an offset such as +02:00) is for timestamps
    whose zone is absent, unknown or ambiguous. Entries before `since_us` or at and after
    `until_us` (microseconds since the epoch, UTC) are left out. `mapping` tells the fields of JSON lines.
    `show_values` lets messages quote lines that could not be read as they are, not their form alone.
    """

    log_format: str = "auto"
    log_line_prefix: str | None = None
    timezone: str | None = None
    since_us: int | None = None
    until_us: int | None = None
    mapping: FieldMap | None = None
    show_values: bool = False
