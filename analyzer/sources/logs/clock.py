"""Timestamps of log entries: PostgreSQL's text to microseconds since the epoch, UTC.

A log carries the abbreviation of its `log_timezone` (CET, +03, UTC), which is not always unique.
Abbreviations mean what PostgreSQL's own default set says (src/timezone/tznames/Default), unless
the user's time zone uses the same letters; unknown ones are told once and read as the user's
time zone, or UTC.
"""

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta, timezone, tzinfo
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from analyzer.errors import UsageError
from analyzer.patterns import regex

MICROSECONDS = 1_000_000
_CACHED = 50_000  # timestamps and minutes remembered at a time; bounds the memory
_MAX_EPOCH_US = 253_402_300_800 * MICROSECONDS  # the year 10000

_TIMESTAMP = regex(r"(\d{4}-\d\d-\d\d)[ T](\d\d:\d\d):(\d\d)(?:[.,](\d{1,6}))?\d*\s?(\S{0,64})\s*")
_OFFSET = regex(r"<?(?:UTC|GMT)?([+-])(\d{1,2}):?(\d\d)?(?::?(\d\d))?>?")
_EPOCH = regex(r"(\d{9,11})(?:\.(\d{1,6}))?")

# Hours east of Greenwich.
_ABBREVIATIONS = {
    **dict.fromkeys(("", "UTC", "UCT", "GMT", "Z", "Zulu", "WET", "Etc/UTC"), 0.0),
    **dict.fromkeys(("CET", "MEZ", "BST", "WEST", "MET", "WAT"), 1.0),
    **dict.fromkeys(("CEST", "MESZ", "EET", "IST", "SAST", "CAT", "MEST"), 2.0),
    **dict.fromkeys(("EEST", "MSK", "EAT", "IDT", "TRT"), 3.0),
    **dict.fromkeys(("NST", "NFT"), -3.5),
    "NDT": -2.5,
    "PKT": 5.0,
    "WIB": 7.0,
    **dict.fromkeys(("HKT", "PHT", "SGT", "AWST", "WITA"), 8.0),
    **dict.fromkeys(("JST", "KST", "WIT"), 9.0),
    "ACST": 9.5,
    "AEST": 10.0,
    "ACDT": 10.5,
    "AEDT": 11.0,
    "NZST": 12.0,
    "NZDT": 13.0,
    **dict.fromkeys(("BRT", "ART", "ADT"), -3.0),
    **dict.fromkeys(("AST", "EDT"), -4.0),
    **dict.fromkeys(("EST", "CDT"), -5.0),
    **dict.fromkeys(("CST", "MDT"), -6.0),
    **dict.fromkeys(("MST", "PDT"), -7.0),
    **dict.fromkeys(("PST", "AKDT"), -8.0),
    "AKST": -9.0,
    "HST": -10.0,
}
_AMBIGUOUS = frozenset(("BST", "IST", "CST", "CDT", "AST", "NST"))


def zone_of(name: str) -> tzinfo:
    """The time zone of a name (Europe/Berlin) or an offset (+02:00).

    Raises:
        UsageError: there is no such zone.
    """
    offset = _OFFSET.fullmatch(name)
    if offset:
        return timezone(_offset(offset))
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise UsageError(
            f"no time zone is called {name!r}; use a name such as Europe/Berlin or +02:00"
        ) from error


def _offset(found: re.Match[str]) -> timedelta:
    sign, hours, minutes, seconds = found.groups()
    size = timedelta(hours=int(hours), minutes=int(minutes or 0), seconds=int(seconds or 0))
    size = min(size, timedelta(hours=23, minutes=59))
    return -size if sign == "-" else size


