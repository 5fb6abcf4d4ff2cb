"""The same plan is the same tree, whichever of the four formats it was printed in."""

import json
from pathlib import Path

import pytest
from plan_texts import FORMATS, MATRIX, read, read_file, stable

from analyzer.errors import InputError
from analyzer.plans import PartlyUnreadError
from analyzer.plans.counters import counter

CASES = sorted(path.stem for path in MATRIX.glob("pg*.xml"))
MINIMAL = sorted(MATRIX.glob("*.min.txt"))


def sum_is_the_root_s(path: Path) -> bool:
    plan = read_file(path)
    nodes = list(plan.root.walk())
    rounding = sum(node.loops for node in nodes) * 0.0005
    own = sum(node.self_ms or 0.0 for node in nodes)
    return abs(own - (plan.total_ms or 0.0)) <= max(0.01 * (plan.total_ms or 0.0), rounding)


def test_the_corpus_is_there() -> None:
    assert len(CASES) == 84
    assert len(MINIMAL) == 84


@pytest.mark.parametrize("case", CASES)
def test_the_four_formats_of_a_plan_are_equal(case: str) -> None:
    expected = read_file(MATRIX / f"{case}.json")
    for ending in FORMATS:
        plan = read_file(MATRIX / f"{case}.{ending}")
        assert stable(plan) == stable(expected), ending
        assert plan.analyzed
        assert plan.planning_ms
        assert plan.execution_ms
        assert not plan.truncated
        assert not plan.wrapped
        assert sum_is_the_root_s(MATRIX / f"{case}.{ending}")
        if ending != "txt":
            both = zip(plan.root.walk(), expected.root.walk(), strict=True)
            assert all(ours.extra.keys() == theirs.extra.keys() for ours, theirs in both)
            assert plan.extra.keys() == expected.extra.keys()


@pytest.mark.parametrize("path", MINIMAL, ids=lambda path: path.stem)
def test_plans_without_costs_and_times_have_the_same_tree(path: Path) -> None:
    plan, whole = read_file(path), read_file(path.with_name(path.name.replace(".min", "")))
    for ours, theirs in zip(plan.root.walk(), whole.root.walk(), strict=True):
        names = ["type", "parent", "index", "join_type", "subplan_name"]
        if theirs.parent_relationship != "Member":  # of what writes, only the costs tell
            names.append("parent_relationship")
        assert [getattr(ours, name) for name in names] == [getattr(theirs, name) for name in names]
        assert ours.total_cost is None
        assert ours.actual_total_ms is None
    assert plan.analyzed
    assert plan.root.rows_actual is not None


def test_texts_keep_what_json_says_of_sorts_hashes_and_workers() -> None:
    text, expected = (read_file(MATRIX / f"pg18-hashjoin_par.{end}") for end in ("txt", "json"))
    for ours, theirs in zip(text.root.walk(), expected.root.walk(), strict=True):
        assert ours.extra.get("Output") == theirs.extra.get("Output")
        for name in ("Hash Buckets", "Original Hash Batches", "Sort Method", "Group Key"):
            assert ours.extra.get(name) == theirs.extra.get(name)
        workers = [one["Worker Number"] for one in theirs.extra.get("Workers", [])]  # type: ignore[attr-defined,index]
        assert [one["Worker Number"] for one in ours.extra.get("Workers", [])] == workers  # type: ignore[attr-defined,index]
    assert counter(text.root, "Temp Written Blocks") == 2469
    assert counter(text.root, "Temp I/O Write Time") == 33.911


@pytest.mark.parametrize("form", ["json", "yaml", "xml", "text"])
def test_workers_that_are_printed_twice_are_one_list(form: str) -> None:
    """PostgreSQL 12 prints a node's workers once with their times and once with their sorts."""
    ending = next(end for end, name in FORMATS.items() if name == form)
    plan = read_file(MATRIX / f"pg12-hashjoin_par.{ending}")
    (sort,) = (node for node in plan.root.walk() if node.type == "Sort")
    (worker,) = sort.extra["Workers"]  # type: ignore[misc]
    assert worker["Actual Loops"] == 1
    assert worker["Sort Space Type"] == "Disk"


@pytest.mark.parametrize("path", sorted(MATRIX.glob("auto_explain-*.json")), ids=lambda p: p.stem)
def test_logged_plans_are_equal_in_all_formats(path: Path) -> None:
    found: dict[str, list[list[str]]] = {}
    for line in path.read_text().splitlines():
        head, marker, text = json.loads(line)["message"].partition("plan:\n")
        if not marker:
            continue
        start = text.lstrip()[:1]
        form = {"{": "json", "<": "xml"}.get(start, "yaml" if "\nPlan:" in text else "text")
        (plan,) = read(head + marker + text if form in ("text", "yaml") else text, form)
        assert plan.statement
        assert form not in ("text", "yaml") or plan.duration_ms
        found.setdefault(form, []).append([node.type for node in plan.root.walk()])
    assert found.keys() == {"json", "xml", "yaml", "text"}
    assert all(plans == found["json"] for plans in found.values())


@pytest.mark.parametrize("ending", FORMATS)
def test_a_query_identifier_may_be_negative(ending: str) -> None:
    text = (MATRIX / f"pg18-never.{ending}").read_text()
    before, said = {
        "json": ('"Execution Time":', '"Query Identifier": -5,\n    '),
        "txt": ("Execution Time:", "Query Identifier: -5\n"),
        "yaml": ("Execution Time:", "Query Identifier: -5\n  "),
        "xml": ("<Execution-Time>", "<Query-Identifier>-5</Query-Identifier>\n    "),
    }[ending]
    assert before in text
    (plan,) = read(text.replace(before, said + before), FORMATS[ending])
    assert plan.extra["Query Identifier"] == -5


