"""A night's figures for node_exporter's textfile collector, as OpenMetrics.

node_exporter reads the older text format of Prometheus, which this is, too: only gauges, and the
`# UNIT` and `# EOF` of OpenMetrics are comments there. Durations are seconds, as Prometheus wants
them. What is not known is left out: a P95 of 0 would be a lie.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

SEVERITIES = ("info", "low", "medium", "high", "critical")
_VERDICTS = ("met", "missed", "unknown")

Sample = tuple[Mapping[str, str], float | None]


def render_metrics(document: Mapping[str, Any], finished_s: float, slower: int) -> str:
    """The textfile. `finished_s` is when the night ended (seconds since 1970), `slower` counts statements."""
    target = document["target"]
    request = target["request"] or {"value_ms": None}
    quantile = {"quantile": f"{target['quantile']:g}"}
    statuses = Counter(one["status"] or "none" for one in document["findings"])
    lines = [
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
        *_gauge("pg95_findings", "Findings that nobody acknowledged.", _findings(document)),
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
        *_gauge(
            "pg95_last_success_timestamp_seconds",
            "When pg95 nightly ended well last.",
            [({}, finished_s)],
        ),
        "# EOF",
    ]
    return "\n".join(lines) + "\n"


def _findings(document: Mapping[str, Any]) -> list[Sample]:
    """How many there are for every detector and severity, so that a rule sees 0 and not nothing."""
    counts = Counter(
        (one["detector"], one["severity"])
        for one in document["findings"]
        if one["status"] not in ("acknowledged", "gone")
    )
    detectors = sorted({one["id"] for one in document["detectors"]} | {name for name, _ in counts})
    return [
        ({"detector": name, "severity": severity}, float(counts[name, severity]))
        for name in detectors
        for severity in SEVERITIES
    ]


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
