"""Times as commands print them."""

from datetime import UTC, datetime


def iso(at_us: int | None) -> str | None:
    """A time in µs since 1970 as ISO 8601 in UTC, to the second."""
    if at_us is None:
        return None
    return f"{datetime.fromtimestamp(at_us / 1e6, UTC):%Y-%m-%dT%H:%M:%SZ}"
