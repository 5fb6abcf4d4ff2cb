"""`pg95 --help` answers at once: the command line loads heavy packages only when they are used."""

import subprocess
import sys

import pytest

HEAVY = {"pandas", "numpy", "pglast", "sqlglot", "jinja2", "psycopg", "sqlalchemy", "alembic"}


def imported_packages(*arguments: str) -> set[str]:
    """Top-level packages that a fresh interpreter imports when started like this."""
    done = subprocess.run(
        [sys.executable, "-X", "importtime", *arguments],
        capture_output=True,
        text=True,
        check=True,
        stdin=subprocess.DEVNULL,
    )
    lines = [line for line in done.stderr.splitlines() if line.startswith("import time:")]
    return {line.rpartition("|")[2].strip().partition(".")[0] for line in lines}


def test_the_probe_sees_heavy_imports() -> None:
    assert {"pandas", "numpy"} <= imported_packages("-c", "import pandas")


@pytest.mark.parametrize(
    "arguments",
    [("-c", "import analyzer.cli"), ("-m", "analyzer", "--help"), ("-m", "analyzer", "--version")],
    ids=["import", "help", "version"],
)
def test_command_line_starts_light(arguments: tuple[str, ...]) -> None:
    packages = imported_packages(*arguments)
    assert "analyzer" in packages
    assert not packages & HEAVY
