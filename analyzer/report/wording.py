"""What a document says in words: the verdict, the coverage, the actions. Shared by all views."""

from collections.abc import Sequence
from typing import Any

from analyzer.report.formats import (
    count,
    ms,
    one_line,
    plural,
    quantile_name,
)
from analyzer.report.layout import brief
from analyzer.report.values import Document

SEVERITIES = ("critical", "high", "medium", "low", "info")
METHODS = {
    "exact": "exact, every execution was logged",
    "tail-exact": "exact in the tail: calls from counters, slow ones from the log",
    "sampled": "from a sample, weighted",
    "histogram": "from histogram buckets",
    "estimated": "estimated from mean and deviation",
    "bound": "a bound, not a measurement",
    "none": "not measured",
}
VERIFIED = {
    "execution": "executed and measured",
    "what-if": "asked of the planner with a hypothetical index",
    "plan": "read from a plan that ran",
    "rule": "not tried on this database",
}
_STATES = ("met", "missed")
_NAMED = 5  # of each kind, in the lines about what the history says
_SQL = 90
_FEW_NAMED = 3


def state(measured: dict[str, Any] | None) -> str:
    """met, missed or unknown, whatever a document says."""
    verdict = None if measured is None else measured.get("verdict")
    return str(verdict) if verdict in _STATES else "unknown"


def value(measured: dict[str, Any]) -> str:
    """The figure: "143 ms", or the bounds where only those are known."""
    if measured.get("value_ms") is not None:
        return ms(measured["value_ms"])
    low, high = measured.get("low_ms"), measured.get("high_ms")
    low = low or None  # that nothing takes less than no time is no bound
    if low is not None and high is not None:
        return f"{ms(low)} to {ms(high)}"
    if high is not None:
        return f"at most {ms(high)}"
    return "no figure" if low is None else f"at least {ms(low)}"


def interval(measured: dict[str, Any]) -> str:
    """The bounds beside a value that is not exact, else nothing."""
    middle, low, high = (measured.get(name) for name in ("value_ms", "low_ms", "high_ms"))
    if middle is None or low is None or low == high:
        return ""
    if high is None:
        return f"at least {ms(low)}" if low else ""
    return f"between {ms(low)} and {ms(high)}"


def method(name: object) -> str:
    """A method of measuring, in words."""
    return METHODS.get(str(name), one_line(str(name)))


def parts_of(document: Document) -> list[dict[str, Any]]:
    """Parts of the traffic with a target of their own, and those that miss the run's; worst first."""
    parts = [part for part in _parts(document) if not part.get("too_few")]
    return sorted(parts, key=lambda part: ("missed", "unknown", "met").index(state(part)))


def few_parts(document: Document) -> list[str]:
    """The parts of which there are too few executions to say whether they miss the run's target."""
    return [
        f"{one_line(part['dimension'])} {one_line(part['name'])} ({value(part)} in "
        f"{plural(part['executions'], 'request' if part['dimension'] == 'route' else 'execution')})"
        for part in _parts(document)
        if part.get("too_few")
    ]


def _parts(document: Document) -> list[dict[str, Any]]:
    return document["target"].get("by") or []


def part_lines(document: Document, most: int = 8) -> list[str]:
    """The parts that miss their target, or may, for a terminal; those that meet it are counted."""
    parts = parts_of(document)
    open_ones = [part for part in parts if state(part) != "met"]
    lines = [
        f"{one_line(part['dimension'])} {one_line(part['name'])}: {value(part)} ({state(part)}; "
        f"{quantile_name(part['quantile'])} < {ms(part['ms'])}; {method(part['method'])})"
        for part in open_ones[:most]
    ]
    if len(open_ones) > most:
        lines.append(f"{plural(len(open_ones) - most, 'more')} in --format json")
    met = len(parts) - len(open_ones)
    lines += [f"{plural(met, 'target')} of parts met"] if met else []
    few = few_parts(document)
    shown = ", ".join(few[:_FEW_NAMED]) + (
        f" and {len(few) - _FEW_NAMED} more" if few[_FEW_NAMED:] else ""
    )
    return [*lines, f"slow, but too few to say: {shown}"] if few else lines


def open_findings(document: Document) -> list[dict[str, Any]]:
    """The findings that count: all but acknowledged ones, and those that are gone."""
    passed = ("acknowledged", "gone")
    return [one for one in document["findings"] if one.get("status") not in passed]


def gone(document: Document) -> list[dict[str, Any]]:
    """What the history knows and the input does not show any more, though it would have."""
    return [one for one in document["findings"] if one.get("status") == "gone"]


