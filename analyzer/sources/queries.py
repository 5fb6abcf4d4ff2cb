"""A folder of queries as a workload: one .sql file each, and how often each runs in weights.json."""

import json
import math
from collections.abc import Mapping
from pathlib import Path

from analyzer.errors import InputError
from analyzer.model.coverage import SourceCoverage
from analyzer.model.index_request import AdvisedStatement, AdvisedWorkload, IndexRequest
from analyzer.model.recording import Recording
from analyzer.model.statement import StatementCounters
from analyzer.model.what_if import PlannedStatement
from analyzer.patterns import regex
from analyzer.sql.identity import identify
from analyzer.sql.inlining import Script, last_plannable

WEIGHTS = "weights.json"
_DIGITS = regex(r"(\d+)")


def read_queries(request: IndexRequest, recording: Recording) -> AdvisedWorkload | None:
    """The queries of the folder that is asked about, None where none is.

    Each also becomes a statement of the recording, as counters would.

    Of a file with several statements the last that has a plan counts; views that it creates are
    inlined, the rest is passed over and named in a warning. Nothing is run.

    Raises:
        InputError: there is no such folder, no query in it, or a file of it cannot be read.
    """
    folder = request.queries
    if folder is None:
        return None
    root = Path(folder)
    if not root.is_dir():
        raise InputError(f"--queries {folder}: no such folder; it takes one .sql file per query")
    files = sorted(root.glob("*.sql"), key=_order)
    weights = _weights(root / WEIGHTS, {path.stem for path in files})
    source = len(recording.coverage.sources)
    found = []
    for path in files:
        script = _script(path)
        if script is None:
            recording.coverage.warnings.append(f"{path}: no statement in it that has a plan")
            continue
        others = [kind for kind in script.passed_over if kind not in ("ViewStmt", "DropStmt")]
        if others:
            recording.coverage.warnings.append(
                f"{path}: {', '.join(others)} in it passed over; only its last query counts"
            )
        shape = identify(script.text).shape_id
        planned = PlannedStatement(shape, script.text, weights.get(path.stem, 1.0))
        found.append(AdvisedStatement(planned, constants=True, name=path.stem))
        recording.counters.append(_counters(script.text, planned.weight, source))
    if not found:
        raise InputError(f"--queries {folder}: no .sql file with a query in it")
    recording.coverage.sources.append(
        SourceCoverage(path=folder, format="queries", detected_by="--queries", entries=len(found))
    )
    return AdvisedWorkload(tuple(found))


def _order(path: Path) -> list[tuple[int, int | str]]:
    """Numbers in names by their value: 2 before 10."""
    parts = _DIGITS.split(path.stem)
    return [(0, int(part)) if part.isdecimal() else (1, part) for part in parts if part]


def _script(path: Path) -> Script | None:
    try:
        return last_plannable(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"{path}: cannot be read: {error}") from error
    except ValueError as error:
        raise InputError(f"{path}: no SQL that PostgreSQL understands: {error}") from error


def _weights(path: Path, names: set[str]) -> Mapping[str, float]:
    """Weights by file name without its ending."""
    if not path.exists():
        return {}
    try:
        read = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise InputError(f"{path}: no JSON: {error}") from error
    good = isinstance(read, dict) and all(
        isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value < math.inf
        for value in read.values()
    )
    if not good:
        raise InputError(f'{path}: expected {{"name of a file without .sql": weight from 0 on, …}}')
    unknown = sorted(set(read) - names)
    if unknown:
        raise InputError(f"{path}: no such query: {', '.join(unknown[:5])}")
    return {name: float(value) for name, value in read.items()}


def _counters(text: str, weight: float, source: int) -> StatementCounters:
    return StatementCounters(
        query=text,
        query_id=None,
        calls=max(1, round(weight)),
        total_ms=0.0,
        min_ms=None,
        max_ms=None,
        mean_ms=0.0,
        stddev_ms=None,
        rows=None,
        source=source,
    )
