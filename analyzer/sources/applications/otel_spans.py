"""OpenTelemetry spans, one JSON object per line: OTLP exports (`resourceSpans`), or spans as an SDK has them.

A span of a PostgreSQL client with a statement is a call (semantic conventions: `db.system.name` and
`db.query.text`, before them `db.system` and `db.statement`). Its unit of work is the job or request above
it: the nearest span of a consumer, else its trace. A span is exported when it ended, so calls come
before what they belong to; they wait for it, up to a limit.
"""

import json
import math
import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import ClassVar

from analyzer.model.names import plain_path
from analyzer.records import record
from analyzer.sources.applications.calls import CallSink, tagged
from analyzer.sources.applications.job_spans import attempt_in
from analyzer.sources.applications.lines import JsonLineReader, Record
from analyzer.sql.comments import trace_number

_SYSTEMS = ("postgresql", "postgres", "cockroachdb", "redshift")
_SERVER, _CONSUMER = "server", "consumer"
_OTLP_KINDS = {
    2: _SERVER,
    5: _CONSUMER,
    "SPAN_KIND_SERVER": _SERVER,
    "SPAN_KIND_CONSUMER": _CONSUMER,
}
_SDK_KINDS = {1: _SERVER, 4: _CONSUMER, "SERVER": _SERVER, "CONSUMER": _CONSUMER}
_JOB_NAMES = ("bullmq.job.name", "celery.task_name", "messaging.sidekiq.job_class")
_JOB_IDS = ("bullmq.job.id", "celery.task_id", "messaging.message.id", "messaging.message_id")
_QUEUES = ("bullmq.queue.name", "messaging.destination.name", "messaging.destination")
_MOST_HELD = 50_000  # spans that wait for what is above them
_MOST_SPANS = 200_000  # whose parents are remembered
_MOST_JOBS = 200_000  # attempts at jobs that are kept
_MOST_STEPS = 100  # from a call up to its root
_LATEST_US = 253_402_300_800_000_000

_Place = tuple[int, int]  # line, place within it


@record
class _Span:
    """What is read of a span; `at` is where it stands: spans follow each other as they ended."""

    trace: str
    span: str
    parent: str
    name: str
    kind: str
    start_us: int
    duration_ms: float
    attributes: Mapping[str, object]
    service: str
    at: _Place

    def first(self, *names: str) -> str:
        """The first of some attributes that is there, "" without any."""
        found = (self.attributes.get(name) for name in names)
        return next((str(one) for one in found if one not in (None, "")), "")

    @property
    def sql(self) -> str:
        """The statement of a call to PostgreSQL, "" of any other span."""
        system = self.first("db.system.name", "db.system").lower()
        return self.first("db.query.text", "db.statement") if system in _SYSTEMS else ""

    @property
    def orm_call(self) -> str:
        """Prisma's call that a span is ("Project.findMany"), "" of any other span."""
        if self.name != "prisma:client:operation":
            return ""
        return ".".join(filter(None, (self.first("model"), self.first("method"))))

    @property
    def is_unit(self) -> bool:
        """Whether a unit of work begins with it."""
        return not self.parent or self.kind in (_SERVER, _CONSUMER)


@record
class _Unit:
    """What the calls below a span belong to; `call` is the ORM's that sends them, "" where none is told."""

    trace: int
    tags: Mapping[str, str]
    call: str = ""


