"""Attempts at jobs as spans tell of them: BullMQ's own (bullmq-otel), by their attributes.

`add` is when a job was added, `process` one attempt at it; the span below that moves the job on says how
the attempt ended (`complete`, `fail`, `retry`, `delay`). The worker's own times, which are in `process`, are
those of the job's hash; without them a span's times count.
"""

from collections.abc import Iterable, Mapping

from analyzer.model.job import COMPLETED, FAILED, RETRIED, JobAttempt

_ENDINGS = {"complete": COMPLETED, "fail": FAILED, "retry": RETRIED, "delay": RETRIED}
_OPERATION = "bullmq.queue.operation"
_STARTED, _ENDED = "bullmq.job.processed.timestamp", "bullmq.job.attempt_finished_timestamp"
_LONGEST = 300
_EARLIEST_MS, _LATEST_MS = 31_536_000_000, 253_402_300_800_000  # 1971, 9999

Attributes = Mapping[str, object]


def attempt_in(
    span: Attributes, start_us: int, end_us: int, below: Iterable[Attributes]
) -> JobAttempt | None:
    """The attempt, or the adding of a job, that a span is; None of any other span.

    Args:
        span: its attributes.
        start_us: when it began.
        end_us: when it ended.
        below: the attributes of the spans right below it.
    """
    operation = span.get(_OPERATION)
    queue, job = _text(span.get("bullmq.queue.name")), _text(span.get("bullmq.job.id"))
    if operation not in ("add", "process") or not queue or not job:
        return None
    name = _text(span.get("bullmq.job.name"))
    if operation == "add":
        return JobAttempt(queue, job, name, ready_us=start_us, origin="spans")
    started, ended = _time_us(span.get(_STARTED)), _time_us(span.get(_ENDED))
    if started is None or ended is None or ended < started:
        started, ended = start_us, end_us
    made = _number(span.get("bullmq.job.attempts.made"))
    number = made if made is not None and 0 < made < 1_000_000 else 0  # noqa: PLR2004 - no job is tried as often
    endings = (_ENDINGS.get(str(one.get(_OPERATION))) for one in below)
    outcome = next((one for one in endings if one), "")
    return JobAttempt(
        queue,
        job,
        name,
        number,
        started_us=started,
        ended_us=ended,
        outcome=outcome,
        attempts=number,
        origin="spans",
    )


def _text(value: object) -> str:
    if isinstance(value, bool) or not isinstance(value, str | int):
        return ""
    return str(value)[:_LONGEST]


def _number(value: object) -> int | None:
    """A whole number, which OTLP's JSON has as a text."""
    if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) < 18:  # noqa: PLR2004 - an int64
        return int(value)
    if isinstance(value, float) and value.is_integer():
        return int(value)
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def _time_us(value: object) -> int | None:
    """A time in ms since 1970 as µs."""
    ms = _number(value)
    return ms * 1000 if ms is not None and _EARLIEST_MS <= ms < _LATEST_MS else None
