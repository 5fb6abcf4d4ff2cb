"""Any JSON-lines log, by the fields that `--map` names (analyzer.sources.mapping)."""

import json
from collections.abc import Iterable, Iterator
from itertools import islice
from typing import ClassVar

from analyzer.errors import InputError
from analyzer.sources.applications.calls import CallSink, Speaker, duration_of, tagged
from analyzer.sources.applications.lines import JsonLineReader, Record
from analyzer.sources.logs.clock import Clock
from analyzer.sources.mapping import EXAMPLE, UNITS, Field, FieldMap
from analyzer.sql.comments import trace_number

_SHOWN_PATHS = 30
_DEEPEST = 4
_INT64 = 1 << 63
_LATEST_US = 253_402_300_800_000_000  # the year 10000
# The time now is 10 digits in seconds, 13 in ms, 16 in µs and 19 in ns: what is below is of that unit.
_SIZES = ((1e11, "s"), (1e14, "ms"), (1e17, "us"))


class MappedReader(JsonLineReader):
    """Reads JSON lines; a record without a statement where `sql` says is another program's."""

    NAME: ClassVar[str] = "json-lines"
    WHAT: ClassVar[str] = "JSON lines with the fields of --map"

    def __init__(self, sink: CallSink) -> None:
        """As a LineReader.

        Raises:
            InputError: the options have no mapping.
        """
        super().__init__(sink)
        if sink.options.mapping is None:
            raise InputError(
                f"{sink.coverage.path}: JSON lines are read by the fields that --map names; "
                f"for example {EXAMPLE}"
            )
        self._map: FieldMap = sink.options.mapping
        self._found = dict.fromkeys(self._map.fields, 0)  # records that had something there
        self._paths: list[str] = []  # of a record, to help who named a wrong one

    def record(self, record: Record, size: int) -> bool | None:  # noqa: ARG002 - as JsonLineReader says
        """A call; None where the record has no statement, False where its time or duration is none."""
        sql = self._map.of("sql", record)
        has_sql = isinstance(sql, str) and bool(sql.strip())
        if not self._paths or (has_sql and self.sink.coverage.entries == 0):
            self._paths = list(islice(_paths(record), _SHOWN_PATHS))
        if not isinstance(sql, str) or not has_sql:
            return None
        values = {target: field.of(record) for target, field in self._map.fields.items()}
        for target, value in values.items():
            self._found[target] += value is not None
        duration_ms, end_us = self._duration(values), self._time("ts", values)
        start_us = self._time("start", values)
        if _told(values, "duration") and duration_ms is None:
            return False
        if (_told(values, "ts") and end_us is None) or (
            _told(values, "start") and start_us is None
        ):
            return False
        if end_us is not None:
            start_us = end_us - round((duration_ms or 0.0) * 1000)
        request = _text(values.get("job")) or _text(values.get("request"))
        row = self.sink.call(
            sql,
            start_us=start_us,
            duration_ms=duration_ms,
            speaker=self._speaker(values),
            line=self.number,
            parameters=_parameters(values.get("parameters")),
            trace=trace_number(request) if request else 0,
            tags=tagged({"route": _text(values.get("route"))}),
        )
        rows = values.get("rows")
        if isinstance(rows, int) and 0 <= rows < _INT64:
            self.sink.rows(row, sql, int(rows))
        return True

    def finish(self) -> None:
        """A path that no record had is told.

        Raises:
            InputError: no record has a statement where `sql` says.
        """
        path, seen = self.sink.coverage.path, ", ".join(self._paths)
        if self.sink.coverage.entries == 0:
            if self._paths:
                raise InputError(
                    f"{path}: no record has a text at {self._map.fields['sql'].path!r}, where --map "
                    f"says the SQL is; records have {seen}"
                )
            return
        for target, found in self._found.items():
            if not found:
                place = self._map.fields[target].path
                self.sink.warn(
                    f"no record with a statement has anything at {place!r} (--map {target}={place}); "
                    f"they have {seen}"
                )

    def _duration(self, values: Record) -> float | None:
        field = self._map.fields.get("duration")
        return None if field is None else duration_of(values["duration"], UNITS[field.unit or "ms"])

    def _time(self, target: str, values: Record) -> int | None:
        field = self._map.fields.get(target)
        return None if field is None else _time_of(field, values.get(target), self.sink.clock)

    def _speaker(self, values: Record) -> Speaker:
        names = (_text(values.get(one)) for one in ("session", "database", "user", "application"))
        return self.sink.speaker(*names)


def first_time(records: Iterable[Record], mapping: FieldMap, clock: Clock) -> int | None:
    """The time (µs) of the first of some records that has one where the mapping says."""
    field = mapping.fields.get("ts") or mapping.fields.get("start")
    if field is None:
        return None
    times = (_time_of(field, field.of(record), clock) for record in records)
    return next((at_us for at_us in times if at_us is not None), None)


def _time_of(field: Field, value: object, clock: Clock) -> int | None:
    number = _number(value)
    if number is None:
        return clock.read(value) if isinstance(value, str) else None
    unit = field.unit or next((one for most, one in _SIZES if number < most), "ns")
    at_us = number * 1000 / UNITS[unit]
    return round(at_us) if 0 <= at_us < _LATEST_US else None


def _paths(record: Record, head: str = "", depth: int = 0) -> Iterator[str]:
    """The paths of a record, those of nested objects with dots."""
    for key, value in record.items():
        if isinstance(value, dict) and depth < _DEEPEST:
            yield from _paths(value, f"{head}{key}.", depth + 1)
        else:
            yield f"{head}{key}"


def _told(values: Record, target: str) -> bool:
    return values.get(target) is not None


def _number(value: object) -> float | None:
    """A number, also one written as text."""
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    try:
        found = float(value)
    except (ValueError, OverflowError):
        return None
    return found if 0 <= found < 1e30 else None  # noqa: PLR2004  # beyond any unit


def _text(value: object) -> str:
    """A name or id as text, "" if there is none."""
    if isinstance(value, str):
        return value
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else ""


def _parameters(value: object) -> str | None:
    """Parameters as an execution has them: a JSON array, or the text that the log has."""
    if value is None or value in ("", []):
        return None
    if isinstance(value, str):
        return value
    return json.dumps(list(value.values()) if isinstance(value, dict) else value, default=str)
