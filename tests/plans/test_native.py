"""The native readers of plans end where the Python beside them does, or decline."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from plan_texts import DRESSES, MATRIX
from test_damaged_texts import EDITS, damaged

from analyzer.native import compiled
from analyzer.plans import text_ordinary, tree
from analyzer.plans.found import PlanProblemError

CHECKOUT = Path(__file__).resolve().parents[2]
TEXTS = [path.read_text() for path in sorted(MATRIX.glob("pg*.txt"))]
DOCUMENTS = [json.loads(path.read_text())[0] for path in sorted(MATRIX.glob("pg*.json"))]
VALUES: list[object] = [None, True, -1, -0.5, 0, 0.0, 2**63, 1e308, "", "x", "public", [], {}, [1]]
KEYS = [
    *("Node Type", "Parent Relationship", "Actual Loops", "Actual Rows", "Actual Total Time"),
    *("Plan Rows", "Plan Width", "Sort Key", "Schema", "Relation Name", "Workers Launched"),
    *("Single Copy", "Parallel Aware", "Filter", "Plans", "Shared Hit Blocks", "Something Else"),
]


def natively(text: str) -> tuple[Any, Any] | None:
    """The document of a text as the native twin has it, and as the Python has; None where there is no root."""
    begin = text_ordinary._ROOT.search(text)
    assert text_ordinary._WORDS is not None
    if begin is None:
        return None
    plan = text[begin.start() :]
    before: dict[str, object] = {"Query Text": "select 1"}
    found = text_ordinary._WORDS.document(plan, before)
    assert before == {"Query Text": "select 1"}
    return found, text_ordinary.slow_document(plan, before)


def assert_same_text(text: str) -> bool:
    """Whether the native twin took it."""
    pair = natively(text)
    if pair is None or pair[0] is None:
        return False
    assert pair[0] == pair[1]
    assert json.dumps(pair[0], sort_keys=True) == json.dumps(pair[1], sort_keys=True)
    return True


def assert_same_tree(root: object) -> bool:
    """Whether the native twin took it."""
    assert tree._LAYOUT is not None
    try:
        slow = tree.slow_tree_of(root)
    except PlanProblemError as problem:
        with pytest.raises(PlanProblemError, match=re.escape(str(problem))):
            tree.tree_of(root)
        return False
    assert repr(tree.tree_of(root)) == repr(slow)  # 1 and 1.0 are equal, and are not the same
    return tree._LAYOUT.tree(root) is not None


def test_most_texts_are_read_natively() -> None:
    ordinary = [text for text in TEXTS if text_ordinary.ordinary(text) is not None]
    taken = [assert_same_text(text) for text in ordinary]
    assert len(ordinary) > 140
    assert sum(taken) > 0.85 * len(ordinary)  # the others have lines of workers


@pytest.mark.parametrize("dress", DRESSES)
def test_dressed_texts_are_declined_or_read_alike(dress: str) -> None:
    for text in TEXTS[::3]:
        assert_same_text(DRESSES[dress](text))


@settings(max_examples=600, deadline=None)
@given(st.sampled_from(TEXTS), EDITS)
def test_damaged_texts_are_declined_or_read_alike(
    text: str, edits: list[tuple[float, int, str]]
) -> None:
    assert_same_text(damaged(text, edits[:3]))


@settings(max_examples=300, deadline=None)
@given(
    st.text(alphabet="0123456789.", min_size=1, max_size=24),
    st.sampled_from(["cost=0.00", "0.00 rows", "rows=1 w", "width=4", "=1 loops=1", "loops=1", "hit=1"]),
)  # fmt: skip
def test_figures_are_read_alike(figure: str, place: str) -> None:
    text = (
        "Seq Scan on o  (cost=0.00..0.00 rows=1 width=4) (actual time=0.01..0.02 rows=1 loops=1)\n"
        "  Heap Fetches: 1\n  Buffers: shared hit=1\n"
    )
    digit = "0.00" if "0.00" in place else "4" if "4" in place else "1"
    assert_same_text(text.replace(place, place.replace(digit, figure, 1), 1))
    assert_same_text(text.replace("Fetches: 1", f"Fetches: {figure}"))


def test_all_trees_are_made_natively() -> None:
    assert len(DOCUMENTS) > 80
    assert all(assert_same_tree(document["Plan"]) for document in DOCUMENTS)


@settings(max_examples=600, deadline=None)
@given(st.sampled_from(DOCUMENTS), st.data())
def test_unusual_values_are_declined_or_read_alike(
    document: dict[str, Any], data: st.DataObject
) -> None:
    plan = json.loads(json.dumps(document["Plan"]))
    nodes = [plan]
    for node in nodes:
        nodes += node.get("Plans", [])
    for _ in range(data.draw(st.integers(1, 3))):
        node = data.draw(st.sampled_from(nodes))
        node[data.draw(st.sampled_from(KEYS))] = data.draw(st.sampled_from(VALUES))
    assert_same_tree(plan)


def test_a_deep_tree_is_refused_alike() -> None:
    plan: dict[str, object] = {"Node Type": "Result"}
    for _ in range(tree.MAX_DEPTH):
        plan = {"Node Type": "Append", "Plans": [plan]}
    assert not assert_same_tree(plan)


def test_it_can_be_switched_off(monkeypatch: pytest.MonkeyPatch) -> None:
    assert compiled("analyzer.plans.native._nodes") is not None
    assert compiled("_nothing") is None
    monkeypatch.setenv("PG95_PURE_PYTHON", "1")
    assert compiled("analyzer.plans.native._nodes") is None


def test_pure_python_reads_the_same() -> None:
    program = (
        "import sys; from analyzer.model.plan import RecordedPlan; from analyzer.plans import read_plans, tree\n"
        "from pathlib import Path\n"
        "assert (tree._LAYOUT is None) == (sys.argv[2] == '1')\n"
        "for path in sorted(Path(sys.argv[1]).glob('pg18-*')):\n"
        "    form = {'.txt': 'text'}.get(path.suffix, path.suffix[1:])\n"
        "    print(read_plans(RecordedPlan(path.read_text(), form, path.name, 0)))\n"
    )
    told = [
        subprocess.run(
            [sys.executable, "-c", program, str(MATRIX), pure], cwd=CHECKOUT, text=True,
            env={**os.environ, "PG95_PURE_PYTHON": pure}, capture_output=True, check=True,
        ).stdout
        for pure in ("", "1")
    ]  # fmt: skip
    assert "PlanNode(" in told[0]
    assert told[0] == told[1]
