"""Targets of routes, applications, users and databases, and the worst that miss the run's target."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from analyzer.model.target import PatternTarget, Target
from analyzer.pipeline import Options, run
from analyzer.report.views import RENDERERS
from analyzer.sources.options import ReadOptions
from analyzer.workload.quantiles import nearest_rank

PREFIX = "%m [%p] %q%u@%d/%a "
SPEAKERS = {  # who: how much slower than the fastest
    ("ann", "shop", "web"): 1.0,
    ("ann", "shop", "worker"): 9.0,
    ("bob", "stats", "web"): 3.0,
}
ROUTES = ("/cart", "/pay")


def log(folder: Path) -> tuple[str, dict[tuple[str, ...], list[float]]]:
    """A log of two routes, and the durations by speaker and route."""
    rng = np.random.default_rng(5)
    ran: dict[tuple[str, ...], list[float]] = {}
    lines = []
    for number in range(600):
        speaker = list(SPEAKERS)[number % 3]
        route = ROUTES[number % 2]
        took = round(float(SPEAKERS[speaker] * rng.lognormal(1.5, 0.6)), 3)
        ran.setdefault((*speaker, route), []).append(took)
        user, database, application = speaker
        at = (
            f"2026-11-22 {8 + number // 3600:02d}:{number // 60 % 60:02d}:{number % 60:02d}.000 UTC"
        )
        lines.append(
            f"{at} [{100 + number % 3}] {user}@{database}/{application} LOG:  duration: {took:.3f} ms  "
            f"statement: SELECT total FROM orders WHERE id = {number} /*route='{route}'*/\n"
        )
    path = folder / "postgresql.log"
    path.write_text("".join(lines), encoding="utf-8")
    return str(path), ran


def truth(ran: dict[tuple[str, ...], list[float]], *names: str) -> float:
    some = [value for key, values in ran.items() if set(names) <= set(key) for value in values]
    found = nearest_rank(np.array(some), 0.95)
    assert found is not None
    return found


def parts(document: dict[str, Any]) -> dict[tuple[str, str], dict[str, Any]]:
    return {(one["dimension"], one["name"]): one for one in document["target"]["by"]}


def test_the_worst_of_each_dimension_that_miss_are_told_and_no_others(tmp_path: Path) -> None:
    path, ran = log(tmp_path)
    options = Options(
        inputs=[path], read=ReadOptions(log_line_prefix=PREFIX), log_min_duration_ms=0
    )
    limit = Target((truth(ran, "worker") + truth(ran, "stats")) / 2)
    assert run(replace(options, target=Target(1_000.0))).document["target"]["by"] == []
    found = parts(run(replace(options, target=limit)).document)
    assert found["application", "worker"]["value_ms"] == truth(ran, "worker")
    assert found["application", "worker"]["executions"] == 200
    assert all(one["verdict"] == "missed" and not one["configured"] for one in found.values())
    assert ("application", "web") not in found
    assert ("database", "stats") not in found
    for dimension, name in found:
        if dimension in ("user", "database", "route"):
            assert truth(ran, name) > limit.ms


def test_targets_of_their_own_hold_for_each_match_by_itself(tmp_path: Path) -> None:
    path, ran = log(tmp_path)
    pay = truth(ran, "/pay")
    targets = (
        PatternTarget({"route": "/p*"}, Target(pay * 0.99)),
        PatternTarget({"application": "w*"}, Target(truth(ran, "web") * 1.01)),
        PatternTarget({"user": "ann", "application": "worker"}, Target(1_000.0, 0.5)),
        PatternTarget({"database": "s*"}, Target(0.5)),
        PatternTarget({"route": "/cart", "user": "bob"}, Target(1_000.0)),
    )
    document = run(
        Options(
            inputs=[path],
            read=ReadOptions(log_line_prefix=PREFIX),
            log_min_duration_ms=0,
            target=Target(1_000.0),
            targets=targets,
        )
    ).document
    found = parts(document)
    assert set(found) == {
        ("route", "/pay"),
        ("application", "web"),
        ("application", "worker"),
        ("application", "worker (user ann)"),
        ("database", "shop"),
        ("database", "stats"),
        ("route", "/cart (user bob)"),
    }
    assert all(one["configured"] for one in found.values())
    assert (found["route", "/pay"]["value_ms"], found["route", "/pay"]["verdict"]) == (
        pay,
        "missed",
    )
    assert found["application", "web"]["verdict"] == "met"
    assert found["application", "worker"]["verdict"] == "missed"
    narrowed = found["application", "worker (user ann)"]
    assert (narrowed["quantile"], narrowed["verdict"]) == (0.5, "met")
    assert found["database", "stats"]["value_ms"] == truth(ran, "stats")
    assert found["route", "/cart (user bob)"]["value_ms"] == truth(ran, "/cart", "bob")
    for name in ("html", "markdown", "table"):
        text = RENDERERS[name](document)
        assert "worker" in text
        assert "/pay" in text


def test_workers_change_nothing(tmp_path: Path) -> None:
    path, _ = log(tmp_path)
    targets = (PatternTarget({"table": "orders", "application": "*"}, Target(2.0)),)
    read = ReadOptions(log_line_prefix=PREFIX)
    made = [
        run(Options(inputs=[path], read=read, targets=targets, workers=number, target=Target(5.0)))
        for number in (1, 2)
    ]
    assert made[0].document["target"] == made[1].document["target"]
    assert made[0].document["target"]["by"]


def test_of_few_executions_a_miss_is_told_from_chance(tmp_path: Path) -> None:
    """(executions, slow ones): few may be slow by chance, many may not, and two of two may hardly."""
    applications = {
        "web": (900, 0),
        "once": (1, 1),
        "twice": (2, 2),
        "some": (50, 3),
        "bad": (50, 9),
    }
    lines = []
    for name, (count, slow) in applications.items():
        lines += [
            f"2026-11-22 08:00:00.{number:03d} UTC [7] ann@shop/{name} LOG:  duration: "
            f"{4_000.0 + number if number < slow else 1.0:.3f} ms  statement: SELECT total FROM orders\n"
            for number in range(count)
        ]
    path = tmp_path / "postgresql.log"
    path.write_text("".join(lines), encoding="utf-8")
    read = ReadOptions(log_line_prefix=PREFIX)
    document = run(Options(inputs=[str(path)], read=read, log_min_duration_ms=0)).document
    assert document["target"]["verdict"] == "met"
    told = [
        (one["name"], one["verdict"], one["too_few"], one["executions"])
        for one in document["target"]["by"]
        if one["dimension"] == "application"
    ]
    assert told == [
        ("bad", "missed", False, 50),
        ("twice", "missed", False, 2),
        ("once", "unknown", True, 1),
        ("some", "unknown", True, 50),
    ]
    once = parts(document)["application", "once"]
    assert "1 of 1 slower than the target are too few" in once["reason"]
    for name in ("html", "markdown", "table"):
        text = " ".join(RENDERERS[name](document).split())
        assert "low, but too few to say" in text
        assert "application once (4.00 s in 1 execution)" in text
