"""Texts that nobody would write: read, or refused with a reason; never a crash, a hang, or much memory."""

import tracemalloc

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from plan_texts import MATRIX, read

from analyzer.errors import InputError
from analyzer.model.plan import Plan

CORPUS = [
    *(path.read_text() for path in sorted(MATRIX.glob("pg1[0268]-*.txt"))[::3]),
    *(path.read_text() for path in sorted((MATRIX / "psql").glob("*.txt"))),
]
OTHERS = {
    form: [path.read_text() for path in sorted(MATRIX.glob(f"pg1[28]-*.{form}"))[::4]]
    for form in ("yaml", "xml", "json")
}
JUNK = st.sampled_from(
    [
        *("->", "\n", "  ", "(", ")", "'", '"', "cost=", "(actual ", "rows=1 ", "loops=", "|", "+"),
        *(
            "\t",
            ".",
            "\x00",
            "\u2502",
            "Worker 0:  ",
            "SubPlan 1",
            "JIT:",
            "Group Key: ",
            "Buffers: ",
        ),
        *("Query Text: ", "Settings: ", "Append\n", "QUERY PLAN", "<td>", "\ud800", "9" * 40),
    ]
)
EDITS = st.lists(st.tuples(st.floats(0, 1), st.integers(0, 80), JUNK), max_size=12)
HOSTILE = {
    "spaces": " " * 300_000,
    "one line": "Seq Scan on o  (cost=0.00..1.00 rows=1 width=4)" + " " * 300_000 + "x",
    "quotes": "Seq Scan on o  (cost=0.00..1.00 rows=1 width=4)\n  Filter: (a = '" + "''" * 100_000,
    "brackets": "Seq Scan on o  (cost=0.00..1.00 rows=1 width=4)\n  Output: " + "(" * 200_000,
    "open lines": "Seq Scan on o  (cost=0.00..1.00 rows=1 width=4)\n  Filter: ('\n"
    + "x\n" * 40_000,
    "open node": "Seq Scan on o  (cost=0.0\n" + "x\n" * 40_000,
    "query": "Query Text: select\n" + "x\n" * 40_000 + "Result  (cost=0.00..1.00 rows=1 width=4)\n",
    "siblings": "Append  (cost=0.00..1.00 rows=1 width=4)\n"
    + "  ->  Seq Scan on o  (cost=0.00..1.00 rows=1 width=4)\n" * 3_000,
    "bars": "|" * 300_000 + "\nSeq Scan on o  (cost=0.00..1.00 rows=1 width=4)",
    "labels": "Result  (cost=0.00..1.00 rows=1 width=4)\n" + "  CTE x\n" * 50_000,
    "workers": "Sort  (cost=0.00..1.00 rows=1 width=4)\n"
    + "".join(f"  Worker {n}:  Sort Method: quicksort  Memory: 1kB\n" for n in range(2_000)),
    "buffers": "Result  (cost=0.00..1.00 rows=1 width=4)\n  Buffers: " + "shared hit=1 " * 30_000,
    "header": "QUERY PLAN" + " " * 200_000 + "x\nResult  (cost=0.00..1.00 rows=1 width=4)",
    "using": "Index Scan using " + "a " * 100_000 + "on o  (cost=0.00..1.00 rows=1 width=4)",
}


def damaged(text: str, edits: list[tuple[float, int, str]]) -> str:
    for where, length, junk in edits:
        at = int(where * len(text))
        text = text[:at] + junk + text[at + length :]
    return text


def read_or_refused(text: str, form: str = "text") -> list[Plan]:
    try:
        plans = read(text, form)
    except InputError:  # says where and why; anything else is a failure
        return []
    for plan in plans:
        nodes = list(plan.root.walk())
        assert [node.id for node in nodes] == list(range(len(nodes)))
        assert all(node.self_ms is None or node.self_ms >= 0 for node in nodes)
    return plans


@settings(max_examples=250, deadline=None)
@given(st.sampled_from(CORPUS), EDITS)
def test_damaged_texts_are_read_or_refused(text: str, edits: list[tuple[float, int, str]]) -> None:
    read_or_refused(damaged(text, edits))


@settings(max_examples=120, deadline=None)
@given(st.sampled_from(sorted(OTHERS)), st.integers(0, 5), EDITS)
def test_so_are_the_other_formats(
    form: str, number: int, edits: list[tuple[float, int, str]]
) -> None:
    text = OTHERS[form][number % len(OTHERS[form])]
    read_or_refused(damaged(text, edits).replace("\ud800", "?"), form)


@settings(max_examples=150, deadline=None)
@given(st.lists(st.one_of(JUNK, st.text(max_size=8)), max_size=40))
def test_lines_of_nothing_but_marks(pieces: list[str]) -> None:
    read_or_refused("Result  (cost=0.00..1.00 rows=1 width=4)\n" + "".join(pieces))


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_texts_end_in_bounded_memory(name: str) -> None:
    text = HOSTILE[name]
    tracemalloc.start()
    try:
        read_or_refused(text)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 120 * len(text) + 20_000_000
