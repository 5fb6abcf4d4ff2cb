"""What a run tells of a cache, for `pg95 cache` and `pg95 report`: facts of inputs and of a Redis, statements replayed."""

from typing import TYPE_CHECKING, Any

from analyzer.cli._sizes import size_in_bytes
from analyzer.errors import ServerError

if TYPE_CHECKING:
    from analyzer.cache.simulation import CacheReplay
    from analyzer.model.workload import Workload

HIT_TARGET = 0.8


class CacheAsked:
    """The cache's inputs, taken out of a command's; then what is known, with the workload's candidates.

    Args:
        given: the command's options; `inputs` here are those that are left for the readers of query logs.
        monitor_seconds: how long MONITOR is sampled on the Redis of --redis.
        optional: a Redis that cannot be asked is a warning, and no error.
    """

    def __init__(
        self, given: dict[str, Any], monitor_seconds: float = 0.0, *, optional: bool = False
    ) -> None:
        from analyzer.sources.redis.facts import CacheFacts

        self.target = given.get("hit_target", HIT_TARGET)
        self._memory = size_in_bytes(given.get("cache_memory"), "--cache-memory")
        self.facts = CacheFacts()
        self.inputs = [name for name in given["inputs"] if not self.facts.take(name)]
        if given["redis_url"]:
            try:
                self.facts.ask(given["redis_url"], monitor_seconds)
            except ServerError as error:
                if not optional:
                    raise
                self.facts.warnings.append(f"no facts of the cache: {error}")
        self._replay: CacheReplay | None = None

    def observer(self) -> "CacheReplay":
        """What has to be shown all executions of the run."""
        from analyzer.cache.simulation import CacheReplay

        self._replay = CacheReplay()
        return self._replay

    def document(self, workload: "Workload | None") -> dict[str, Any]:
        """The document of `pg95 cache`; without a workload that was observed it has no candidates."""
        from analyzer.advice.stacks import Stacks
        from analyzer.cache.candidates import candidates
        from analyzer.cache.document import cache_document
        from analyzer.cache.measure import measure

        facts, replay = self.facts, self._replay
        measured = measure(
            facts.routes, facts.prefixes, facts.info, self.target, ", ".join(facts.origins)
        )
        if workload is None or replay is None:
            return cache_document(
                measured, [], None, lambda _: None, seconds=0.0, left_out=0, warnings=facts.warnings
            )
        replay.finish()
        stacks = Stacks(workload)

        def stack_of(sql: str) -> str | None:
            known = stacks.of((sql,))
            return known[0].stack.name if known else None

        return cache_document(
            measured,
            candidates(workload, replay, self.target, self._memory),
            workload,
            stack_of,
            seconds=replay.seconds(),
            left_out=replay.left_out,
            warnings=facts.warnings,
        )
