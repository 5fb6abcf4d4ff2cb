"""Where the real Prisma 7, Redis clients and the Node.js for them are: tools/prisma7 puts them there."""

import subprocess
from pathlib import Path

import pytest


def modules() -> Path:
    """The folder with Node.js and node_modules; missing ones are a failure that says what to do."""
    fetch = Path(__file__).parents[1] / "tools" / "prisma7"
    found = subprocess.run([fetch, "--where"], capture_output=True, text=True, check=False)
    place = Path(found.stdout.strip())
    if found.returncode != 0:
        pytest.fail(
            f"Prisma 7 is needed and is not in {place}. `make test` fetches it, or: tools/prisma7",
            pytrace=False,
        )
    return place
