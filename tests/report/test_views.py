"""All views alike: rendered from the document alone, registered, the same bytes; golden files."""

import os
from pathlib import Path
from typing import Any

import pytest

from analyzer.report.document import dump, load
from analyzer.report.sections import SECTIONS
from analyzer.report.views import RENDERERS
from analyzer.resources import templates_directory

GOLDEN = Path(__file__).parent / "golden"


@pytest.mark.parametrize("name", RENDERERS)
def test_reloaded_document_gives_the_same_bytes(state_document: dict[str, Any], name: str) -> None:
    render = RENDERERS[name]
    first = render(state_document)
    assert first == render(load(dump(state_document)))
    assert first.encode("utf-8")
    assert first.endswith("\n")


@pytest.mark.parametrize("name", RENDERERS)
def test_rendering_leaves_the_document_alone(document: dict[str, Any], name: str) -> None:
    before = dump(document)
    RENDERERS[name](document)
    assert dump(document) == before


@pytest.mark.parametrize(
    ("name", "file"), [("json", "report.json"), ("markdown", "report.md"), ("table", "report.txt")]
)
def test_golden(document: dict[str, Any], name: str, file: str) -> None:
    """PG95_UPDATE_GOLDEN=1 writes the files anew; read the difference before committing it."""
    path = GOLDEN / file
    text = RENDERERS[name](document)
    if os.environ.get("PG95_UPDATE_GOLDEN") == "1":
        path.write_text(text, encoding="utf-8")
    assert text == path.read_text(encoding="utf-8")


def test_every_section_is_registered_and_has_its_template() -> None:
    folder = Path(__file__).parents[2] / "analyzer" / "report" / "sections"
    modules = {path.stem for path in folder.glob("*.py") if not path.stem.startswith("_")}
    assert {section.id for section in SECTIONS} == modules
    templates = {path.name for path in (templates_directory() / "sections").iterdir()}
    assert templates == {f"{name}.html.j2" for name in modules}
    assert {section.template for section in SECTIONS} == {f"sections/{name}" for name in templates}
