"""Jobs in words: the cells of their table, and what to do about retries that repeat queries."""

from typing import Any

from analyzer.report.formats import count, ms, one_line, plural
from analyzer.report.layout import brief
from analyzer.report.values import Document

COLUMNS = ("Job", "Jobs", "Attempts", "Wait P95", "Run P95", "Database P95", "Round trips P95")
_REMEDY = (
    "let attempts back off (attempts: n, backoff: { type: 'exponential', delay: 1000, jitter: 0.5 }), throw "
    "UnrecoverableError where another attempt cannot help, and keep what is done (job.updateData) so that an attempt "
    "goes on from there"
)


def jobs_of(document: Document) -> list[dict[str, Any]]:
    """The entries; none in a report of a version that had none."""
    found: list[dict[str, Any]] = document.get("jobs", [])
    return found


def cells(job: dict[str, Any]) -> tuple[str, ...]:
    """A row for COLUMNS; a dash where nothing tells."""
    return (
        one_line(job["route"]),
        count(job["jobs"]),
        count(job["attempts"]) if job["attempts"] else "–",
        *(ms(_p95(job[name])) for name in ("wait_ms", "run_ms", "database_ms")),
        count(_p95(job["round_trips"])),
    )


def _p95(spread: dict[str, Any] | None) -> float | None:
    return None if spread is None else spread["p95"]


def notes(job: dict[str, Any], document: Document) -> list[str]:
    """What is to be said beside the figures: states, loops, retries."""
    lines = []
    states = [f"{count(n)} {name}" for name, n in job["states"].items() if n]
    retries = job["retries"]
    if retries["jobs"]:
        states.append(
            f"{count(retries['jobs'])} tried again, up to {retries['most_attempts']} attempts"
        )
    lines += [", ".join(states)] if states else []
    titles = {finding["key"]: finding for finding in document["findings"]}
    for key in job["loops"]:
        if key in titles:
            runs = titles[key]["evidence"].get("occurrences")
            often = f" in {plural(runs, 'job')}" if runs else ""
            lines.append(f"{one_line(titles[key]['title'])}{often} ({one_line(key)})")
    if retries["repeated_executions"]:
        lines.append(_repeats(retries, document))
    return lines


def _repeats(retries: dict[str, Any], document: Document) -> str:
    texts = {one["shape_id"]: one["sql"] for one in document["statements"]}
    most = retries["repeated"][0]
    what = brief(texts.get(most["shape_id"], most["shape_id"]), 90)
    text = (
        f"attempts repeat {plural(retries['repeated_executions'], 'execution')} of earlier ones, most often "
        f"{count(most['executions'])} × {what}"
    )
    return f"Retry storm: {text}; {_REMEDY}" if retries["storm"] else text


def untold(document: Document) -> str:
    """What would tell more, "" where all is told."""
    jobs = jobs_of(document)
    if not jobs:
        return (
            "No job is told of: give spans of the workers, --redis, or statements that name their job "
            "(docs/jobs.md)."
        )
    if not any(job["with_statements"] for job in jobs):
        return (
            "Which statements the jobs ran is not known: give the workers' spans, or a query log whose "
            "statements name queue, job and jobId (docs/jobs.md)."
        )
    if not any(job["wait_ms"] or job["run_ms"] for job in jobs):
        return "How long jobs wait and run is not known: give --redis, or the workers' spans."
    return ""
