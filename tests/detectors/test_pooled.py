"""Loops behind PgBouncer, in statement and transaction mode: captures of a real one, with their truth.

tests/data/pooled/README.md says how they were taken. The bounds are the goals for what is pooled
(docs/accuracy.md), and those for tags.
"""

import importlib
import json
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).parents[2]
DATA = ROOT / "tests" / "data" / "pooled"
CAPTURES = (
    "statement",
    "statement-crowded",
    "statement-at-once",
    "statement-tagged",
    "transaction",
)


@pytest.fixture
def score(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """The test bed's own scoring."""
    monkeypatch.syspath_prepend(str(ROOT / "benchmarks" / "applications"))
    return importlib.import_module("score")


@pytest.mark.parametrize("schema", [DATA / "schema.sql", None], ids=["schema", "names"])
@pytest.mark.parametrize("capture", CAPTURES)
def test_loops_are_found_though_connections_are_shared(
    score: ModuleType, capture: str, schema: Path | None
) -> None:
    labels = json.loads((DATA / f"{capture}.json").read_text(encoding="utf-8"))
    assert len(labels["n_plus_one"]) > 10
    judged = score.judge(capture, labels, score.findings(DATA / f"{capture}.csv.xz", schema))
    tagged = capture.endswith("tagged")
    assert judged.both.precision >= (0.99 if tagged else 0.95), judged.false
    assert judged.both.recall >= (0.95 if tagged else 0.85), judged.missed
    assert judged.proper.recall >= 0.75, judged.demoted


def test_every_capture_is_scored() -> None:
    assert {path.name.removesuffix(".csv.xz") for path in DATA.glob("*.csv.xz")} == set(CAPTURES)
