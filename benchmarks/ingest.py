"""Measure how fast pg95 reads logs, beside pgBadger, and how that grows.

    python benchmarks/ingest.py [--mb 500] [--to-mb 2000] [--check] [--write docs/performance.md]

Prints Markdown; docs/performance.md says what is measured and how to read it. Logs are generated
into a temporary folder (below --folder) and are gone afterwards.
"""

import argparse
import json
import tempfile
import time
from pathlib import Path

from ingest_parts import PARTS, Bench
from log_formats import FILE_NAMES, format_names
from results import markdown, missed, write_block


def scan_only(path: Path) -> dict[str, float | str]:
    """CPU and wall-clock seconds of reading a log without the rest of pg95, in this process.

    Its entries are framed, taken apart, keyed and put into columns, which are then let go.
    """
    from analyzer.cli import settle  # noqa: PLC0415  # this run only
    from analyzer.model.recording import Recording  # noqa: PLC0415  # this run only
    from analyzer.sources.inputs import gather  # noqa: PLC0415
    from analyzer.sources.options import ReadOptions  # noqa: PLC0415
    from analyzer.sql.keys import StatementKeyTable  # noqa: PLC0415

    settle()
    cpu_s, wall_s = time.process_time(), time.monotonic()
    gathering = gather([str(path)], ReadOptions(), Recording(keys=StatementKeyTable()))
    rows = sum(len(chunk) for stream in gathering.streams for chunk in stream.chunks)
    gathering.finish()
    return {
        "cpu_s": time.process_time() - cpu_s,
        "wall_s": time.monotonic() - wall_s,
        "executions": float(rows),
    }


def _part_names(text: str) -> list[str]:
    names = text.split(",")
    if unknown := [name for name in names if name not in PARTS]:
        raise argparse.ArgumentTypeError(f"{unknown[0]!r} is none of {', '.join(PARTS)}")
    return names


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    add = parser.add_argument
    add("--mb", type=float, default=500, help="size of the log in each format (default: 500)")
    add("--slice-mb", type=float, default=16, help="how much of it pgBadger reads (default: 16)")
    add("--to-mb", type=float, help="where growth ends, and of two workers' log (default: --mb)")
    add("--runs", type=int, default=3, help="of each measurement; medians count (default: 3)")
    add("--formats", type=format_names, default=list(FILE_NAMES), help="default: all three")
    add("--growth-format", choices=FILE_NAMES, default="stderr")
    add("--parts", type=_part_names, default=list(PARTS), help=f"default: {','.join(PARTS)}")
    add("--seed", type=int, default=1, help="of the generated log (default: 1)")
    add("--folder", type=Path, help="where the temporary folder is made")
    add("--check", action="store_true", help="end with 1 if a goal that was measured was missed")
    add("--write", type=Path, help="also replace the results in this document")
    add("--scan-only", type=Path, help=argparse.SUPPRESS)  # the scan's own process
    add("--scan-result", type=Path, help=argparse.SUPPRESS)
    return parser.parse_args()


def main() -> None:
    """Read the command line, measure, print and write."""
    options = _options()
    if options.scan_only:
        options.scan_result.write_text(json.dumps(scan_only(options.scan_only)), encoding="utf-8")
        return
    with tempfile.TemporaryDirectory(prefix="pg95-bench-", dir=options.folder) as name:
        bench = Bench(options, Path(name))
        logs = bench.generate(options.mb, options.formats, "logs")
        for part in options.parts:
            getattr(bench, part)(logs)
    block = markdown(bench.results)
    print(block, end="")
    if options.write:
        write_block(options.write, block)
    if options.check and (lines := missed(bench.results)):
        raise SystemExit("\n".join(["goals that were not reached:", *lines]))


if __name__ == "__main__":
    main()
