"""Labels of a run: which statements were an N+1 in it, from the truth that the witness wrote.

An N+1 is one call path that runs at least five times in one request with at least five distinct
sets of parameters. A call path is the statement (its fingerprint) and the application's frames that
led to it. Statements that write are labelled apart, as write loops: pg95 answers them otherwise.
Savepoints and other statements without rows are no N+1, nor is what an ORM reads of the catalog to
learn what columns a table has: no code of the application asks for it.

    benchmarks/applications/labels.py RUN_FOLDER…      write labels.json again from truth.jsonl
"""

import json
import sys
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from analyzer.model.statement import Kind, Role, Statement
from analyzer.sql.identity import identify
from analyzer.sql.keys import LITERAL_SEPARATOR, safe_key

TIMES = 5
DISTINCT = 5


@dataclass(frozen=True, slots=True)
class Execution:
    """One line of the truth."""

    request: int
    route: str
    statement: Statement
    parameters: str  # what was bound, and the literals of the text: comments are no parameters
    path: tuple[str, ...]
    at: float  # seconds since 1970, before it was sent


class Identifier:
    """Statements by text; every distinct safe key is identified once."""

    def __init__(self) -> None:
        self._known: dict[str, Statement] = {}

    def __call__(self, text: str) -> tuple[Statement, str]:
        """The statement that a text is an execution of, and the literals in it."""
        key, literals, _ = safe_key(text)
        statement = self._known.get(key)
        if statement is None:
            statement = self._known[key] = identify(text)
        return statement, literals or ""


def read_truth(path: Path) -> Iterator[Execution]:
    """The lines of a truth file."""
    identified = Identifier()
    with path.open(encoding="utf-8") as lines:
        for line in lines:
            fact = json.loads(line)
            statement, literals = identified(fact["statement"])
            yield Execution(
                fact["request"], fact["route"], statement,
                f"{fact['parameters'] or ''}{LITERAL_SEPARATOR}{literals}",
                tuple(fact["path"]), fact["at"],
            )  # fmt: skip


def write_labels(folder: Path) -> None:
    """Write labels.json of a run's folder from its truth."""
    labels = label(read_truth(folder / "truth.jsonl"))
    (folder / "labels.json").write_text(json.dumps(labels, indent=1) + "\n", encoding="utf-8")


def label(executions: Iterable[Execution]) -> dict[str, Any]:
    """The labels of a run, as labels.json has them."""
    groups: dict[tuple[int, str, tuple[str, ...]], list[Execution]] = defaultdict(list)
    counts: Counter[str] = Counter()
    requests = set()
    for execution in executions:
        if execution.statement.facts.role is Role.CATALOG:
            continue
        requests.add(execution.request)
        counts[execution.statement.shape_id] += 1
        key = (execution.request, execution.statement.fingerprint, execution.path)
        groups[key].append(execution)
    loops: dict[str, list[list[Execution]]] = defaultdict(list)
    repeats: Counter[str] = Counter()
    for (_, fingerprint, _), group in groups.items():
        if len(group) < TIMES:
            continue
        if len({one.parameters for one in group}) >= DISTINCT:
            loops[fingerprint].append(group)
        else:
            repeats[fingerprint] += 1
    labelled = [_labelled(found) for found in loops.values()]
    labelled.sort(key=lambda one: (-one["executions"], one["fingerprint"]))
    return {
        "requests": len(requests),
        "executions": sum(counts.values()),
        "statements": len(counts),
        "n_plus_one": [one for one in labelled if one["kind"] == Kind.SELECT],
        "write_loops": [one for one in labelled if one["kind"].writes],
        "repeats": dict(sorted(repeats.items())),
        "shapes": dict(sorted(counts.items())),
    }


def _labelled(found: list[list[Execution]]) -> dict[str, Any]:
    """One statement's occurrences: `found` has one group of executions for each call path that looped."""
    shapes = Counter(one.statement.shape_id for group in found for one in group)
    most = max(found, key=len)
    first = most[0]
    return {
        "fingerprint": first.statement.fingerprint,
        "shape_ids": [shape for shape, _ in shapes.most_common()],
        "sql": first.statement.sql[:2000],
        "requests": len({one.request for group in found for one in group}),
        "occurrences": len(found),
        "executions": sum(map(len, found)),
        "most": len(most),
        "routes": sorted({one.route for group in found for one in group})[:10],
        "path": list(most[0].path)[-25:],
        "kind": first.statement.facts.kind,
    }


if __name__ == "__main__":
    for given in sys.argv[1:]:
        write_labels(Path(given))
