"""What is shown of a plan's own text: names and figures stay, values go."""

import json
from pathlib import Path
from typing import TYPE_CHECKING

import psycopg
import pytest

from analyzer.model.plan import RecordedPlan
from analyzer.plans import read_plans
from analyzer.report.parts.plans import plans_part
from analyzer.report.plan_settings import shown_settings
from analyzer.report.plan_text import shown_text
from analyzer.report.redaction import Redactor

if TYPE_CHECKING:
    from conftest import Server

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


SETTINGS = {
    "search_path": 'tenant_42, "Tenant ""9""", "$user", public',
    "work_mem": "64kB",
    "random_page_cost": "1.1",
    "enable_hashjoin": "off",
    "plan_cache_mode": "force_generic_plan",
    "hnsw.ef_search": "40",
    "role": "4711",
    "application_name": "tenant_42",
    "app.tenant_id": "4711",
    "tenant_42, '4711": "1",
}


def test_settings_tell_no_names_of_the_teams() -> None:
    shown = shown_settings(SETTINGS, Redactor("strict"))
    assert shown == {
        "search_path": '?, ?, "$user", public',
        "work_mem": "64kB",
        "random_page_cost": "1.1",
        "enable_hashjoin": "off",
        "plan_cache_mode": "force_generic_plan",
        "hnsw.ef_search": "40",
        "role": "?",
        "application_name": "?",
        "app.tenant_id": "?",
        "?": "?",
    }
    assert shown_settings(SETTINGS, Redactor("off")) == SETTINGS


@pytest.mark.parametrize("form", ["text", "json", "yaml", "xml"])
def test_settings_of_a_servers_plan_are_redacted_in_its_text_and_in_the_document(
    form: str, postgres15: "Server"
) -> None:
    dsn = postgres15.create_database("settings")
    with psycopg.connect(dsn, autocommit=True) as connection:
        connection.execute("CREATE SCHEMA tenant_42")
        connection.execute("SET search_path = tenant_42, public")
        connection.execute("SET work_mem = '64kB'")
        rows = connection.execute(f"EXPLAIN (SETTINGS, FORMAT {form}) SELECT 1").fetchall()
    raw = "\n".join(json.dumps(row[0]) if form == "json" else row[0] for row in rows)
    (plan,) = read_plans(RecordedPlan(raw, form, "p", 0))
    assert plan.settings["search_path"] == "tenant_42, public"
    (document,) = plans_part([plan], [], Redactor("strict"))
    assert document["settings"] == {"search_path": "?, public", "work_mem": "64kB"}
    assert "tenant_42" not in str(document["text"])
    assert "?, public" in str(document["text"])
    (open_document,) = plans_part([plan], [], Redactor("off"))
    assert open_document["settings"]["search_path"] == "tenant_42, public"
