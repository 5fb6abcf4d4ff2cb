"""Score what pg95 finds in a run's log against the run's labels, by statement.

    benchmarks/applications/score.py RUN_FOLDER… [--verbose] [--log postgresql.log]

A statement that `n-plus-one` or `repeated-lookup` names as child is raised. It is right if the labels
have one of its shapes as an N+1; a labelled statement is found if one of its shapes is raised.
"""

import argparse
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from analyzer.pipeline import Options, run

DETECTORS = ("n-plus-one", "repeated-lookup")


@dataclass(frozen=True, slots=True)
class Tally:
    """What detectors raised against what was labelled."""

    raised: int
    right: int
    labelled: int
    found: int

    @property
    def precision(self) -> float:
        """The share of raised statements that are right; 1 if none is raised."""
        return self.right / self.raised if self.raised else 1.0

    @property
    def recall(self) -> float:
        """The share of labelled statements that are found; 1 if none is labelled."""
        return self.found / self.labelled if self.labelled else 1.0


@dataclass(frozen=True, slots=True)
class Score:
    """One run, with or without its schema."""

    run: str
    schema: bool
    both: Tally
    proper: Tally  # n-plus-one alone
    false: list[str] = field(default_factory=list)
    missed: list[str] = field(default_factory=list)
    demoted: list[str] = field(default_factory=list)  # found, but as repeated-lookup only


def main() -> None:
    """Do what the command line says."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("runs", nargs="+", type=Path)
    parser.add_argument("--verbose", action="store_true", help="list the false and the missed ones")
    parser.add_argument("--log", default="postgresql.csv")
    options = parser.parse_args()
    scores = []
    for folder in options.runs:
        scores += score(folder, options.log)
    show(scores, verbose=options.verbose)


def score(folder: Path, log: str = "postgresql.csv") -> list[Score]:
    """Score a run's folder with its schema and without."""
    labels = json.loads((folder / "labels.json").read_text(encoding="utf-8"))
    counts = per_request(folder / "truth.jsonl")
    name = f"{folder.parent.name}/{folder.name}"
    return [
        judge(name, labels, findings(folder / log, schema), counts, schema=schema is not None)
        for schema in (folder / "schema.sql", None)
    ]


def findings(log: Path, schema: Path | None = None) -> list[dict[str, Any]]:
    """The findings that a report on a log has."""
    options = Options(inputs=[str(log)], schema=str(schema) if schema else None)
    return list(run(options).document["findings"])


def per_request(truth: Path) -> dict[str, list[int]]:
    """How often each shape ran in each request that had it, most first."""
    if not truth.exists():
        return {}
    # Only the scorer's explanations need the truth itself; the figures need labels alone.
    from labels import read_truth  # noqa: PLC0415

    counts: dict[str, dict[int, int]] = {}
    for execution in read_truth(truth):
        requests = counts.setdefault(execution.statement.shape_id, {})
        requests[execution.request] = requests.get(execution.request, 0) + 1
    return {shape: sorted(found.values(), reverse=True) for shape, found in counts.items()}


def judge(
    name: str, labels: Mapping[str, Any], found: Iterable[Mapping[str, Any]],
    counts: Mapping[str, list[int]] | None = None, *, schema: bool = False,
) -> Score:  # fmt: skip
    """Compare findings with labels."""
    raised: dict[str, dict[str, Mapping[str, Any]]] = {name: {} for name in DETECTORS}
    for finding in found:
        if finding["detector"] in DETECTORS:
            raised[finding["detector"]].setdefault(child_of(finding), finding)
    proper, lookups = (raised[name] for name in DETECTORS)
    both = {**lookups, **proper}
    labelled = labels["n_plus_one"]
    true = {shape for one in labelled for shape in one["shape_ids"]}
    return Score(
        run=name,
        schema=schema,
        both=_tally(both, labelled, true),
        proper=_tally(proper, labelled, true),
        false=[
            _explain(shape, finding, counts or {})
            for shape, finding in both.items()
            if shape not in true
        ],
        missed=[_describe(one) for one in labelled if not both.keys() & set(one["shape_ids"])],
        demoted=[
            _describe(one)
            for one in labelled
            if both.keys() & set(one["shape_ids"]) and not proper.keys() & set(one["shape_ids"])
        ],
    )


def child_of(finding: Mapping[str, Any]) -> str:
    """The shape that a finding says is the loop's child."""
    evidence = finding["evidence"]
    return str(evidence.get("child_shape_id") or finding["shape_ids"][0])


def _tally(raised: Iterable[str], labelled: list[dict[str, Any]], true: set[str]) -> Tally:
    shapes = set(raised)
    return Tally(
        raised=len(shapes),
        right=len(shapes & true),
        labelled=len(labelled),
        found=sum(bool(shapes & set(one["shape_ids"])) for one in labelled),
    )


def _describe(one: Mapping[str, Any]) -> str:
    return (
        f"{one['shape_ids'][0]}: {one['occurrences']} × in {one['requests']} requests, {one['executions']} "
        f"executions, at most {one['most']}; {', '.join(one['path'][-3:])}\n      {one['sql'][:400]}"
    )


def _explain(shape: str, finding: Mapping[str, Any], counts: Mapping[str, list[int]]) -> str:
    real = counts.get(shape, [])
    evidence = {
        name: finding["evidence"].get(name)
        for name in ("scope", "occurrences", "executions", "children_per_occurrence", "link")
    }
    return (
        f"{shape} by {finding['detector']} ({finding['confidence']}): {finding['title']}\n"
        f"      runs per request really: {real[:12]} in {len(real)} requests; evidence {evidence}\n"
        f"      {finding['evidence'].get('child_sql', '')[:400]}"
    )


def show(scores: Iterable[Score], *, verbose: bool = False) -> None:
    """Print a table, and with `verbose` what is false and missed."""
    print(f"{'run':28} schema  labelled raised |    P     R | n-plus-one:  P     R")
    scores = list(scores)
    for one in scores:
        both, proper = one.both, one.proper
        print(
            f"{one.run:28} {'yes' if one.schema else 'no':6} {both.labelled:9} {both.raised:6} |"
            f" {both.precision:5.3f} {both.recall:5.3f} |        {proper.precision:9.3f} {proper.recall:5.3f}"
        )
    for one in scores if verbose else ():
        print(f"\n== {one.run}, {'with' if one.schema else 'without'} schema")
        for title, lines in (
            ("false", one.false),
            ("missed", one.missed),
            ("repeated-lookup only", one.demoted),
        ):
            print(f"-- {title}: {len(lines)}")
            for line in lines:
                print(f"   {line}")


if __name__ == "__main__":
    main()