class Clock:
    """Reads timestamps of one input. `warn` is told, once each, about zones that are guessed."""

    __slots__ = ("_known", "_minutes", "_seconds", "_told", "_warn", "_zone")

    def __init__(self, timezone_name: str | None, warn: Callable[[str], None]) -> None:
        """A clock for logs whose zone is unclear: `timezone_name`, or UTC if None."""
        self._zone = zone_of(timezone_name) if timezone_name else None
        self._warn = warn
        self._told: set[str] = set()
        self._minutes: dict[str, int] = {}
        self._known: dict[str, int] = {}
        self._seconds: dict[str, int] = {}

    def read(self, text: str) -> int | None:
        """Microseconds since the epoch (UTC) of a timestamp; None if it is not one."""
        known = self._known.get(text)
        if known is not None:
            return known
        found = _TIMESTAMP.fullmatch(text)
        if not found:
            return self._epoch(text)
        day, minute, second, fraction, zone = found.groups()
        key = f"{day} {minute}{zone}"
        base = self._minutes.get(key)
        if base is None:
            base = self._minute(f"{day} {minute}", zone)
            if base is None:
                return None
            self._remember(self._minutes, key, base)
        at_us = base + int(second) * MICROSECONDS
        if fraction:
            at_us += int(fraction.ljust(6, "0"))
        self._remember(self._known, text, at_us)
        return at_us

    def moment(self, text: str) -> int | None:
        """As `read`, quicker where milliseconds follow the second, which is looked up.

        A dot at their place has three digits behind it.
        """
        if text[19:20] != ".":
            return self.read(text)
        second = text[:19] + text[23:]
        base_us = self._seconds.get(second)
        if base_us is None:
            base_us = self.read(second)
            if base_us is None:
                return None
            self._remember(self._seconds, second, base_us)
        return base_us + int(text[20:23]) * 1000

    @staticmethod
    def _remember(cache: dict[str, int], key: str, value: int) -> None:
        if len(cache) >= _CACHED:
            cache.clear()
        cache[key] = value

    @staticmethod
    def _epoch(text: str) -> int | None:
        found = _EPOCH.fullmatch(text)
        if not found:
            return None
        at_us = int(found[1]) * MICROSECONDS + int((found[2] or "").ljust(6, "0"))
        return at_us if at_us < _MAX_EPOCH_US else None

    def _minute(self, text: str, zone: str) -> int | None:
        try:
            naive = datetime.fromisoformat(text)
            aware = naive.replace(tzinfo=UTC) - self._east(naive, zone)
        except (ValueError, OverflowError):
            return None
        return round(aware.timestamp()) * MICROSECONDS

    def _east(self, naive: datetime, zone: str) -> timedelta:
        """How far east of Greenwich a wall clock with that zone is."""
        offset = _OFFSET.fullmatch(zone)
        if offset:
            return _offset(offset)
        if self._zone is not None:
            for fold in (0, 1):  # the hour that happens twice is told apart by its letters
                local = naive.replace(tzinfo=self._zone, fold=fold)
                if local.tzname() == zone or (not zone and fold == 0):
                    return local.utcoffset() or timedelta()
        if "/" in zone and zone not in _ABBREVIATIONS:
            try:
                return naive.replace(tzinfo=zone_of(zone)).utcoffset() or timedelta()
            except UsageError:
                return self._guess(naive, zone)
        hours = _ABBREVIATIONS.get(zone)
        if hours is None:
            return self._guess(naive, zone)
        if zone in _AMBIGUOUS:
            self._tell(zone, f"is ambiguous and was read as UTC{hours:+g} h")
        return timedelta(hours=hours)

    def _guess(self, naive: datetime, zone: str) -> timedelta:
        self._tell(zone, "is not known and was read as " + ("--tz" if self._zone else "UTC"))
        if self._zone is None:
            return timedelta()
        return naive.replace(tzinfo=self._zone).utcoffset() or timedelta()

    def _tell(self, zone: str, meaning: str) -> None:
        if zone not in self._told and len(self._told) < 8:  # noqa: PLR2004  # a few are enough
            self._told.add(zone)
            safe = zone.encode("unicode_escape").decode("ascii")[:40]
            self._warn(f"time zone {safe!r} {meaning}; --tz Area/City says which it is")
