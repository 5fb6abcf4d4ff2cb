"""`pg95 cache`: the hit rate of a cache, and which statements one would serve."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from analyzer.cli._failures import CONDITION
from analyzer.cli._options import pipeline_options, shared_options
from analyzer.cli._output import clear_progress, progress
from analyzer.cli._prisma import print_document
from analyzer.errors import InputError, UsageError

if TYPE_CHECKING:
    from collections.abc import Callable

    from analyzer.model.cache import CacheCandidate, CacheUse, RedisInfo
    from analyzer.model.workload import Workload

_HEAD_BYTES = 4096


@click.command(
    epilog="""\b
Examples:
  pg95 cache app.log --format markdown                 which statements to cache, for how long
  pg95 cache cache-events.jsonl                        the hit rate by route, from the application's log
  redis-cli INFO > info.txt; timeout 60 redis-cli MONITOR > monitor.txt; pg95 cache info.txt monitor.txt app.log
  pg95 cache --redis redis://cache:6379/0 --monitor-seconds 10
""",
)
@shared_options
@click.option(
    "--redis",
    "redis_url",
    metavar="URL",
    envvar="PG95_REDIS",
    help="Ask a Redis for INFO (needs pg95[redis]). Put no password here: use REDISCLI_AUTH.",
)
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

    facts = _Facts()
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
    conditions = {name.strip() for name in given["fail_on"].split(",")}
    failed = "target" in conditions and measured.verdict != "met"
    click.get_current_context().exit(CONDITION if failed else 0)


class _Facts:
    """What inputs and a live Redis tell of the cache."""

    def __init__(self) -> None:
        self.routes: list[CacheUse] = []
        self.prefixes: list[CacheUse] = []
        self.info: RedisInfo | None = None
        self.origins: list[str] = []
        self.warnings: list[str] = []
        self.any = False

    def take(self, name: str) -> bool:
        """Read an input if it is of a cache; False leaves it to the readers of query logs."""
        from analyzer.sources.redis.events import looks_like_events
        from analyzer.sources.redis.info import looks_like_info
        from analyzer.sources.redis.monitor import looks_like_monitor

        path = Path(name)
        if not path.is_file():
            return False
        try:
            with path.open("rb") as file:
                head = file.read(_HEAD_BYTES).decode("utf-8", "replace")
        except OSError as error:
            raise InputError(f"{name}: cannot be read ({error.strerror})") from error
        readers: tuple[tuple[Callable[[str], bool], Callable[[Path], None]], ...] = (
            (looks_like_monitor, self._monitor),
            (looks_like_info, self._info),
            (looks_like_events, self._events),
        )
        for looks_like, read in readers:
            if looks_like(head):
                read(path)
                self.origins.append(name)
                self.any = True
                return True
        return False

    def ask(self, url: str, seconds: float) -> None:
        """Ask a live Redis."""
        from analyzer.sources.redis.live import read_live
        from analyzer.sources.redis.monitor import read_monitor

        self.info, lines = read_live(url, seconds)
        self.origins.append(self.info.origin)
        self.prefixes += read_monitor(lines).by_prefix()
        self.any = True

    def _monitor(self, path: Path) -> None:
        from analyzer.sources.redis.monitor import read_monitor

        with path.open(encoding="utf-8", errors="replace") as lines:
            sample = read_monitor(lines)
        self.prefixes += sample.by_prefix()
        if sample.unread:
            self.warnings.append(f"{path}: {sample.unread} lines are none of MONITOR's")

    def _info(self, path: Path) -> None:
        from analyzer.sources.redis.info import read_info

        self.info = read_info(path.read_text(encoding="utf-8", errors="replace"), str(path))

    def _events(self, path: Path) -> None:
        from analyzer.sources.redis.events import read_events

        with path.open(encoding="utf-8", errors="replace") as lines:
            events = read_events(lines)
        self.routes += events.routes()
        if events.unread:
            self.warnings.append(f"{path}: {events.unread} lines are no cache events")


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

    found = candidates(result.workload, replay, given["hit_target"])
    return found, result.workload, stack_of, replay.seconds(), replay.left_out
