"""Names of new migrations: a time and what they do, behind those that exist."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from analyzer.errors import InputError
from analyzer.patterns import regex

_FORM = "%Y%m%d%H%M%S"
_STAMP = regex(r"\d{14}(?=_|\Z)")
_OTHER = regex(r"[^a-z0-9]+")
_LONGEST = 120  # characters of what it does: Prisma's table of migrations has room for 255 in all


class MigrationNames:
    """Gives names that sort behind all migrations there are, in order, a second apart.

    Prisma applies migrations in the order of their names.
    """

    def __init__(self, existing: Sequence[str], now: datetime) -> None:
        self._last = max(existing, default="")
        self._time = now
        stamp = _STAMP.match(self._last)
        if stamp:
            self._time = max(now, _after(stamp[0], self._last))

    def next(self, what: str) -> str:
        """The next name.

        Raises:
            InputError: a migration that exists sorts behind every time.
        """
        slug = _OTHER.sub("_", what.lower()).strip("_")[:_LONGEST].rstrip("_")
        name = f"{self._time.strftime(_FORM)}_{slug}"
        if name <= self._last:
            raise InputError(
                f"migrations/{self._last}: its name sorts behind {name}, and Prisma applies migrations in the order "
                "of their names. Give migrations names that begin with their time, as Prisma does."
            )
        self._time += timedelta(seconds=1)
        return name


def _after(stamp: str, name: str) -> datetime:
    """A second behind the time in a name, in UTC."""
    try:
        return datetime.strptime(f"{stamp}+0000", f"{_FORM}%z") + timedelta(seconds=1)
    except (ValueError, OverflowError) as error:
        raise InputError(f"migrations/{name}: its name begins with no time: {error}") from error
