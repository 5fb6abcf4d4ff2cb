"""Keeping a store small: of old days the hours go, and what is over its age goes whole.

A day of one statement has coarser buckets than its hours had; the figures over all statements, which
the target is about, keep theirs.
"""

from dataclasses import replace
from typing import Any

import sqlalchemy as sa

from analyzer.history import tables
from analyzer.history.hours import starts_with_hours
from analyzer.history.rows import figures_of, row_of
from analyzer.model.history import DAY_HOURS, HOUR_US
from analyzer.records import record

DAY_STEPS = 16  # buckets an octave: the middle is at most 2.2 % off
_DAY_US = DAY_HOURS * HOUR_US


@record
class Retention:
    """After how many days hours become days, and days, snapshots, runs and findings that are gone go."""

    hours_days: int = 14
    days: int = 400
    snapshots_days: int = 90
    runs_days: int = 800


def retain(connection: sa.Connection, now_us: int, retention: Retention) -> None:
    """Bring a store to what `retention` says, seen from a time."""
    today = now_us // _DAY_US
    _fold(connection, (today - retention.hours_days) * DAY_HOURS)
    hours = tables.statement_hour
    old = hours.c.start_hour < (today - retention.days) * DAY_HOURS
    connection.execute(sa.delete(hours).where(old))
    _drop_snapshots(connection, now_us - retention.snapshots_days * _DAY_US)
    _drop_runs(connection, now_us - retention.runs_days * _DAY_US)
    used = sa.exists().where(hours.c.statement == tables.statement.c.id)
    connection.execute(sa.delete(tables.statement).where(~used))


def _fold(connection: sa.Connection, before_hour: int) -> None:
    """Leave only the day of each day that ended before an hour, with coarser buckets."""
    table = tables.statement_hour
    for start in starts_with_hours(connection, before_hour):
        day = (table.c.start_hour >= start) & (table.c.start_hour < start + DAY_HOURS)
        connection.execute(sa.delete(table).where(day, table.c.hours < DAY_HOURS))
        rows = connection.execute(sa.select(table).where(table.c.start_hour == start)).all()
        connection.execute(sa.delete(table).where(table.c.start_hour == start))
        connection.execute(sa.insert(table), [_coarser(row) for row in rows])


def _coarser(row: sa.Row[Any]) -> dict[str, Any]:
    figures = figures_of(row)
    if row.statement != tables.EVERYTHING and figures.histogram.steps > DAY_STEPS:
        figures = replace(figures, histogram=figures.histogram.coarser(DAY_STEPS))
    return row_of((row.start_hour, row.hours, row.statement, row.client), figures)


def _drop_snapshots(connection: sa.Connection, before_us: int) -> None:
    """Old snapshots, and texts that none of the others has; the newest of each server stays."""
    table, newer = tables.snapshot, tables.snapshot.alias()
    later = sa.exists().where(newer.c.server == table.c.server, newer.c.taken_us > table.c.taken_us)
    connection.execute(sa.delete(table).where(table.c.taken_us < before_us, later))
    oldest = sa.select(sa.func.min(table.c.taken_us)).scalar_subquery()
    texts = tables.snapshot_text
    connection.execute(sa.delete(texts).where(texts.c.seen_us < oldest))


def _drop_runs(connection: sa.Connection, before_us: int) -> None:
    run, sighting, finding = tables.run, tables.sighting, tables.finding
    old = sa.select(run.c.id).where(run.c.made_us < before_us)
    connection.execute(sa.delete(sighting).where(sighting.c.run.in_(old)))
    connection.execute(sa.delete(run).where(run.c.made_us < before_us))
    connection.execute(sa.delete(finding).where(finding.c.gone_us < before_us))