@pytest.mark.parametrize("ending", FORMATS)
def test_what_was_cut_off_is_read_as_far_as_it_goes(ending: str) -> None:
    text = (MATRIX / f"pg16-subplan.{ending}").read_text()
    whole = read_file(MATRIX / f"pg16-subplan.{ending}")
    most = 0
    for at in range(len(text) // 8, len(text) - 1, len(text) // 40):
        (plan,) = read(text[:at], FORMATS[ending])
        types = [node.type for node in plan.root.walk()]
        assert types == [node.type for node in whole.root.walk()][: len(types)]
        most = max(most, len(types))
        assert plan.truncated or ending in ("txt", "yaml")  # a cut after a line cannot be seen
    assert most == len(list(whole.root.walk()))


def test_a_cut_in_the_middle_of_a_line_is_seen() -> None:
    text = (MATRIX / "pg16-window.txt").read_text()
    for end in ("rows=4999 lo", "Index Cond: (o.id <", "(cost=0", "Sort Key: o.cid,", "Outp"):
        (plan,) = read(text[: text.rindex(end) + len(end)])
        assert plan.truncated, end


def test_several_plans_of_one_text_and_prose_around_them() -> None:
    for ending, form in FORMATS.items():
        first = (MATRIX / f"pg16-window.{ending}").read_text()
        second = (MATRIX / f"pg16-never.{ending}").read_text()
        plans = read(f"First:\n{first}\nand the second one\n{second}", form)
        assert [plan.root.type for plan in plans] == ["WindowAgg", "Nested Loop"]
        assert plans[0].raw.strip() == first.strip() or ending == "json"


@pytest.mark.parametrize(
    ("form", "text", "message"),
    [
        ("text", "Nothing here", r"p: no plan in it .*'Nothing here'"),
        ("text", "  ->  Seq Scan on o  (cost=0.00..1.00 rows=1 width=4)", "line 1: a node without"),
        (
            "text",
            "Limit  (cost=0.00..1.00 rows=1 width=4)\n->  Sort  (cost=0.00..1.00 rows=1 width=4)",
            "line 2: indentation is lost",
        ),
        ("yaml", "- Plan: \n    Node Type: 5\n", "Node Type"),
        ("yaml", "- Plan: \n    Node Type: *a\n    Alias: x\n", "line 2: YAML that EXPLAIN never"),
        ("yaml", '- Plan: \n    Node Type: "A\n    Alias: "x"\n', "line 2: a text or list without"),
        ("yaml", '- Plan: \n    Node Type: "A"\n      Alias: "x"\n    B: 1\n', "line 3: deeper"),
        (
            "yaml",
            "- Plan: \n    Node Type: A\n    Output: \n      -\n    B: 1\n",
            "line 4: an item",
        ),
        ("yaml", "nothing", "no plan in it"),
        ("xml", "<explain><Query><Plan></Query></explain>", "line 1, column 2.: mismatched tag"),
        ("xml", "<explain><Query><Plan><Alias>x</Alias></Plan></Query></explain>", "Node Type"),
        ("xml", "<b>", "no plan in it"),
    ],
)
def test_what_cannot_be_read_says_where_and_why(form: str, text: str, message: str) -> None:
    with pytest.raises(InputError, match=message):
        read(text, form)


def test_what_was_read_before_is_not_lost() -> None:
    text = (MATRIX / "pg16-window.yaml").read_text()
    with pytest.raises(PartlyUnreadError, match=r"line 126: ") as caught:
        read(f"{text}- Plan: \n    Node Type: *a\n    Alias: x\n", "yaml")
    assert len(caught.value.plans) == 1


@pytest.mark.parametrize("where", ["\n", "", "<explain>"])
def test_entities_of_xml_are_refused_before_they_expand(where: str) -> None:
    bomb = '<!DOCTYPE explain [<!ENTITY a "{}"><!ENTITY b "&a;&a;&a;">]>'.format("x" * 1000)
    text = (MATRIX / "pg16-window.xml").read_text().replace("<explain", f"<explain>{bomb}<explain")
    with pytest.raises(InputError):
        read(where + text, "xml")
    (plan,) = read(bomb + (MATRIX / "pg16-window.xml").read_text(), "xml")  # none of it is parsed
    assert plan.root.type == "WindowAgg"


@pytest.mark.parametrize("levels", [251, 3000, 50_000])
def test_hostile_nesting_is_refused_in_every_format(levels: int) -> None:
    line = "->  Limit  (cost=0.00..1.00 rows=1 width=4)"
    depth = min(levels, 3000)  # a line is as long as its depth
    text = "Limit  (cost=0.00..1.00 rows=1 width=4)\n" + "\n".join(
        " " * (2 + n) + line for n in range(depth)
    )
    with pytest.raises(InputError, match="deep"):
        read(text, "text")
    plan = "<Plan><Node-Type>A</Node-Type><Plans>"
    with pytest.raises(InputError, match="deep"):
        read(f"<explain><Query>{plan * levels}", "xml")
    with pytest.raises(InputError, match="deep"):
        read(f"- Plan: \n    Node Type: A\n    Plans: \n{_nested_yaml(min(levels, 900))}", "yaml")


def _nested_yaml(levels: int) -> str:
    return "".join(
        f"{'  ' * n}  - Node Type: A\n{'  ' * n}    Plans: \n" for n in range(2, 2 * levels, 2)
    )
