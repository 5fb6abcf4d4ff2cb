"""Edits of a schema.prisma: minimal, as Prisma's own formatter has it, and read back as just what was meant."""

import subprocess
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analyzer.errors import InputError
from analyzer.model.catalog import Index
from analyzer.model.schema_change import SchemaEdit
from analyzer.prisma.datamodel import differing
from analyzer.prisma.index_changes import misread
from analyzer.prisma.patch import unified
from analyzer.sources.schema import prisma
from analyzer.sources.schema.prisma_edits import edited
from analyzer.sources.schema.prisma_parser import PLACE, PrismaParser, find_parser, prisma_version
from analyzer.sql.prisma_index import declaration, index_line
from tests.prisma7 import modules

DATA = Path(__file__).parents[1] / "data"
SCHEMAS = {
    name: (DATA / name).read_text(encoding="utf-8")
    for name in ("prisma/schema/schema.prisma", "prisma/schema/index_kinds.prisma", "schema/features.prisma")
}  # fmt: skip
MAIN = SCHEMAS["prisma/schema/schema.prisma"]


@pytest.fixture(scope="module")
def parser() -> PrismaParser:
    """Prisma's own parser, of the Prisma that the tests have."""
    return PrismaParser(modules() / PLACE)


def adds(text: str) -> list[SchemaEdit]:
    """For each model an index of its first column that has a field."""
    catalog = prisma.read_schema(text, "s")
    edits = []
    for number, table in enumerate(catalog):
        if table.model and table.kind == "table":
            index = Index(f"added_{number}", (table.columns[0].name,))
            line = index_line(index, {c.name: c.field or "" for c in table.columns})
            edits.append(SchemaEdit(table.model, table.name, line, index))
    return edits


def removals(text: str) -> list[SchemaEdit]:
    """All `@@index` there are."""
    return [
        SchemaEdit(table.model, table.name, removed=index.name)
        for table in prisma.read_schema(text, "s")
        for index in table.indexes
        if table.model and not index.unique
    ]


def changed(text: str, edits: list[SchemaEdit]) -> str:
    """The edited text, which reads back to exactly the change."""
    after = edited({"s": text}, edits)["s"]
    wrong = misread(prisma.read_schema(text, "s"), prisma.read_schema(after, "s"), edits)
    assert wrong is None, wrong
    return after


@pytest.mark.parametrize("name", SCHEMAS)
def test_prisma_s_own_parser_takes_every_edit_and_formats_nothing_anew(
    parser: PrismaParser, name: str
) -> None:
    text = parser.formatted({"s": SCHEMAS[name]})["s"]
    valid = parser.problems({"s": text}) is None
    assert valid or name == "schema/features.prisma"  # which has parts of Prisma 1 to 7
    for edits in (adds(text), removals(text), [*adds(text), *removals(text)]):
        after = changed(text, edits)
        assert parser.formatted({"s": after})["s"] == after
        assert (parser.problems({"s": after}) is None) == valid
        assert (
            not valid
            or differing(prisma.read_schema(after, "s"), parser.datamodel({"s": after})) == []
        )


def test_the_parser_says_what_is_wrong_and_where(parser: PrismaParser) -> None:
    problem = parser.problems({"a.prisma": MAIN.replace("[teamId, status]", "[teamIdx]")})
    assert problem is not None
    assert "unknown fields: teamIdx" in problem
    assert "a.prisma:78" in problem
    with pytest.raises(InputError, match="unknown fields"):
        parser.datamodel({"a": MAIN.replace("[teamId, status]", "[teamIdx]")})
    assert parser.problems({"a.prisma": MAIN}) is None  # an error leaves nothing behind


def test_the_parser_is_found_above_the_schema(tmp_path: Path) -> None:
    assert find_parser(tmp_path) is None
    (tmp_path / "node_modules").symlink_to(modules() / "node_modules")
    place = find_parser(tmp_path / "prisma" / "schema")
    assert place is not None
    assert prisma_version(place) == "7.10.0"


