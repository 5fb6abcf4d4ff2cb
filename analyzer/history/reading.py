"""What a store tells: trends, statements, findings, runs, snapshots, reading positions."""

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import sqlalchemy as sa

from analyzer.errors import StoreError
from analyzer.history import hours, tables
from analyzer.history.rows import run_of, statement_of
from analyzer.history.snapshots import decode, numbers_in
from analyzer.history.sums import sums_by_group
from analyzer.model.history import (
    DAY_HOURS,
    HOUR_US,
    Alert,
    Figures,
    KnownFinding,
    Run,
    StatementName,
    TrendPoint,
)
from analyzer.model.snapshot import Snapshot

_AT_ONCE = 500  # values in one IN list
_ALL = 0  # the group of all statements together; lineages have the numbers behind it


class Reader:
    """Questions to a store, within one transaction."""

    def __init__(self, connection: sa.Connection) -> None:
        self._connection = connection

    # --- figures over time

    def trend(
        self,
        statements: Iterable[int] | None = None,
        from_us: int = 0,
        to_us: int | None = None,
        step_hours: int = DAY_HOURS,
    ) -> list[TrendPoint]:
        """Figures by day of UTC (or by `step_hours`) of some statements together, oldest first.

        `statements` are their numbers (`named`), None is everything. They are on the server's clock
        if it timed anything of them in that time, else on the client's. What retention made days of
        cannot be had by the hour: such a point spans its day.
        """
        chosen = (tables.EVERYTHING,) if statements is None else tuple(statements)
        if step_hours < DAY_HOURS:
            end = None if to_us is None else -(-to_us // HOUR_US)
            rows = hours.singles(self._connection, from_us // HOUR_US, end, chosen)
        else:
            rows = hours.between(self._connection, from_us, to_us, chosen)
        steps = [max(step_hours, row.hours) for row in rows]
        spans = [
            (row.start_hour // step * step, step) for row, step in zip(rows, steps, strict=True)
        ]
        ordered = sorted(set(spans))
        numbers = {span: number for number, span in enumerate(ordered)}
        sums = sums_by_group(rows, [numbers[span] for span in spans])
        client = all(client for _, client in sums)
        return [
            TrendPoint(start * HOUR_US, (start + step) * HOUR_US, sums[number, client])
            for number, (start, step) in enumerate(ordered)
            if (number, client) in sums
        ]

    def window(
        self, from_us: int, to_us: int
    ) -> tuple[Figures | None, dict[str, tuple[StatementName, Figures]]]:
        """Figures of whole hours in [from_us, to_us): over all, and by lineage.

        Each on the clock that saw more of it.
        """
        return self._everything(from_us, to_us), self._lineages(from_us, to_us)

    def _everything(self, from_us: int, to_us: int) -> Figures | None:
        """`window` over all. By single hours, few as they are: a day's histogram is a coarser one."""
        rows = hours.between(self._connection, from_us, to_us, [tables.EVERYTHING])
        sums = sums_by_group(rows, [0] * len(rows))
        return max(sums.values(), key=lambda one: one.calls, default=None)  # a tie: the server's

    def _lineages(self, from_us: int, to_us: int) -> dict[str, tuple[StatementName, Figures]]:
        """`window` by lineage."""
        rows, less = hours.fewest(self._connection, from_us, to_us)
        names = self.names(sorted({row.statement for row in rows} - {tables.EVERYTHING}))
        lineages: dict[str, StatementName] = {}
        for name in names.values():
            lineages.setdefault(name.lineage, name)
        numbers = {lineage: number for number, lineage in enumerate(sorted(lineages), start=1)}
        group_of = {number: numbers[name.lineage] for number, name in names.items()}
        group_of[tables.EVERYTHING] = _ALL
        sums = sums_by_group(rows, [group_of[row.statement] for row in rows])
        taken = sums_by_group(less, [group_of[row.statement] for row in less])
        busier: dict[int, Figures] = {}
        for key, whole in sums.items():  # the server's clock first: a tie is the server's
            figures = whole.without(taken[key]) if key in taken else whole
            known = busier.get(key[0])
            if figures is not None and (known is None or figures.calls > known.calls):
                busier[key[0]] = figures
        return {
            lineage: (lineages[lineage], busier[number])
            for lineage, number in numbers.items()
            if number in busier
        }

    # --- statements

    def names(self, numbers: Iterable[int]) -> dict[int, StatementName]:
        """Statements by their numbers."""
        table = tables.statement
        found: dict[int, StatementName] = {}
        for some in _pieces(list(numbers)):
            query = sa.select(table).where(table.c.id.in_(some))
            found |= {row.id: statement_of(row) for row in self._connection.execute(query)}
        return found

    def of_lineage(self, lineage: str) -> list[int]:
        """The numbers of a lineage's statements; none where the history has none."""
        table = tables.statement
        query = sa.select(table.c.id).where(table.c.lineage == lineage).order_by(table.c.id)
        return list(self._connection.scalars(query))

    def named(self, text: str) -> dict[int, StatementName]:
        """The statements that a shape_id, lineage or fingerprint (or its beginning) names.

        All of one lineage, so that a trend goes on after a deploy.

        Raises:
            StoreError: there is none, or they are of several lineages.
        """
        table = tables.statement
        columns = (table.c.shape_id, table.c.lineage, table.c.fingerprint)
        exact = sa.or_(*(column == text for column in columns))
        begins = sa.or_(*(column.startswith(text, autoescape=True) for column in columns))
        for condition in (exact, begins):
            query = sa.select(table.c.lineage).where(condition).distinct().limit(6)
            lineages = list(self._connection.scalars(query))
            if len(lineages) > 1:
                raise StoreError(
                    f"{text} names several statements in the history: {', '.join(sorted(lineages))}"
                )
            if lineages:
                mine = sa.select(table).where(table.c.lineage == lineages[0])
                return {row.id: statement_of(row) for row in self._connection.execute(mine)}
        raise StoreError(
            f"the history has no statement {text}: give a shape_id, lineage or fingerprint, as report.json and the report show them"
        )

    # --- findings and runs

    def findings(self) -> dict[str, KnownFinding]:
        """All that was ever found, by key."""
        rows = self._connection.execute(sa.select(tables.finding).order_by(tables.finding.c.key))
        return {
            row.key: KnownFinding(**dict(row._mapping) | {"facts": json.loads(row.facts)})  # noqa: SLF001 - SQLAlchemy's public name
            for row in rows
        }

    def runs(self, from_us: int = 0) -> list[Run]:
        """The runs that were stored from a time on, oldest first."""
        table = tables.run
        query = sa.select(table).where(table.c.made_us >= from_us).order_by(table.c.id)
        return [run_of(row) for row in self._connection.execute(query)]

    def overlapping(self, from_us: int, to_us: int) -> Run | None:
        """A stored run whose window shares more than an instant with [from_us, to_us]."""
        table = tables.run
        query = sa.select(table).where(table.c.from_us < to_us, table.c.to_us > from_us).limit(1)
        row = self._connection.execute(query).first()
        return None if row is None else run_of(row)

    def sightings(self, key: str) -> list[tuple[Run, Mapping[str, Any]]]:
        """The runs that had a finding, oldest first, each with what it weighed then."""
        table, run = tables.sighting, tables.run
        query = (
            sa.select(run, *(column.label(f"s_{column.name}") for column in table.c))
            .join(table, table.c.run == run.c.id)
            .where(table.c.finding == key)
            .order_by(run.c.id)
        )
        names = ("severity", "occurrences", "executions", "total_ms", "saving_ms")
        return [
            (run_of(row), {name: getattr(row, f"s_{name}") for name in names})
            for row in self._connection.execute(query)
        ]

    def found_between(self, from_us: int, to_us: int) -> set[str]:
        """The keys of the findings of all runs whose window ended in (from_us, to_us]."""
        table, run = tables.sighting, tables.run
        query = (
            sa.select(table.c.finding)
            .join(run, table.c.run == run.c.id)
            .where(run.c.to_us > from_us, run.c.to_us <= to_us)
        )
        return set(self._connection.scalars(query.distinct()))

    # --- snapshots and positions

    def latest_snapshot(self, server: str, before_us: int | None = None) -> Snapshot | None:
        """The newest snapshot of a server (ServerIdentity.address), taken before a time if one is given."""
        table = tables.snapshot
        query = sa.select(table.c.content).where(table.c.server == server)
        if before_us is not None:
            query = query.where(table.c.taken_us < before_us)
        newest = query.order_by(table.c.taken_us.desc(), table.c.id.desc()).limit(1)
        content = self._connection.scalar(newest)
        if content is None:
            return None
        texts = self._texts(numbers_in(content))
        return decode(content, texts.__getitem__)

    def snapshot_times(self, server: str) -> list[int]:
        """When snapshots of a server were taken (µs since 1970, UTC), oldest first."""
        table = tables.snapshot
        query = sa.select(table.c.taken_us).where(table.c.server == server)
        return list(self._connection.scalars(query.order_by(table.c.taken_us)))

    def _texts(self, numbers: Sequence[int]) -> dict[int, str]:
        table = tables.snapshot_text
        found: dict[int, str] = {}
        for some in _pieces(sorted(set(numbers))):
            query = sa.select(table.c.id, table.c.sql).where(table.c.id.in_(some))
            found |= {row.id: row.sql for row in self._connection.execute(query)}
        return found

    def alerts(self) -> list[Alert]:
        """Alerts that were not sent yet, oldest first."""
        table = tables.alert
        rows = self._connection.execute(sa.select(table).order_by(table.c.id))
        return [Alert(row.channel, row.made_us, json.loads(row.message), row.id) for row in rows]

    def positions(self, log_set: str) -> dict[str, Any]:
        """How far each file of a set of logs was read: JSON values by the file's identity."""
        table = tables.position
        query = sa.select(table.c.file, table.c.state).where(table.c.log_set == log_set)
        return {row.file: json.loads(row.state) for row in self._connection.execute(query)}


def _pieces(values: Sequence[Any]) -> Iterable[Sequence[Any]]:
    return (values[at : at + _AT_ONCE] for at in range(0, len(values), _AT_ONCE))
