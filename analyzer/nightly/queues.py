"""What a night asks Redis: jobs of queues since the last one, and the cache's figures.

A Redis that is down costs its own part; the night goes on.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from analyzer.errors import ServerError
from analyzer.nightly.redis_settings import RedisPlace
from analyzer.sources.redis.facts import CacheFacts

if TYPE_CHECKING:
    from analyzer.model.job import JobAttempt
    from analyzer.model.recording import Recording
    from analyzer.nightly.looking import Tell


def add_jobs(
    recording: "Recording", places: Sequence[RedisPlace], since_us: int | None, tell: "Tell"
) -> None:
    """Put the jobs of all queues into the recording: those that something happened to since the last night.

    `since_us` (µs since 1970, UTC) is when that began, None without one: then all that Redis holds.

    Raises:
        UsageError: redis-py is not installed, or a URL is not where the configuration says.
    """
    for place in places:
        if not place.jobs:
            continue
        from analyzer.sources.redis.bullmq import read_queues  # noqa: PLC0415 - an extra

        tell(f"redis {place.name}: reading jobs of queues")
        try:
            found = read_queues(place.address(), place.queues, place.prefix)
        except ServerError as error:
            recording.coverage.warnings.append(f"redis {place.name}: no jobs of queues: {error}")
            continue
        recording.jobs += [one for one in found.attempts if _is_new(one, since_us)]
        recording.coverage.warnings += [f"redis {place.name}: {one}" for one in found.warnings]


def cache_facts(places: Sequence[RedisPlace]) -> CacheFacts:
    """INFO of the first Redis that is a cache and answers; what failed is a warning there."""
    facts = CacheFacts()
    for place in places:
        if place.cache and facts.info is None:
            try:
                facts.ask(place.address(), 0.0)
            except ServerError as error:
                facts.warnings.append(f"redis {place.name}: nothing of its cache: {error}")
    return facts


def add_cache(document: dict[str, Any], facts: CacheFacts, target: float) -> None:
    """Fill in `cache`, where anything tells of one."""
    from analyzer.promises import hit_rate  # noqa: PLC0415 - few nights have a cache
    from analyzer.report.values import clean  # noqa: PLC0415 - as above

    document["coverage"]["warnings"] += facts.warnings
    rate = hit_rate(facts, target)
    if rate is not None:
        document["cache"] = clean({"hit_rate": rate, "simulated": None, "candidates": []})


def _is_new(attempt: "JobAttempt", since_us: int | None) -> bool:
    """Whether anything happened to it since then; what still waits or runs is of every night."""
    moments = [
        us for us in (attempt.ready_us, attempt.started_us, attempt.ended_us) if us is not None
    ]
    if since_us is None or not moments or attempt.ended_us is None:
        return True
    return max(moments) >= since_us
