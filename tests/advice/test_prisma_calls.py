"""Fixes in Prisma's terms: the call that a tag or span names, with the relation field of schema.prisma."""

from dataclasses import replace
from pathlib import Path

import pytest

from analyzer.advice.stacks import Columns, Counted, Lookup, Loop
from analyzer.advice.stacks.prisma import Prisma
from analyzer.pipeline import Options, Result, run
from analyzer.sources.schema.prisma import read_schemas
from analyzer.workload.tags import read_call

DATA = Path(__file__).parents[1] / "data" / "prisma"
SCHEMA = DATA / "schema" / "schema.prisma"
CATALOG = read_schemas({str(SCHEMA): SCHEMA.read_text()}, str(SCHEMA))
CONTAINERS = Loop(
    "projects", "containers", "id", "project_id", forward=False, asks="rows", limit=None,
    parent_sql="", child_sql="", catalog=CATALOG,
)  # fmt: skip


def analysed(name: str) -> Result:
    return run(Options(inputs=[str(DATA / name)], schema=str(SCHEMA)))


@pytest.mark.parametrize(
    "name", ["prisma/query_events_sqlcommenter.jsonl", "pglog/sqlcommenter.csv"]
)
def test_tags_lead_to_model_and_action(name: str) -> None:
    result = analysed(name)
    texts = [advice.text for one in result.findings for advice in one.recommendations]
    assert any("replaces prisma.container.findMany in the loop" in text for text in texts)
    assert any("replaces prisma.user.findUnique in the loop" in text for text in texts)
    assert any("() => prisma.team.findUnique(query)" in text for text in texts)


def test_spans_lead_to_model_and_action() -> None:
    workload = analysed("prisma/otel_spans.jsonl").workload
    told = {call for calls in workload.calls.values() for call in calls}
    assert {"Project.findMany", "User.findUnique", "Project.update"} <= told


def test_what_a_call_was_made_with_is_not_kept() -> None:
    assert read_call("/*prismaQuery='Project.findMany%3AeyJ3aGVyZSI6'*/") == "Project.findMany"
    assert read_call("/*prismaQuery='queryRaw'*/") == "queryRaw"
    assert read_call("/*prismaQuery='a secret%20value'*/") is None
    assert read_call("/*route='/a'*/") is None


@pytest.mark.parametrize(
    ("call", "written", "row"),
    [
        (None, "const rows = await prisma.project.findMany({", "rows[i].containers"),
        ("Project.findUnique", "const row = await prisma.project.findUnique({", "row.containers"),
        ("Project.findFirstOrThrow", "await prisma.project.findFirstOrThrow({", "row.containers"),
        ("Project.updateOne", "const row = await prisma.project.update({", "row.containers"),
        ("Team.findMany", "include: { projects: { include: { containers: true } } }", "rows[i].projects[j].containers"),
        ("Team.findUnique", "const row = await prisma.team.findUnique({", "row.projects[j].containers"),
    ],
)  # fmt: skip
def test_the_call_that_loads_the_parents_gets_the_include(
    call: str | None, written: str, row: str
) -> None:
    code = Prisma().load(replace(CONTAINERS, parent_call=call, child_call="Container.findFirst"))
    assert written in code.text
    assert f"{row} replaces prisma.container.findFirst in the loop" in code.text


@pytest.mark.parametrize(
    ("parent", "written"),
    [
        ('SELECT "public"."app_tbl".* FROM "public"."app_tbl" WHERE 1=1', "prisma.project.findMany"),
        ('SELECT "public"."app_tbl".* FROM "public"."app_tbl" WHERE team_id IN ($1,$2)', "prisma.appTbl.findMany"),
    ],
)  # fmt: skip
def test_without_a_schema_the_tag_names_the_model_of_its_own_rows(
    parent: str, written: str
) -> None:
    known = replace(CONTAINERS, parent_table="app_tbl", parent_sql=parent, catalog=None)
    assert written in Prisma().load(replace(known, parent_call="Project.findMany")).text


def test_conditions_beside_the_key_stay() -> None:
    code = Prisma().load(replace(CONTAINERS, also=("status",)))
    assert "include: { containers: { where: { status } } }" in code.text


def test_counts_become_count_of_the_relation() -> None:
    loop = replace(CONTAINERS, asks="count", child_call="Container.aggregate")
    code = Prisma().load(loop)
    assert "include: { _count: { select: { containers: true } } }" in code.text
    assert "rows[i]._count.containers replaces prisma.container.aggregate" in code.text


@pytest.mark.parametrize("call", ["queryRaw", "Project.groupBy"])
def test_raw_sql_and_figures_take_no_include(call: str) -> None:
    code = Prisma().load(replace(CONTAINERS, parent_call=call))
    assert "include" not in code.text
    assert "where: { projectId: { in: keys } }" in code.text
    counted = Prisma().load(replace(CONTAINERS, parent_call=call, asks="count"))
    assert 'by: ["projectId"]' in counted.text


def test_sums_in_a_loop_are_grouped() -> None:
    code = Prisma().load(replace(CONTAINERS, child_call="Container.aggregate"))
    assert "prisma.container.groupBy({" in code.text


def test_find_unique_may_stay_at_once() -> None:
    code = Prisma().lookup(Lookup("users", "id", True, "", CATALOG, "User.findUnique"))  # noqa: FBT003 - as the record has it
    assert "Promise.all(keys.map((id) => prisma.user.findUnique({ where: { id } })))" in code.text


def test_rows_fetched_to_be_counted_are_counted_by_their_relation() -> None:
    counted = Counted("containers", ("project_id",), "", CATALOG, "Container.findMany")
    text = Prisma().count(counted).text
    assert "prisma.container.count({ where: { projectId } })" in text
    assert "instead of the length of what prisma.container.findMany gives" in text
    assert "prisma.project.findUnique({ where: { id }, select: { _count: { select: { containers: true } } } })" in text  # fmt: skip


def test_wide_columns_are_left_out_where_their_rows_are_loaded() -> None:
    wide = Columns("projects", ("id", "owner_id"), ("meta",), "", CATALOG, "Project.findFirst")
    text = Prisma().omit(wide).text
    assert "await prisma.project.findFirst({" in text
    assert "omit: { meta: true }" in text
    assert "select: { id: true, ownerId: true }" in text
    included = Prisma().omit(replace(wide, call="Team.findMany")).text
    assert "await prisma.team.findMany({" in included
    assert "include: { projects: { omit: { meta: true } } }" in included
