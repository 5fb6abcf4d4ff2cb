"""Loops within loops are one tree on the page, with one occurrence of it over time."""

import re
from pathlib import Path

import pytest

from analyzer.pipeline import Options, run
from analyzer.report.views.html import render

NESTED = Path(__file__).parents[1] / "data" / "nplusone" / "django" / "nested.csv"


@pytest.fixture(scope="module")
def page() -> str:
    return render(run(Options(inputs=[str(NESTED)])).document)


def test_a_nest_is_one_tree_with_all_its_levels(page: str) -> None:
    trees = re.findall(r'<ul class="tree">(.*?)<p class="note">', page, flags=re.DOTALL)
    assert len(trees) == 1
    tree = trees[0]
    assert tree.index("authors") < tree.index("FROM books") < tree.index("FROM reviews")
    assert tree.count('class="times many"') == 2
    assert tree.count('<a class="mark" href="#f-n-plus-one-') == 2
    # The pattern leaves out the tag that opens the tree itself.
    assert tree.count("<ul") == 2
    assert tree.count("</ul>") == 3
    assert page.count("One nest of 2 loops.") == 1


def test_one_occurrence_is_drawn_over_time(page: str) -> None:
    drawing = page[page.index('<figure class="timeline">') :].split("</figure>", maxsplit=1)[0]
    parent, children = re.findall(r'<path class="(?:parent|bar)" d="([^"]+)"', drawing)
    assert re.fullmatch(r"M2 0h[\d.]+v11h-[\d.]+z", parent)
    bars = [(float(x), float(y)) for x, y in re.findall(r"M([\d.]+) ([\d.]+)h", children)]
    assert len(bars) > 3
    assert bars == sorted(bars)
    assert {y for _, y in bars} == {16.0}  # one connection
    assert f"one parent, then {len(bars)} children on 1 connection" in drawing