class OtelSpanReader(JsonLineReader):
    """Reads lines of spans."""

    NAME: ClassVar[str] = "otel-spans"
    WHAT: ClassVar[str] = "OpenTelemetry spans"

    def __init__(self, sink: CallSink) -> None:
        """As a LineReader."""
        super().__init__(sink)
        self._below: dict[
            tuple[str, str], list[_Span]
        ] = {}  # by trace and the span that they wait for
        self._held = 0
        self._parents: dict[tuple[str, str], str] = {}  # of spans that ended
        self._units: dict[tuple[str, str], _Unit] = {}  # that have ended
        self._jobs = 0

    def record(self, record: Record, size: int) -> bool | None:  # noqa: ARG002 - as JsonLineReader says
        """The spans of a line; None if there is none, False if none of them can be read."""
        seen = good = 0
        for span in self._spans(record):
            seen += 1
            if span is not None:
                good += 1
                self._take(span)
        return (good > 0) if seen else None

    def finish(self) -> None:
        """Calls whose root has not ended: they belong to their trace."""
        while self._below:
            self._give_up()

    def _spans(self, record: Record) -> Iterator[_Span | None]:
        if "resourceSpans" not in record:
            if "traceId" in record:
                yield _sdk_span(record, (self.number, 0))
            return
        place = 0
        for resource in _objects(record.get("resourceSpans")):
            described = resource.get("resource")
            service = ""
            if isinstance(described, dict):
                service = str(_attributes(described.get("attributes")).get("service.name", ""))
            scopes = resource.get("scopeSpans", resource.get("instrumentationLibrarySpans"))
            for scope in _objects(scopes):
                for span in _objects(scope.get("spans")):
                    place += 1
                    yield _otlp_span(span, service, (self.number, place))

    def _take(self, span: _Span) -> None:
        """Settle a span with its unit of work if that has ended, else keep it; each is looked at once."""
        for known in (self._parents, self._units):
            if len(known) >= _MOST_SPANS:
                known.clear()
        self._parents[span.trace, span.span] = span.parent
        unit = _unit(span) if span.is_unit else self._above(span)
        if unit is not None and span.is_unit:
            self._units[span.trace, span.span] = unit
        if unit is not None:
            self._settle([span], unit)
            return
        self._below.setdefault((span.trace, span.parent), []).append(span)
        self._held += 1
        while self._held > _MOST_HELD:
            self._give_up()

    def _above(self, span: _Span) -> _Unit | None:
        """The unit of work that a span belongs to, None if it has not ended."""
        place = span.parent
        for _ in range(_MOST_STEPS):
            unit = self._units.get((span.trace, place))
            above = self._parents.get((span.trace, place))
            if unit is not None or not above:
                return unit
            place = above
        return None

    def _settle(self, spans: list[_Span], unit: _Unit) -> None:
        """Record the calls among spans and all that waited for them.

        As they ended: spans of Node.js begin in whole milliseconds, and what orders calls that begin
        within one is which was answered first.
        """
        waiting = [(span, unit) for span in spans]
        calls: list[tuple[_Span, _Unit]] = []
        while waiting:
            span, unit = waiting.pop()
            below = self._below.pop((span.trace, span.span), [])
            self._held -= len(below)
            self._note_job(span, below)
            sql = span.sql
            # Two libraries may both tell of a call: the one below is nearer to the server.
            if sql and all(one.sql != sql for one in below):
                calls.append((span, unit))
            if span.orm_call:
                unit = replace(unit, call=span.orm_call)
            waiting += [(one, unit) for one in below]
        for call, unit in sorted(calls, key=lambda one: one[0].at):
            self._record(call, unit)

    def _note_job(self, span: _Span, below: list[_Span]) -> None:
        """Keep what a span tells of a job of a queue."""
        end_us = span.start_us + round(span.duration_ms * 1000)
        attributes = [one.attributes for one in below]
        found = attempt_in(span.attributes, span.start_us, end_us, attributes)
        if found is None or not self.sink.wanted(span.start_us):
            return
        if self._jobs == _MOST_JOBS:
            self.sink.warn(
                f"attempts at jobs beyond the first {_MOST_JOBS:,} are left out of the jobs' times"
            )
        self._jobs += 1
        if self._jobs <= _MOST_JOBS:
            self.sink.recording.jobs.append(found)

    def _give_up(self) -> None:
        """The spans that wait for longest belong to their trace, whatever is above them."""
        key = next(iter(self._below))
        spans = self._below.pop(key)
        self._held -= len(spans)
        self._settle(spans, _Unit(trace_number(key[0]), {}))

    def _record(self, call: _Span, unit: _Unit) -> None:
        self.sink.call(
            call.sql,
            start_us=call.start_us,
            duration_ms=call.duration_ms,
            speaker=self.sink.speaker(
                database=call.first("db.namespace", "db.name"),
                user=call.first("db.user"),
                application=call.service,
            ),
            line=call.at[0],
            parameters=_parameters(call.attributes),
            trace=unit.trace,
            tags=tagged({**unit.tags, "prismaQuery": unit.call}),
        )


def _unit(span: _Span) -> _Unit:
    """A job by its queue and id, which comments of its statements name it by, too; else the trace.

    A call that has nothing above it is no unit of work: such calls follow each other in a session.
    """
    if span.sql:
        return _Unit(0, {})
    job, number, queue = span.first(*_JOB_NAMES), span.first(*_JOB_IDS), span.first(*_QUEUES)
    if span.kind == _CONSUMER:
        name = f"{queue}:{number}" if queue and number else number or f"{span.trace}{span.span}"
        return _Unit(trace_number(name), {"job": job or span.name, "queue": queue if job else ""})
    route = span.first("http.route")
    method = span.first("http.request.method", "http.method")
    if not route and method:
        path = span.first("url.path", "http.target")
        route = plain_path(path) if path else ""
    return _Unit(
        trace_number(span.trace),
        {"route": f"{method} {route}".strip() if route else span.name},
    )


