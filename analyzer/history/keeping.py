"""A report and the history: what the history says about it, and what the history keeps of it.

Both work on the document (report.json), so every view shows it, and the nightly job does the same.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from analyzer.errors import UsageError
from analyzer.history.changes import Change, compare, of_figures, of_statement
from analyzer.history.earlier import earlier, figures_of
from analyzer.history.findings import GONE, RunView, document_entry, judge
from analyzer.model.histogram import Quantile
from analyzer.model.history import DAY_HOURS, HOUR_US, HourFigures, Run, Seen

if TYPE_CHECKING:
    from analyzer.history.night import Night
    from analyzer.history.reading import Reader

TREND_DAYS = 90
COMPARED_DAYS = 7
TRENDS_OF_STATEMENTS = 20  # each is a question to the store
_DAY_US = DAY_HOURS * HOUR_US
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def look_back(reader: "Reader", document: dict[str, Any], log_set: str = "") -> None:
    """Fill in what the history knows: findings' status, those gone, `trend`, `statement_trends`, `changes`, `earlier`.

    `changes` compares with the COMPARED_DAYS days (of UTC) before the report's window, and what is
    before it on its own. `earlier` has what the runs before measured, of the logs of `log_set`.
    """
    show_statuses(document, judge(reader.findings(), document))
    show_trends(reader, document)
    begin_us = _window(document)[0]
    document["changes"] = [] if begin_us is None else _changes(reader, document, begin_us)
    document["earlier"] = _earlier(reader, document, log_set)


def show_trends(reader: "Reader", document: dict[str, Any]) -> None:
    """Fill in `trend` and `statement_trends`; again once the report is kept, so that its own day is among them."""
    target, to_us = document["target"], _window(document)[1]
    from_us = 0 if to_us is None else max(to_us - TREND_DAYS * _DAY_US, 0)
    document["trend"] = trend_rows(reader, target["ms"], target["quantile"], from_us)
    document["statement_trends"] = _statement_trends(reader, document, from_us)


def _earlier(reader: "Reader", document: Mapping[str, Any], log_set: str) -> list[dict[str, Any]]:
    from_us, to_us = _window(document)
    if from_us is None or to_us is None:
        return []
    quantile = document["target"]["quantile"]
    rows = []
    for what, runs in earlier(reader, quantile, (from_us, to_us), log_set):
        figures = figures_of(what, runs)
        times = {name: iso(figures.pop(f"{name}_us")) for name in ("from", "to")}
        rows.append(times | figures)
    return rows


def show_statuses(document: dict[str, Any], seen: Sequence[Seen]) -> None:
    """Write what became of each finding into the document, and those that are gone behind them."""
    by_key = {one.key: one for one in seen}
    present = [one for one in document["findings"] if one["status"] != GONE]
    for finding in present:
        one = by_key[finding["key"]]
        finding["status"] = one.status
        finding["first_seen"] = iso(one.known.first_us) if one.known else None
        finding["returned"] = one.returned
    gone = [
        document_entry(one.known) | {"first_seen": iso(one.known.first_us), "returned": False}
        for one in seen
        if one.status == GONE and one.known is not None
    ]
    document["findings"] = [*present, *gone]


def _statement_trends(
    reader: "Reader", document: Mapping[str, Any], from_us: int
) -> list[dict[str, Any]]:
    """The days of the statements that findings are about, and of those with most time: each with its own target."""
    statements = {one["shape_id"]: one for one in document["statements"]}
    present = [one for one in document["findings"] if one["status"] != GONE]
    of_findings = [shape for one in present for shape in one["shape_ids"] if shape in statements]
    chosen = list(dict.fromkeys((*of_findings, *statements)))[:TRENDS_OF_STATEMENTS]
    quantile = document["target"]["quantile"]
    found = []
    for shape in chosen:
        statement = statements[shape]
        target_ms = statement.get("target_ms") or document["target"]["ms"]
        numbers = reader.of_lineage(statement["lineage"])
        days = trend_rows(reader, target_ms, quantile, from_us, numbers) if numbers else []
        if len(days) > 1:
            found.append({"shape_id": shape, "target_ms": target_ms, "days": days})
    return found


def trend_rows(
    reader: "Reader",
    target_ms: float,
    quantile: float,
    from_us: int,
    statements: Iterable[int] | None = None,
) -> list[dict[str, Any]]:
    """Days from a time on: calls, the quantile with what it lies between, and its verdict.

    Over everything, a day of which the hours alone give a bound has the figures of the run over it,
    where that knew more: it had the counters of the whole window.
    """
    runs = _runs_by_day(reader, target_ms, quantile, from_us) if statements is None else {}
    rows = []
    for point in reader.trend(statements, from_us):
        told = point.figures.quantile(quantile)
        rows.append(
            {
                "from": iso(point.from_us),
                "to": iso(point.to_us),
                "calls": point.figures.calls,
                "p95_ms": _ms(told.value_ms) if told and told.method != "bound" else None,
                "low_ms": _ms(told.low_ms if told else None),
                "high_ms": _ms(told.high_ms if told else None),
                "method": told.method if told else "none",
                "verdict": verdict_of(told, target_ms),
                "clock": "client" if point.figures.client else "server",
            }
        )
        if rows[-1]["p95_ms"] is None and point.from_us in runs:
            known = runs[point.from_us]
            rows[-1] |= known | {"calls": max(rows[-1]["calls"], known["calls"])}
    return rows


def _runs_by_day(
    reader: "Reader", target_ms: float, quantile: float, from_us: int
) -> dict[int, dict[str, Any]]:
    """What runs knew of the days that the middle of their windows is in; the last of a day stands."""
    found = {}
    for run in reader.runs(from_us):
        target = run.target
        same = (target.get("ms"), target.get("quantile")) == (target_ms, quantile)
        if not same or run.from_us is None or run.to_us is None or target.get("value_ms") is None:
            continue
        day_us = (run.from_us + run.to_us) // 2 // _DAY_US * _DAY_US
        names = ("low_ms", "high_ms", "method", "verdict")
        told = {name: target.get(name) for name in names}
        calls = target.get("executions") or 0
        found[day_us] = {"p95_ms": target["value_ms"], "calls": calls, **told}
    return found


def verdict_of(told: Quantile | None, target_ms: float) -> str:
    """Met or missed where all that the quantile lies between is on one side of the target."""
    if told is None:
        return "unknown"
    if told.high_ms is not None and told.high_ms <= target_ms:
        return "met"
    return "missed" if told.low_ms > target_ms else "unknown"


def _changes(reader: "Reader", document: Mapping[str, Any], begin_us: int) -> list[dict[str, Any]]:
    """Statements that got slower or faster than in the days before, most time first."""
    quantile = document["target"]["quantile"]
    hour_us = begin_us // HOUR_US * HOUR_US  # the report may share an hour with what is before
    first_us = (
        hour_us // _DAY_US - COMPARED_DAYS
    ) * _DAY_US  # a day's hours cost as much as a month
    _, before = reader.window(first_us, hour_us)
    found = []
    for statement in document["statements"]:
        known = before.get(statement["lineage"])
        if known is None or known[1].client != (statement.get("clock") == "client"):
            continue
        change = compare(of_figures(known[1], quantile), of_statement(statement), quantile)
        if change is not None:
            found.append(change_fields(statement, change))
    return sorted(found, key=lambda one: (-abs(one["extra_ms"]), one["lineage"]))


def change_fields(statement: Mapping[str, Any], change: Change) -> dict[str, Any]:
    """A statement's change as JSON values; `statement` has its names and its SQL."""
    names = ("shape_id", "lineage", "fingerprint", "sql")
    return {name: statement[name] for name in names} | {
        "slower": change.slower,
        "ratio": round(change.ratio, 3),
        "before_ms": _ms(change.before_ms),
        "after_ms": _ms(change.after_ms),
        "before_calls": change.before_calls,
        "after_calls": change.after_calls,
        "extra_ms": _ms(change.extra_ms),
    }


