"""Two reports, or two windows of a history, compared: what got slower, what is new, what is gone."""

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from analyzer import __version__
from analyzer.history.changes import Change, Side, compare, of_figures, of_statement
from analyzer.history.findings import (
    ACKNOWLEDGED,
    EXECUTIONS,
    GONE,
    NEW,
    ONGOING,
    RunView,
    Shows,
    judge,
    remembered,
)
from analyzer.history.keeping import change_fields, iso, moment_us, verdict_of
from analyzer.model.history import KnownFinding
from analyzer.records import record

if TYPE_CHECKING:
    from analyzer.history.reading import Reader

_TARGET = ("ms", "quantile", "value_ms", "low_ms", "high_ms", "method", "verdict", "executions")


@record
class Picture:
    """One side of a difference.

    `target` is as in report.json. `statements` has, by lineage and clock, the names of a statement (as in
    report.json) and its figures. `findings` are those that it has, `view` says which of those that
    it has not are gone.
    """

    name: str
    from_us: int | None
    to_us: int | None
    target: Mapping[str, Any]
    statements: Mapping[tuple[str, str], tuple[Mapping[str, Any], Side]]
    findings: Mapping[str, KnownFinding]
    view: Shows


def of_document(document: Mapping[str, Any], name: str) -> Picture:
    """A report.json as a side; of several shapes of one lineage the one with most calls stands."""
    from_us, to_us = (moment_us(document["window"][end]) for end in ("from", "to"))
    statements: dict[tuple[str, str], tuple[Mapping[str, Any], Side]] = {}
    for one in sorted(document["statements"], key=lambda one: (one["calls"], one["shape_id"])):
        if one.get("role", "workload") == "workload" and one["calls"]:
            statements[one["lineage"], one.get("clock", "server")] = (one, of_statement(one))
    findings = remembered(judge({}, document), document, to_us or 0)
    return Picture(
        name,
        from_us,
        to_us,
        document["target"],
        statements,
        {one.key: one for one in findings},
        RunView(document),
    )


def of_window(
    reader: "Reader", from_us: int, to_us: int, target_ms: float, quantile: float
) -> Picture:
    """A window of the history, of whole hours, as a side."""
    everything, by_lineage = reader.window(from_us, to_us)
    statements: dict[tuple[str, str], tuple[Mapping[str, Any], Side]] = {}
    for lineage, (name, figures) in by_lineage.items():
        clock = "client" if figures.client else "server"
        names = {
            "shape_id": name.shape_id,
            "fingerprint": name.fingerprint,
            "lineage": lineage,
            "sql": name.sql,
        }
        statements[lineage, clock] = (names, of_figures(figures, quantile))
    told = everything.quantile(quantile) if everything else None
    target = {
        "ms": target_ms,
        "quantile": quantile,
        "value_ms": told.value_ms if told and told.method != "bound" else None,
        "low_ms": told.low_ms if told else None,
        "high_ms": told.high_ms if told else None,
        "method": told.method if told else "none",
        "verdict": verdict_of(told, target_ms),
        "executions": everything.calls if everything else 0,
    }
    known, keys = reader.findings(), reader.found_between(from_us, to_us)
    judged = {
        detector
        for run in reader.runs()
        if run.to_us is not None and from_us < run.to_us <= to_us
        for detector in run.judged
    }
    ran = {lineage for lineage, (_, figures) in by_lineage.items() if figures.samples}
    return Picture(
        f"{iso(from_us)} to {iso(to_us)}",
        from_us,
        to_us,
        target,
        statements,
        {key: known[key] for key in sorted(keys & known.keys())},
        _WindowView(frozenset(judged), frozenset(ran)),
    )


@record
class _WindowView:
    """Of a window it is known which detectors judged, and which statements were seen to run."""

    judged: frozenset[str]
    ran: frozenset[str]

    def shows_gone(self, finding: KnownFinding) -> bool:
        seen = finding.scope == EXECUTIONS and finding.about in self.ran
        return seen and finding.detector in self.judged


def difference(before: Picture, after: Picture) -> dict[str, Any]:
    """What changed from one side to the other, as JSON values (docs/commands.md has the keys)."""
    changed = list(_changes(before, after))
    old, new = before.statements, after.statements
    findings = _findings(before, after)
    slower = [one for one in changed if one["slower"]]
    worse = before.target["verdict"] == "met" and after.target["verdict"] == "missed"
    return {
        "schema_version": 1,
        "tool": {"name": "pg95", "version": __version__},
        "before": _side(before),
        "after": _side(after),
        "statements": {
            "slower": slower,
            "faster": [one for one in changed if not one["slower"]],
            "new": _only(new, old),
            "gone": _only(old, new),
        },
        "findings": findings,
        "regression": worse or bool(slower),
    }


def _side(picture: Picture) -> dict[str, Any]:
    return {
        "name": picture.name,
        "from": iso(picture.from_us),
        "to": iso(picture.to_us),
        "target": {name: picture.target[name] for name in _TARGET},
        "statements": len(picture.statements),
        "findings": len(picture.findings),
    }


def _changes(before: Picture, after: Picture) -> Iterable[dict[str, Any]]:
    """Statements that got slower or faster, those with most time gained or lost first."""
    quantile = after.target["quantile"]
    found: list[tuple[Mapping[str, Any], Change]] = []
    for place, (names, side) in after.statements.items():
        earlier = before.statements.get(place)
        change = compare(earlier[1], side, quantile) if earlier else None
        if change is not None:
            found.append((names, change))
    found.sort(key=lambda pair: (-abs(pair[1].extra_ms), pair[0]["lineage"]))
    return (change_fields(names, change) for names, change in found)


def _only(
    these: Mapping[tuple[str, str], tuple[Mapping[str, Any], Side]],
    others: Mapping[tuple[str, str], tuple[Mapping[str, Any], Side]],
) -> list[dict[str, Any]]:
    """Statements of one side alone, by lineage, most time first."""
    lineages = {lineage for lineage, _ in others}
    mine = [pair for place, pair in these.items() if place[0] not in lineages]
    mine.sort(key=lambda pair: (-pair[1].total_ms, pair[0]["lineage"]))
    return [
        {name: names[name] for name in ("shape_id", "lineage", "fingerprint", "sql")}
        | {
            "calls": side.calls,
            "total_ms": round(side.total_ms, 3),
            "p95_ms": None if side.value_ms is None else round(side.value_ms, 3),
        }
        for names, side in mine
    ]


def _findings(before: Picture, after: Picture) -> dict[str, list[dict[str, Any]]]:
    """Findings by what became of them; `unknown` are those of which the second side tells nothing."""
    made: dict[str, list[dict[str, Any]]] = {
        name: [] for name in (NEW, ONGOING, GONE, ACKNOWLEDGED, "unknown")
    }
    for key, one in after.findings.items():
        status = NEW if key not in before.findings else ONGOING
        made[ACKNOWLEDGED if one.status == ACKNOWLEDGED else status].append(_finding(one))
    for key, one in before.findings.items():
        if key not in after.findings:
            made[GONE if after.view.shows_gone(one) else "unknown"].append(_finding(one))
    return made


def _finding(known: KnownFinding) -> dict[str, Any]:
    return {
        "key": known.key,
        "detector": known.detector,
        "severity": known.severity,
        "title": known.title,
        "shape_ids": list(known.facts.get("shape_ids", ())),
        "tables": list(known.facts.get("tables", ())),
    }