def _otlp_span(span: Record, service: str, at: _Place) -> _Span | None:
    """A span of an OTLP export (opentelemetry-proto, trace.proto, as JSON)."""
    start, end = _whole(span.get("startTimeUnixNano")), _whole(span.get("endTimeUnixNano"))
    if start is None or end is None:
        return None
    kind = span.get("kind")
    return _made(
        span,
        _OTLP_KINDS.get(kind, "") if isinstance(kind, int | str) else "",
        start,
        max(end - start, 0),
        _attributes(span.get("attributes")),
        service,
        at,
    )


def _sdk_span(span: Record, at: _Place) -> _Span | None:
    """A span as the JavaScript SDK holds it: times are [seconds, nanoseconds]."""
    start, took = _pair(span.get("startTime")), _pair(span.get("duration"))
    attributes = span.get("attributes")
    if start is None or took is None:
        return None
    kind = span.get("kind")
    return _made(
        span,
        _SDK_KINDS.get(kind, "") if isinstance(kind, int | str) else "",
        start,
        took,
        attributes if isinstance(attributes, dict) else {},
        "",
        at,
    )


def _made(
    span: Record,
    kind: str,
    start_ns: int,
    took_ns: int,
    attributes: Mapping[str, object],
    service: str,
    at: _Place,
) -> _Span | None:
    trace, number, name = span.get("traceId"), span.get("spanId"), span.get("name")
    context = span.get("parentSpanContext")  # of the JavaScript SDK from version 2 on
    parent = (
        span.get("parentSpanId")
        or (context.get("spanId") if isinstance(context, dict) else "")
        or ""
    )
    if not (isinstance(trace, str) and trace and isinstance(number, str) and number):
        return None
    start_us = start_ns // 1000
    if not isinstance(parent, str) or not 0 <= start_us < _LATEST_US or took_ns > 1e18:  # noqa: PLR2004  # 31 years
        return None
    named = name if isinstance(name, str) else ""
    above = parent if parent.strip("0") else ""  # a root's may be all zeros
    return _Span(
        trace, number, above, named, kind, start_us, took_ns / 1e6, attributes, service, at
    )


def _objects(value: object) -> Iterator[Record]:
    if isinstance(value, list):
        yield from (one for one in value if isinstance(one, dict))


def _attributes(value: object) -> dict[str, object]:
    """OTLP's list of keys and typed values."""
    return {str(one.get("key")): _value(one.get("value")) for one in _objects(value)}


def _value(value: object) -> object:
    if not isinstance(value, dict) or not value:
        return None
    kind, held = next(iter(value.items()))
    if kind == "arrayValue" and isinstance(held, dict):
        held = held.get("values")
        return [_value(one) for one in held] if isinstance(held, list) else []
    return held


def _parameters(attributes: Mapping[str, object]) -> str | None:
    """Bound values as a JSON array, None where the span has none."""
    values = attributes.get("db.postgresql.values")
    if isinstance(values, list):
        return json.dumps(values)
    head = "db.query.parameter."
    named = {
        name.removeprefix(head): one for name, one in attributes.items() if name.startswith(head)
    }
    if not named:
        return None
    places = sorted(named, key=_place)
    return json.dumps([named[place] for place in places])


def _place(name: str) -> tuple[float, str]:
    """Numbered parameters in their order, named ones behind them."""
    return (int(name), "") if re.fullmatch("[0-9]{1,6}", name) else (math.inf, name)


def _whole(value: object) -> int | None:
    """A number of nanoseconds, in JSON often a text."""
    if isinstance(value, str) and re.fullmatch("[0-9]{1,20}", value):
        return int(value)
    return value if isinstance(value, int) and not isinstance(value, bool) and value >= 0 else None


def _pair(value: object) -> int | None:
    """[seconds, nanoseconds] as nanoseconds."""
    if not isinstance(value, list) or len(value) != 2:  # noqa: PLR2004  # a pair
        return None
    seconds, nanos = (_whole(one) for one in value)
    return None if seconds is None or nanos is None else seconds * 1_000_000_000 + nanos
