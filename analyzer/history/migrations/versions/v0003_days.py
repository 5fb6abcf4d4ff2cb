"""Beside the hours of a day stands a row of the whole day; it used to come when its hours went."""

import sqlalchemy as sa
from alembic import op

from analyzer.history import tables
from analyzer.history.hours import starts_with_hours
from analyzer.history.rows import figures_of, row_of
from analyzer.model.history import DAY_HOURS, Figures

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    """Add up the hours that there are."""
    connection, table = op.get_bind(), tables.statement_hour
    last = connection.scalar(sa.select(sa.func.max(table.c.start_hour)))
    for start in [] if last is None else starts_with_hours(connection, last + 1):
        parts: dict[tuple[int, int], list[Figures]] = {}
        day = (table.c.start_hour >= start) & (table.c.start_hour < start + DAY_HOURS)
        for row in connection.execute(sa.select(table).where(day)).all():
            parts.setdefault((row.statement, row.client), []).append(figures_of(row))
        made = [
            row_of((start, DAY_HOURS, number, client), figures)
            for (number, client), some in parts.items()
            if (figures := Figures.merged(some)) is not None
        ]
        connection.execute(sa.insert(table), made)
