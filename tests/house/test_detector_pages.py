"""The detectors' pages say what their docstrings say."""

import importlib.util
from pathlib import Path
from types import ModuleType

import pytest


@pytest.fixture(scope="module")
def tool() -> ModuleType:
    path = Path(__file__).parents[2] / "tools" / "detector_pages.py"
    spec = importlib.util.spec_from_file_location("detector_pages", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_every_detector_has_its_page_up_to_date(checkout: Path, tool: ModuleType) -> None:
    outdated = tool.outdated(checkout / "docs" / "detectors", tool.pages())
    assert outdated == [], "run `make docs`"


def test_the_index_leads_to_every_page_and_the_readme_to_it(
    checkout: Path, tool: ModuleType
) -> None:
    made = tool.pages()
    for name in made.keys() - {"README.md"}:
        assert f"({name})" in made["README.md"]
        assert made[name].count("\n## ") == 5
    assert "docs/detectors/README.md" in (checkout / "README.md").read_text(encoding="utf-8")


def test_a_stale_missing_or_orphaned_page_is_noticed(tmp_path: Path, tool: ModuleType) -> None:
    made = {"kept.md": "same", "stale.md": "new", "missing.md": "text"}
    (tmp_path / "kept.md").write_text("same", encoding="utf-8")
    (tmp_path / "stale.md").write_text("old", encoding="utf-8")
    (tmp_path / "orphan.md").write_text("left", encoding="utf-8")
    assert tool.outdated(tmp_path, made) == ["missing.md", "orphan.md", "stale.md"]
