"""Executions on their way into the columns: a bounded batch, moved over column by column."""

from array import array

from analyzer.model.executions import Clock, ExecutionColumns

# In order: start_us, end_us, duration_ms, key, line, query_id, parameters, comment, and the
# speaker's numbers: session, database, user and application.
Row = tuple[int, int, float, int, int, int, int, int, tuple[int, ...]]


class RowBatch:
    """Executions of one input. `rows` takes them; `base` is the first one's number in the columns.

    A row that was added is never looked at again: what is learnt later of an execution (its
    DETAIL, that it was cut) is kept by row number until `flush`.
    """

    __slots__ = ("_clock", "_columns", "_parameters", "_source", "_truncated", "base", "rows")

    def __init__(self, columns: ExecutionColumns, source: int, clock: Clock = Clock.SERVER) -> None:
        """A batch for `columns`, which nobody else may append to until the last `flush`."""
        self._columns = columns
        self._source = source
        self._clock = clock
        self._parameters: dict[int, int] = {}
        self._truncated: list[int] = []
        self.base = len(columns)
        self.rows: list[Row] = []

    def set_parameters(self, row: int, parameters: int) -> None:
        """Set what the execution in `row` of the columns was called with."""
        self._parameters[row] = parameters

    def mark_truncated(self, row: int) -> None:
        """The execution in `row` lost the end of its text."""
        self._truncated.append(row)

    def flush(self) -> int:
        """Move the batch into the columns; how many rows that were."""
        count = len(self.rows)
        if count:
            self._move(count)
        for row, parameters in self._parameters.items():
            self._columns.parameters[row] = parameters
        self._parameters.clear()
        for row in self._truncated:
            self._columns.flags[row] |= ExecutionColumns.FLAG_TRUNCATED
        self._truncated.clear()
        return count

    def _move(self, count: int) -> None:
        columns = self._columns
        (starts, ends, durations, keys, lines, query_ids, parameters, comments, speakers) = zip(
            *self.rows, strict=True
        )
        sessions, databases, users, applications = zip(*speakers, strict=True)
        columns.start_us.extend(starts)
        columns.end_us.extend(ends)
        columns.duration_ms.extend(durations)
        columns.key.extend(keys)
        columns.line.extend(lines)
        columns.query_id.extend(query_ids)
        columns.session.extend(sessions)
        columns.database.extend(databases)
        columns.user.extend(users)
        columns.application.extend(applications)
        columns.parameters.extend(parameters)
        columns.comment.extend(comments)
        columns.source.extend(array("i", [self._source]) * count)
        columns.clock.extend(array("b", [self._clock]) * count)
        columns.flags.extend(array("b", bytes(count)))
        self.rows.clear()
        self.base = len(columns)
