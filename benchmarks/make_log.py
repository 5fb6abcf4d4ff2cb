"""Generate realistic PostgreSQL logs: one stream of events as stderr, csvlog and jsonlog.

    python benchmarks/make_log.py FOLDER --mb 500 [--seed 1] [--formats stderr,csvlog,jsonlog]

Writes postgresql.log, postgresql.csv, postgresql.json (as asked for) and truth.json. One seed gives
the same bytes everywhere; a smaller log is the beginning of a larger one. truth.json has, for each
format, what its file holds: entries, calls, total time, errors, plans, phases and server events, and
the same for each statement shape, with one of its texts.
"""

import argparse
import json
import sys
import time
from pathlib import Path
from random import Random

from log_formats import FILE_NAMES, format_names
from log_journal import Journal
from log_literals import Literals
from log_shapes import Shapes
from log_traffic import Traffic

MB = 1_000_000


def make_log(directory: Path, mb: float, seed: int, formats: list[str]) -> dict[str, Path]:
    """Write the logs, `mb` megabytes (10^6 bytes) of each format, and truth.json; their paths."""
    directory.mkdir(parents=True, exist_ok=True)
    rng = Random(seed)  # noqa: S311  # one seed, one log: nothing secret is drawn
    shapes = Shapes(rng, Literals(rng))
    with Journal(directory, formats, int(mb * MB), shapes) as journal:
        Traffic(rng, shapes, journal).run()
    truth = {"seed": seed, "formats": journal.truth}
    text = json.dumps(truth, indent=1, ensure_ascii=False)
    (directory / "truth.json").write_text(text + "\n", encoding="utf-8")
    return {name: directory / FILE_NAMES[name] for name in formats}


def main() -> None:
    """Read the command line and write the logs."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--mb", type=float, default=500, help="size of each file (default: 500)")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--formats", type=format_names, default=list(FILE_NAMES))
    options = parser.parse_args()
    began = time.monotonic()
    paths = make_log(options.folder, options.mb, options.seed, options.formats)
    seconds = time.monotonic() - began
    written = sum(path.stat().st_size for path in paths.values()) / MB
    print(f"{written:.1f} MB in {seconds:.1f} s, {written / seconds:.0f} MB/s", file=sys.stderr)


if __name__ == "__main__":
    main()
