"""What looks like a loop in a slice and is none: the verdict on statements that come again and again."""

import re
from collections.abc import Container, Iterator

import numpy as np

from analyzer.detectors._found import Loops
from analyzer.detectors._places import by_statement
from analyzer.detectors._polls import unsteady_polls
from analyzer.detectors._rows import MINIMUM
from analyzer.detectors._search import Search
from analyzer.detectors._turns import Turns, asides_of, attempts, jobs, rolls_back
from analyzer.model.columns import Rows, median, sorted_distinct
from analyzer.model.ruled_out import Verdict
from analyzer.model.statement import Arity, Kind, Role, Statement, StatementFacts
from analyzer.model.work import WorkSlice
from analyzer.patterns import regex

_MOST = 0.8  # share of a statement's repetitions that a verdict has to hold for
_LEAST_POLLS = 10
_PERIOD_US = 50_000  # what polls more often is no poll
# Verdicts that hold for identical executions, too.
_NO_REPEATS = (Verdict.RETRY, Verdict.PER_TENANT, Verdict.READ_BEFORE_WRITE)
# What a session sets to work for another tenant: its schema, its role, or a setting of the application.
# The text of each is a key of its own: where many differ, the tenants do.
_TENANT = regex(
    r"\bset\s+(?:session\s+|local\s+)?(?:search_path|role|session\s+authorization|\w+\.\w+)\b",
    re.IGNORECASE,
)
_STEADY = 0.1  # by this share of it two periods may differ
REST_US = 100_000  # what a job rests between two turns

Told = tuple[int, Verdict, int, int]  # statement, verdict, executions, units of work


def ruled_out(search: Search, found: Loops) -> list[Told]:
    """Verdicts on what a search has not found to be a loop.

    What is found to be repeated, or a loop, and is none after all is taken out of `found`.
    """
    rows, work = search.rows, search.rows.work
    told = {poll[0]: poll for poll in _polls(search)}
    told |= _unsteady_polls(search, found, told)
    told |= _tenant_loops(work, found)
    loops = {pair.child for pair in found.pairs} | {group.statement for group in found.lookups}
    repeated = {group.statement for group in found.repeated}
    inserts = by_statement(rows.dense_in_units(search.shapes.bulk))
    for number, mine in (search.dense | inserts).items():
        if number in loops or number in told:
            continue
        verdict = _verdict(search, number, mine)
        if verdict and (number not in repeated or verdict in _NO_REPEATS):
            told[number] = _told(number, verdict, work, mine)
    found.repeated = [group for group in found.repeated if group.statement not in told]
    known = loops | told.keys() | {group.statement for group in found.repeated}
    turns = Turns.of(work)
    for verdict, told_by in ((Verdict.RETRY, attempts), (Verdict.BATCH_JOB, jobs)):
        for number, mine in told_by(search, turns):
            if number not in known:
                known.add(number)
                told[number] = _told(number, verdict, work, mine)
    return list(told.values())


def _told(number: int, verdict: Verdict, work: WorkSlice, rows: Rows) -> Told:
    return number, verdict, len(rows), len(sorted_distinct(work.request[rows]))


def _tenant_loops(work: WorkSlice, found: Loops) -> dict[int, Told]:
    """Loops whose every turn is for another tenant: no statement can ask for all of them."""
    if len(asides_of(work, _switches_tenant)) < MINIMUM - 1:
        return {}
    told = {}
    for pair in found.pairs:
        if _for_tenants(work, np.sort(pair.children)):
            told[pair.child] = _told(pair.child, Verdict.PER_TENANT, work, pair.children)
    for group in found.lookups:
        if _for_tenants(work, np.sort(group.rows)):
            told[group.statement] = _told(group.statement, Verdict.PER_TENANT, work, group.rows)
    found.pairs = [pair for pair in found.pairs if pair.child not in told]
    found.lookups = [group for group in found.lookups if group.statement not in told]
    return told