def since_lines(document: Document) -> list[str]:
    """What a history says, in lines: findings that are new or gone, statements that changed."""
    known = [one.get("status") for one in document["findings"]]
    parts = [f"{known.count(name)} {name}" for name in ("new", "ongoing", "gone") if name in known]
    lines = [f"Findings against the history: {', '.join(parts)}."] if parts else []
    lines += [
        f"Gone: {one_line(one['title'])} ({one_line(one['key'])})"
        for one in gone(document)[:_NAMED]
    ]
    changes = document.get("changes") or []
    return lines + [change_line(one) for one in changes[:_NAMED]]


def change_line(change: dict[str, Any]) -> str:
    """A statement that got slower or faster, in a line."""
    how = "Slower" if change["slower"] else "Faster"
    times = f"{ms(change['before_ms'])} to {ms(change['after_ms'])}"
    return f"{how}: {times} ({count(change['ratio'])}×), {brief(change['sql'], _SQL)}"


def acknowledged(document: Document) -> list[dict[str, Any]]:
    """The findings that the team has accepted."""
    return [one for one in document["findings"] if one.get("status") == "acknowledged"]


def acceptance(finding: dict[str, Any]) -> str:
    """Why, until when and under which ticket a finding is accepted, in a phrase."""
    known = finding.get("acknowledged") or {}
    parts = [one_line(str(known.get("reason") or "no reason given"))]
    parts += [f"ticket {one_line(str(known['ticket']))}"] if known.get("ticket") else []
    parts += [f"until {one_line(str(known['until']))}"] if known.get("until") else []
    parts += ["over: it counts again"] if known.get("expired") else []
    return "; ".join(parts)


def saving_detail(impact: dict[str, Any]) -> str:
    """What fixing a loop saves each time and in a day, and why a day is not told; else nothing."""
    each, day = impact.get("per_occurrence"), impact.get("per_day")
    if not each:
        return ""
    text = f"Each of {plural(impact['occurrences'], 'occurrence')}: {_saved(each)}."
    note = one_line(str(impact.get("note") or ""))
    return (
        f"{text} A day: {_saved(day)} ({note})." if day else f"{text} No figure of a day: {note}."
    )


def _saved(figures: dict[str, Any]) -> str:
    trips = round(figures["round_trips"], 1)
    wall = figures["wall_ms"]
    elapsed = "elapsed time not known" if wall is None else f"{ms(wall)} elapsed"
    server = max(figures["server_ms"], 0.0)
    return f"{count(trips)} round trips, {ms(server)} of server time, {elapsed}"


def if_fixed(document: Document) -> list[str]:
    """What becomes of requests and statements if all loops are fixed; nothing without any.

    A quantile that stays what it is goes unsaid: the loops are not in the slowest requests.
    """
    savings = document.get("savings")
    if not savings or not savings["requests"] or not savings["requests"]["hit"]:
        return []
    name = quantile_name(document["target"]["quantile"])
    requests, statements = savings["requests"], savings["statements"]
    unit = {"burst": "bursts of a session", "trace": "traces"}.get(savings["unit"], "transactions")
    hit, verb = requests["hit"], "holds" if requests["hit"] == 1 else "hold"
    held = f"{plural(hit, 'request')} of {count(requests['count'])} ({unit}) {verb} a loop."
    trips = f"{count(requests['round_trips_before'])} → {count(requests['round_trips_after'])}"
    lines = [held]
    if _changes(requests, "p95_{}_ms"):
        change = _change(requests, "p95_{}_ms")
        lines.append(f"{name} of requests: {change} of database time.")
    time = f"; database time: {_change(requests, '{}_ms')}" if _changes(requests, "{}_ms") else ""
    lines.append(f"Round trips: {trips}{time}.")
    if _changes(statements, "p95_{}_ms"):
        rises = (statements["p95_after_ms"] or 0) > (statements["p95_before_ms"] or 0)
        why = " (it rises because a batch takes longer than one of the loop's executions)"
        change = _change(statements, "p95_{}_ms")
        lines.append(f"{name} of statements: {change}{why if rises else ''}.")
    cost = savings["round_trip"]
    what = (
        "not known" if cost["ms"] is None else f"{ms(cost['ms'])} ({one_line(str(cost['method']))})"
    )
    lines.append(f"A round trip costs {what}: {one_line(cost['note'])}.")
    return [*lines, f"How: {one_line(savings['note'])}."]


def _changes(figures: dict[str, Any], field: str) -> bool:
    before, after = (figures[field.format(when)] for when in ("before", "after"))
    return before is not None and after is not None and ms(before) != ms(after)


def _change(figures: dict[str, Any], field: str) -> str:
    return f"{ms(figures[field.format('before')])} → {ms(figures[field.format('after')])}"


