"""Jobs: captures of BullMQ with what they are known to hold, attempts from several sources, retries."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from analyzer.model.evidence import NPlusOneEvidence
from analyzer.model.job import JobAttempt, JobFigures
from analyzer.pipeline import Options, Result, run
from analyzer.workload.job_attempts import histories
from analyzer.workload.tags import read_job

DATA = Path(__file__).parents[1] / "data" / "bullmq"
S = 1_000_000


def analysed(*names: str, workers: int = 1) -> Result:
    return run(Options(inputs=[str(DATA / name) for name in names], workers=workers))


def nightly(result: Result) -> JobFigures:
    return next(one for one in result.workload.jobs if one.name == "nightly")


@pytest.mark.parametrize(
    "name",
    [
        "plain/otel_spans.jsonl",
        "plain/query_events.jsonl",
        "plain/postgresql.json",
        "w3c/otel_spans.jsonl",
        "w3c/query_events.jsonl",
    ],
)
def test_loops_of_jobs_are_told_by_job_whatever_trace_they_share(name: str) -> None:
    """Six jobs in each capture; the three that find nothing in the cache loop: six of the two captures."""
    result = analysed(name)
    one = nightly(result)
    assert (one.queue, one.jobs, one.with_statements) == ("backups", 6, 6)
    assert one.round_trips is not None
    assert one.round_trips.largest == 11
    (finding,) = (one for one in result.findings if one.detector == "n-plus-one")
    shown = finding.evidence
    assert isinstance(shown, NPlusOneEvidence)
    assert (shown.occurrences, shown.executions) == (3, 30)
    assert finding.routes == ("backups:nightly",)
    entry = next(job for job in result.document["jobs"] if job["name"] == "nightly")
    assert entry["loops"] == [finding.key]


@pytest.mark.parametrize("name", ["plain", "w3c"])
def test_waits_and_runs_of_spans_are_those_of_the_jobs_hashes(name: str) -> None:
    jobs = [json.loads(line) for line in (DATA / name / "jobs.jsonl").read_text().splitlines()]
    found = {one.name: one for one in analysed(f"{name}/otel_spans.jsonl").workload.jobs}
    for job_name in ("nightly", "fail"):
        mine = [job for job in jobs if job["name"] == job_name]
        figures = found[job_name]
        assert figures.attempts == len(mine)
        assert figures.run is not None
        assert figures.run.largest == max(one["finishedOn"] - one["processedOn"] for one in mine)
        assert figures.wait is not None
        waits = max(one["processedOn"] - one["timestamp"] for one in mine)
        # A job is added within its span, whose time is not the one in its hash.
        assert figures.wait.largest == pytest.approx(waits, abs=25)
    assert (found["nightly"].completed, found["fail"].failed) == (6, 1)


def test_workers_and_two_copies_change_nothing() -> None:
    alone = analysed("w3c/otel_spans.jsonl", "plain/query_events.jsonl")
    assert (
        analysed("w3c/otel_spans.jsonl", "plain/query_events.jsonl", workers=2).document["jobs"]
        == (alone.document["jobs"])
    )


def attempt(**more: object) -> JobAttempt:
    given: dict[str, Any] = {"queue": "q", "job": "1", "name": "n", "origin": "redis", **more}
    return JobAttempt(**given)


def test_the_source_that_shows_most_attempts_is_believed() -> None:
    (one,) = histories(
        [
            attempt(number=3, started_us=30 * S, ended_us=31 * S, outcome="completed", attempts=3),
            attempt(
                origin="events",
                name="",
                ready_us=S,
                started_us=2 * S,
                ended_us=3 * S,
                outcome="retried",
            ),
            attempt(
                origin="events",
                name="",
                ready_us=9 * S,
                started_us=10 * S,
                ended_us=11 * S,
                outcome="retried",
            ),
            attempt(
                origin="events", name="", started_us=30 * S, ended_us=31 * S, outcome="completed"
            ),
        ]
    )
    assert (one.name, one.made, one.state, len(one.attempts)) == ("n", 3, "completed", 3)
    (cut,) = histories([attempt(number=3, started_us=30 * S, ended_us=31 * S, attempts=3)])
    assert (cut.made, len(cut.attempts)) == (3, 1)


def test_when_a_job_was_added_another_source_may_tell() -> None:
    (one,) = histories(
        [
            attempt(origin="spans", ready_us=S),
            attempt(
                origin="spans", number=1, started_us=2 * S, ended_us=3 * S, outcome="completed"
            ),
        ]
    )
    assert one.attempts[0].ready_us == S
    (waiting,) = histories([attempt(ready_us=S, outcome="waiting")])
    assert (waiting.state, waiting.made) == ("waiting", 0)


@pytest.mark.parametrize(
    ("comment", "job"),
    [
        ("/*job='nightly',queue='backups'*/", ("backups", "nightly")),
        ("/*task_name='pay'*/", ("", "pay")),
        ("/*route='/a',job='nightly'*/", None),
        ("/*controller='a',action='b'*/", None),
        ("", None),
    ],
)
def test_a_job_is_told_from_a_request(comment: str, job: tuple[str, str] | None) -> None:
    assert read_job(comment) == job


def retrying(tmp_path: Path, *, seconds: float, different: bool | None) -> JobFigures:
    """Spans of a job in three attempts, each of which runs five statements; None: without parameters."""
    lines = []

    def span(
        number: int, parent: str, name: str, at: float, took: float, **attributes: object
    ) -> None:
        lines.append(
            json.dumps(
                {
                    "traceId": "a" * 32,
                    "spanId": f"{number:016x}",
                    "parentSpanId": parent,
                    "name": name,
                    "kind": 4 if name == "process" else 2,
                    "startTime": [1_795_338_000 + int(at), int(at % 1 * 1e9)],
                    "duration": [0, int(took * 1e9)],
                    "attributes": attributes,
                }
            )
        )

    for turn in range(3):
        begin = turn * seconds
        process = turn * 100 + 1
        for n in range(5):
            text = "SELECT count(*) FROM reviews WHERE book_id = $1"
            value = n + 100 * turn if different else n
            values = {} if different is None else {"db.query.parameter.0": value}
            span(process + n + 1, f"{process:016x}", "db", begin + 0.01 * (n + 1), 0.005, **{
                "db.system.name": "postgresql", "db.query.text": text, **values,
            })  # fmt: skip
        job = {"bullmq.queue.name": "q", "bullmq.job.id": "1", "bullmq.job.name": "flaky"}
        end = {"bullmq.queue.operation": "complete" if turn == 2 else "retry"}
        span(process + 50, f"{process:016x}", "end", begin + 0.07, 0.001, **job, **end)
        span(process, "", "process", begin, 0.08, **job, **{
            "bullmq.queue.operation": "process", "bullmq.job.attempts.made": turn + 1,
        })  # fmt: skip
    path = tmp_path / "spans.jsonl"
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    (found,) = run(Options(inputs=[str(path)])).workload.jobs
    return found


@pytest.mark.parametrize("seconds", [1, 0.1])  # then 20 ms lie between two attempts
@pytest.mark.parametrize("different", [False, True, None])
def test_only_what_an_earlier_attempt_ran_is_repeated(
    tmp_path: Path, *, seconds: float, different: bool | None
) -> None:
    one = retrying(tmp_path, seconds=seconds, different=different)
    assert (one.jobs, one.attempts, one.retried, one.completed) == (1, 3, 1, 1)
    assert one.round_trips is not None
    assert one.round_trips.largest == 15
    assert one.repeats == (0 if different else 10)
    assert np.isclose(one.database_total_ms, 75)
