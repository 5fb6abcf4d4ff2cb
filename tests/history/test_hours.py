"""Days beside their hours: whatever time is asked for, every execution of it counts once."""

import random
from collections.abc import Callable

import numpy as np
import pytest
import sqlalchemy as sa
from kept import MIDNIGHT_US, figures, hour, named

from analyzer.history import hours, open_store, tables
from analyzer.history.opening import open_engine
from analyzer.history.store import Store
from analyzer.model.columns import Floats
from analyzer.model.history import DAY_HOURS, HOUR_US, Figures, HourFigures

DAY_US = DAY_HOURS * HOUR_US
Draw = Callable[[int], Floats]
FOLDED = 5  # days whose hours are gone


@pytest.fixture
def calls(store: Store, draw: Draw) -> dict[int, int]:
    """Calls by hour (since MIDNIGHT) of a statement that runs in some hours of nine days."""
    chance, known = random.Random(95), {}  # noqa: S311 - drawn from a seed
    one = named("aa")
    for place in sorted(chance.sample(range(9 * DAY_HOURS), 60)):
        known[place] = chance.randint(1, 40)
    with store.transaction() as night:
        for place, count in known.items():
            values = draw(count)
            night.add_hours([hour(place, values, one), hour(place, values, one, client=True)])
        night.retain(MIDNIGHT_US + (FOLDED + 14) * DAY_US)
    return known


def expected(calls: dict[int, int], start: int, end: int) -> int:
    """What [start, end) has; a day without hours counts where it begins."""
    return sum(
        count
        for place, count in calls.items()
        if start <= (place // DAY_HOURS * DAY_HOURS if place < FOLDED * DAY_HOURS else place) < end
    )


def test_every_window_has_its_executions_once(store: Store, calls: dict[int, int]) -> None:
    chance = random.Random(7)  # noqa: S311 - drawn from a seed
    with store.reading() as reader:
        for _ in range(150):
            start, end = sorted(chance.sample(range(-5, 10 * DAY_HOURS), 2))
            from_us, to_us = (MIDNIGHT_US + at * HOUR_US for at in (start, end))
            _, statements = reader.window(from_us, to_us)
            found = sum(one.calls for _, one in statements.values())
            assert found == expected(calls, start, end), (start, end)
            points = reader.trend([1], from_us, to_us)
            assert sum(point.figures.calls for point in points) == found
            by_hour = reader.trend([1], from_us, to_us, step_hours=1)
            assert sum(point.figures.calls for point in by_hour) == found
            assert all(one.to_us - one.from_us == HOUR_US for one in by_hour if _young(one.from_us))
        assert sum(p.figures.calls for p in reader.trend([1], MIDNIGHT_US)) == sum(calls.values())


def test_a_window_has_the_figures_of_its_hours(store: Store, draw: Draw) -> None:
    """Although most of a day is read as the day without its other hours."""
    by_day, by_night = named("aa", "day"), named("bb", "night")
    values = {place: draw(3 + place % 50) for place in range(4 * DAY_HOURS)}
    with store.transaction() as night:
        night.add_hours(hour(n, some, by_day) for n, some in values.items())
        night.add_hours(hour(n, some, by_night) for n, some in values.items() if n % DAY_HOURS < 3)
        night.add_hours(hour(n, some, None) for n, some in values.items())
    ends = [(3, 27), (3, 51), (5, 20), (1, 24), (0, 23), (4, 22), (30, 33), (20, 90), (27, 99)]
    for start, end in ends:
        with store.reading() as reader:
            window = MIDNIGHT_US + start * HOUR_US, MIDNIGHT_US + end * HOUR_US
            everything, statements = reader.window(*window)
        within = [some for place, some in values.items() if start <= place < end]
        at_night = [values[n] for n in values if start <= n < end and n % DAY_HOURS < 3]
        found = {"day": within, "night": at_night} if at_night else {"day": within}
        assert set(statements) == set(found)
        for lineage, some in found.items():
            _same(statements[lineage][1], some)
        assert everything is not None
        _same(everything, within)


def _same(found: Figures, values: list[Floats]) -> None:
    whole = figures(np.concatenate(values))
    assert found.histogram == whole.histogram
    assert (found.calls, found.samples) == (whole.calls, whole.samples)
    assert found.total_ms == pytest.approx(whole.total_ms)
    assert found.squares == pytest.approx(whole.squares)
    assert found.quantile(0.95) == whole.quantile(0.95)


def _young(at_us: int) -> bool:
    return at_us >= MIDNIGHT_US + FOLDED * DAY_US


def test_whole_days_are_read_as_days(store: Store, draw: Draw) -> None:
    with store.transaction() as night:
        night.add_hours(hour(place, draw(5), named("aa")) for place in range(4 * DAY_HOURS))
    with store.reading() as reader, store._engine.connect() as connection:
        assert len(reader.trend([1])) == 4
        rows = hours.between(connection, MIDNIGHT_US - HOUR_US, MIDNIGHT_US + 3 * DAY_US, None)
        assert [row.hours for row in rows] == [DAY_HOURS] * 3
        rows = hours.between(
            connection, MIDNIGHT_US + 22 * HOUR_US, MIDNIGHT_US + DAY_US + 3 * HOUR_US, None
        )
        assert [row.hours for row in rows] == [1] * 5


def test_a_day_that_is_written_as_such_has_no_hours(store: Store, draw: Draw) -> None:
    values = draw(50)
    made = HourFigures(named("aa"), MIDNIGHT_US, figures(values), DAY_HOURS)
    with store.transaction() as night:
        night.add_hours([made])
        assert [point.figures.calls for point in night.trend([1], step_hours=1)] == [50]


def test_days_are_added_to_a_store_that_has_hours_alone(where: str, draw: Draw) -> None:
    """As pg95 wrote them before it wrote days beside."""
    one = named("aa")
    values = [draw(30) for _ in range(3 * DAY_HOURS)]
    with open_store(where) as store, store.transaction() as night:
        night.add_hours(hour(n, some, who) for n, some in enumerate(values) for who in (one, None))
        night.retain(MIDNIGHT_US + 15 * DAY_US)
    table = tables.statement_hour
    engine = open_engine(where)
    with engine.begin() as connection:
        first = table.c.start_hour < MIDNIGHT_US // HOUR_US + DAY_HOURS
        days = _rows(connection)
        connection.execute(sa.delete(table).where(table.c.hours == DAY_HOURS, ~first))
        connection.execute(sa.text("UPDATE alembic_version SET version_num = '0002'"))
    engine.dispose()
    engine = open_engine(where)  # brings it up to date
    with engine.connect() as connection:
        assert _rows(connection) == days
    engine.dispose()


def _rows(connection: sa.Connection) -> dict[tuple[int, ...], tuple[object, ...]]:
    table = tables.statement_hour
    return {
        (row.start_hour, row.hours, row.statement): (row.calls, row.max_ms, bytes(row.histogram))
        for row in connection.execute(sa.select(table))
    }


def test_days_add_up_whatever_comes_when(store: Store, draw: Draw) -> None:
    one, values = named("aa"), [draw(40) for _ in range(30)]
    order = list(range(30))
    random.Random(3).shuffle(order)  # noqa: S311 - drawn from a seed
    with store.transaction() as night:
        for place in order:
            night.add_hours([hour(place % 24, values[place], one)])
        (day,) = night.trend([1])
    whole = Figures.merged(figures(some) for some in values)
    assert whole is not None
    assert day.figures.histogram == whole.histogram
    assert day.figures.calls == 30 * 40
