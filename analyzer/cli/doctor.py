"""`pg95 doctor`: what a server lets pg95 see, and what to change."""

import re
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import click

from analyzer.cli._failures import CONDITION
from analyzer.cli._say import show
from analyzer.cli._server import insist_on_server, server_options
from analyzer.errors import ServerError, UsageError
from analyzer.patterns import regex
from analyzer.report.json_text import json_text

if TYPE_CHECKING:
    from analyzer.model.diagnosis import LoggingPlan
    from analyzer.model.examination import Examination
    from analyzer.model.statement import StatementCounters

_BUDGET = regex(
    r"(\d+(?:\.\d+)?)\s*(B|kB|MB|GB|TB)?(?:\s*(?:/|per)\s*(day|week|month|hour))?", re.IGNORECASE
)
_UNITS = {"b": 1, "kb": 2**10, "mb": 2**20, "gb": 2**30, "tb": 2**40}
_DAYS = {"hour": 1 / 24, "day": 1.0, "week": 7.0, "month": 30.0}


@click.command(
    epilog="""\b
Examples:
  pg95 doctor --dsn service=prod
  pg95 doctor --live --format json | jq '.checks[] | select(.status != "ok")'
  pg95 doctor --dsn service=prod --plan-logging --budget 2GB/day
  pg95 doctor --dsn service=prod --plan-logging --budget 500MB/day --target-ms 50 --protocol prepared
""",
)
@server_options
@click.option(
    "--target-ms", type=click.FloatRange(min=0, min_open=True), default=100.0, show_default=True
)
@click.option(
    "--plan-logging",
    is_flag=True,
    help="Predict the volume of the log by each setting, and print the one to choose.",
)
@click.option(
    "--budget",
    metavar="SIZE/TIME",
    default="1GB/day",
    show_default=True,
    help="How much the log may grow (500MB/day, 10GB/week); 1 MB = 2^20 bytes.",
)
@click.option(
    "--protocol",
    type=click.Choice(("simple", "prepared", "extended")),
    default="extended",
    show_default=True,
    help="How the application sends statements: extended writes the most (parse, bind and execute each).",
)
@click.option(
    "--history",
    metavar="PATH",
    help="Count traffic since the last snapshot in this history, not since the last reset.",
)
@click.option("--strict", is_flag=True, help="Exit with 1 if something essential is missing.")
@click.option("--format", type=click.Choice(("table", "json")), default="table", show_default=True)
def doctor(**given: Any) -> None:
    """Say what the server's settings and privileges let pg95 see, with the command that fixes each.

    Nothing is changed on the server: what to run is printed. Lines begin with ✓ (fine), ! (could be
    better) or ✗ (missing, and without it there is no verdict).
    """
    from analyzer.doctor import diagnose
    from analyzer.sources.postgres.examination import examine

    insist_on_server(given)
    budget = budget_bytes(given["budget"])
    found = examine(given["dsn"])
    diagnosis = diagnose(found, given["target_ms"])
    plan = _plan(found, given, budget) if given["plan_logging"] else None
    if given["format"] == "json":
        document = asdict(diagnosis) | {"plan": asdict(plan) if plan else None}
        click.echo(json_text(document))
    else:
        from analyzer.cli._doctor_text import checks_text, plan_text

        show(checks_text(diagnosis))
        if plan is not None:
            show("\n" + plan_text(plan))
    failed = given["strict"] and diagnosis.lacking
    click.get_current_context().exit(CONDITION if failed else 0)


def budget_bytes(text: str) -> int:
    """A budget as bytes a day.

    Raises:
        UsageError: it is no size, or nothing.
    """
    found = _BUDGET.fullmatch(text.strip())
    if found is None or float(found[1]) <= 0:
        raise UsageError(
            f"--budget {text!r} is no size a time: write 2GB/day, 500MB/day, 10GB/week"
        )
    size = float(found[1]) * _UNITS[(found[2] or "B").lower()]
    return round(size / _DAYS[(found[3] or "day").lower()])


def _plan(found: "Examination", given: dict[str, Any], budget: int) -> "LoggingPlan":
    """The logging plan.

    Raises:
        ServerError: nothing was counted, so nothing can be predicted.
    """
    from analyzer.doctor.planning import plan_logging
    from analyzer.doctor.providers import recognise
    from analyzer.doctor.remedies import Remedies
    from analyzer.doctor.volume import counted_days, traffic_of

    rows, days = found.snapshot.counters, counted_days(found.snapshot)
    if given["history"]:
        rows, days = _since_snapshot(found, given["history"])
    if not rows or not days:
        raise ServerError(
            "--plan-logging needs counters of pg_stat_statements, and there are none: fix what the "
            "doctor says without it first"
        )
    traffic = traffic_of(found.snapshot, rows, days, given["protocol"])
    remedies = Remedies(found, recognise(found))
    return plan_logging(found, remedies, traffic, days, budget, given["target_ms"])


def _since_snapshot(found: "Examination", history: str) -> tuple["list[StatementCounters]", float]:
    """What was counted since the last snapshot that a history has, and in how many days."""
    from analyzer.doctor.volume import DAY_US
    from analyzer.history import open_store
    from analyzer.workload.counter_window import window

    with open_store(history) as store, store.reading() as reader:
        last = reader.latest_snapshot(found.snapshot.server.address)
        if last is None:
            raise ServerError(
                f"--history {store.name}: no snapshot of {found.snapshot.server.address} in it; "
                "pg95 snapshot takes one"
            )
    counted = window(last, found.snapshot)
    if not counted.counters:
        reasons = "; ".join(counted.caveats) or "nothing ran"
        raise ServerError(f"--history: nothing was counted since the last snapshot ({reasons})")
    began = counted.counted_from_us or counted.from_us
    return list(counted.counters), (counted.to_us - began) / DAY_US