def accepted_lines(document: Document, most: int = 10) -> list[str]:
    """The acknowledged findings for a terminal: a line that counts them, and one for each."""
    found = acknowledged(document)
    lines = [f"{plural(len(found), 'acknowledged finding')}:"] if found else []
    lines += [
        f"  {one_line(f['title'])} ({one_line(f['key'])}): {acceptance(f)}" for f in found[:most]
    ]
    left = len(found) - most
    return [*lines, f"  {plural(left, 'more')} in --format json"] if left > 0 else lines


def severities(document: Document) -> list[tuple[str, int]]:
    """How many findings there are of each severity that occurs, worst first."""
    found = [finding.get("severity") for finding in open_findings(document)]
    return [(name, found.count(name)) for name in SEVERITIES if name in found]


def actions(document: Document, most: int = 3) -> list[dict[str, Any]]:
    """Wrong answers, then the findings whose fix saves most: what to do, what it saves, where to read on.

    What is merely worth knowing and saves nothing that is known is nothing to do first.
    """
    worth = [one for one in open_findings(document) if one["severity"] != "info" or _gains(one)]
    ranked = sorted(enumerate(worth), key=_saving)
    return [_action(finding) for _, finding in ranked[:most]]


def _gains(finding: dict[str, Any]) -> bool:
    impact = finding["impact"]
    return bool(impact.get("saving_ms") or impact.get("round_trips"))


def _saving(pair: tuple[int, dict[str, Any]]) -> tuple[bool, float, float, int]:
    position, finding = pair
    right, impact = not finding.get("wrong_result"), finding["impact"]
    return (right, -(impact.get("saving_ms") or 0.0), -(impact.get("round_trips") or 0.0), position)


def _action(finding: dict[str, Any]) -> dict[str, Any]:
    advice = next(iter(finding["recommendations"]), None)
    return {
        "key": finding["key"],
        "severity": finding["severity"],
        "title": finding["title"],
        "do": finding["title"] if advice is None else advice.get("title") or finding["title"],
        "saves": saves(finding["impact"]),
    }


def cause(action: dict[str, Any]) -> str:
    """What an action is for, where what to do does not say it: behind a semicolon, else nothing."""
    return "" if action["do"] == action["title"] else f"; {action['title']}"


def answers(detectors: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """What checks said, those of one status and reason together: `ids` (list), `status`, `reason`."""
    alike: dict[tuple[str, str | None], list[str]] = {}
    for one in detectors:
        alike.setdefault((one["status"], one["reason"]), []).append(one["id"])
    return [{"ids": ids, "status": key[0], "reason": key[1]} for key, ids in alike.items()]


def silent(document: Document) -> list[dict[str, Any]]:
    """The detectors that could not judge: their silence is no good news."""
    return [d for d in document["detectors"] if d["status"] in ("not-applicable", "error")]


def silent_lines(document: Document) -> list[str]:
    """A line for each reason why checks could not judge, with the checks."""
    return [
        f"{', '.join(map(one_line, said['ids']))}: {one_line(said['status'])}, "
        + one_line(said["reason"] or "no reason given")
        for said in answers(silent(document))
    ]


def ruled_out(document: Document) -> list[dict[str, Any]]:
    """What came again and again and is no N+1: `verdict`, `reason`, `times`, `sql`; most first."""
    known = {one["shape_id"]: one["sql"] for one in document["statements"]}
    return [
        {
            "verdict": one["verdict"],
            "reason": one["reason"],
            "times": one["executions"],
            "sql": known.get(one["shape_id"]) or f"statement {one['shape_id']}",
        }
        for detector in document["detectors"]
        for one in detector.get("ruled_out", ())
    ]


def ruled_out_lines(document: Document, width: int, most: int = 10) -> list[str]:
    """A line for each of them, the rest as a number."""
    told = ruled_out(document)
    lines = [
        f"no N+1, {one_line(one['verdict'])}: {count(one['times'])} × {brief(one['sql'], width // 2)}"
        f" ({one_line(one['reason'])})"
        for one in told[:most]
    ]
    left = len(told) - most
    return lines + ([f"no N+1 either: {plural(left, 'more statement')}"] if left > 0 else [])


def requests_phrase(request: dict[str, Any]) -> str:
    """How many requests there were, and their round trips: "8 requests, 47 round trips"."""
    number = plural(request["requests"], "request")
    if not request["requests"]:
        return number
    return f"{number}, {plural(request['round_trips_p95'], 'round trip')}"


def saves(impact: dict[str, Any]) -> str:
    """What a fix is expected to save, in a phrase: elapsed time and round trips in the window."""
    phrases = []
    if impact.get("saving_ms"):
        phrases.append(ms(impact["saving_ms"]))
    if impact.get("round_trips"):
        phrases.append(plural(impact["round_trips"], "round trip"))
    return "saves about " + " and ".join(phrases) if phrases else "saving not known"
