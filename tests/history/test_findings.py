"""New, ongoing, gone: by what ran, and by who could judge."""

from typing import Any

import pytest
from kept import MIDNIGHT_US

from analyzer.history.findings import judge
from analyzer.history.keeping import show_statuses
from analyzer.history.store import Store
from analyzer.model.history import Run

KEY = "n-plus-one-1"


def statement(shape: str, lineage: str, samples: int = 5, calls: int = 5) -> dict[str, Any]:
    return {"shape_id": shape, "lineage": lineage, "samples": samples, "calls": calls}


def loop(
    key: str = KEY, shapes: tuple[str, str] = ("p1", "c1"), **evidence: object
) -> dict[str, Any]:
    parent, child = shapes
    return {
        "key": key,
        "detector": "n-plus-one",
        "status": None,
        "severity": "high",
        "confidence": 0.9,
        "title": "20 × items after orders",
        "shape_ids": [child, parent],
        "fingerprints": [],
        "tables": ["items"],
        "routes": [],
        "evidence": {
            "parent_shape_id": parent,
            "child_shape_id": child,
            "occurrences": 3,
            **evidence,
        },
        "impact": {"round_trips": 60, "total_ms": 12.5, "saving_ms": 9.0, "requests": 3},
    }


def document(
    *findings: dict[str, Any],
    statements: tuple[dict[str, Any], ...] = (statement("p1", "P"), statement("c1", "C")),
    judged: str = "found",
    plans: tuple[str, ...] = (),
) -> dict[str, Any]:
    return {
        "findings": list(findings),
        "statements": list(statements),
        "plans": [{"shape_id": shape} for shape in plans],
        "detectors": [{"id": "n-plus-one", "status": judged}],
    }


def night(store: Store, number: int, report: dict[str, Any]) -> list[tuple[str, str, bool]]:
    at_us = MIDNIGHT_US + number * 86_400_000_000
    with store.transaction() as writing:
        run = writing.add_run(Run("nightly", at_us, at_us - 1, at_us, {"ms": 100.0}))
        seen = writing.update_findings(report, run, at_us)
    return [(one.key, one.status, one.returned) for one in seen]


def test_new_then_ongoing_then_gone_then_back(store: Store) -> None:
    assert night(store, 1, document(loop())) == [(KEY, "new", False)]
    assert night(store, 2, document(loop())) == [(KEY, "ongoing", False)]
    assert night(store, 3, document(judged="clean")) == [(KEY, "gone", False)]
    assert night(store, 4, document(judged="clean")) == []  # told once
    assert night(store, 5, document(loop())) == [(KEY, "new", True)]
    with store.reading() as reader:
        (known,) = reader.findings().values()
        runs = [(run.id, weight["occurrences"]) for run, weight in reader.sightings(KEY)]
    assert (known.status, known.first_us) == ("ongoing", MIDNIGHT_US + 86_400_000_000)
    assert runs == [(1, 3), (2, 3), (5, 3)]


@pytest.mark.parametrize(
    "report",
    [
        document(statements=(statement("c1", "C"),), judged="clean"),
        document(statements=(statement("p1", "P", samples=0),), judged="clean"),
        document(judged="not-applicable"),
        document(judged="error"),
    ],
    ids=["only the child ran", "the parent is only counted", "not applicable", "failed"],
)
def test_what_could_not_be_seen_is_not_gone(store: Store, report: dict[str, Any]) -> None:
    night(store, 1, document(loop()))
    assert night(store, 2, report) == []
    assert night(store, 3, document(loop())) == [(KEY, "ongoing", False)]


def test_a_deploy_that_adds_a_column_changes_nothing(store: Store) -> None:
    night(store, 1, document(loop()))
    others = (statement("p2", "P"), statement("c2", "C"))
    deployed = document(loop(shapes=("p2", "c2")), statements=others)
    assert night(store, 2, deployed) == [(KEY, "ongoing", False)]
    assert night(store, 3, document(statements=others, judged="clean")) == [(KEY, "gone", False)]


def test_what_a_plan_showed_is_gone_only_with_a_plan(store: Store) -> None:
    night(store, 1, document(loop(plan_key="k"), plans=("p1",)))
    assert night(store, 2, document(judged="clean")) == []
    assert night(store, 3, document(judged="clean", plans=("p1",))) == [(KEY, "gone", False)]


def test_an_acknowledged_finding_stays_so(store: Store) -> None:
    accepted = loop() | {"status": "acknowledged"}
    assert night(store, 1, document(accepted)) == [(KEY, "acknowledged", False)]
    assert night(store, 2, document(accepted)) == [(KEY, "acknowledged", False)]


def test_the_report_shows_what_became_of_each(store: Store) -> None:
    night(store, 1, document(loop(), loop("n-plus-one-2")))
    report = document(loop("n-plus-one-3"), loop("n-plus-one-2"))
    with store.reading() as reader:
        known = reader.findings()
    show_statuses(report, judge(known, report))
    shown = [(one["key"][-1], one["status"], one["first_seen"]) for one in report["findings"]]
    assert shown == [
        ("3", "new", None),
        ("2", "ongoing", "2024-10-05T00:00:00Z"),
        ("1", "gone", "2024-10-05T00:00:00Z"),
    ]
    assert judge(known, report)[-1].key == KEY  # showing it again changes nothing
    assert report["findings"][-1]["evidence"] == {}
