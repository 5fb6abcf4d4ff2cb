"""The hit rate of a cache by the best source at hand, and its verdict against the target.

An application's own log is best: it knows routes, and only the application's reads. A sample of MONITOR
leaves out scripts. INFO counts every read of the instance, those of BullMQ's scripts as well: where these
share it, the figure is a mixture, and no verdict comes of it.
"""

from collections.abc import Sequence

from analyzer.model.cache import CacheMeasure, CacheUse, RedisInfo

_HOW = (
    "log a line for each read in the application (pg95 cache --snippet node-redis or ioredis), or take a "
    "sample: timeout 60 redis-cli MONITOR > monitor.txt"
)


def measure(
    routes: Sequence[CacheUse],
    prefixes: Sequence[CacheUse],
    info: RedisInfo | None,
    target: float,
    origin: str = "",
) -> CacheMeasure:
    """The measure, from what there is: routes of an application's log, prefixes of MONITOR, INFO."""
    if routes:
        note = "every read that the application logged"
        return _of_uses("endpoints", routes, target, origin, note)
    if prefixes:
        note = (
            "a sample; a read counts as a miss where its key was set within 5 s after. Frequent routes are not "
            "told apart: " + _HOW
        )
        if info is not None:
            note += f". {_info_says(info)}"
        return _of_uses("monitor", prefixes, target, origin, note)
    if info is not None and info.hits + info.misses:
        reads = info.hits + info.misses
        rate = info.hits / reads
        verdict = _verdict(rate, target) if info.shared is False else "unknown"
        return CacheMeasure(
            rate, reads, target, "info", verdict, (), f"{_info_says(info)}; {_HOW}", info.origin
        )
    return CacheMeasure(
        None, 0, target, "none", "unknown", (), f"nothing was given that tells it: {_HOW}"
    )


def _of_uses(
    method: str, uses: Sequence[CacheUse], target: float, origin: str, note: str
) -> CacheMeasure:
    reads, hits = sum(use.reads for use in uses), sum(use.hits for use in uses)
    rate = hits / reads if reads else None
    verdict = "unknown" if rate is None else _verdict(rate, target)
    return CacheMeasure(rate, reads, target, method, verdict, tuple(uses), note, origin)


def _verdict(rate: float, target: float) -> str:
    return "met" if rate > target else "missed"


def _info_says(info: RedisInfo) -> str:
    reads = info.hits + info.misses
    rate = f"{info.hits / reads:.1%}" if reads else "nothing"
    if info.shared is False:
        return f"INFO says {rate} for all reads of the instance"
    if info.shared is None:
        return (
            f"INFO says {rate} for all reads of the instance; whether BullMQ shares it, whose scripts' reads count as "
            "well, these sections do not tell (give the whole of INFO)"
        )
    return (
        f"INFO says {rate}, which is not the cache's: scripts (BullMQ's) read in the same instance, and their reads "
        "are counted with it"
    )
