"""What several kinds of evidence are made of."""

from analyzer.records import record


@record
class Spread:
    """Smallest, middle and largest of a set of counts."""

    min: float
    median: float
    max: float


@record
class ExampleExecution:
    """One execution shown as evidence. `at` is ISO 8601 in UTC, None where the log has no times.

    `parameters` are raw values.

    Views and report.json show parameters only as the redaction mode allows.
    """

    at: str | None
    session: str
    duration_ms: float
    shape_id: str
    parameters: tuple[str, ...]


@record
class ColumnCondition:
    """One column of a scan's filter: `kind` is equality, range, sort or other.

    `sargable` says that an index on the column itself can serve the condition. `expression` is
    what is compared instead of the bare column; `immutable` says that it may be indexed as it is.
    `pattern` is LIKE's: prefix, anywhere, or None. `value_type` is the compared value's type.
    """

    column: str
    operator: str
    kind: str
    sargable: bool = True
    expression: str | None = None
    immutable: bool = False
    pattern: str | None = None
    value_type: str | None = None


@record
class Timeline:
    """One occurrence of a loop over time: its parent first, then its children by their begin.

    `starts_ms` count from the parent's begin; `lanes` tell connections apart (0 is the parent's).
    The three lists are of one length; `hidden` is how many more children there were.
    """

    starts_ms: tuple[float, ...]
    durations_ms: tuple[float, ...]
    lanes: tuple[int, ...]
    hidden: int
