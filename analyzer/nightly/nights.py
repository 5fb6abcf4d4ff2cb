"""This night beside the last one and the same weekday: what a night's report says of both.

A week has its rhythm: a job that runs on Sundays is slow on every Sunday. So a statement that is
slower than in the days before counts as a regression only if it is slower than a week ago, too, as
far as that is known.
"""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from analyzer.history.changes import compare, of_figures, of_statement
from analyzer.history.keeping import change_fields
from analyzer.model.history import Figures, Run, StatementName
from analyzer.records import record
from analyzer.report.formats import ms, one_line, quantile_name

if TYPE_CHECKING:
    from analyzer.history.reading import Reader

LAST_NIGHT, WEEKDAY = "last night", "the same weekday"
_WEEK = timedelta(days=7)
_MICROSECOND = timedelta(microseconds=1)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_SQL_SHOWN = 120
_UPKEEP = ("checkpoint", "autovacuum", "connection")  # an idle server and pg95 itself do that


@record
class Beside:
    """Earlier nights beside this one: `nights` as report.json has them, and which lineages ran a week ago."""

    nights: Sequence[dict[str, Any]] = ()
    week_ago: frozenset[str] = frozenset()


def has_news(document: Mapping[str, Any]) -> bool:
    """Whether anything came up in a night: statements, plans, new findings, jobs done, events but upkeep."""
    events = any(one["kind"] not in _UPKEEP for one in document["events"])
    new = any(one["status"] == "new" for one in document["findings"])
    states = [one["states"] for one in document.get("jobs", [])]
    jobs = any(one["completed"] or one["failed"] for one in states)
    return bool(document["statements"] or document["plans"] or events or new or jobs)


def beside(reader: "Reader", document: Mapping[str, Any], log_set: str) -> Beside:
    """The last night's window and this one's a week ago: their quantile, and what changed since.

    Windows of which the history knows nothing are left out.
    """
    window = document["window"]
    if window["from"] is None or window["to"] is None:
        return Beside()
    start, end = (datetime.fromisoformat(window[name]) - _EPOCH for name in ("from", "to"))
    nights = []
    nights_with_time = [one for one in _nights(reader, log_set) if one.from_us is not None]
    last = nights_with_time[-1] if nights_with_time else None
    if last is not None and last.from_us is not None and last.to_us is not None:
        nights.append((LAST_NIGHT, last.from_us, last.to_us))
    nights.append((WEEKDAY, (start - _WEEK) // _MICROSECOND, (end - _WEEK) // _MICROSECOND))
    rows, week_ago = [], frozenset[str]()
    for what, from_us, to_us in nights:
        overall, statements = reader.window(from_us, to_us)
        if what == WEEKDAY:
            week_ago = frozenset(statements)
        if overall is not None:
            rows.append(_row(document, what, (from_us, to_us), overall, statements))
    return Beside(rows, week_ago)


def regressions(document: Mapping[str, Any], earlier: Beside) -> list[tuple[str, str]]:
    """Statements that got slower, by lineage, in words (`changes` is filled in)."""
    weekday = [one for one in earlier.nights if one["what"] == WEEKDAY]
    slower_too = {
        change["lineage"] for one in weekday for change in one["changes"] if change["slower"]
    }
    quantile = quantile_name(document["target"]["quantile"])
    found = []
    for change in document["changes"]:
        lineage = change["lineage"]
        if change["slower"] and (lineage in slower_too or lineage not in earlier.week_ago):
            sql = one_line(change["sql"])[:_SQL_SHOWN]
            told = f"{quantile} {ms(change['before_ms'])} to {ms(change['after_ms'])}: {sql}"
            found.append((lineage, told))
    return found


def last_night(reader: "Reader", log_set: str) -> Run | None:
    """The night before this one, of the same logs."""
    return next(reversed(_nights(reader, log_set)), None)


def _nights(reader: "Reader", log_set: str) -> list[Run]:
    return [one for one in reader.runs() if one.kind == "nightly" and one.log_set == log_set]


def _row(
    document: Mapping[str, Any],
    what: str,
    window: tuple[int, int],
    overall: Figures,
    statements: Mapping[str, tuple[StatementName, Figures]],
) -> dict[str, Any]:
    quantile = document["target"]["quantile"]
    told = overall.quantile(quantile)
    changes = []
    for statement in document["statements"]:
        known = statements.get(statement["lineage"])
        if known is None or known[1].client != (statement.get("clock") == "client"):
            continue
        change = compare(of_figures(known[1], quantile), of_statement(statement), quantile)
        if change is not None:
            changes.append(change_fields(statement, change))
    start, end = (_EPOCH + timedelta(microseconds=at_us) for at_us in window)
    return {
        "what": what,
        "from": start.isoformat().replace("+00:00", "Z"),
        "to": end.isoformat().replace("+00:00", "Z"),
        "calls": overall.calls,
        "p95_ms": None if told is None else round(told.value_ms, 3),
        "method": "none" if told is None else told.method,
        "changes": sorted(changes, key=lambda one: (-abs(one["extra_ms"]), one["lineage"])),
    }
