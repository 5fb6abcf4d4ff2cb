"""Redis INFO: hits and misses of the whole instance, as text."""

import re

from analyzer.errors import InputError
from analyzer.model.cache import RedisInfo
from analyzer.patterns import regex

_FIELD = regex(r"^([a-z_0-9]+):(.*?)\r?$", re.MULTILINE)


def looks_like_info(head: str) -> bool:
    """Whether a text begins as INFO's answer does."""
    return bool(re.match(r"\s*# (?:Server|Stats|Clients|Memory)\b", head))


def read_info(text: str, origin: str, *, shared: bool | None = None) -> RedisInfo:
    """The counters of INFO.

    Args:
        text: the answer, or its section Stats.
        origin: what to call it.
        shared: whether BullMQ is known to share the instance; None leaves it to what INFO says of scripts.

    Raises:
        InputError: it has no keyspace_hits.
    """
    fields = dict(_FIELD.findall(text))
    try:
        hits, misses = int(fields["keyspace_hits"]), int(fields["keyspace_misses"])
    except (KeyError, ValueError) as error:
        raise InputError(
            f"{origin}: no keyspace_hits and keyspace_misses in it. Give the whole of `redis-cli INFO`, or "
            "`redis-cli INFO stats`."
        ) from error
    if shared is None:
        shared = _runs_scripts(fields)
    return RedisInfo(hits, misses, origin, shared)


def _runs_scripts(fields: dict[str, str]) -> bool | None:
    """Whether the instance runs scripts, as BullMQ does; None where the sections given do not tell."""
    if "cmdstat_evalsha" in fields or "cmdstat_eval" in fields:
        return True
    scripts = fields.get("number_of_cached_scripts")
    return None if scripts is None else scripts != "0"
