"""A connection to Redis: what it is called in messages, and what a refusal means."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import parse_qs, urlsplit

from analyzer.errors import ServerError, UsageError


def has_password(url: str) -> bool:
    """Whether a URL holds a password, before the host or in its query.

    Raises:
        UsageError: it is no URL.
    """
    try:
        parts = urlsplit(url)
        return bool(parts.password or parse_qs(parts.query).get("password"))
    except ValueError as error:
        raise UsageError("--redis: no URL of a Redis, give redis://user@host:6379/0") from error


@contextmanager
def connected(url: str, timeout_s: float = 10.0) -> Iterator[Any]:
    """A client of the Redis at `url`, closed at the end; a password comes from REDISCLI_AUTH.

    Raises:
        ServerError: Redis cannot be reached or refuses a command; the message says what to allow.
        UsageError: redis-py is not installed, or the URL is none.
    """
    try:
        import redis  # noqa: PLC0415 - an extra that few need
    except ImportError as error:
        raise UsageError("--redis needs redis-py: pip install 'pg95[redis]'") from error
    known = {"password": os.environ["REDISCLI_AUTH"]} if "REDISCLI_AUTH" in os.environ else {}
    try:
        client: Any = redis.Redis.from_url(
            url,
            retry=redis.retry.Retry(
                redis.backoff.NoBackoff(), 0
            ),  # else a dead host costs a minute
            decode_responses=True,
            encoding_errors="replace",
            socket_timeout=timeout_s,
            socket_connect_timeout=10,
            client_name="pg95",
            **known,
        )
    except ValueError as error:
        raise UsageError("--redis: no URL of a Redis, give redis://host:6379/0") from error
    try:
        yield client
    except (redis.RedisError, OSError) as error:
        raise ServerError(f"Redis at {place_of(client)}: {_said(error)}") from None
    finally:
        client.close()


def place_of(client: Any) -> str:  # noqa: ANN401 - redis-py is imported late
    """Where a client is connected to, without user and password."""
    known = client.connection_pool.connection_kwargs
    if "path" in known:
        return f"unix://{known['path']}?db={known.get('db') or 0}"
    return (
        f"redis://{known.get('host', 'localhost')}:{known.get('port', 6379)}/{known.get('db', 0)}"
    )


def _said(error: Exception) -> str:
    """What went wrong, with what helps where it is a matter of rights."""
    import redis  # noqa: PLC0415 - as connected

    text = f"{type(error).__name__}: {error}"
    if isinstance(error, redis.exceptions.NoPermissionError):
        return (
            f"{text}. Let the user read (it needs no more): ACL SETUSER pg95 ~bull:* +ping +hello +info +scan "
            "+hmget +zrevrange +zcard +lrange +llen +xrevrange +client|setname"
        )
    if isinstance(error, redis.exceptions.AuthenticationError):
        return f"{text}. Set REDISCLI_AUTH to the password (and name the user in the URL)"
    return text
