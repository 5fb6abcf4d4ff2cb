"""Transactions that hold locks over many round trips.

What it finds
    An explicit transaction that sends twenty statements and more behind its first write, and holds
    that write's locks for 100 ms and more, at least half of it without a statement running.

Why it hurts
    Between two statements the server waits for the application and the network, and everybody who
    wants the locked rows waits for both. Deadlocks become likelier with every further lock.

How it decides
    From BEGIN to COMMIT in the log of one session. The first INSERT, UPDATE, DELETE, MERGE, LOCK,
    COPY FROM or SELECT … FOR UPDATE begins the time that locks are held; the end of COMMIT ends it.
    Statements that another finding explains (loops of reads and of writes), INSERTs of many rows,
    COPY and FETCH do not count, nor do rests of a second and more (long-idle-in-transaction has
    those). Transactions that change the schema are migrations and left out. Reported from two such
    transactions on, or one that held locks for a second. Severity counts the time held (a second,
    ten) and whether they are a tenth and more of all transactions that begin to lock there.

When it is wrong
    Batch jobs at night that nobody waits for. An INSERT's locks are in nobody's way unless others
    insert the same key or delete the rows that it refers to.

What to do
    Read before the first write, write last; do what needs no lock (calls to other services,
    rendering) outside; lock hot rows last. Send what belongs together as one statement.
"""

from analyzer.detectors._base import answer
from analyzer.detectors._loops import LoopFinder
from analyzer.detectors._transactions import ChattyFigures, Transactions
from analyzer.model.evidence import ChattyTransactionEvidence
from analyzer.model.finding import Finding, Impact, Outcome, Severity
from analyzer.model.workload import Workload
from analyzer.sql.identity import short_hash

_OFTEN = 2
_LONG_MS = 1_000.0
_VERY_LONG_MS = 10_000.0
_USUAL = 0.1
_LEVELS = (Severity.INFO, Severity.LOW, Severity.MEDIUM, Severity.HIGH)


class ChattyTransaction:
    """Detector `chatty-transaction`: one finding per statement (shape) that takes the first lock."""

    id = "chatty-transaction"

    def __init__(self, loops: LoopFinder) -> None:
        self._transactions = loops.neighbours.transactions

    def detect(self, workload: Workload) -> Outcome:
        """Judge the workload."""
        self._transactions.settle()
        made = [
            _finding(workload, found, self._transactions)
            for found in self._transactions.chatty.values()
            if found.trips.count >= _OFTEN or found.longest_ms >= _LONG_MS
        ]
        return answer(made, workload)


def _finding(workload: Workload, found: ChattyFigures, known: Transactions) -> Finding:
    statement = workload.statements[found.statement]
    trips = found.trips.spread()
    evidence = ChattyTransactionEvidence(
        shape_id=statement.shape_id,
        sql=statement.sql,
        table=statement.facts.main_table,
        transactions=found.trips.count,
        of_transactions=known.transactions_of(found.statement),
        round_trips=trips,
        held_ms=round(found.held_ms.median, 3),
        longest_ms=round(found.longest_ms, 3),
        running_share=round(found.running_total_ms / found.held_total_ms, 3),
    )
    usual = evidence.transactions >= _USUAL * evidence.of_transactions
    points = int(evidence.held_ms >= _LONG_MS) + int(evidence.held_ms >= _VERY_LONG_MS)
    return Finding(
        key=f"chatty-transaction-{short_hash(statement.lineage, 12)}",
        detector=ChattyTransaction.id,
        severity=_LEVELS[points + int(usual)],
        confidence=0.8,
        title=f"{trips.median:g} round trips while the locks of {evidence.table} are held for {evidence.held_ms:,.0f} ms",
        evidence=evidence,
        impact=Impact(None, round(found.running_total_ms, 3), None, evidence.transactions),
        shape_ids=(statement.shape_id,),
        fingerprints=(statement.fingerprint,),
        tables=statement.facts.tables,
    )
