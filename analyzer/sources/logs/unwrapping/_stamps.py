"""Times of outer records, written as log_line_prefix's %m would: the stderr reader knows that."""

from datetime import UTC, datetime, timedelta

from analyzer.patterns import regex
from analyzer.sources.logs.clock import zone_of

_ISO = regex(
    rb"(\d{4}-\d\d-\d\d)[T ](\d\d:\d\d:\d\d)(?:[.,](\d{1,9}))?(?: ?(Z|UTC|[+-]\d\d(?::?\d\d)?))?"
)
_BSD = regex(rb"([A-Z][a-z][a-z]) ([ \d]\d) (?:(\d{4}) )?(\d\d):(\d\d):(\d\d)(?:[.,](\d{1,9}))?")
_MONTHS = {
    name.encode(): number
    for number, name in enumerate(
        ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"), 1
    )
}
_CACHED = 8192
_YEARS_BACK = 5  # to the last 29 February, and beyond a century's without one
_LATEST_S = 253_402_300_800  # the year 10000
# Seconds since the epoch have fewer digits than this, milliseconds three more, and so on.
_SECONDS_DIGITS = 11
_LONGEST_EPOCH = 20


def iso_stamp(stamp: bytes) -> bytes | None:
    """An ISO 8601 time (2026-11-22T08:00:00.123456Z) as PostgreSQL's 2026-11-22 08:00:00.123 UTC.

    None if it is none. Without a zone there is none in what comes out either.
    """
    found = _ISO.fullmatch(stamp)
    if found is None:
        return None
    day, second, fraction, zone = found.groups()
    milliseconds = (fraction or b"").ljust(3, b"0")[:3]
    if zone is not None:  # PostgreSQL writes an offset without a colon
        zone = b" UTC" if zone.strip(b"+-Z0:") == b"" else b" " + zone.replace(b":", b"")
    return b"%s %s.%s%s" % (day, second, milliseconds, zone or b"")


def epoch_stamp(number: int) -> bytes | None:
    """Seconds, milliseconds, microseconds or nanoseconds since the epoch; which, its size tells."""
    unit = max(0, (len(str(abs(number))) - _SECONDS_DIGITS + 2) // 3)
    if unit > 3:  # noqa: PLR2004  # finer than nanoseconds: no clock
        return None
    seconds, rest = divmod(number, 1000**unit)
    if not 0 <= seconds < _LATEST_S:
        return None
    milliseconds = rest * 1000 // 1000**unit
    return (
        f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%d %H:%M:%S}.{milliseconds:03} UTC".encode()
    )


class Stamps:
    """Reads stamps: ISO 8601, epochs, or RFC 3164's, which have neither year nor zone.

    A stamp without a year is of the last twelve months. One without a zone stays without: the
    reader of the inner entries gives it the zone that the user told, or UTC.
    """

    def __init__(self, timezone: str | None, now: datetime | None) -> None:
        """`now` is the present; None is the clock's, in `timezone` (None: UTC)."""
        present = datetime.now(zone_of(timezone) if timezone else UTC) if now is None else now
        self._latest = present.replace(tzinfo=None) + timedelta(days=1)
        self._known: dict[bytes, bytes | None] = {}
        self.years: set[int] = set()

    def read(self, stamp: bytes) -> bytes | None:
        """The stamp as PostgreSQL writes times, None if it is none."""
        try:
            return self._known[stamp]
        except KeyError:
            pass
        if len(self._known) >= _CACHED:
            self._known.clear()
        if stamp.isdigit() and len(stamp) <= _LONGEST_EPOCH:
            read = epoch_stamp(int(stamp))
        else:
            read = iso_stamp(stamp) or self._bsd(stamp)
        self._known[stamp] = read
        return read

    def _bsd(self, stamp: bytes) -> bytes | None:
        found = _BSD.fullmatch(stamp)
        if found is None or found[1] not in _MONTHS:
            return None
        month, day = _MONTHS[found[1]], int(found[2])
        hour, minute, second = (int(part) for part in found.group(4, 5, 6))
        latest = self._latest.year
        years = [int(found[3])] if found[3] else range(latest, latest - _YEARS_BACK, -1)
        for year in years:
            try:
                time = datetime(year, month, day, hour, minute, second)  # noqa: DTZ001  # it has no zone
            except ValueError:
                continue
            if found[3] or time <= self._latest:
                if not found[3]:
                    self.years.add(year)
                milliseconds = (found[7] or b"").ljust(3, b"0")[:3]
                return f"{time:%Y-%m-%d %H:%M:%S}.".encode() + milliseconds
        return None
