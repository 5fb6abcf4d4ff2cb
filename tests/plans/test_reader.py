"""Every JSON plan of the corpora is read, however a client has dressed it."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analyzer.errors import InputError
from analyzer.model.plan import Plan, RecordedPlan
from analyzer.plans import PartlyUnreadError, read_plans

PLANS = Path(__file__).resolve().parents[1] / "data" / "plans"
MATRIX = PLANS / "version-matrix"
BARE = sorted(path for path in MATRIX.glob("pg*.json"))
PGVECTOR = sorted((PLANS / "pgvector").glob("*.json"))
DECORATED = sorted((MATRIX / "psql").glob("*-json.txt"))
LOGS = sorted(MATRIX.glob("auto_explain-*.json"))


def read(text: str, origin: str = "plan.json") -> list[Plan]:
    return read_plans(RecordedPlan(text=text, format="json", origin=origin, source=0))


def logged(path: Path) -> Iterator[str]:
    """The JSON plans in a jsonlog of auto_explain."""
    for line in path.read_text().splitlines():
        _, marker, plan = json.loads(line)["message"].partition("plan:\n")
        if marker and plan.startswith("{"):
            yield plan


def test_the_corpora_are_there() -> None:
    assert (len(BARE), len(PGVECTOR), len(DECORATED), len(LOGS)) == (99, 15, 10, 2)


@pytest.mark.parametrize("path", [*BARE, *PGVECTOR], ids=lambda path: path.stem)
def test_bare_plans_are_read_whole(path: Path) -> None:
    (plan,) = read(path.read_text())
    document = json.loads(path.read_text())[0]
    assert plan.root.type == document["Plan"]["Node Type"]
    assert len(list(plan.root.walk())) == path.read_text().count('"Node Type"')
    assert plan.analyzed
    assert plan.planning_ms == document["Planning Time"]
    assert plan.execution_ms == document["Execution Time"]


@pytest.mark.parametrize("path", DECORATED, ids=lambda path: path.stem)
def test_decoration_of_psql_comes_off(path: Path) -> None:
    (plan,) = read(path.read_text())
    assert plan.root.type == "Index Only Scan"
    assert plan.root.index == "c_pkey"
    assert [node.type for node in plan.root.walk()] == [
        "Index Only Scan",
        "Aggregate",
        "Index Scan",
    ]


@pytest.mark.parametrize("path", LOGS, ids=lambda path: path.stem)
def test_auto_explain_plans_carry_their_statement(path: Path) -> None:
    plans = [plan for text in logged(path) for plan in read(text)]
    assert len(plans) == 3
    assert all(
        plan.statement and plan.statement.lstrip()[:7].lower() in ("select ", "prepare")
        for plan in plans
    )
    assert len({plan.key for plan in plans}) == 3


def test_unknown_keys_are_kept_and_known_ones_are_not_repeated() -> None:
    (plan,) = read('[{"Plan": {"Node Type": "New Scan", "Alias": "x", "Future": [1, {"a": 2}]}}]')
    assert plan.root.extra == {"Future": [1, {"a": 2}]}
    assert plan.root.alias == "x"
    assert not plan.analyzed
    assert plan.total_ms is None


def test_the_schema_public_is_left_out_of_names() -> None:
    nodes = '{"Node Type": "Seq Scan", "Relation Name": "o", "Schema": "%s"}'
    assert read(nodes % "public")[0].root.relation == "o"
    assert read(nodes % "sales")[0].root.relation == "sales.o"


def test_a_key_depends_on_the_plan_and_not_on_where_or_how_it_was_found() -> None:
    text = (MATRIX / "pg16-seq_filter.json").read_text()
    compact = json.dumps(json.loads(text))
    keys = {read(text, "a")[0].key, read(compact, "b")[0].key}
    assert len(keys) == 1
    other = text.replace("o.cid = 77", "o.cid = 78")
    assert read(other)[0].key not in keys


def test_several_plans_in_one_text_and_prose_around_them() -> None:
    plan = (MATRIX / "pg16-seq_filter.json").read_text()
    text = (
        f"[1234] LOG: see below\nEXPLAIN SELECT 1;\n{plan}\n[note] and another\n{plan}\n(1 row)\n"
    )
    assert len(read(text)) == 2


def test_rows_that_clients_export_are_unwrapped() -> None:
    document = json.loads((MATRIX / "pg16-seq_filter.json").read_text())
    assert len(read(json.dumps([{"QUERY PLAN": document}]))) == 1
    assert len(read(json.dumps([{"QUERY PLAN": json.dumps(document)}]))) == 1
    assert len(read(json.dumps([document, document]))) == 2


def test_a_broken_plan_says_where() -> None:
    text = (MATRIX / "pg16-seq_filter.json").read_text().replace('"Plan Rows":', '"Plan Rows"')
    with pytest.raises(InputError, match=r"cut\.json.*line \d+, column \d+.*broken.*EXPLAIN"):
        read(text, "cut.json")


def test_what_was_read_before_a_broken_plan_is_not_lost() -> None:
    whole = (MATRIX / "pg16-seq_filter.json").read_text()
    with pytest.raises(PartlyUnreadError) as caught:
        read(whole + "\n" + whole.replace(":", "", 1))
    assert [plan.root.type for plan in caught.value.plans] == ["Gather"]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "no plan"),
        ("nothing here", "no plan"),
        ('{"Plan": {"Alias": "x"}}', "Node Type"),
        ('{"Plan": {"Node Type": "A", "Plans": {}}}', "Plans"),
        ('{"Plan": {"Node Type": "A", "Actual Rows": "many"}}', "Actual Rows"),
        ('{"Plan": {"Node Type": "A", "Actual Rows": -1}}', "out of range"),
        ('{"Plan": {"Node Type": "A", "Actual Rows": NaN}}', "NaN"),
        ('{"Plan": {"Node Type": "A", "Actual Rows": 1e999}}', "out of range"),
        ('{"Plan": {"Node Type": "A", "Actual Rows": %s}}' % ("9" * 400), "out of range"),
        ('{"Plan": {"Node Type": "A", "Filter": 5}}', "Filter"),
    ],
)
def test_what_is_no_plan_is_an_input_error(text: str, message: str) -> None:
    with pytest.raises(InputError, match=message):
        read(text)


@pytest.mark.parametrize("levels", [251, 5_000, 100_000])
def test_hostile_nesting_is_refused(levels: int) -> None:
    node = '{"Node Type": "A", "Plans": ['
    with pytest.raises(InputError, match="deep"):
        read('{"Plan": ' + node * levels + '{"Node Type": "B"}' + "]}" * levels + "}")
    with pytest.raises(InputError):
        read('{"Plan": ' * levels)


def test_deep_but_honest_plans_are_read() -> None:
    node = '{"Node Type": "A", "Plans": ['
    (plan,) = read('{"Plan": ' + node * 240 + '{"Node Type": "B"}' + "]}" * 240 + "}")
    assert len(list(plan.root.walk())) == 241


SAMPLE = (MATRIX / "pg18-initplan.json").read_text()


@settings(max_examples=100, deadline=None)
@given(st.integers(0, len(SAMPLE)), st.integers(0, 200), st.text(max_size=20))
def test_damaged_plans_are_read_or_refused(at: int, length: int, junk: str) -> None:
    try:
        plans = read(SAMPLE[:at] + junk + SAMPLE[at + length :])
    except InputError:
        return
    assert plans
    assert all(node.self_ms is None or node.self_ms >= 0 for p in plans for node in p.root.walk())