def test_another_reading_than_prisma_s_is_told(parser: PrismaParser) -> None:
    other = prisma.read_schema(MAIN.replace("[teamId, status]", "[status, teamId]"), "s")
    told = differing(other, parser.datamodel({"s": MAIN}))
    assert told == ["the keys and indexes of model Project"]
    other = prisma.read_schema(MAIN.replace('@map("owner_id")', ""), "s")
    assert "field ownerId of model Project" in differing(other, parser.datamodel({"s": MAIN}))


def line(model: str, text: str) -> list[SchemaEdit]:
    return [SchemaEdit(model, model, text, Index("m", ("n",)))]


ADDED = '@@index([n], map: "m")'


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("model M {\n  n Int @id\n}", f"model M {{\n  n Int @id\n\n  {ADDED}\n}}"),
        ("model M {\r\n\tn Int @id\r\n}\r\n", f"model M {{\r\n\tn Int @id\r\n\r\n\t{ADDED}\r\n}}\r\n"),
        ("model M { n Int @id }", f"model M {{ n Int @id\n\n  {ADDED}\n }}"),
        ('model M {\n  n Int @id\n\n  @@map("M")\n}', f'model M {{\n  n Int @id\n\n  {ADDED}\n  @@map("M")\n}}'),
        ("model M {\n  n Int\n  @@id([n]) // the key\n}", f"model M {{\n  n Int\n  @@id([n]) // the key\n  {ADDED}\n}}"),
        ("model M {\n  n Int\n  @@id([n]) }", f"model M {{\n  n Int\n  @@id([n])\n  {ADDED} }}"),
    ],
)  # fmt: skip
def test_a_line_goes_where_prisma_s_formatter_leaves_it(before: str, after: str) -> None:
    assert changed(before, line("M", ADDED)) == after
    back = edited({"s": after}, [SchemaEdit("M", "M", removed="m")])["s"]
    assert "@@index" not in back
    assert prisma.read_schema(back, "s").tables == prisma.read_schema(before, "s").tables


def test_what_cannot_be_edited_is_said() -> None:
    with pytest.raises(InputError, match="no model Nobody"):
        edited({"s": MAIN}, line("Nobody", ADDED))
    with pytest.raises(InputError, match="declares no index none by a line of its own"):
        edited({"s": MAIN}, [SchemaEdit("User", "users", removed="none")])
    with pytest.raises(InputError, match="users_email_key"):  # @unique of a field
        edited({"s": MAIN}, [SchemaEdit("User", "users", removed="users_email_key")])


def test_names_of_a_log_never_break_out_of_the_line() -> None:
    hostile = Index("x", ('a])\n@@map("other")',))
    assert declaration(hostile, {}).line is None
    named = index_line(Index('b"\n@@map("x")', ("n",)), {"n": "n"})
    assert named == '@@index([n], map: "b\\"\\n@@map(\\"x\\")")'
    changed(
        "model M {\n  n Int @id\n}", [SchemaEdit("M", "M", named, Index('b"\n@@map("x")', ("n",)))]
    )


@settings(max_examples=25, deadline=None)
@given(st.data())
def test_any_choice_of_edits_is_a_patch_that_git_applies(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    name = data.draw(st.sampled_from(sorted(SCHEMAS)))
    text = SCHEMAS[name]
    if data.draw(st.booleans()):
        text = text.replace("\n", "\r\n")
    if data.draw(st.booleans()):
        text = text.rstrip()
    every = [*adds(text), *removals(text)]
    edits = data.draw(st.lists(st.sampled_from(every), unique=True, min_size=1))
    after = changed(text, edits)
    path = data.draw(st.sampled_from(["prisma/schema.prisma", 'a b/c"d.prisma', "ü/s.prisma"]))
    folder = tmp_path_factory.mktemp("patch")
    (folder / path).parent.mkdir(parents=True)
    (folder / path).write_bytes(text.encode())
    patch = unified({path: text}, {path: after, "new dir/x.sql": "SELECT 1\n"})
    subprocess.run(["git", "apply", "-"], input=patch.encode(), cwd=folder, check=True)
    assert (folder / path).read_bytes() == after.encode()
    assert (folder / "new dir" / "x.sql").read_text() == "SELECT 1\n"
