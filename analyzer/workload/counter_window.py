"""The window between two snapshots of a server's counters, and what is missing in it.

Counters grow until something takes them back: a reset of all or of one row, rows that are pushed out
when there are more statements than room, a restart that did not save them, another server behind
the same name. What can be told of these is told; a window that lost something says so, and its
figures are those of what is left: at most what happened, never more.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import field, replace
from datetime import UTC, datetime

from analyzer.model.snapshot import CounterWindow, Snapshot
from analyzer.model.statement import StatementCounters
from analyzer.records import changing
from analyzer.workload.counter_rows import (
    RowKey,
    contradicts,
    difference,
    fell,
    row_key,
    total,
)

_MAJOR = 10_000  # of server_version_num


def window(before: Snapshot, after: Snapshot) -> CounterWindow:
    """What was counted between two snapshots, the earlier one first.

    Where there can be no window (an upgrade, another server, a clock that went back) it has no
    counters, is not complete, and its caveat says why.
    """
    empty = CounterWindow(before.taken_us, after.taken_us, (), counted_from_us=before.taken_us)
    reason = _refusal(before, after)
    if reason is not None:
        return replace(empty, complete=False, caveats=(reason,))
    found = _Changes(before.taken_us, hidden=before.hidden > 0)
    old = {row_key(row): row for row in before.counters}
    reset_us = _reset_between(before, after)
    lost = reset_us is None and _lost_by_restart(before, after, old)
    anew = lost or reset_us is not None
    pushed = _pushed_out(before, after)
    for row in after.counters:
        found.take(
            None if anew else old.pop(row_key(row), None), row, anew=anew, mixed=bool(pushed)
        )
    caveats = [*_cut(before, after, reset_us, lost=lost), *found.caveats()]
    if not anew:
        caveats += _gone(len(old), len(before.counters), pushed)
    elif pushed:
        caveats.append(_ran_out(pushed))
    return replace(
        empty,
        counters=tuple(found.rows),
        complete=not caveats,
        caveats=tuple(caveats),
        counted_from_us=reset_us if reset_us is not None else before.taken_us,
    )


def joined(windows: Sequence[CounterWindow]) -> CounterWindow:
    """Windows that follow each other, as one; there has to be one at least.

    A row's minimum and maximum are told only where each of its windows told them.
    """
    rows: dict[RowKey, StatementCounters] = {}
    for one in windows:
        for row in one.counters:
            key = row_key(row)
            rows[key] = total(rows[key], row) if key in rows else row
    return CounterWindow(
        windows[0].from_us,
        windows[-1].to_us,
        tuple(rows.values()),
        complete=all(one.complete for one in windows),
        caveats=tuple(dict.fromkeys(caveat for one in windows for caveat in one.caveats)),
        counted_from_us=windows[0].counted_from_us,
    )


@changing
class _Changes:
    """Rows of the window, and how many of them are not what they seem."""

    from_us: int
    hidden: bool  # whether the earlier snapshot could not see some rows
    rows: list[StatementCounters] = field(default_factory=list)
    anew: int = 0
    unsure: int = 0
    unsure_ms: float = 0.0

    def take(
        self, old: StatementCounters | None, new: StatementCounters, *, anew: bool, mixed: bool
    ) -> None:
        """Take in a row of the later snapshot; `old` is that of the earlier one.

        `anew` tells that all rows began anew, `mixed` that a row that seems to have lived all the while
        may have been pushed out and come back.
        """
        if old is None:
            older = self.hidden if new.since_us is None else new.since_us <= self.from_us
            if older and not anew:
                # It was there (or may have been), and the earlier snapshot could not see it.
                self.unsure += 1
                self.unsure_ms += new.total_ms
                return
            change = new
        elif _continued(old, new):
            change = difference(old, new)
            if mixed and new.since_us is None:
                change = replace(change, stddev_ms=None)
        else:
            self.anew += 1
            change = new
        if change.calls > 0:
            self.rows.append(change)

    def caveats(self) -> list[str]:
        told = []
        if self.anew:
            told.append(
                f"{self.anew} rows began anew (reset one by one, or pushed out and back again): what "
                "they counted before that in the window is missing"
            )
        if self.unsure:
            told.append(
                f"{self.unsure} rows ({self.unsure_ms:.0f} ms since they began) are left out: the "
                "earlier snapshot could not see them (a role without pg_read_all_stats, a lost text)"
            )
        return told


def _continued(old: StatementCounters, new: StatementCounters) -> bool:
    """Whether a row counted on from one snapshot to the other, as far as can be told."""
    if old.since_us is not None and new.since_us is not None:
        return old.since_us == new.since_us
    return not fell(old, new) and not contradicts(old, new)


def _refusal(before: Snapshot, after: Snapshot) -> str | None:
    """Why there is no window between two snapshots, None where there is one."""
    other = _other_server(before, after)
    if other is not None:
        return other
    if after.taken_us <= before.taken_us:
        return (
            f"the later snapshot is of {_time(after.taken_us)}, which is not after the earlier one's "
            f"{_time(before.taken_us)}: they were given in the wrong order, or the clock went back"
        )
    if not _read(before) or not _read(after):
        which = "later" if _read(before) else "earlier"
        return f"the {which} snapshot has no counters (its warnings say why)"
    reset_us = _reset_between(before, after)
    if reset_us is not None and reset_us <= before.taken_us:
        return (
            f"the counters were last reset at {_time(reset_us)}, which the earlier snapshot does not "
            "know: they are those of another server of the cluster (a failover); there is no window"
        )
    return None


def _other_server(before: Snapshot, after: Snapshot) -> str | None:
    """Why two snapshots are not of one server, None where they are."""
    old, new = before.server, after.server
    if old.system_identifier and new.system_identifier:
        if old.system_identifier != new.system_identifier:
            return (
                f"the snapshots are of two clusters (system identifiers {old.system_identifier} and "
                f"{new.system_identifier}: restored or upgraded); there is no window between them"
            )
    elif old.address != new.address:
        return f"the snapshots are of two servers, {old.address} and {new.address}"
    if old.version // _MAJOR != new.version // _MAJOR:
        return (
            f"the server was upgraded from {old.version // _MAJOR} to {new.version // _MAJOR}: "
            "its counters began anew; there is no window"
        )
    return None


def _read(snapshot: Snapshot) -> bool:
    return bool(snapshot.counters) or snapshot.reset_us is not None


def _reset_between(before: Snapshot, after: Snapshot) -> int | None:
    """When all counters were reset in the window, None where they were not."""
    if before.reset_us is None or after.reset_us is None or before.reset_us == after.reset_us:
        return None
    return after.reset_us


def _lost_by_restart(
    before: Snapshot, after: Snapshot, old: Mapping[RowKey, StatementCounters]
) -> bool:
    """Whether a restart lost the counters; asked where the extension does not tell (before 1.9).

    The server saves them when it is shut down in order. If it did, no row went back.
    """
    if not _restarted(before, after) or after.reset_us is not None:
        return False
    pairs = ((old.get(row_key(row)), row) for row in after.counters)
    return not all(_continued(was, now) for was, now in pairs if was is not None)


def _restarted(before: Snapshot, after: Snapshot) -> bool:
    return before.server.started_us != after.server.started_us


def _cut(before: Snapshot, after: Snapshot, reset_us: int | None, *, lost: bool) -> Iterable[str]:
    """Caveats about a window whose beginning is missing."""
    length = after.taken_us - before.taken_us
    if reset_us is not None:
        share = 100 * (after.taken_us - reset_us) / length
        why = "all counters were reset"
        if _restarted(before, after) and after.server.started_us is not None:
            why = "the server was restarted without its counters, or they were reset"
        yield f"{why} at {_time(reset_us)}: {share:.0f} % of the window is covered"
    elif lost and after.server.started_us is not None:
        share = 100 * (after.taken_us - after.server.started_us) / length
        yield (
            f"the server was restarted at {_time(after.server.started_us)} without its counters: "
            f"{share:.0f} % of the window is covered"
        )


def _pushed_out(before: Snapshot, after: Snapshot) -> int | None:
    """How often rows were pushed out in the window; None where the extension does not tell."""
    if before.evictions is None or after.evictions is None:
        return None
    if _reset_between(before, after) is not None:
        return after.evictions
    return after.evictions - before.evictions


def _gone(gone: int, rows: int, pushed: int | None) -> Iterable[str]:
    """Caveats about rows that vanished; `gone` of `rows` that were there before are not any more."""
    of = f"{gone} of {rows} rows are gone"
    if pushed:
        yield f"{_ran_out(pushed)} ({of})"
    elif gone:
        why = "reset one by one, or of a database or user that was dropped"
        if pushed is None:
            why += ", or pushed out"
        yield f"{of} ({why}): what they counted in the window is missing"


def _ran_out(pushed: int) -> str:
    return (
        f"pg_stat_statements ran out of room {pushed} times in the window: rare statements are "
        "missing, and rows that came back have counted less than ran. Raise pg_stat_statements.max "
        "(needs a restart)"
    )


def _time(at_us: int) -> str:
    return f"{datetime.fromtimestamp(at_us / 1e6, UTC):%Y-%m-%d %H:%M:%S} UTC"