def _verdict(search: Search, number: int, rows: Rows) -> Verdict | None:
    facts = search.shapes.facts(number)
    if facts.kind is Kind.INSERT:
        return Verdict.BULK_IMPORT
    if any(one.arity is Arity.MANY for one in facts.predicates):
        return Verdict.BATCHED
    if _pages(facts) and len(sorted_distinct(search.rows.work.parameters_hash[rows])) > 1:
        return Verdict.PAGINATION
    if search.written.after(number, rows):
        return Verdict.READ_BEFORE_WRITE
    return _by_surroundings(search.rows.work, rows)


def _pages(facts: StatementFacts) -> bool:
    """Whether a statement reads a list page by page."""
    limited = facts.limit is not None and facts.limit not in (0, 1)
    moves = any(one.operator in ("<", ">", "<=", ">=") for one in facts.predicates)
    return limited and (moves or facts.offset is not None)


def _by_surroundings(work: WorkSlice, rows: Rows) -> Verdict | None:
    """What the statements around each execution say: transactions, settings."""
    transaction = work.transaction[rows]
    if (transaction >= 0).all() and len(sorted_distinct(transaction)) == len(rows):
        same = len(sorted_distinct(work.parameters_hash[rows])) == 1
        backs = _between(work, rows, asides_of(work, rolls_back))
        if same and backs >= len(rows) - len(sorted_distinct(work.session[rows])):
            return Verdict.RETRY
        return Verdict.BATCH_JOB if _goes_on(work, rows) else None
    return Verdict.PER_TENANT if _for_tenants(work, rows) else None


def _goes_on(work: WorkSlice, rows: Rows) -> bool:
    """Whether a session hardly rests between executions, as a job does and requests don't."""
    rested = work.start_us[rows[1:]] - work.end_us[rows[:-1]]
    rested = rested[work.session[rows[1:]] == work.session[rows[:-1]]]
    return len(rested) > 0 and bool(median(rested) <= REST_US)


def _switches_tenant(statement: Statement) -> bool:
    return statement.facts.role is Role.SESSION and bool(_TENANT.search(statement.sql))


def _for_tenants(work: WorkSlice, rows: Rows) -> bool:
    """Whether the session works for another tenant at nearly each of some rows (in their order)."""
    switches = asides_of(work, _switches_tenant)
    places = work.asides.place[switches]
    texts = work.asides.key[switches[(places > rows[0]) & (places <= rows[-1])]]
    if len(sorted_distinct(texts)) < MINIMUM - 1:
        return False
    return _between(work, rows, switches) >= _MOST * (len(rows) - 1)


def _between(work: WorkSlice, rows: Rows, asides: Rows) -> int:
    """Between how many neighbours of a session's rows any of some asides stand."""
    before = np.searchsorted(np.sort(work.asides.place[asides]), rows, side="right")
    same = work.session[rows][1:] == work.session[rows][:-1]
    return int(np.count_nonzero((np.diff(before) > 0) & same))


def _polls(search: Search) -> Iterator[Told]:
    """Statements that a session runs at a steady period, with the same parameters each time."""
    repeatable, period = search.shapes.repeatable, (_PERIOD_US, _STEADY)
    for mine in search.rows.steady(repeatable, period, _LEAST_POLLS, _MOST):
        number = int(search.rows.statement[mine[0]])
        yield _told(number, Verdict.POLLING, search.rows.work, mine)


def _unsteady_polls(search: Search, found: Loops, told: Container[int]) -> dict[int, Told]:
    """The same at no steady period, or by any connection of a pool: of what is repeated nearly all is polling."""
    work, rows = search.rows.work, search.rows
    polls = {}
    for number in {group.statement for group in found.repeated}:
        if number in told:
            continue
        mine = unsteady_polls(work, rows.of_statement(number))
        groups = [group.rows for group in found.repeated if group.statement == number]
        repeated = np.concatenate(groups)
        if len(mine) and rows.marked(mine)[repeated].mean() >= _MOST:
            polls[number] = _told(number, Verdict.POLLING, work, mine)
    return polls
