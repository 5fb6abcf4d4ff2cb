"""A short round of fuzzing: what `make fuzz` does for longer, with the scanner built for it."""

import os
import re
import subprocess
from pathlib import Path


def test_a_short_round_finds_nothing(checkout: Path) -> None:
    """The native scanner with the address and undefined-behaviour sanitizers, on mutated logs."""
    done = subprocess.run(
        [checkout / "tools" / "fuzz", "short"],
        cwd=checkout,
        env={**os.environ, "FUZZ_SECONDS": "3"},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    ran = re.fullmatch(r"(\d+) runs, nothing found\n", done.stdout)
    assert ran, done.stdout
    assert int(ran[1]) > 1000
