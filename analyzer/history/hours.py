"""Rows of statement_hour: which of them stand for a time, and how those of a night get in.

A day that has hours has a row of the whole day beside them, so that what asks for days reads a
twentieth. When a day is over its age its hours go, and the row of the day stays. So a row of a day is
either all that there is of it, or says the same as its hours: never both are added up.
"""

from collections.abc import Iterable, Sequence
from typing import Any

import sqlalchemy as sa

from analyzer.history import tables
from analyzer.model.history import DAY_HOURS, HOUR_US

Row = sa.Row[Any]
_AT_ONCE = 500  # values in one IN list


def between(
    connection: sa.Connection, from_us: int, to_us: int | None, statements: Sequence[int] | None
) -> list[Row]:
    """The fewest rows that stand for [from_us, to_us): of whole days, and hours at both ends.

    A day that has no hours counts where it begins.
    """
    start = from_us // HOUR_US
    first = -(-start // DAY_HOURS) * DAY_HOURS
    if to_us is None:
        return [
            *singles(connection, start, first, statements),
            *_days(connection, first, None, statements),
        ]
    end = -(-to_us // HOUR_US)
    last = end // DAY_HOURS * DAY_HOURS
    if first >= last:
        return singles(connection, start, end, statements)
    return [
        *singles(connection, start, first, statements),
        *_days(connection, first, last, statements),
        *singles(connection, last, end, statements),
    ]


def fewest(connection: sa.Connection, from_us: int, to_us: int) -> tuple[list[Row], list[Row]]:
    """Rows of [from_us, to_us), and rows that are to be taken away from them: fewer than `between` has.

    Most of a day is the day without its other hours: a night from three to three o'clock is a day
    and twice three hours instead of 24 hours.
    """
    start, end = from_us // HOUR_US, -(-to_us // HOUR_US)
    first, last = -(-start // DAY_HOURS) * DAY_HOURS, end // DAY_HOURS * DAY_HOURS
    if first > last:
        return _within_day(connection, start, end)
    rows, less = _days(connection, first, last, None), []
    for begin, until in ((start, first), (last, end)):
        more, taken = _within_day(connection, begin, until)
        rows += more
        less += taken
    return rows, less


def _within_day(connection: sa.Connection, start: int, end: int) -> tuple[list[Row], list[Row]]:
    """`fewest` of hours of one day."""
    day = start // DAY_HOURS * DAY_HOURS
    if end - start <= DAY_HOURS // 2 or not _has_hours(connection, day):
        return singles(connection, start, end, None), []
    after = day + DAY_HOURS
    others = [*singles(connection, day, start, None), *singles(connection, end, after, None)]
    return _days(connection, day, after, None), others


def singles(
    connection: sa.Connection, start: int, end: int | None, statements: Sequence[int] | None
) -> list[Row]:
    """Rows of hours from `start` on and before `end`, and of days of which there are no hours."""
    if end is not None and start >= end:
        return []
    table = tables.statement_hour
    query = sa.select(table).where(table.c.start_hour >= start)
    if end is not None:
        query = query.where(table.c.start_hour < end)
    rows = _of(query, statements, connection)
    with_hours = {row.start_hour // DAY_HOURS for row in rows if row.hours < DAY_HOURS}
    days = {row.start_hour // DAY_HOURS for row in rows} - with_hours
    with_hours |= {day for day in days if _has_hours(connection, day * DAY_HOURS)}
    return [
        row
        for row in rows
        if row.hours < DAY_HOURS or row.start_hour // DAY_HOURS not in with_hours
    ]


def days_of(starts: Iterable[int]) -> set[int]:
    """The hours at which the days begin that some hours are in."""
    return {start // DAY_HOURS * DAY_HOURS for start in starts}


def _days(
    connection: sa.Connection, first: int, end: int | None, statements: Sequence[int] | None
) -> list[Row]:
    """Rows of days from `first` on and before `end`."""
    table = tables.statement_hour
    days = sa.select(table).where(table.c.hours == DAY_HOURS)
    if end is None or statements is not None:  # found by the index of statements
        query = days.where(table.c.start_hour >= first)
        return _of(
            query if end is None else query.where(table.c.start_hour < end), statements, connection
        )
    starts = range(first, end, DAY_HOURS)  # each by the primary key, past the hours beside it
    rows: list[Row] = []
    for at in range(0, len(starts), _AT_ONCE):
        some = days.where(table.c.start_hour.in_(list(starts[at : at + _AT_ONCE])))
        rows += connection.execute(some).all()
    return rows


def _of(
    query: "sa.Select[Any]", statements: Sequence[int] | None, connection: sa.Connection
) -> list[Row]:
    if statements is not None:
        query = query.where(tables.statement_hour.c.statement.in_(statements))
    return list(connection.execute(query).all())


def _has_hours(connection: sa.Connection, start: int) -> bool:
    table = tables.statement_hour
    day = (table.c.start_hour >= start) & (table.c.start_hour < start + DAY_HOURS)
    found = sa.select(sa.literal(1)).where(day, table.c.hours < DAY_HOURS).limit(1)
    return connection.scalar(found) is not None


def starts_with_hours(connection: sa.Connection, before: int) -> list[int]:
    """The days (by their first hour) before an hour that still have hours.

    From one start to the next, each found by the primary key: the rows between are not read.
    """
    table = tables.statement_hour
    steps = sa.select(sa.func.min(table.c.start_hour).label("start")).cte("steps", recursive=True)
    following = (
        sa.select(sa.func.min(table.c.start_hour))
        .where(table.c.start_hour > steps.c.start)
        .correlate(steps)
        .scalar_subquery()
    )
    steps = steps.union_all(sa.select(following).where(steps.c.start < before))
    single = sa.exists().where(table.c.start_hour == steps.c.start, table.c.hours < DAY_HOURS)
    found = connection.scalars(sa.select(steps.c.start).where(steps.c.start < before, single))
    return sorted(days_of(found))
