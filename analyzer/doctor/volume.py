"""What the server would log in a day by each threshold, predicted from pg_stat_statements."""

from collections.abc import Iterable, Sequence

from analyzer.doctor.entries import (
    LogForm,
    Protocol,
    execution_bytes,
    log_form,
    preparation_bytes,
)
from analyzer.doctor.shares import share_from
from analyzer.model.snapshot import Snapshot
from analyzer.model.statement import StatementCounters
from analyzer.records import record

DAY_US = 86_400_000_000


@record
class Volume:
    """Bytes a day, as an interval, and the likely share of the executions that are logged."""

    low: float
    likely: float
    high: float
    logged: float


@record
class _Statement:
    """A row of the counters with its calls a day and the bytes of its entries."""

    row: StatementCounters
    per_day: float
    execution: int
    preparation: int


class Traffic:
    """The executions of a day, as the counters tell, and what they would come to in the log."""

    def __init__(
        self, rows: Iterable[StatementCounters], days: float, form: LogForm, protocol: Protocol
    ) -> None:
        """`rows` were counted within `days`. Nested statements are never logged by themselves."""
        self.protocol = protocol
        self._statements = [
            _Statement(
                row,
                row.calls / days,
                execution_bytes(row.query, form, protocol),
                preparation_bytes(row.query, form, protocol),
            )
            for row in rows
            if row.toplevel
        ]

    @property
    def calls_per_day(self) -> float:
        """Executions a day."""
        return sum(one.per_day for one in self._statements)

    def volume(self, from_ms: float) -> Volume:
        """What log_min_duration_statement = `from_ms` would write a day.

        Parse and bind have entries of their own where they take that long; of 0 all do. How long they
        take the counters do not tell: above 0 they count at the upper end of the interval alone.
        """
        low = likely = high = logged = 0.0
        for one in self._statements:
            share = share_from(one.row, from_ms)
            whole = one.execution + one.preparation
            least = whole if from_ms <= 0 else one.execution
            low += one.per_day * share.low * least
            likely += one.per_day * share.likely * least
            high += one.per_day * share.high * whole
            logged += one.per_day * share.likely
        calls = self.calls_per_day
        return Volume(low, likely, high, logged / calls if calls else 0.0)


def traffic_of(
    snapshot: Snapshot, rows: Sequence[StatementCounters], days: float, protocol: Protocol
) -> Traffic:
    """The traffic that rows show, in the form in which the server writes its log."""
    return Traffic(rows, days, log_form(snapshot.settings), protocol)


def counted_days(snapshot: Snapshot) -> float | None:
    """How long a snapshot's counters have been counting, in days; None where nothing tells.

    Since the last reset of all; a server before 14 does not tell, and its start is taken.
    """
    since = snapshot.reset_us if snapshot.reset_us is not None else snapshot.server.started_us
    if since is None or snapshot.taken_us <= since:
        return None
    return (snapshot.taken_us - since) / DAY_US
