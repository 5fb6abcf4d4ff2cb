"""Executions that are not the team's work, beside those that are."""

from analyzer.model.columns import Column, Rows
from analyzer.model.work import Asides


def asides_of(columns: dict[str, Column], others: Rows, place: Rows) -> Asides:
    """The rows that are not the team's work, and how many of those that are stand before each."""
    return Asides(
        place=place,
        session=columns["session"][others],
        start_us=columns["start_us"][others],
        end_us=columns["end_us"][others],
        statement=columns["statement"][others],
        key=columns["key"][others],
        boundary=columns["boundary"][others],
    )
