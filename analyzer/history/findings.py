"""What became of findings from one run to the next: new, ongoing, gone or acknowledged.

A finding that a run does not have is gone if the run would have shown it: its detector could judge
(found or clean), and the statement that it hangs on ran. Of a loop that is the parent. What was
seen in executions needs executions again, what was seen in counters needs calls, what was seen in a
plan needs a plan of that statement. Otherwise nothing is known of it: it stays what it was.
"""

from collections.abc import Iterable, Mapping
from typing import Any, Protocol

from analyzer.model.history import KnownFinding, Seen

EXECUTIONS, COUNTERS, PLANS = "executions", "counters", "plans"
GONE, ONGOING, NEW, ACKNOWLEDGED = "gone", "ongoing", "new", "acknowledged"
_JUDGED = ("found", "clean")
_FACTS = ("confidence", "shape_ids", "fingerprints", "tables", "routes")


class RunView:
    """What a report's document says about which statements ran, and who could judge them."""

    def __init__(self, document: Mapping[str, Any]) -> None:
        statements = document["statements"]
        self.lineages = {one["shape_id"]: one["lineage"] for one in statements}
        self._samples = {one["shape_id"]: one.get("samples") or 0 for one in statements}
        self._ran: dict[str, set[str]] = {
            EXECUTIONS: {one["lineage"] for one in statements if one.get("samples")},
            COUNTERS: {one["lineage"] for one in statements if one["calls"]},
            PLANS: {
                self.lineages[plan["shape_id"]]
                for plan in document["plans"]
                if plan["shape_id"] in self.lineages
            },
        }
        self.judged = {one["id"] for one in document["detectors"] if one["status"] in _JUDGED}

    def shows_gone(self, finding: KnownFinding) -> bool:
        """Whether a finding that the run does not have would have been seen in it."""
        ran = self._ran.get(finding.scope, set())
        return finding.detector in self.judged and finding.about in ran

    def subject(self, finding: Mapping[str, Any]) -> tuple[str | None, str]:
        """The lineage that a finding hangs on (None: no statement), and what showed it."""
        evidence = finding["evidence"]
        shapes = [evidence.get("parent_shape_id"), *finding["shape_ids"]]
        shape = next((one for one in shapes if one in self.lineages), None)
        if evidence.get("plan_key"):
            return self.lineages.get(shape), PLANS
        counted = evidence.get("scope") == "statistics" or not self._samples.get(shape)
        return self.lineages.get(shape), COUNTERS if counted else EXECUTIONS


class Shows(Protocol):
    """What tells whether a finding that is not there would have been seen."""

    def shows_gone(self, finding: KnownFinding) -> bool:
        """Whether it would have."""
        ...


def judge(known: Mapping[str, KnownFinding], document: Mapping[str, Any]) -> list[Seen]:
    """Each finding of a report with its status, in the report's order, then those newly gone.

    `known` is what the history has, by key.
    """
    seen = [_present(known.get(one["key"]), one) for one in current(document)]
    there = {one.key for one in seen}
    view = RunView(document)
    gone = (
        Seen(key, GONE, one)
        for key, one in sorted(known.items())
        if key not in there and one.status != GONE and view.shows_gone(one)
    )
    return [*seen, *gone]


def current(document: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The findings that a report's input shows: without those that it tells to be gone."""
    return [one for one in document["findings"] if one["status"] != GONE]


def _present(known: KnownFinding | None, finding: Mapping[str, Any]) -> Seen:
    returned = known is not None and known.status == GONE
    status = NEW if known is None or returned else ONGOING
    if finding["status"] == ACKNOWLEDGED:
        status = ACKNOWLEDGED
    return Seen(finding["key"], status, known, returned)


def remembered(
    seen: Iterable[Seen], document: Mapping[str, Any], at_us: int
) -> Iterable[KnownFinding]:
    """What the history has to keep after a run that ended at `at_us`."""
    view = RunView(document)
    findings = {one["key"]: one for one in current(document)}
    for one in seen:
        if one.status == GONE and one.known is not None:
            yield _as_gone(one.known, at_us)
            continue
        finding = findings[one.key]
        about, scope = view.subject(finding)
        yield KnownFinding(
            key=one.key,
            detector=finding["detector"],
            about=about,
            scope=scope,
            severity=finding["severity"],
            title=finding["title"],
            status=ACKNOWLEDGED if one.status == ACKNOWLEDGED else ONGOING,
            first_us=min(one.known.first_us, at_us) if one.known else at_us,
            last_us=max(one.known.last_us, at_us) if one.known else at_us,
            facts={name: finding[name] for name in _FACTS},
        )


def _as_gone(known: KnownFinding, at_us: int) -> KnownFinding:
    return KnownFinding(
        known.key,
        known.detector,
        known.about,
        known.scope,
        known.severity,
        known.title,
        GONE,
        known.first_us,
        known.last_us,
        at_us,
        known.facts,
    )


def document_entry(gone: KnownFinding) -> dict[str, Any]:
    """A finding that is gone as report.json shows it: what was last known, without evidence."""
    nothing: dict[str, Any] = {
        "evidence": {},
        "impact": dict.fromkeys(("round_trips", "total_ms", "saving_ms", "requests")),
        "recommendations": [],
    }
    return {
        "key": gone.key,
        "detector": gone.detector,
        "status": GONE,
        "acknowledged": None,
        "severity": gone.severity,
        "confidence": gone.facts.get("confidence", 0.0),
        "title": gone.title,
        **{name: list(gone.facts.get(name, ())) for name in _FACTS[1:]},
        **nothing,
    }
