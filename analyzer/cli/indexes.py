"""`pg95 indexes`: index recommendations."""

from typing import TYPE_CHECKING, Any

import click

from analyzer.cli._clone import blueprint, statistics_option
from analyzer.cli._focused import run_focused
from analyzer.cli._options import replica_option, shared_options
from analyzer.cli._output import FORMATS
from analyzer.cli._prisma import prisma_options, project_advice
from analyzer.cli._sizes import size_in_bytes
from analyzer.errors import UsageError
from analyzer.model.explain import VERIFY_SECONDS

if TYPE_CHECKING:
    from collections.abc import Callable

    from analyzer.pipeline import Options, Result

MAX_SECONDS = 30.0
# Those whose findings an index may settle.
DETECTORS = (
    "selective-seq-scan",
    "seq-scan-in-loop",
    "index-filter",
    "top-n-sort",
    "wrong-index-for-limit",
    "bitmap-and",
    "many-index-searches",
    "trigger-time",
    "vector-seq-scan",
    "vector-operator-mismatch",
)


@click.command(
    epilog="""\b
Examples:
  pg95 indexes app.log --schema schema.sql
  pg95 indexes app.log --dsn service=prod --format sql > indexes.sql
  pg95 indexes app.log --dsn service=prod --verify service=scratch   runs it on a restored backup
  pg95 indexes --queries queries/ --dsn service=replica --budget 500MB
  pg95 indexes app.log --schema schema.sql --statistics stats.sql --what-if clone
  pg95 indexes app.log --dsn service=prod --prisma . --format patch | git apply
""",
)
@shared_options
@replica_option
@click.option(
    "--max-width",
    type=click.IntRange(1, 8),
    default=3,
    show_default=True,
    help="Most columns in an index.",
)
@click.option(
    "--verify",
    metavar="DSN",
    help="A scratch server with data: builds the advised indexes there in a transaction that is rolled back, and runs the statements that only read without and with them.",
)
@click.option(
    "--verify-seconds",
    type=click.FloatRange(min=0, min_open=True),
    default=VERIFY_SECONDS,
    show_default=True,
    help="How long --verify may take, building included. What is not clear by then is said to be.",
)
@click.option(
    "--queries",
    metavar="DIR",
    help="The workload: one .sql file per query, weight 1 or what weights.json there says. Nothing else then counts.",
)
@click.option(
    "--budget",
    metavar="SIZE",
    help="Most bytes of all new indexes together: 500MB, 2GB (1 MB = 2^20 bytes). [default: any]",
)
@click.option(
    "--what-if",
    "what_if",
    type=click.Choice(("hypopg", "clone", "none")),
    help="Who is asked what an index would do: HypoPG on --dsn, a throwaway clone, or nobody (rules). [default: hypopg if the server has it]",
)
@click.option(
    "--size-model",
    type=click.Choice(("estimate", "hypopg")),
    default="estimate",
    show_default=True,
    help="Whose sizes count against --budget: pg95's (equal keys merged), or HypoPG's (2 to 4 times larger).",
)
@click.option(
    "--write-cost",
    type=click.FloatRange(min=0),
    default=1.0,
    show_default=True,
    help="What an index entry written counts, in the planner's units (1: a page read in sequence); 0: writes are free.",
)
@click.option(
    "--careful",
    is_flag=True,
    help="Count what nested loops read and the planner leaves out of a plan's cost: fewer promises, and fewer that a run breaks.",
)
@click.option(
    "--max-seconds",
    type=click.FloatRange(min=0, min_open=True),
    default=MAX_SECONDS,
    show_default=True,
    help="When the search for indexes stops; the best set until then is advised.",
)
@statistics_option
@prisma_options
@click.option(
    "-o",
    "--output",
    metavar="DIR",
    help="With --prisma: write the migrations and schema.patch below this folder; nothing is written over.",
)
@click.option(
    "--format",
    type=click.Choice((*FORMATS, "sql", "patch")),
    help="sql: runnable statements, one per line. patch: with --prisma, all as a diff for `git apply`.",
)
def indexes(**given: Any) -> None:
    """Suggest the indexes that the workload lacks. On --dsn, nothing is ever created by pg95.

    With HypoPG on the server of --dsn, or with a clone, candidates are made from all statements, and the
    planner is asked which set of them serves the workload best for its size and its writers. Else from
    sequential scans in plans and from foreign keys that statements look up by, less what
    existing indexes serve (as far as --schema or --dsn tell of them). And which of those that exist
    to drop: invalid ones, duplicates, unused ones, and those that a wider one begins with.
    """
    from analyzer.report.views import focused

    change = _change(given)
    run_focused(
        given,
        DETECTORS,
        focused.indexes,
        {"patch": lambda document: str(document["indexes"]["prisma"]["patch"])},
        asks=lambda options: _asked(given, options),
        adds=change,
    )


def _change(given: dict[str, Any]) -> "Callable[[Result], None] | None":
    """What makes the advice a change of the project of --prisma, and writes it where -o says."""
    advice = project_advice(given, "output")
    if advice is None:
        if given["format"] == "patch":
            raise UsageError("--format patch is for --prisma DIR")
        return None

    def add(result: "Result") -> None:
        advice.add(result)
        if given["output"]:
            advice.write(result.document, given["output"])

    return add


def _asked(given: dict[str, Any], options: "Options") -> "Options":
    """The pipeline's options with what is asked about indexes."""
    from dataclasses import replace
    from functools import cache

    from analyzer.model.index_request import CAREFUL_PAGE_PRICE, IndexRequest

    request = IndexRequest(
        what_if=given["what_if"],
        budget_bytes=size_in_bytes(given["budget"], "--budget"),
        size_model=given["size_model"],
        max_width=given["max_width"],
        max_seconds=given["max_seconds"],
        write_cost=given["write_cost"],
        page_price=CAREFUL_PAGE_PRICE if given["careful"] else 0.0,
        queries=given["queries"],
    )
    return replace(options, indexes=request, blueprint=cache(lambda: blueprint(given)))
