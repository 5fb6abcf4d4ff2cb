"""Loops within loops are one tree on the page, whichever of them a card is about."""

import re
from pathlib import Path

import pytest

from analyzer.pipeline import Options, run
from analyzer.report.views.html import render

NESTED = Path(__file__).parents[1] / "data" / "nplusone" / "django" / "nested.csv"


@pytest.fixture(scope="module")
def page() -> str:
    return render(run(Options(inputs=[str(NESTED)])).document)


def test_every_card_of_a_nest_shows_all_its_levels(page: str) -> None:
    trees = re.findall(r'<ul class="tree">(.*?)<p class="note">', page, flags=re.DOTALL)
    assert len(trees) == 2
    for tree in trees:
        assert tree.index("authors") < tree.index("FROM books") < tree.index("FROM reviews")
        assert tree.count('class="times many"') == 2
        # The pattern leaves out the tag that opens the tree itself.
        assert tree.count("<ul") == 2
        assert tree.count("</ul>") == 3
    assert page.count("One nest of 2 loops.") == 2
