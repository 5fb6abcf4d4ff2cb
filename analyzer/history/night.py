"""What one run writes into a store, in one transaction: all of it, or nothing."""

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict
from typing import Any

import sqlalchemy as sa

from analyzer.history import tables
from analyzer.history.findings import GONE, current, judge, remembered
from analyzer.history.reading import Reader
from analyzer.history.retention import Retention, retain
from analyzer.history.rows import (
    HourKey,
    as_json,
    figures_of,
    row_of,
    run_row,
    statement_row,
    storable,
)
from analyzer.history.snapshots import encode, texts_of
from analyzer.model.history import (
    DAY_HOURS,
    HOUR_US,
    Alert,
    Figures,
    HourFigures,
    KnownFinding,
    Run,
    Seen,
    StatementName,
)
from analyzer.model.snapshot import Snapshot

_AT_ONCE = 500


class Night(Reader):
    """Reads and writes within one transaction; what it wrote it sees."""

    def set_positions(self, log_set: str, states: Mapping[str, Any]) -> None:
        """Replace all reading positions of a set of logs; states are JSON values."""
        table = tables.position
        self._connection.execute(sa.delete(table).where(table.c.log_set == log_set))
        self._insert(
            table,
            [
                {"log_set": log_set, "file": file, "state": as_json(state)}
                for file, state in states.items()
            ],
        )

    def add_hours(self, rows: Iterable[HourFigures]) -> None:
        """Add figures to what is there of the same hours and days: executions that no run brought before."""
        found = list(rows)
        numbers = self._numbers(
            {one.statement.shape_id: one.statement for one in found if one.statement is not None}
        )
        parts: dict[HourKey, list[Figures]] = {}
        for one in found:
            number = numbers[one.statement.shape_id] if one.statement else tables.EVERYTHING
            start, client = one.start_us // HOUR_US, int(one.figures.client)
            parts.setdefault((start, one.hours, number, client), []).append(one.figures)
            if one.hours < DAY_HOURS:
                day = start // DAY_HOURS * DAY_HOURS
                parts.setdefault((day, DAY_HOURS, number, client), []).append(one.figures)
        self._take_present(parts)
        ordered = sorted(parts)  # as the table has them: each row comes behind the last
        self._insert(tables.statement_hour, [_row(key, parts[key]) for key in ordered])

    def _take_present(self, parts: dict[HourKey, list[Figures]]) -> None:
        """Take the rows that are there already out of the store, and to the parts of their keys."""
        table, taken = tables.statement_hour, []
        for hour in sorted({key[0] for key in parts}):
            query = sa.select(table).where(table.c.start_hour == hour)
            for row in self._connection.execute(query):
                key = (row.start_hour, row.hours, row.statement, row.client)
                if key in parts:
                    parts[key].append(figures_of(row))
                    taken.append(dict(zip(("a", "b", "c", "d"), key, strict=True)))
        if taken:
            names = zip(table.primary_key.columns, ("a", "b", "c", "d"), strict=True)
            condition = sa.and_(*(column == sa.bindparam(name) for column, name in names))
            self._connection.execute(sa.delete(table).where(condition), taken)

    def _numbers(self, named: Mapping[str, StatementName]) -> dict[str, int]:
        """The number of each statement by its shape_id; new ones are added."""
        known = self._known_numbers(list(named))
        new = [one for shape, one in sorted(named.items()) if shape not in known]
        self._insert(tables.statement, [statement_row(one) for one in new])
        return known | self._known_numbers([one.shape_id for one in new])

    def _known_numbers(self, shapes: Sequence[str]) -> dict[str, int]:
        table = tables.statement
        found: dict[str, int] = {}
        for at in range(0, len(shapes), _AT_ONCE):
            some = shapes[at : at + _AT_ONCE]
            query = sa.select(table.c.shape_id, table.c.id).where(table.c.shape_id.in_(some))
            found |= {row.shape_id: row.id for row in self._connection.execute(query)}
        return found

    def add_run(self, run: Run) -> int:
        """Store a run; gives its number."""
        made = self._connection.execute(sa.insert(tables.run).values(run_row(run)))
        assert made.inserted_primary_key is not None  # noqa: S101 - an insert of one row has one
        return int(made.inserted_primary_key[0])

    def update_findings(self, document: Mapping[str, Any], run: int, at_us: int) -> Sequence[Seen]:
        """Note what became of all findings in a run whose window ended at `at_us`.

        `document` is the run's report.json. Gives each finding's status, and those newly gone.
        """
        seen = judge(self.findings(), document)
        kept = list(remembered(seen, document, at_us))
        gone = {one.key for one in seen if one.status == GONE}
        self._replace_findings(kept)
        self._insert(
            tables.sighting,
            [_sighting(one, run) for one in current(document) if one["key"] not in gone],
        )
        return seen

    def _replace_findings(self, kept: Sequence[KnownFinding]) -> None:
        table = tables.finding
        if kept:
            condition = table.c.key == sa.bindparam("old")
            self._connection.execute(
                sa.delete(table).where(condition), [{"old": one.key} for one in kept]
            )
        self._insert(
            table,
            [
                asdict(one) | {"title": storable(one.title), "facts": as_json(dict(one.facts))}
                for one in kept
            ],
        )

    def add_snapshot(self, snapshot: Snapshot) -> None:
        """Store a snapshot; its statement texts lose their literals, and are stored once."""
        texts = texts_of(snapshot)
        digests = {text: _digest(text) for text in texts.values()}
        known = self._text_numbers(digests.values())
        table = tables.snapshot_text
        if known:
            seen = sa.update(table).where(table.c.id == sa.bindparam("number"))
            numbers = [{"number": number} for number in known.values()]
            self._connection.execute(seen.values(seen_us=snapshot.taken_us), numbers)
        self._insert(
            table,
            [
                {"digest": digest, "sql": text, "seen_us": snapshot.taken_us}
                for text, digest in digests.items()
                if digest not in known
            ],
        )
        known = self._text_numbers(digests.values())
        numbered = {query: known[digests[text]] for query, text in texts.items()}
        row = {
            "server": snapshot.server.address,
            "taken_us": snapshot.taken_us,
            "content": encode(snapshot, numbered),
        }
        self._insert(tables.snapshot, [row])

    def _text_numbers(self, digests: Iterable[str]) -> dict[str, int]:
        table, wanted = tables.snapshot_text, list(digests)
        found: dict[str, int] = {}
        for at in range(0, len(wanted), _AT_ONCE):
            some = wanted[at : at + _AT_ONCE]
            query = sa.select(table.c.digest, table.c.id).where(table.c.digest.in_(some))
            found |= {row.digest: row.id for row in self._connection.execute(query)}
        return found

    def add_alerts(self, alerts: Sequence[Alert]) -> None:
        """Store what is to be sent once this transaction has ended well."""
        rows = [
            {"made_us": one.made_us, "channel": one.channel, "message": as_json(dict(one.message))}
            for one in alerts
        ]
        self._insert(tables.alert, rows)

    def drop_alert(self, number: int) -> None:
        """An alert was sent, or is too old to be."""
        table = tables.alert
        self._connection.execute(sa.delete(table).where(table.c.id == number))

    def retain(self, now_us: int, retention: Retention | None = None) -> None:
        """Make days of hours, and drop what is over its age (`Store.vacuum` then frees the space)."""
        retain(self._connection, now_us, retention or Retention())

    def _insert(self, table: sa.Table, rows: Sequence[Mapping[str, Any]]) -> None:
        if rows:
            self._connection.execute(sa.insert(table), rows)


def _sighting(finding: Mapping[str, Any], run: int) -> dict[str, Any]:
    """What a finding weighed in one run."""
    evidence, impact = finding["evidence"], finding["impact"]
    return {
        "finding": finding["key"],
        "run": run,
        "severity": finding["severity"],
        "occurrences": evidence.get("occurrences"),
        "executions": evidence.get("executions"),
        "total_ms": impact["total_ms"],
        "saving_ms": impact["saving_ms"],
    }


def _row(key: HourKey, parts: Sequence[Figures]) -> dict[str, Any]:
    made = Figures.merged(parts)
    assert made is not None  # noqa: S101 - a key is there because of its figures
    return row_of(key, made)


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:32]
