"""`pg95 cache`: the hit rate of a cache, and which statements one would serve."""

from typing import TYPE_CHECKING, Any

import click

from analyzer.cli._conditions import fail_conditions
from analyzer.cli._failures import CONDITION
from analyzer.cli._options import pipeline_options, shared_options
from analyzer.cli._output import clear_progress, print_document, progress
from analyzer.cli._redis import redis_option
from analyzer.cli._sizes import size_in_bytes
from analyzer.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Callable

    from analyzer.model.cache import CacheCandidate
    from analyzer.model.workload import Workload


FAIL_ON = ("never", "target")


@click.command(
    epilog="""\b
Examples:
  pg95 cache app.log --format markdown                 which statements to cache, for how long
  pg95 cache cache-events.jsonl                        the hit rate by route, from the application's log
  redis-cli INFO > info.txt; timeout 60 redis-cli MONITOR > monitor.txt; pg95 cache info.txt monitor.txt app.log
  pg95 cache --redis redis://cache:6379/0 --monitor-seconds 10
  pg95 cache --snippet ioredis > cache-reads.mjs       a middleware that logs reads by route
""",
)
@shared_options
@redis_option("Ask a Redis for INFO")
@click.option(
    "--monitor-seconds",
    type=click.FloatRange(0, 600),
    default=0.0,
    show_default=True,
    help="Also sample MONITOR for so long; it slows a busy Redis down while it runs.",
)
@click.option(
    "--hit-target",
    type=click.FloatRange(0, 1),
    default=0.8,
    show_default=True,
    help="The hit rate to be over.",
)
@click.option(
    "--cache-memory",
    metavar="SIZE",
    help="What a statement's entries may take, 100MB say: those used longest ago are evicted.",
)
@click.option(
    "--snippet",
    type=click.Choice(("node-redis", "ioredis")),
    help="Print a middleware that logs reads by route, and do nothing else.",
)
@click.option("--format", "form", type=click.Choice(("table", "markdown", "json")), default="table")
def cache(**given: Any) -> None:
    """Say how well a cache does, and which statements to cache for how long, with the code for it.

    INPUT are query logs, and what Redis and the application tell of the cache: INFO, a capture of MONITOR,
    JSON lines {ts, route, op, key_prefix, hit}; each is recognised by its content. --fail-on target: exit 1
    unless the hit rate is met.
    """
    from analyzer.cache.document import cache_document
    from analyzer.cache.measure import measure
    from analyzer.report.views import cache as view
    from analyzer.sources.redis.facts import CacheFacts

    if given["snippet"]:
        click.echo(_snippet(), nl=False)
        return
    conditions = fail_conditions(given["fail_on"], among=FAIL_ON)
    facts = CacheFacts()
    logs = [name for name in given["inputs"] if not facts.take(name)]
    if given["redis_url"]:
        facts.ask(given["redis_url"], given["monitor_seconds"])
    if not facts.any and not logs and not given["dsn"] and not given["live"]:
        raise UsageError("give a query log, INFO, a capture of MONITOR, cache events, or --redis")
    measured = measure(
        facts.routes, facts.prefixes, facts.info, given["hit_target"], ", ".join(facts.origins)
    )
    found, workload, stack_of, seconds, left_out = _replayed({**given, "inputs": logs})
    document = cache_document(
        measured,
        found,
        workload,
        stack_of,
        seconds=seconds,
        left_out=left_out,
        warnings=facts.warnings,
    )
    print_document(document, given["form"], view.show, view.render)
    failed = "target" in conditions and measured.verdict != "met"
    click.get_current_context().exit(CONDITION if failed else 0)


def _snippet() -> str:
    """The middleware; one serves both clients of Redis."""
    from importlib.resources import files

    place = files("analyzer.cache") / "snippets" / "cache-reads.mjs"
    return place.read_text(encoding="utf-8")


def _replayed(
    given: dict[str, Any],
) -> "tuple[list[CacheCandidate], Workload | None, Callable[[str], str | None], float, int]":
    """The candidates of the query logs, the workload, whose stack sent a statement, the replay's extent."""
    if not given["inputs"] and not given["dsn"] and not given["live"]:
        return [], None, lambda _: None, 0.0, 0
    from analyzer.advice.stacks import Stacks
    from analyzer.cache.candidates import candidates
    from analyzer.cache.simulation import CacheReplay
    from analyzer.pipeline import run

    replay = CacheReplay()
    result = run(pipeline_options(given), progress(), observers=[replay])
    clear_progress()
    replay.finish()
    stacks = Stacks(result.workload)

    def stack_of(sql: str) -> str | None:
        known = stacks.of((sql,))
        return known[0].stack.name if known else None

    found = candidates(
        result.workload,
        replay,
        given["hit_target"],
        size_in_bytes(given["cache_memory"], "--cache-memory"),
    )
    return found, result.workload, stack_of, replay.seconds(), replay.left_out
