"""Statements that run again and again as the children of a loop do, and why that is no N+1."""

from enum import StrEnum

from analyzer.records import record


class Verdict(StrEnum):
    """What a repetition is instead."""

    BATCHED = "batched"
    PAGINATION = "pagination"
    RETRY = "retry"
    POLLING = "polling"
    BATCH_JOB = "batch-job"
    BULK_IMPORT = "bulk-import"
    PER_TENANT = "per-tenant"
    READ_BEFORE_WRITE = "read-before-write"


WHY = {
    Verdict.BATCHED: "each execution asks for several values at once",
    Verdict.PAGINATION: "each execution reads the next page",
    Verdict.RETRY: "each execution but the last was rolled back, and tried again",
    Verdict.POLLING: "it runs at a pace of its own, whatever else happens",
    Verdict.BATCH_JOB: "each turn has a transaction of its own, as jobs do that may be interrupted",
    Verdict.BULK_IMPORT: "each execution writes several rows",
    Verdict.PER_TENANT: "the session's settings change before each execution, as for each tenant's schema",
    Verdict.READ_BEFORE_WRITE: "the row that is read is written next",
}


@record
class RuledOut:
    """A statement (shape) with its verdict; `executions` in all, in so many units of work."""

    shape_id: str
    verdict: Verdict
    executions: int
    requests: int
