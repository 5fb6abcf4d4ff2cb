"""Write docs/detectors/: a page for each detector from its module's docstring, and an index of them.

    .venv/bin/python tools/detector_pages.py          write what changed
    .venv/bin/python tools/detector_pages.py --check  say what would change, and exit 1 if anything

What a detector says of itself stands in one place, its docstring (CONTRIBUTING.md, A detector).
"""

import importlib
import inspect
import sys
import textwrap
from collections.abc import Iterator
from pathlib import Path

CHECKOUT = Path(__file__).resolve().parents[1]
FOLDER = Path("docs") / "detectors"
MADE = "<!-- Made by tools/detector_pages.py from the docstring of {source}: edit that, then `make docs`. -->"
INDEX_HEAD = """\
# Detectors

Each finds one kind of trouble and says what shows it. A detector answers *found*, *clean* (the input
could have shown the thing and did not) or *not-applicable*, with the reason.

| detector | finds |
|---|---|
"""


def pages() -> dict[str, str]:
    """The text of every page by its file name."""
    sys.path.insert(0, str(CHECKOUT))
    detectors = importlib.import_module("analyzer.detectors").all_detectors()
    made = {}
    rows = []
    for detector in detectors:
        name = type(detector).__module__
        summary, body = _split(inspect.getdoc(importlib.import_module(name)) or "")
        source = name.replace(".", "/") + ".py"
        head = f"{MADE.format(source=source)}\n\n# {detector.id}\n\n{summary}\n"
        made[f"{detector.id}.md"] = head + "".join(_sections(body))
        rows.append(f"| [{detector.id}]({detector.id}.md) | {summary.rstrip('.')} |\n")
    made["README.md"] = (
        MADE.format(source="every detector").replace(
            " from the docstring of", " from the docstrings of"
        )
        + "\n\n"
        + INDEX_HEAD
        + "".join(rows)
    )
    return made


def _split(docstring: str) -> tuple[str, list[str]]:
    """The first paragraph in one line, and the lines of the rest."""
    summary, _, rest = docstring.partition("\n\n")
    return " ".join(summary.split()), rest.splitlines()


def _sections(lines: list[str]) -> Iterator[str]:
    """Headings (what is not indented) with what stands below each."""
    heading: str | None = None
    below: list[str] = []
    for line in [*lines, "end"]:
        if line and not line[0].isspace():
            if heading is not None:
                text = textwrap.dedent("\n".join(below)).strip("\n")
                yield f"\n## {heading}\n\n{text}\n"
            heading, below = line.strip(), []
        else:
            below.append(line)


def outdated(folder: Path, made: dict[str, str]) -> list[str]:
    """Names of pages that are missing, differ, or belong to no detector."""
    there = {path.name: path.read_text(encoding="utf-8") for path in folder.glob("*.md")}
    return sorted(name for name in there.keys() | made if there.get(name) != made.get(name))


def main(arguments: list[str]) -> int:
    """Write the pages, or check them."""
    folder = CHECKOUT / FOLDER
    made = pages()
    changed = outdated(folder, made)
    for name in changed:
        sys.stdout.write(f"{FOLDER / name}\n")
    if "--check" in arguments:
        return 1 if changed else 0
    folder.mkdir(exist_ok=True)
    for name in changed:
        if name in made:
            (folder / name).write_text(made[name], encoding="utf-8")
        else:
            (folder / name).unlink()
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
