"""What is shown of a plan's own text: names and figures stay, values go."""

from pathlib import Path

import pytest

from analyzer.model.plan import RecordedPlan
from analyzer.plans import read_plans
from analyzer.report.plan_text import shown_text
from analyzer.report.redaction import Redactor

MATRIX = Path(__file__).resolve().parents[1] / "data" / "plans" / "version-matrix"
FORMATS = {"txt": "text", "json": "json", "yaml": "yaml", "xml": "xml"}


@pytest.mark.parametrize("ending", FORMATS)
def test_values_go_and_the_plan_can_still_be_read(ending: str) -> None:
    text = (MATRIX / f"pg18-never.{ending}").read_text().replace("zz", "s3cret")
    (plan,) = read_plans(RecordedPlan(text, FORMATS[ending], "p", 0))
    shown = shown_text(plan, Redactor("strict"))
    assert shown is not None
    assert "s3cret" not in shown
    assert "Rows Removed by Filter" in shown
    form = "text" if ending == "txt" else "json"
    (again,) = read_plans(RecordedPlan(shown, form, "p", 0))
    ours = [(node.type, node.total_cost, node.rows_actual) for node in plan.root.walk()]
    assert [(node.type, node.total_cost, node.rows_actual) for node in again.root.walk()] == ours
    assert "s3cret" in str(shown_text(plan, Redactor("off")))


def test_literals_of_several_lines_and_unknown_details_go() -> None:
    text = (
        "Query Text: SELECT * FROM o WHERE a = 's3cret'\n"
        "Seq Scan on o  (cost=0.00..1.00 rows=1 width=4)\n"
        "  Filter: (a = 's3cret\nFilter: s3cret'::text)\n"
        "  Vendor Filter: (b = 's3cret')\n"
        "  Buffers: shared hit=3\n"
    )
    (plan,) = read_plans(RecordedPlan(text, "text", "p", 0))
    shown = shown_text(plan, Redactor("strict"))
    assert shown is not None
    assert "s3cret" not in shown
    assert "shared hit=3" in shown
