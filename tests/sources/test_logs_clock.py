"""Time zones by name, abbreviation and offset; nothing aborts, guesses are told once."""

from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analyzer.errors import UsageError
from analyzer.sources.logs.clock import Clock


def us(text: str) -> int:
    """Microseconds of an ISO 8601 time."""
    return round(datetime.fromisoformat(text).astimezone(UTC).timestamp() * 1_000_000)


@pytest.mark.parametrize(
    ("text", "iso"),
    [
        ("2026-11-22 08:45:20.123 UTC", "2026-11-22T08:45:20.123+00:00"),
        ("2026-11-22 08:45:20 GMT", "2026-11-22T08:45:20+00:00"),
        ("2020-03-11 20:40:43 CET", "2020-03-11T19:40:43+00:00"),
        ("2020-07-11 20:40:43 CEST", "2020-07-11T18:40:43+00:00"),
        ("2026-11-22 08:45:20.001 +03", "2026-11-22T05:45:20.001+00:00"),
        ("2026-11-22 08:45:20.001 -0330", "2026-11-22T12:15:20.001+00:00"),
        ("2026-11-22 08:45:20.001 <+0530>", "2026-11-22T03:15:20.001+00:00"),
        ("2026-11-22 08:45:20.001 EST", "2026-11-22T13:45:20.001+00:00"),
        ("2026-11-22 08:45:20.001 America/New_York", "2026-11-22T13:45:20.001+00:00"),
        ("2026-11-22T08:45:20.5Z", "2026-11-22T08:45:20.5+00:00"),
        ("1795337120.123", "2026-11-22T08:45:20.123+00:00"),
    ],
)
def test_timestamps_are_read_to_utc(text: str, iso: str) -> None:
    told: list[str] = []
    assert Clock(None, told.append).read(text) == us(iso)
    assert told == []


@pytest.mark.parametrize("text", ["", "yesterday", "2026-13-22 08:45:20.123 UTC", "2026-11-22"])
def test_what_is_no_timestamp_is_none(text: str) -> None:
    assert Clock(None, lambda _: None).read(text) is None


def test_an_unknown_zone_is_told_once_and_read_as_utc() -> None:
    told: list[str] = []
    clock = Clock(None, told.append)
    assert clock.read("2026-11-22 08:45:20.000 XYZT") == us("2026-11-22T08:45:20+00:00")
    clock.read("2026-11-22 09:46:20.000 XYZT")
    assert len(told) == 1
    assert "--tz" in told[0]


def test_the_users_zone_decides_ambiguous_and_unknown_letters() -> None:
    told: list[str] = []
    assert Clock("Asia/Shanghai", told.append).read("2026-11-22 08:00:00 CST") == us(
        "2026-11-22T00:00:00+00:00"
    )
    assert told == []
    assert Clock(None, told.append).read("2026-11-22 08:00:00 CST") == us(
        "2026-11-22T14:00:00+00:00"
    )
    assert len(told) == 1
    zone = Clock("Europe/Berlin", told.append)
    assert zone.read("2026-11-22 08:00:00 QQQ") == us("2026-11-22T07:00:00+00:00")
    assert zone.read("2026-11-22 08:00:00") == us("2026-11-22T07:00:00+00:00")


def test_the_hour_that_happens_twice_is_told_apart_by_its_letters() -> None:
    clock = Clock("Europe/Berlin", lambda _: None)
    assert clock.read("2026-10-25 02:30:00 CEST") == us("2026-10-25T00:30:00+00:00")
    assert clock.read("2026-10-25 02:30:00 CET") == us("2026-10-25T01:30:00+00:00")


def test_a_zone_that_does_not_exist_is_a_usage_error() -> None:
    with pytest.raises(UsageError, match="Europe/Berlin"):
        Clock("Mars/Olympus", lambda _: None)


@settings(max_examples=100, deadline=None)
@given(st.text(max_size=60) | st.from_regex(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{3} .{0,9}"))
def test_no_text_aborts_the_clock(text: str) -> None:
    for zone in (None, "Europe/Berlin", "+02:00"):
        found = Clock(zone, lambda _: None).read(text)
        assert found is None or isinstance(found, int)
