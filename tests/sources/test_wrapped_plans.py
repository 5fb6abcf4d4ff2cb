"""Plans of auto_explain that went through syslog or journald are those that PostgreSQL wrote to stderr."""

from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from analyzer.model.plan import Plan, PlanShelf, RecordedPlan
from analyzer.plans import read_plans
from analyzer.sql.identity import identify

Reading = Callable[..., Any]  # into a recording: conftest.Read
FORMATS = ("text", "json", "yaml", "xml")
LEAST = 9  # of five statements of two sessions; two that are equal to the digit are one


@pytest.fixture(autouse=True)
def _all_plans(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(PlanShelf, "PLANS_KEPT", 100)


def recorded(read: Reading, path: Path) -> dict[tuple[object, ...], RecordedPlan]:
    """The plans of a log by session, duration and time."""
    found = read(path)
    assert (found.source.bytes_unparsed, found.source.unparsed_lines) == (0, 0)
    plans = {(plan.session, plan.duration_ms, plan.at_us): plan for plan in found.recording.plans}
    formats = Counter(plan.format for plan in plans.values())
    assert formats.keys() == set(FORMATS)
    assert min(formats.values()) >= LEAST
    return plans


def tree(plan: Plan) -> list[tuple[object, ...]]:
    """All that was said of the nodes, less white space: a text's own `#011` is taken for rsyslog's TAB."""
    return [
        (
            *(
                node.type,
                node.relation,
                node.index,
                node.alias,
                node.total_cost,
                node.rows_estimated,
            ),
            *(node.rows_actual, node.loops, node.actual_total_ms, node.shared_hit_blocks),
            "".join((node.filter or "").replace("#011", "").split()),
            node.index_condition,
        )
        for node in plan.root.walk()
    ]


def only(recorded: RecordedPlan) -> Plan:
    (plan,) = read_plans(recorded)
    return plan


@pytest.mark.parametrize(
    ("name", "truth"), [("plans.bsd.log", "plans"), ("plans_journal.json", "plans_journal")]
)
def test_a_plan_in_pieces_is_whole_again(data: Path, read: Reading, name: str, truth: str) -> None:
    folder = data / "logs/wrapped"
    expected = recorded(read, folder / f"{truth}.stderr.log.xz")
    wrapped = recorded(read, folder / f"{name}.xz")
    assert wrapped.keys() == expected.keys()
    for key, plan in wrapped.items():
        ours, theirs = only(plan), only(expected[key])
        assert not ours.truncated
        assert tree(ours) == tree(theirs)
        assert ours.settings == theirs.settings == {"work_mem": "1MB"}
        shapes = {identify(one.statement or "").shape_id for one in (ours, theirs)}
        assert len(shapes) == 1


def test_a_plan_that_the_daemon_cut_is_read_as_far_as_it_goes(data: Path, read: Reading) -> None:
    folder = data / "logs/wrapped"
    expected = recorded(read, folder / "plans_whole.stderr.log.xz")
    wrapped = recorded(read, folder / "plans_whole.bsd.log.xz")
    assert wrapped.keys() == expected.keys()
    cut: Counter[str] = Counter()
    for key, plan in wrapped.items():
        ours, theirs = only(plan), only(expected[key])
        if len(plan.text) < len(expected[key].text) - 100:
            cut[plan.format] += 1
            assert ours.truncated
            nodes = tree(ours)[:-1]  # of the last one figures may lack
            assert 3 < len(nodes) < len(tree(theirs))
            assert nodes == tree(theirs)[: len(nodes)]
        else:
            assert not ours.truncated
            assert tree(ours) == tree(theirs)
    assert cut.keys() == set(FORMATS)
    assert min(cut.values()) > 1
