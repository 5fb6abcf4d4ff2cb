"""Jobs of queues: how long they wait and run, and what each costs the database."""

from typing import Any

from analyzer.report.job_words import COLUMNS, cells, jobs_of, notes, untold
from analyzer.report.sections._base import Section
from analyzer.report.values import Document

_SHOWN = 100


def prepare(document: Document) -> dict[str, Any] | None:
    """A row for each queue and name of job; None without jobs."""
    jobs = jobs_of(document)
    if not jobs:
        return None
    rows = [{"cells": cells(job), "notes": notes(job, document)} for job in jobs[:_SHOWN]]
    return {
        "count": len(jobs),
        "columns": COLUMNS,
        "rows": rows,
        "untold": untold(document),
        "hidden": max(0, len(jobs) - _SHOWN),
    }


SECTION = Section("jobs", "Jobs", "sections/jobs.html.j2", prepare)
