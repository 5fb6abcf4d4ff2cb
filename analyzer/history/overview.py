"""What `pg95 history` shows: the trend of everything, of a statement or of a finding, as JSON values."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from analyzer import __version__
from analyzer.errors import StoreError
from analyzer.history.changes import level_shift
from analyzer.history.findings import GONE
from analyzer.history.keeping import iso, trend_rows
from analyzer.model.history import DAY_HOURS, HOUR_US, KnownFinding
from analyzer.records import record

if TYPE_CHECKING:
    from analyzer.history.reading import Reader
    from analyzer.model.history import Run

_DAY_US = DAY_HOURS * HOUR_US


@record
class Question:
    """What is asked of a history: the last `days` up to `now_us`, against a target.

    `target_ms` and `quantile` are those of the newest run where they are None.
    """

    now_us: int
    days: int
    target_ms: float | None = None
    quantile: float | None = None

    @property
    def from_us(self) -> int:
        """The beginning of the first day of UTC."""
        return max((self.now_us // _DAY_US - self.days + 1) * _DAY_US, 0)


def of_everything(reader: "Reader", question: Question, name: str) -> dict[str, Any]:
    """The trend over all statements, and all findings that are not gone, or were in that time."""
    document = _head(reader, question, name)
    document |= _trend(reader, question, document["target"], None)
    known = reader.findings().values()
    shown = [one for one in known if one.status != GONE or one.last_us >= question.from_us]
    shown.sort(key=lambda one: (one.status == GONE, -one.last_us, one.key))
    document["findings"] = [_finding(one) for one in shown]
    return document


def of_statement(reader: "Reader", question: Question, name: str, wanted: str) -> dict[str, Any]:
    """The trend of a statement: of all shapes of its lineage.

    Raises:
        StoreError: the history has no such statement, or several.
    """
    document, named = _head(reader, question, name), reader.named(wanted)
    newest = named[max(named)]
    document["statement"] = {
        "shape_ids": sorted(one.shape_id for one in named.values()),
        "fingerprint": newest.fingerprint,
        "lineage": newest.lineage,
        "sql": newest.sql,
    }
    return document | _trend(reader, question, document["target"], sorted(named))


def of_finding(reader: "Reader", question: Question, name: str, key: str) -> dict[str, Any]:
    """What a finding was in each run that had it.

    Raises:
        StoreError: the history has no such finding.
    """
    document, known = _head(reader, question, name), reader.findings().get(key)
    if known is None:
        raise StoreError(f"the history has no finding {key}: `pg95 history` lists their keys")
    document["finding"] = _finding(known)
    document["sightings"] = [
        {"from": iso(run.from_us), "to": iso(run.to_us), "run": run.id, **weight}
        for run, weight in reader.sightings(key)
        if (run.to_us or run.made_us) >= question.from_us
    ]
    return document


def usual_target(runs: "Sequence[Run]") -> tuple[float, float]:
    """The target (ms) and quantile that the newest run was held to."""
    newest = runs[-1].target if runs else {"ms": 100.0, "quantile": 0.95}
    return newest["ms"], newest["quantile"]


def _head(reader: "Reader", question: Question, name: str) -> dict[str, Any]:
    runs = reader.runs()
    target_ms, quantile = usual_target(runs)
    return {
        "schema_version": 1,
        "tool": {"name": "pg95", "version": __version__},
        "history": name,
        "from": iso(question.from_us),
        "to": iso(question.now_us),
        "runs": len(runs),
        "target": {
            "ms": question.target_ms or target_ms,
            "quantile": question.quantile or quantile,
        },
        "statement": None,
        "finding": None,
    }


def _trend(
    reader: "Reader", question: Question, target: dict[str, Any], numbers: Sequence[int] | None
) -> dict[str, Any]:
    rows = trend_rows(reader, target["ms"], target["quantile"], question.from_us, numbers)
    known = [row for row in rows if row["p95_ms"] is not None]
    shift = level_shift([row["p95_ms"] for row in known])
    told = None
    if shift is not None:
        told = {
            "from": known[shift.at]["from"],
            "before_ms": round(shift.before, 3),
            "after_ms": round(shift.after, 3),
        }
    return {"trend": rows, "shift": told}


def _finding(known: KnownFinding) -> dict[str, Any]:
    return {
        "key": known.key,
        "detector": known.detector,
        "severity": known.severity,
        "title": known.title,
        "status": known.status,
        "first_seen": iso(known.first_us),
        "last_seen": iso(known.last_us),
        "gone": iso(known.gone_us),
    }
