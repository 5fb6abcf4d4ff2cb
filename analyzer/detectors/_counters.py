"""What counters alone tell of loops: which statement runs about once a row of another.

pg_stat_statements has no order, so this is a guess that figures support: a parent that returns
several rows a call, and a linked child that is called about as often as the parent returned rows.
"""

from collections.abc import Iterator

from analyzer.detectors._links import Link, finds_one_row, link, lookups
from analyzer.detectors._reads import Reads
from analyzer.model.statement import Kind, Role, StatementFacts
from analyzer.model.workload import Workload
from analyzer.records import record

_SURE_LINK = 0.7
_ROWS_A_CALL = 2.0  # a parent's rows, from which a loop over them is one
_LEAST_CALLS = 5
# Children per row of the parent: fewer where some of its rows need none, hardly ever more.
_FEWEST, _MOST = 0.3, 1.05
_PARENTS = 2_000  # candidates, those with the most rows first: pairs grow with their square


@record
class CountedPair:
    """A parent and a child (positions in Workload.statements), and children per parent's call."""

    parent: int
    child: int
    link: Link
    per_parent: float


def counted_pairs(workload: Workload) -> list[CountedPair]:
    """One pair a child: its best linked parent, of these the one whose rows fit its calls best."""
    known = [statement.facts for statement in workload.statements]
    tables = frozenset(name for facts in known for name in facts.tables)
    parents = sorted(_parents(workload, known), key=lambda one: -one[1])[:_PARENTS]
    reads = {parent: Reads.of(known[parent]) for parent, _, _ in parents}
    found = []
    for child, facts in enumerate(known):
        wanted, calls = lookups(facts), workload.stats[child].calls
        if not wanted or facts.role is not Role.WORKLOAD or calls < _LEAST_CALLS:
            continue
        fitting = [
            (made.strength, -abs(1 - calls / rows), CountedPair(parent, child, made, calls / times))
            for parent, rows, times in parents
            if parent != child
            and _FEWEST <= calls / rows <= _MOST
            and (made := link(facts, wanted, reads[parent], workload.catalog, tables))
            and made.strength >= _SURE_LINK
        ]
        if fitting:
            found.append(max(fitting, key=lambda one: one[:2])[2])
    return found


def _parents(workload: Workload, known: list[StatementFacts]) -> Iterator[tuple[int, float, int]]:
    """Statements that return several rows a call: position, rows of all calls, calls."""
    for number, facts in enumerate(known):
        stats = workload.stats[number]
        if facts.kind is not Kind.SELECT or facts.role is not Role.WORKLOAD or not stats.calls:
            continue
        several = (stats.rows_per_call or 0.0) >= _ROWS_A_CALL
        if stats.rows and several and not finds_one_row(facts, workload.catalog):
            yield number, stats.rows * stats.calls / stats.rows_calls, stats.calls