def keep(
    night: "Night",
    document: Mapping[str, Any],
    hours: Iterable[HourFigures],
    now_us: int,
    kind: str = "report",
    log_set: str = "",
) -> Sequence[Seen]:
    """Store a run: its figures by hour, its verdict and its findings; gives the findings' status.

    Its executions must be new to the history: `kept_already` says whether a run has that time, and
    the nightly job knows by its positions.

    Raises:
        UsageError: the document shows values, which a history does not hold.
    """
    if document["redaction"] == "off":
        raise UsageError("a history holds no values of your data: leave out --no-redact")
    from_us, to_us = _window(document)
    night.add_hours(hours)
    errors = sum(one["count"] for one in document["events"] if one["kind"] == "error")
    judged = sorted(RunView(document).judged)
    target = document["target"] | {"promises": _promises(document)}
    run = Run(kind, now_us, from_us, to_us, target, log_set, errors, judged)
    return night.update_findings(document, night.add_run(run), now_us if to_us is None else to_us)


def _promises(document: Mapping[str, Any]) -> dict[str, Any]:
    """Value and verdict of each metric of the scoreboard, if the document has one."""
    metrics = (document.get("scoreboard") or {"metrics": []})["metrics"]
    return {one["id"]: {"value": one["value"], "verdict": one["verdict"]} for one in metrics}


def kept_already(reader: "Reader", document: Mapping[str, Any]) -> str | None:
    """Why a report must not be kept: the history has a run over its time, or part of it. None: it has not."""
    from_us, to_us = _window(document)
    if from_us is None or to_us is None:
        return None
    other = reader.overlapping(from_us, max(to_us, from_us + 1))
    if other is None or other.from_us is None or other.to_us is None:
        return None
    whole = other.from_us <= from_us and to_us <= other.to_us
    run, asked = (
        f"{iso(start)} to {iso(end)}"
        for start, end in ((other.from_us, other.to_us), (from_us, to_us))
    )
    told = (
        f"{'' if whole else 'part of '}this window ({asked}) is kept in the history already, by a run over {run}: "
        "kept again, it would count twice, so this run is not kept"
    )
    remedy = ". Give --since or --until, or use pg95 nightly, which remembers how far it has read"
    return told if whole else told + remedy


def _window(document: Mapping[str, Any]) -> tuple[int | None, int | None]:
    """The document's window in µs since 1970, UTC."""
    return moment_us(document["window"]["from"]), moment_us(document["window"]["to"])


def moment_us(text: str | None) -> int | None:
    """An ISO 8601 time of report.json as µs since 1970, UTC."""
    if text is None:
        return None
    return (datetime.fromisoformat(text) - _EPOCH) // timedelta(microseconds=1)


def iso(at_us: int | None) -> str | None:
    """A time as report.json writes it, to the second."""
    if at_us is None:
        return None
    moment = _EPOCH + timedelta(microseconds=at_us)
    return moment.isoformat(timespec="seconds").replace("+00:00", "Z")


def _ms(value: float | None) -> float | None:
    return None if value is None else round(value, 3)
