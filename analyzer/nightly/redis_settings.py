"""What pg95.toml says of Redis: where it is, whose jobs are read there, and whether it is the cache."""

from collections.abc import Sequence
from pathlib import Path

from analyzer.configuration import Table
from analyzer.nightly.named_secrets import Secret, read_secret
from analyzer.records import record
from analyzer.sources.redis.connection import has_password


@record
class RedisPlace:
    """A `[[redis]]`: its URL, or where that is where it holds a password.

    `jobs`: BullMQ's queues there are read (all, or those of `queues`). `cache`: its INFO tells the hit rate.
    """

    name: str
    url: str | None
    secret: Secret | None
    queues: Sequence[str]
    prefix: str
    jobs: bool
    cache: bool

    def address(self) -> str:
        """The URL, which may hold a password.

        Raises:
            UsageError: it is not where the configuration says.
        """
        return self.secret.read() if self.secret is not None else self.url or ""


def read_redis(table: Table, folder: Path) -> RedisPlace:
    """One `[[redis]]`; paths are relative to `folder`."""
    name, url = table.text("name"), table.text("url", None)
    place = RedisPlace(
        name=name,
        url=url,
        secret=read_secret(table, "url", folder, f"the URL of redis {name}"),
        queues=table.texts("queues"),
        prefix=table.text("prefix", "bull"),
        jobs=table.flag("jobs", default=True),
        cache=table.flag("cache", default=True),
    )
    table.end()
    if (place.url is None) == (place.secret is None):
        table.refuse("url", "is missing or given twice: give url, url_env or url_file")
    if url is not None and has_password(url):
        table.refuse("url", "has a password in it; give url_env or url_file, or set REDISCLI_AUTH")
    if not (place.jobs or place.cache):
        table.refuse("jobs", "and cache are both off: there is nothing to ask it for")
    return place
