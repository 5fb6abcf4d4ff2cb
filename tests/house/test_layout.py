"""The house keeps its own rules: everything registered, documented, tested and held by a contract."""

import ast
import importlib
import json
import re
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

HEADINGS = (
    "What it finds",
    "Why it hurts",
    "How it decides",
    "When it is wrong",
    "What to do",
)
PLAN_CASES = Path("tests") / "data" / "plans" / "findings"
SAMPLE_LIMIT_BYTES = 4_000_000
# A link in Markdown that does not lead out of the checkout: its page and its anchor.
LINK = re.compile(r"\]\((?!\w+:)([^)#\s]*)(?:#([^)\s]+))?\)")


def modules_in(folder: Path) -> list[str]:
    """Names of the modules of a package that are its public units, not its `_base`."""
    return sorted(path.stem for path in folder.glob("*.py") if not path.stem.startswith("_"))


def detectors_in(checkout: Path) -> dict[str, str]:
    """The detectors' modules with the name of each: those of plans have a package of their own."""
    folder = checkout / "analyzer" / "detectors"
    found = {f"analyzer.detectors.{name}": name for name in modules_in(folder)}
    return found | {
        f"analyzer.detectors.plans.{name}": name for name in modules_in(folder / "plans")
    }


def python_files(checkout: Path) -> Iterator[Path]:
    for folder in ("analyzer", "tests", "benchmarks"):
        yield from (checkout / folder).rglob("*.py")


def test_every_detector_is_registered_under_its_file_s_name(checkout: Path) -> None:
    registered = {
        type(detector).__module__: detector.id
        for detector in importlib.import_module("analyzer.detectors").all_detectors()
    }
    assert registered == {
        module: name.replace("_", "-") for module, name in detectors_in(checkout).items()
    }


def test_every_detector_is_documented(checkout: Path) -> None:
    modules = detectors_in(checkout)
    assert modules
    for module, name in modules.items():
        docstring = importlib.import_module(module).__doc__ or ""
        places = [docstring.find(heading) for heading in HEADINGS]
        assert -1 not in places, f"{name}: no '{HEADINGS[places.index(-1)]}' in its docstring"
        assert places == sorted(places), f"{name}: the headings are out of order"


def test_every_detector_is_tested_and_kept_apart(checkout: Path) -> None:
    project = tomllib.loads((checkout / "pyproject.toml").read_text(encoding="utf-8"))
    contracts = project["tool"]["importlinter"]["contracts"]
    (independent,) = [contract for contract in contracts if contract["type"] == "independence"]
    names = modules_in(checkout / "analyzer" / "detectors")
    every_plan_rule = "analyzer.detectors.plans.*"
    assert set(independent["modules"]) == {
        every_plan_rule,
        *(f"analyzer.detectors.{name}" for name in names),
    }
    for name in names:
        assert (checkout / "tests" / "detectors" / f"test_{name}.py").is_file(), name


def test_every_detector_of_plans_has_plans_of_a_real_server(checkout: Path) -> None:
    cases = json.loads((checkout / PLAN_CASES / "cases.json").read_text(encoding="utf-8"))
    for name in modules_in(checkout / "analyzer" / "detectors" / "plans"):
        of_it = cases.get(name.replace("_", "-"), {})
        assert {"found", "clean", "near"} <= {case.partition("_")[0] for case in of_it}, name


def test_every_section_is_registered_with_its_template(checkout: Path) -> None:
    sections = importlib.import_module("analyzer.report.sections").SECTIONS
    modules = modules_in(checkout / "analyzer" / "report" / "sections")
    assert {section.prepare.__module__ for section in sections} == {
        f"analyzer.report.sections.{name}" for name in modules
    }
    templates = checkout / "reports" / "templates"
    for section in sections:
        assert (templates / section.template).is_file(), section.template
    on_disk = {path.name for path in (templates / "sections").iterdir()}
    assert on_disk == {Path(section.template).name for section in sections}


