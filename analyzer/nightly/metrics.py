"""A night's figures for node_exporter's textfile collector, as OpenMetrics.

node_exporter reads the older text format of Prometheus, which this is, too: only gauges, and the
`# UNIT` and `# EOF` of OpenMetrics are comments there. Durations are seconds, as Prometheus wants
them. What is not known is left out: a P95 of 0 would be a lie.

The file has figures, which are those of the last night that had something new, and what the job
itself says: when it ended well last. Figures are written before the night is committed and the rest
after it, so one that is killed between the two and run again, to find nothing new, has both.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from analyzer.patterns import regex

SEVERITIES = ("info", "low", "medium", "high", "critical")
_VERDICTS = ("met", "missed", "unknown")
_CODES = {"met": 1.0, "missed": 0.0, "unknown": -1.0}

Sample = tuple[Mapping[str, str], float | None]


_SUCCESS = "pg95_last_success_timestamp_seconds"
_OURS = regex(r"(?:# (?:TYPE|UNIT|HELP) )?(pg95_\w+)[ {]")
_END = "# EOF"


def figures_of(document: Mapping[str, Any], began_s: float, slower: int, before: str = "") -> str:
    """The textfile with a night's figures, and of the job what the textfile `before` says.

    `began_s` is when the night began (seconds since 1970), `slower` counts statements.
    """
    return _file([*_figures(document, began_s, slower), *_lines(before, job=True)])


def with_success(before: str, finished_s: float) -> str:
    """The textfile `before`, with the time (seconds since 1970) at which the job ended well."""
    told = _gauge(_SUCCESS, "When pg95 nightly ended well last.", [({}, finished_s)])
    return _file([*_lines(before, job=False), *told])


def has_figures(text: str) -> bool:
    """Whether a textfile is one of these, whole, with figures in it."""
    lines = text.splitlines()
    ours = [_OURS.match(line) for line in lines[:-1]]
    return all(ours) and lines[-1:] == [_END] and "\npg95_verdict{" in text


def _lines(text: str, *, job: bool) -> list[str]:
    """The lines of a textfile that say something of the job, or its figures."""
    named = ((line, _OURS.match(line)) for line in text.splitlines())
    return [line for line, name in named if name and (name[1] == _SUCCESS) == job]


def _file(lines: Sequence[str]) -> str:
    return "\n".join([*lines, _END]) + "\n"


def _figures(document: Mapping[str, Any], began_s: float, slower: int) -> list[str]:
    target = document["target"]
    request = target["request"] or {"value_ms": None}
    quantile = {"quantile": f"{target['quantile']:g}"}
    statuses = Counter(one["status"] or "none" for one in document["findings"])
    return [
        *_gauge(
            "pg95_query_latency_seconds",
            "Database time of a query at the target's quantile.",
            [(quantile, _seconds(target["value_ms"]))],
        ),
        *_gauge(
            "pg95_request_latency_seconds",
            "Database time of a request at the target's quantile.",
            [(quantile, _seconds(request["value_ms"]))],
        ),
        *_gauge(
            "pg95_target_latency_seconds",
            "What a query may take at the target's quantile.",
            [(quantile, _seconds(target["ms"]))],
        ),
        *_gauge(
            "pg95_verdict",
            "Whether the target is met: 1 for the verdict that holds.",
            [({"verdict": one}, float(one == target["verdict"])) for one in _VERDICTS],
        ),
        *_gauge(
            "pg95_executions",
            "Executions that the verdict is about.",
            [({}, float(target["executions"]))],
        ),
        *_gauge(
            "pg95_findings",
            "Findings that nobody acknowledged, where there are any.",
            _findings(document),
        ),
        *_gauge(
            "pg95_findings_by_severity",
            "Findings that nobody acknowledged, of all detectors.",
            _by_severity(document),
        ),
        *_gauge(
            "pg95_findings_status",
            "Findings by what became of them since earlier nights.",
            [
                ({"status": one}, float(statuses[one]))
                for one in ("new", "ongoing", "gone", "acknowledged")
            ],
        ),
        *_gauge(
            "pg95_statements_slower",
            "Statements that got slower than they were.",
            [({}, float(slower))],
        ),
        *_promises(document),
        *_gauge(
            "pg95_figures_timestamp_seconds",
            "When the night began that these figures are of.",
            [({}, began_s)],
        ),
    ]


def _promises(document: Mapping[str, Any]) -> list[str]:
    """The scoreboard, as `pg95 scoreboard --format openmetrics` writes it; nothing where there is none."""
    metrics = (document.get("scoreboard") or {"metrics": []})["metrics"]
    return [
        *_gauge(
            "pg95_promise_verdict",
            "1 met, 0 missed, -1 unknown.",
            [({"promise": one["id"]}, _CODES[one["verdict"]]) for one in metrics],
        ),
        *_gauge(
            "pg95_promise_value",
            "Milliseconds, a share, or a count.",
            [
                ({"promise": one["id"]}, None if one["value"] is None else float(one["value"]))
                for one in metrics
            ],
        ),
    ]


def _open(document: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    return [one for one in document["findings"] if one["status"] not in ("acknowledged", "gone")]


def _findings(document: Mapping[str, Any]) -> list[Sample]:
    """How many there are of each detector and severity that found any; the totals are always there."""
    counts = Counter((one["detector"], one["severity"]) for one in _open(document))
    return [
        ({"detector": name, "severity": severity}, float(counts[name, severity]))
        for name in sorted({name for name, _ in counts})
        for severity in SEVERITIES
        if counts[name, severity]
    ]


def _by_severity(document: Mapping[str, Any]) -> list[Sample]:
    counts = Counter(one["severity"] for one in _open(document))
    return [({"severity": severity}, float(counts[severity])) for severity in SEVERITIES]


def _gauge(name: str, text: str, samples: Sequence[Sample]) -> list[str]:
    known = [(labels, value) for labels, value in samples if value is not None]
    if not known:
        return []
    lines = [f"# TYPE {name} gauge"]
    if name.endswith("_seconds"):
        lines.append(f"# UNIT {name} seconds")
    lines.append(f"# HELP {name} {text}")
    for labels, value in known:
        inner = ",".join(f'{key}="{_escaped(one)}"' for key, one in labels.items())
        lines.append(f"{name}{{{inner}}} {value!r}" if inner else f"{name} {value!r}")
    return lines


def _escaped(text: str) -> str:
    return text.replace("\\", r"\\").replace('"', r"\"").replace("\n", r"\n")


def _seconds(milliseconds: float | None) -> float | None:
    return None if milliseconds is None else round(milliseconds / 1000, 9)
