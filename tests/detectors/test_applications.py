"""Loops in the traffic of real applications: pieces of the test bed's runs, scored by statement.

benchmarks/applications/README.md says how the logs and their labels were made. The thresholds are what
holds today (docs/accuracy.md has the goal); a change may raise them.
"""

import importlib
import json
import lzma
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType

import pytest

BED = Path(__file__).parents[2] / "benchmarks" / "applications"
DATA = Path(__file__).parents[1] / "data" / "applications"


@dataclass(frozen=True)
class Floor:
    precision: float
    recall: float
    proper_recall: float  # n-plus-one alone


FLOORS = {
    "codered-back-to-back": Floor(1.00, 0.92, 0.84),
    "codered-extended": Floor(1.00, 0.92, 0.84),
    "codered-pooled": Floor(0.97, 0.89, 0.28),
    "codered-tagged": Floor(1.00, 1.00, 0.92),
    "codered-think": Floor(1.00, 0.94, 0.88),
    "codered-workers": Floor(0.97, 0.86, 0.52),
    "indico-back-to-back": Floor(1.00, 1.00, 0.95),
    "indico-pooled": Floor(1.00, 1.00, 0.95),
    "indico-tagged": Floor(1.00, 1.00, 0.95),
    "indico-think": Floor(1.00, 1.00, 0.91),
    "indico-workers": Floor(1.00, 1.00, 0.95),
    "pretix-back-to-back": Floor(1.00, 0.52, 0.44),
    "pretix-extended": Floor(1.00, 0.48, 0.44),
    "pretix-pooled": Floor(1.00, 0.38, 0.32),
    "pretix-tagged": Floor(1.00, 1.00, 0.84),
    "pretix-think": Floor(1.00, 1.00, 0.84),
    "pretix-workers": Floor(0.88, 0.71, 0.64),
    "redmine-back-to-back": Floor(0.95, 0.85, 0.78),
    "redmine-pooled": Floor(0.98, 0.95, 0.70),
    "redmine-tagged": Floor(0.96, 1.00, 0.84),
    "vendure-back-to-back": Floor(1.00, 0.98, 0.77),
    "vendure-pooled": Floor(1.00, 0.95, 0.67),
    "vendure-tagged": Floor(1.00, 0.97, 0.79),
    "vendure-think": Floor(1.00, 1.00, 0.79),
    "vendure-workers": Floor(1.00, 1.00, 0.71),
}


@pytest.fixture
def score(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """The test bed's own scoring."""
    monkeypatch.syspath_prepend(str(BED))
    return importlib.import_module("score")


@pytest.mark.parametrize("schema", [True, False], ids=["schema", "names"])
@pytest.mark.parametrize("run", sorted(FLOORS))
def test_a_run_is_judged_no_worse_than_before(
    score: ModuleType, tmp_path: Path, run: str, *, schema: bool
) -> None:
    known = None
    if schema:
        known = tmp_path / "schema.sql"
        known.write_bytes(
            lzma.decompress((DATA / f"{run.partition('-')[0]}-schema.sql.xz").read_bytes())
        )
    labels = json.loads((DATA / f"{run}.json").read_text(encoding="utf-8"))
    judged = score.judge(run, labels, score.findings(DATA / f"{run}.csv.xz", known))
    floor = FLOORS[run]
    assert judged.both.precision >= floor.precision, judged.false
    assert judged.both.recall >= floor.recall, judged.missed
    assert judged.proper.recall >= floor.proper_recall, judged.demoted


def test_every_piece_is_scored_and_has_loops() -> None:
    names = {path.name.removesuffix(".csv.xz") for path in DATA.glob("*.csv.xz")}
    assert names == set(FLOORS)
    for name in names:
        labels = json.loads((DATA / f"{name}.json").read_text(encoding="utf-8"))
        assert len(labels["n_plus_one"]) >= 5


def test_labels_follow_the_definition(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.syspath_prepend(str(BED))
    labels = importlib.import_module("labels")
    lines = []

    def run(request: int, sql: str, path: str, times: int, distinct: int, bound: str = "") -> None:
        lines.extend(
            {
                "request": request, "route": "/", "statement": sql.replace("%", str(n % distinct)),
                "parameters": bound or f"({n % distinct},)", "path": [path], "at": float(len(lines)),
            }
            for n in range(times)
        )  # fmt: skip

    run(1, "SELECT * FROM a WHERE id = %", "view:1", 5, 5)  # the one N+1
    run(1, "SELECT * FROM b WHERE id = %", "view:2", 4, 4)  # too few
    run(1, "SELECT * FROM c WHERE id = %", "view:3", 9, 4)  # too few different ones
    run(1, "SELECT * FROM d WHERE id = %", "view:4", 4, 4)  # two places, neither enough
    run(1, "SELECT * FROM d WHERE id = %", "view:5", 4, 4)
    run(1, "SELECT * FROM e WHERE id = %", "view:6", 3, 3)  # two requests, neither enough
    run(2, "SELECT * FROM e WHERE id = %", "view:6", 3, 3)
    run(2, "INSERT INTO f VALUES (%)", "view:7", 6, 6)
    run(2, "SAVEPOINT s%", "view:8", 6, 6)
    run(
        2, "SELECT * FROM g WHERE id = $1 AND place > %", "view:9", 5, 5, "[7]"
    )  # literals beside $1
    lines.extend(  # a trace in a comment is no parameter
        {
            "request": 2, "route": "/", "statement": f"SELECT * FROM h /* traceparent='{n}' */",
            "parameters": None, "path": ["view:10"], "at": float(len(lines)),
        }
        for n in range(5)
    )  # fmt: skip
    truth = tmp_path / "truth.jsonl"
    truth.write_text("".join(json.dumps(line) + "\n" for line in lines), encoding="utf-8")
    found = labels.label(labels.read_truth(truth))
    assert sorted(one["sql"] for one in found["n_plus_one"]) == [
        "SELECT * FROM a WHERE id = $1",
        "SELECT * FROM g WHERE id = $1 AND place > $2",
    ]
    assert [one["sql"] for one in found["write_loops"]] == ["INSERT INTO f VALUES ($1)"]
    assert found["requests"] == 2
    assert len(found["repeats"]) == 2
