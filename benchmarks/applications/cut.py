"""Cut a small labelled log out of a run, for the tests.

    benchmarks/applications/cut.py RUN_FOLDER… --out tests/data/applications [--requests 40]

The cut is a span of time: the one of that many requests that has the most labelled statements. Labels
are computed again from the truth of the same span, so requests that its edges split count as split.
Beside the logs (`<application>-<run>.csv.xz`) it writes their labels and each application's schema.
"""

import argparse
import json
import lzma
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from labels import Execution, label, read_truth

STEP = 8  # requests between the spans that are tried
KEPT = ("shape_ids", "requests", "occurrences", "executions", "most")


def main() -> None:
    """Do what the command line says."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("runs", nargs="+", type=Path)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--requests", type=int, default=40)
    options = parser.parse_args()
    options.out.mkdir(parents=True, exist_ok=True)
    for folder in options.runs:
        application = folder.parent.name
        name = options.out / f"{application}-{folder.name}"
        since, until, labels = best_span(list(read_truth(folder / "truth.jsonl")), options.requests)
        log = between(folder / "postgresql.csv", since, until)
        Path(f"{name}.csv.xz").write_bytes(lzma.compress(log, preset=9 | lzma.PRESET_EXTREME))
        Path(f"{name}.json").write_text(json.dumps(labels, indent=1) + "\n", encoding="utf-8")
        schema = (folder / "schema.sql").read_bytes()
        (options.out / f"{application}-schema.sql.xz").write_bytes(lzma.compress(schema, preset=9))
        print(f"{name.name}: {labels['requests']} requests, {len(labels['n_plus_one'])} labelled")


def best_span(truth: Sequence[Execution], requests: int) -> tuple[float, float, dict[str, Any]]:
    """The span with the most labelled statements: since, until (seconds), and its labels."""
    starts: dict[int, float] = {}
    for execution in truth:
        starts.setdefault(execution.request, execution.at)
    times = [*sorted(starts.values()), truth[-1].at + 1]
    best: tuple[float, float, dict[str, Any]] | None = None
    for first in range(0, max(len(times) - requests, 1), STEP):
        since, until = times[first], times[min(first + requests, len(times) - 1)]
        labels = label(one for one in truth if since <= one.at < until)
        if best is None or len(labels["n_plus_one"]) > len(best[2]["n_plus_one"]):
            best = since, until, labels
    if best is None:
        raise ValueError("no request in the truth")
    return best[0], best[1], small(best[2])


def small(labels: dict[str, Any]) -> dict[str, Any]:
    """Of labels, what a piece of a run keeps."""
    kept = [
        {
            **{name: one[name] for name in KEPT},
            "sql": one["sql"][:160],
            "path": one["path"][-2:],
        }
        for one in labels["n_plus_one"]
    ]
    return {
        "requests": labels["requests"],
        "executions": labels["executions"],
        "n_plus_one": kept,
    }


def between(log: Path, since: float, until: float) -> bytes:
    """The entries of a csvlog that were written in a span of time, byte for byte."""
    kept = []
    with log.open("rb") as lines:
        for entry in _entries(lines):
            at = datetime.fromisoformat(entry[:23].decode()).replace(tzinfo=UTC)
            seconds = at.timestamp()
            # Entries tell milliseconds, and are written when the statement has ended.
            if since <= seconds + 0.001 and seconds < until:
                kept.append(entry)
    return b"".join(kept)


def _entries(lines: Iterable[bytes]) -> Iterator[bytes]:
    """Whole entries: in csvlog a newline within quotes is text."""
    entry = b""
    for line in lines:
        entry += line
        if entry.count(b'"') % 2 == 0:
            yield entry
            entry = b""


if __name__ == "__main__":
    main()
