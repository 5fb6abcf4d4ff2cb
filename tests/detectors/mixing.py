"""Mixes captured slices of several programs into one log, as a busy server would have written them.

No test itself; conftest.py lets the tests import it from beside them.
"""

import csv
import io
import random
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path

_AT, _PROCESS, _HOST, _SESSION, _LINE, _SESSION_START = 0, 3, 4, 5, 6, 8  # csvlog's columns
_FORM = "%Y-%m-%d %H:%M:%S.%f %Z"
_BEGIN = datetime(2026, 11, 22, 8, 0, 0)  # noqa: DTZ001 - the captures' zone is written as it is
_CONNECTION = ("connection received", "connection authorized", "disconnection")


@dataclass(frozen=True)
class _Row:
    """A log record: when, by which connection, and what it says."""

    at: datetime
    session: str
    fields: tuple[str, ...]


def _read(path: Path) -> list[_Row]:
    rows = []
    with path.open(newline="", encoding="utf-8") as file:
        for fields in csv.reader(file):
            at = datetime.strptime(fields[_AT], _FORM)  # noqa: DTZ007 - as above
            rows.append(_Row(at, fields[_SESSION], tuple(fields)))
    return rows


def _moved(rows: Sequence[_Row], to: datetime) -> list[_Row]:
    by = to - rows[0].at
    return [replace(row, at=row.at + by) for row in rows]


def side_by_side(paths: Sequence[Path], chance: random.Random, seconds: float) -> str:
    """A csvlog in which each slice has connections of its own and begins at a random time."""
    mixed = []
    for number, path in enumerate(paths):
        start = _BEGIN + timedelta(seconds=round(chance.uniform(0, seconds), 3))
        mixed += [
            replace(row, session=f"{number}.{row.session}") for row in _moved(_read(path), start)
        ]
    return _written(mixed)


def in_turns(paths: Sequence[Path], chance: random.Random, connections: int) -> str:
    """A csvlog in which slices follow each other on a few connections, after random short pauses.

    A slice that used several connections at once keeps them apart.
    """
    free = [_BEGIN] * connections
    mixed = []
    for path in chance.sample(list(paths), len(paths)):
        rows = [row for row in _read(path) if not _is_about_connection(row)]
        place = min(range(connections), key=free.__getitem__)
        pause = chance.choice((0.3, 2, 30, 400)) * chance.uniform(0.5, 1.5)
        rows = _moved(rows, free[place] + timedelta(milliseconds=round(pause)))
        names = list(dict.fromkeys(row.session for row in rows))
        mixed += [replace(row, session=f"{place}.{names.index(row.session)}") for row in rows]
        free[place] = rows[-1].at
    return _written(mixed)


def _is_about_connection(row: _Row) -> bool:
    return row.fields[13].startswith(_CONNECTION)


def _written(rows: list[_Row]) -> str:
    """The rows in the order of time, with names and numbers of sessions as a server gives them."""
    rows.sort(key=lambda row: row.at)
    names: dict[str, int] = {}
    lines: dict[str, int] = {}
    target = io.StringIO()
    writer = csv.writer(target, lineterminator="\n")
    for row in rows:
        process = names.setdefault(row.session, 4000 + len(names))
        lines[row.session] = lines.get(row.session, 0) + 1
        fields = list(row.fields)
        fields[_AT] = row.at.strftime("%Y-%m-%d %H:%M:%S.%f")[:-3] + " UTC"
        fields[_PROCESS], fields[_SESSION] = str(process), f"6b02ad61.{process:x}"
        fields[_HOST] = f"127.0.0.1:{30_000 + process}"
        fields[_LINE] = str(lines[row.session])
        writer.writerow(fields)
    return target.getvalue()
