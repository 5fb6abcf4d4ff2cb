"""However a client, a terminal or a mail has dressed a plan: it is recognised and read as it is bare."""

import pytest
from plan_texts import DRESSES, FORMATS, MATRIX, PLANS, read, read_file, stable

from analyzer.model.plan import Plan
from analyzer.sources.detection import recognise
from analyzer.sources.options import ReadOptions

CASES = sorted(path for path in MATRIX.glob("pg1[08]-*.txt") if ".min" not in path.name)
PSQL = sorted(path for path in (MATRIX / "psql").glob("*.txt") if "-json" not in path.name)
BROKEN = ("80 columns", "132 columns", "a mail")
BY_LINE = (*BROKEN, "pgadmin", "a log")  # what is done to texts of a row for each line alone


def whole(plan: Plan) -> object:
    nodes = [
        (node.actual_total_ms, node.rows_actual, node.loops, node.extra.get("Output"))
        for node in plan.root.walk()
    ]
    return stable(plan), nodes, plan.execution_ms


@pytest.mark.parametrize("dress", DRESSES)
@pytest.mark.parametrize("path", CASES, ids=lambda path: path.stem)
def test_a_dressed_plan_is_what_it_is_bare(path: object, dress: str) -> None:
    assert isinstance(path, type(MATRIX))
    bare = path.read_text()
    text = DRESSES[dress](bare)
    (plan,) = read(text)
    (expected,) = read(bare)
    assert whole(plan) == whole(expected)
    assert not plan.truncated
    assert not plan.wrapped or dress in BROKEN
    if dress == "a log":
        assert plan.duration_ms == 60.899
        assert plan.statement == "select 1\n\t from x;".replace("\t", "")
        return  # the log's reader takes those
    known = recognise(text.encode(), whole=True, options=ReadOptions())
    assert known is not None
    assert known.format == "explain-text"


@pytest.mark.parametrize("ending", ["yaml", "xml", "json"])
@pytest.mark.parametrize("dress", [name for name in DRESSES if name not in BY_LINE])
def test_other_formats_are_dressed_as_well(dress: str, ending: str) -> None:
    bare = (MATRIX / f"pg18-initplan.{ending}").read_text()
    (plan,) = read(DRESSES[dress](bare), FORMATS[ending])
    assert stable(plan) == stable(read_file(MATRIX / f"pg18-initplan.{ending}"))
    known = recognise(DRESSES[dress](bare).encode(), whole=True, options=ReadOptions())
    assert known is not None
    assert known.format == f"explain-{FORMATS[ending]}"


@pytest.mark.parametrize("path", PSQL, ids=lambda path: path.stem)
def test_all_formats_of_psql(path: object) -> None:
    assert isinstance(path, type(MATRIX))
    (plan,) = read(path.read_text())
    types = [node.type for node in plan.root.walk()]
    assert types == ["Index Only Scan", "Aggregate", "Index Scan"]
    assert [node.id for node in plan.root.children] == [1]
    assert plan.root.children[0].subplan_name == "SubPlan 1"
    assert plan.root.children[0].loops == 40
    assert plan.execution_ms
    known = recognise(path.read_bytes(), whole=True, options=ReadOptions())
    assert known is not None
    assert known.format == "explain-text"


def test_the_corpora_of_texts_are_there() -> None:
    assert len(CASES) == 28
    assert len(PSQL) == 10
    assert PLANS.is_dir()


@pytest.mark.parametrize(
    "text",
    [
        "Seq Scan on o\n",
        " QUERY PLAN \n------------\n Seq Scan on o\n   Filter: (a = 1)\n(2 rows)\n",
        "Limit\n  ->  Index Scan using i on public.o x\n        Index Cond: (a = 1)\n",
        'Nested Loop Left Join\n  ->  Result\n  ->  Values Scan on "*VALUES*"\n',
    ],
)
def test_plans_without_any_figure_are_recognised_and_read(text: str) -> None:
    known = recognise(text.encode(), whole=True, options=ReadOptions())
    assert known is not None
    assert known.format == "explain-text"
    (plan,) = read(text)
    assert not plan.analyzed
    assert plan.root.total_cost is None


@pytest.mark.parametrize("text", ["Depends on weather\n", "Sort\n\nResult\n", "Hash of it: 12\n"])
def test_prose_is_no_plan(text: str) -> None:
    assert recognise(text.encode(), whole=True, options=ReadOptions()) is None