def test_every_module_says_what_it_is_for(checkout: Path) -> None:
    silent = [
        str(path.relative_to(checkout))
        for path in python_files(checkout)
        if len((ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))) or "").split()) < 3
    ]
    assert silent == []


def test_files_can_be_read_in_one_sitting(checkout: Path) -> None:
    lengths = {
        str(path.relative_to(checkout)): len(path.read_text(encoding="utf-8").splitlines())
        for path in python_files(checkout)
    }
    assert {name: lines for name, lines in lengths.items() if lines > 400} == {}


def test_every_room_is_described(checkout: Path) -> None:
    text = (checkout / "docs" / "architecture.md").read_text(encoding="utf-8")
    for path in (checkout / "analyzer").iterdir():
        if path.is_dir() and (path / "__init__.py").is_file():
            assert f"{path.name}/" in text, f"docs/architecture.md does not describe {path.name}/"


def rows_by_name(text: str) -> dict[str, list[str]]:
    """The rows of Markdown tables whose second cell is one name in code: cells by that name."""
    rows = [line.strip("|").split("|") for line in text.splitlines() if line.startswith("|")]
    cells = [[cell.strip() for cell in row] for row in rows]
    return {
        row[1].strip("`"): row
        for row in cells
        if len(row) > 1 and re.fullmatch("`[a-z][a-z-]*`", row[1])
    }


def test_every_log_format_is_described(checkout: Path) -> None:
    offered = set(importlib.import_module("analyzer.cli._options").LOG_FORMATS) - {"auto"}
    read = importlib.import_module("analyzer.sources.logs").FORMATS
    wrapped = importlib.import_module("analyzer.sources.logs.unwrapping").UNWRAPPERS
    applications = importlib.import_module("analyzer.sources.applications").READERS
    assert offered == {*read, *wrapped, *applications}
    described = rows_by_name((checkout / "docs" / "formats.md").read_text(encoding="utf-8"))
    assert described.keys() == offered
    for name, kind in wrapped.items():
        tried = "captures" if kind.verified else "documentation"
        assert described[name][-1].endswith(tried), name
    for name in applications:
        assert described[name][-1].endswith("captures"), name
    commands = (checkout / "docs" / "commands.md").read_text(encoding="utf-8")
    assert [name for name in sorted(offered) if f"`{name}`" not in commands] == []


def test_links_between_documents_lead_somewhere(checkout: Path) -> None:
    broken = []
    pages = [*checkout.glob("*.md"), *(checkout / "docs").rglob("*.md")]
    assert len(pages) > 5
    for page in pages:
        for target, anchor in LINK.findall(page.read_text(encoding="utf-8")):
            linked = page.parent / target if target else page
            if not linked.is_file() or (anchor and anchor not in anchors(linked)):
                broken.append(f"{page.name}: {target}#{anchor}")
    assert broken == []


def anchors(page: Path) -> set[str]:
    """The anchors that a Markdown page's headings have."""
    headings = re.findall(r"^#+ (.+)$", page.read_text(encoding="utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def test_samples_are_small_and_described(checkout: Path) -> None:
    samples = checkout / "sample_logs"
    readme = (samples / "README.md").read_text(encoding="utf-8")
    files = [path for path in samples.rglob("*") if path.is_file()]
    assert sum(path.stat().st_size for path in files) <= SAMPLE_LIMIT_BYTES
    for path in files:
        assert path.name == "README.md" or str(path.relative_to(samples)) in readme, path


@pytest.mark.parametrize(
    ("name", "entries"),
    [("prisma-events/query_events.jsonl", 124), ("jsonlog/postgresql.json", 372)],
)
def test_samples_are_whole(checkout: Path, name: str, entries: int) -> None:
    lines = (checkout / "sample_logs" / name).read_text(encoding="utf-8").splitlines()
    assert len([json.loads(line) for line in lines]) == entries
