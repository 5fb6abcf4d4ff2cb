"""The native readers of XML and YAML end where the Python beside them does, or decline."""

import json
from collections.abc import Callable, Iterator

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from plan_texts import DRESSES, MATRIX
from test_damaged_texts import EDITS, damaged

from analyzer.plans import xml_format, yaml_format
from analyzer.plans.found import Found, PlanProblemError
from benchmarks.plan_documents import as_xml, as_yaml, plan_document

Reader = Callable[[str], Iterator[Found]]
QUICK = {"xml": xml_format._QUICK, "yaml": yaml_format._QUICK}
SLOW: dict[str, Reader] = {
    "xml": xml_format.slow_documents,
    "yaml": yaml_format.slow_documents,
}
FORMATS = sorted(QUICK)
TEXTS = {
    form: [path.read_text() for path in sorted(MATRIX.glob(f"pg*.{form}"))] for form in FORMATS
}


def assert_same(form: str, text: str) -> bool:
    """Whether the native twin took it."""
    quick = QUICK[form]
    assert quick is not None
    try:
        taken = quick.document(text)
    except (PlanProblemError, yaml_format._CutError):
        return False
    if taken is None:
        return False
    document, end = taken
    found = list(SLOW[form](text))
    assert found == [Found(document, text[:end])]
    assert json.dumps(document) == json.dumps(found[0].document)  # the order of keys; 1 is not 1.0
    return True


@pytest.mark.parametrize("form", FORMATS)
def test_most_texts_are_read_natively(form: str) -> None:
    taken = [assert_same(form, text) for text in TEXTS[form]]
    assert len(taken) > 80
    assert sum(taken) > 0.8 * len(taken)  # workers twice, settings


@pytest.mark.parametrize("form", FORMATS)
def test_generated_plans_are_read_natively(form: str) -> None:
    written = {"xml": as_xml, "yaml": as_yaml}[form]
    assert all(assert_same(form, written(plan_document(seed))) for seed in range(20))


@pytest.mark.parametrize("dress", DRESSES)
@pytest.mark.parametrize("form", FORMATS)
def test_dressed_texts_are_declined_or_read_alike(form: str, dress: str) -> None:
    for text in TEXTS[form][::3]:
        assert_same(form, DRESSES[dress](text))


@pytest.mark.parametrize("form", FORMATS)
@settings(max_examples=500, deadline=None)
@given(st.integers(0, 500), EDITS)
def test_damaged_texts_are_declined_or_read_alike(
    form: str, number: int, edits: list[tuple[float, int, str]]
) -> None:
    assert_same(form, damaged(TEXTS[form][number % len(TEXTS[form])], edits[:3]))


LINES = {
    "xml": ("      <Filter>{}</Filter>", "      <Plan-Rows>{}</Plan-Rows>", "      {}"),
    "yaml": ("    Filter: {}", "    Plan Rows: {}", "    {}"),
}
VALUES = st.one_of(
    st.text(alphabet="0123456789.-e", max_size=22),
    st.text(alphabet="ab &;<>lt\"'\\|+-:[]{}#=.\n\t ", max_size=12),
    st.sampled_from(
        [
            *("&lt;", "a &amp;lt; b", "&#13;", "&nbsp;", "]]>", "true", "false", "null", "~", '"a"', '"a\\n"'),
            *('"a', "[1, 2]", '["a"', "<Item>1</Item>", "<Plans></Plans>", "<Plan-Rows>\n      </Plan-Rows>"),
            *("- 1", "- a: 1", "Workers:", "Plan Rows: 1", "|", '"a" |', "<!DOCTYPE x>", "<a b='c'>1</a>", "<Settings>"),
            *("<Group-Key>\n        <Item>a</Item>\n      </Group-Key>", "<a/>", "&quot;Plan&quot;", "<explain>", ""),
        ]
    ),
)  # fmt: skip


@pytest.mark.parametrize("form", FORMATS)
@settings(max_examples=1500, deadline=None)
@given(st.sampled_from([0, 1, 2]), VALUES, st.integers(2, 30))
def test_unusual_values_are_declined_or_read_alike(
    form: str, kind: int, value: str, place: int
) -> None:
    lines = TEXTS[form][0].split("\n")
    lines.insert(min(place, len(lines)), LINES[form][kind].format(value))
    assert_same(form, "\n".join(lines))
