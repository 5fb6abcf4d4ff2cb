"""Nothing in the project names the machine it was written on, or where packages come from."""

import re
from collections.abc import Iterator
from pathlib import Path

# What make, the tools and a user's own runs leave in a checkout.
NOT_OURS = {
    ".git",
    ".venv",
    "dist",
    "build",
    "__pycache__",
    ".hypothesis",
    ".import_linter_cache",
    ".mypy_cache",
    ".pytest_cache",
    ".ruff_cache",
}
HOME = re.compile(r"(?<![\w./-])/(?:home|root|Users)/\w")
PIN = re.compile(r"[A-Za-z0-9._-]+==[A-Za-z0-9.+]+")


def text_files(folder: Path) -> Iterator[tuple[Path, str]]:
    """The project's files that are text, with their content."""
    for path in sorted(folder.iterdir()):
        if path.name in NOT_OURS or path.name.startswith("pg95-report."):
            continue
        if path.is_dir():
            yield from text_files(path)
        elif b"\0" not in (content := path.read_bytes())[:8192]:
            yield path, content.decode("utf-8", errors="replace")


def test_no_home_directory_is_named(checkout: Path) -> None:
    files = list(text_files(checkout))
    assert len(files) > 50
    named = [
        f"{path.relative_to(checkout)}: {found.group()}"
        for path, text in files
        if (found := HOME.search(text))
    ]
    assert named == []


def test_constraints_are_pins_and_nothing_else(checkout: Path) -> None:
    lines = (checkout / "constraints.txt").read_text(encoding="utf-8").splitlines()
    pins = [line for line in lines if not line.startswith("#")]
    assert [line for line in pins if not PIN.fullmatch(line)] == []
    assert pins == sorted(pins, key=str.lower)
