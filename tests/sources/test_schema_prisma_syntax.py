"""The tree of a schema.prisma keeps where everything stands, so that it can be patched."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from analyzer.sources.schema import prisma_syntax as syntax

DATA = Path(__file__).parents[1] / "data"
SCHEMAS = [
    "prisma/schema/schema.prisma",
    "prisma/schema/index_kinds.prisma",
    "nplusone/prisma7/schema.prisma",
    "schema/features.prisma",
]


def attributes(block: syntax.Block) -> Iterator[syntax.Attribute]:
    yield from block.attributes
    for field in block.fields:
        yield from field.attributes


@pytest.mark.parametrize("name", SCHEMAS)
def test_spans_are_where_the_parts_stand(name: str) -> None:
    text = (DATA / name).read_text(encoding="utf-8")
    lines = text.splitlines()
    blocks = syntax.parse(text, name)
    assert len(blocks) >= 6 or name.endswith("index_kinds.prisma")
    for block in blocks:
        shown = text[block.span.start : block.span.end]
        assert shown.startswith(f"{block.kind} {block.name} {{")
        assert shown.endswith("}")
        for field in block.fields:
            shown = text[field.span.start : field.span.end]
            assert shown.startswith(field.name)
            assert lines[field.span.line - 1].strip().startswith(field.name)
        for attribute in attributes(block):
            shown = text[attribute.span.start : attribute.span.end]
            assert shown.lstrip("@").startswith(attribute.name)
            assert shown.endswith(")") == ("(" in shown)


@pytest.mark.parametrize("name", SCHEMAS)
def test_a_part_parsed_alone_is_the_same(name: str) -> None:
    text = (DATA / name).read_text(encoding="utf-8")
    for block in syntax.parse(text, name):
        (alone,) = syntax.parse(text[block.span.start : block.span.end], name)
        assert [field.name for field in alone.fields] == [field.name for field in block.fields]
        assert len(alone.attributes) == len(block.attributes)


def test_values() -> None:
    (block,) = syntax.parse(
        'datasource db {\n  a = "x\\"\\u00e9\\n"\n  b = env("URL")\n  c = [A, "b", -1.5]\n  d = true\n}',
        "s",
    )
    values = {entry.name: entry.value for entry in block.properties}
    assert isinstance(values["a"], syntax.Text)
    assert values["a"].value == 'x"é\n'
    assert isinstance(values["b"], syntax.Call)
    assert values["b"].name == "env"
    assert isinstance(values["c"], syntax.Array)
    assert [type(item).__name__ for item in values["c"].items] == ["Word", "Text", "Number"]
    assert isinstance(values["d"], syntax.Word)


def test_arguments_over_several_lines() -> None:
    (block,) = syntax.parse(
        "model A {\n  a Int @x(\n    one,\n    two: [\n      1,\n    ],\n  ) // end\n  @@y(where: { a: null, })\n}",
        "s",
    )
    (field,) = block.fields
    (attribute,) = field.attributes
    assert [argument.name for argument in attribute.arguments] == [None, "two"]
    found = block.attribute("y")
    assert found is not None
    where = found.argument("where")
    assert isinstance(where, syntax.Record)
    assert [name for name, _ in where.entries] == ["a"]


def test_halves_of_a_surrogate_pair_become_text() -> None:
    (block,) = syntax.parse('enum E {\n  A @map("\\ud83d\\ude00 \\ud800")\n}', "s")
    (value,) = block.fields
    mapped = value.attributes[0].arguments[0].value
    assert isinstance(mapped, syntax.Text)
    assert mapped.value == "\U0001f600 \ufffd"


def test_windows_line_ends() -> None:
    (block,) = syntax.parse("model A {\r\n  id Int @id\r\n\r\n  b String?\r\n}\r\n", "s")
    assert [(field.name, field.span.line) for field in block.fields] == [("id", 2), ("b", 4)]
