"""What earlier runs measured, beside a report: the last one, the same weekday's, and the week's median.

Of each run the history keeps its verdict, statements and requests alike, so both can be compared
although figures by the hour are of statements alone.
"""

from collections.abc import Mapping, Sequence
from statistics import median
from typing import TYPE_CHECKING, Any

from analyzer.model.history import DAY_HOURS, HOUR_US, Run

if TYPE_CHECKING:
    from analyzer.history.reading import Reader

LAST, WEEKDAY, WEEK = "last", "weekday", "week"
_DAY_US = DAY_HOURS * HOUR_US
_WEEK_US = 7 * _DAY_US
_UNMEASURED = ("bound", "none")
_ENOUGH = 2  # nights that have a median


def earlier(
    reader: "Reader", quantile: float, window_us: tuple[int, int], log_set: str
) -> list[tuple[str, Sequence[Run]]]:
    """The runs to compare a window with, by what they are; a kind without a run is left out.

    LAST is the newest run that ended before the window, WEEKDAY the one a week (half a day more or
    less) before it, WEEK all of the seven days before, if they are several. Runs of other logs and
    of another quantile do not count; a report, which has no name for its logs, is compared with
    nights where the history has those of one set alone.
    """
    begin_us, end_us = window_us
    runs = [one for one in _alike(reader.runs(), log_set) if _ended(one) <= begin_us]
    runs = [one for one in runs if one.target.get("quantile") == quantile]
    runs.sort(key=_ended)
    middle_us = (begin_us + end_us) // 2 - _WEEK_US
    near = [one for one in runs if abs(_middle(one) - middle_us) <= _DAY_US // 2]
    week = [one for one in runs if _ended(one) > begin_us - _WEEK_US]
    found = [
        (LAST, runs[-1:]),
        (WEEKDAY, sorted(near, key=lambda one: abs(_middle(one) - middle_us))[:1]),
        (WEEK, week if len(week) >= _ENOUGH else []),
    ]
    return [(what, some) for what, some in found if some]


def figures_of(what: str, runs: Sequence[Run]) -> dict[str, Any]:
    """What runs measured as JSON values: their number, kind, and the (median) figures."""
    return {
        "what": what,
        "kind": runs[-1].kind,
        "runs": len(runs),
        "from_us": runs[0].from_us,
        "to_us": runs[-1].to_us,
        "statements": _measured([one.target for one in runs]),
        "request": _measured([one.target.get("request") for one in runs]),
        "client": _measured([one.target.get("client") for one in runs]),
    }


def _alike(runs: Sequence[Run], log_set: str) -> list[Run]:
    mine = [one for one in runs if one.log_set == log_set and one.to_us is not None]
    others = {one.log_set for one in runs}
    if not mine and not log_set and len(others) == 1:
        mine = [one for one in runs if one.to_us is not None]
    return mine


def _ended(run: Run) -> int:
    return run.to_us or 0


def _middle(run: Run) -> int:
    return ((run.from_us or run.to_us or 0) + (run.to_us or 0)) // 2


def _measured(found: Sequence[Mapping[str, Any] | None]) -> dict[str, Any] | None:
    """Value, method and verdict of one run; of several their median, without a verdict."""
    known = [one for one in found if one and _is_measured(one)]
    if not known:
        return None
    if len(found) == 1:
        return {name: known[0].get(name) for name in ("value_ms", "method", "verdict")}
    if len(known) < _ENOUGH:
        return None
    value_ms = round(median(one["value_ms"] for one in known), 3)
    return {"value_ms": value_ms, "method": None, "verdict": None, "runs": len(known)}


def _is_measured(one: Mapping[str, Any]) -> bool:
    return one.get("value_ms") is not None and one.get("method") not in _UNMEASURED
