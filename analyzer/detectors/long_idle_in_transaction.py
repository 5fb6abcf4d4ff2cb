"""Sessions that rest inside a transaction while they hold locks.

What it finds
    A gap of a second and more between two statements of one explicit transaction, behind its first
    write.

Why it hurts
    The server has nothing to do and cannot let go: rows stay locked, vacuum cannot clean up behind
    the transaction, and the connection is lost to the pool.

How it decides
    From the end of a statement to the start of the next in the log of one session, between BEGIN
    and COMMIT, once an INSERT, UPDATE, DELETE, MERGE, LOCK, COPY FROM, SELECT … FOR UPDATE or a
    change of the schema has taken locks. LOCK in ACCESS SHARE MODE and a new temporary table are in
    nobody's way and do not count. A gap before ROLLBACK does not count either: a statement that
    fails leaves no duration in the log, and may be what ran. Sessions that
    idle_in_transaction_session_timeout ended are counted beside. Where all sessions are silent at
    once, though others are busy before and after, the log has a hole, and the gap does not count. A
    log that leaves statements out cannot show gaps. Severity: low from one second on, medium from
    ten, high from sixty.

When it is wrong
    A statement between that failed and was not logged, followed by anything but a ROLLBACK.
    Somebody who types at a prompt (still, the locks are held).

What to do
    Commit before what takes its time: calls to other services, mail, user input. Set
    idle_in_transaction_session_timeout as a net.
"""

from collections.abc import Sequence

from analyzer.detectors._base import answer, incomplete_log
from analyzer.detectors._loops import LoopFinder
from analyzer.detectors._transactions import IdleFigures
from analyzer.model.evidence import IdleInTransactionEvidence
from analyzer.model.finding import Finding, Impact, Outcome, Severity, Status
from analyzer.model.statement import Statement
from analyzer.model.workload import Workload
from analyzer.sql.identity import short_hash

_STEPS_MS = ((60_000.0, Severity.HIGH), (10_000.0, Severity.MEDIUM))
_TIMED_OUT = ("error", "25P03")


class LongIdleInTransaction:
    """Detector `long-idle-in-transaction`: one finding per statement (shape) before the gap."""

    id = "long-idle-in-transaction"

    def __init__(self, loops: LoopFinder) -> None:
        self._transactions = loops.neighbours.transactions

    def detect(self, workload: Workload) -> Outcome:
        """Judge the workload."""
        self._transactions.settle()
        sampling = workload.coverage.sampling
        reason = incomplete_log(workload)
        if reason and not (sampling is not None and sampling.by == "transaction"):
            return Outcome(Status.NOT_APPLICABLE, reason=reason)
        found = self._transactions.idle.values()
        return answer([_finding(workload, one) for one in found], workload)


def _finding(workload: Workload, found: IdleFigures) -> Finding:
    statements = workload.statements
    statement = statements[found.statement]
    timed_out = workload.events.get(_TIMED_OUT)
    evidence = IdleInTransactionEvidence(
        shape_id=statement.shape_id,
        sql=statement.sql,
        lock_sql=_sql(statements, found.locked_by),
        next_sql=_sql(statements, max(found.next, key=lambda one: found.next[one])),
        occurrences=found.count,
        idle_ms=round(found.idle_ms.median, 3),
        longest_ms=round(found.longest_ms, 3),
        total_ms=round(found.total_ms, 3),
        terminated=timed_out.count if timed_out else 0,
    )
    table = statement.facts.main_table
    return Finding(
        key=f"long-idle-in-transaction-{short_hash(statement.lineage, 12)}",
        detector=LongIdleInTransaction.id,
        severity=next(
            (level for step, level in _STEPS_MS if evidence.longest_ms >= step), Severity.LOW
        ),
        confidence=0.9,
        title=f"Idle for {evidence.idle_ms / 1000:,.1f} s with locks, behind {statement.facts.kind.value} of {table or 'no table'}",
        evidence=evidence,
        impact=Impact(requests=found.count),
        shape_ids=(statement.shape_id,),
        fingerprints=(statement.fingerprint,),
        tables=statement.facts.tables,
    )


def _sql(statements: Sequence[Statement], number: int) -> str | None:
    return statements[number].sql if number >= 0 else None
