"""A log that grows, rotates and is compressed while it is read, and the entries it is made of."""

import csv
import gzip
import io
import json
import random
import shutil
from datetime import UTC, datetime, timedelta
from pathlib import Path

FORMATS = ("stderr", "csvlog", "jsonlog")
STARTED = datetime(2026, 1, 1, tzinfo=UTC)


def seeded(seed: str | int) -> random.Random:
    """Chance that is the same in every run."""
    return random.Random(seed)  # noqa: S311 - no secret


def written(form: str, seed: int, count: int) -> bytes:
    """A log of so many entries."""
    return b"".join(entries(form, seeded(seed), count))


def entries(
    form: str, chance: random.Random, count: int, first: int = 0, backends: int = 6
) -> list[bytes]:
    """So many entries of some backends, as PostgreSQL writes them in one go.

    Statements in one piece or over several lines, with parameters, logged with their duration or
    before it (log_statement and log_duration), and errors. `first` numbers the first entry.
    """
    waiting: set[int] = set()
    made = []
    for number in range(first, first + count):
        at = STARTED + timedelta(milliseconds=137 * number)
        process = chance.randrange(100, 100 + backends)
        duration = f"duration: {chance.uniform(0.01, 400):.3f} ms"
        kind, detail, statement, severity = chance.random(), "", "", "LOG"
        text = chance.choice(
            (
                f"SELECT * FROM t{chance.randrange(9)} WHERE id = {number}",
                f"SELECT a,\n       'two\n\nlines, \"quoted\"' FROM t{chance.randrange(9)}",
                f"INSERT INTO t VALUES ({number}, E'x\\n')",
            )
        )
        if process in waiting and kind < 0.7:
            waiting.discard(process)
            message = duration
        elif kind < 0.15:
            waiting.add(process)
            message = f"statement: {text}"
        elif kind < 0.5:
            message = f"{duration}  execute s: SELECT b FROM t{chance.randrange(9)} WHERE id = $1"
            detail = f"parameters: $1 = '{number}'"
        elif kind < 0.6:
            message, severity, statement = 'relation "x" does not exist', "ERROR", text
        else:
            message = f"{duration}  statement: {text}"
        made.append(_entry(form, at, process, severity, message, detail, statement, number + 1))
    return made


def _entry(
    form: str,
    at: datetime,
    process: int,
    severity: str,
    message: str,
    detail: str,
    statement: str,
    line: int,
) -> bytes:
    time = f"{at:%Y-%m-%d %H:%M:%S}.{at.microsecond // 1000:03} UTC"
    session = f"6956{process:04x}.{process:x}"
    if form == "stderr":
        told = [(severity, message), ("DETAIL", detail), ("STATEMENT", statement)]
        written = (
            f"{time} [{process}] {session} u@d " + f"{name}:  {text}".replace("\n", "\n\t") + "\n"
            for name, text in told
            if text
        )
        return "".join(written).encode()
    if form == "csvlog":
        record = [time, "u", "d", str(process), "127.0.0.1:1", session, str(line), "SELECT"]
        record += [time, "1/1", "0", severity, "00000", message, detail, "", "", "", ""]
        record += [statement, "", "", "app", "client backend", "", "0"]
        text = io.StringIO()
        csv.writer(text, lineterminator="\n").writerow(record)
        return text.getvalue().encode()
    fields = {
        "timestamp": time,
        "user": "u",
        "dbname": "d",
        "pid": process,
        "session_id": session,
        "line_num": line,
        "error_severity": severity,
        "message": message,
    }
    fields |= {"detail": detail} if detail else {}
    fields |= {"statement": statement} if statement else {}
    return json.dumps(fields, separators=(",", ":")).encode() + b"\n"


class GrowingLog:
    """`app.log` of a folder, which grows by bits of entries and is rotated between them."""

    def __init__(self, folder: Path, form: str, chance: random.Random) -> None:
        self.path = folder / "app.log"
        self._form = form
        self._chance = chance
        self._number = 0
        self._rest = b""  # of an entry that is written in pieces

    def step(self) -> None:
        """Grow; sometimes rotate, in one of logrotate's ways."""
        self.grow(self._chance.randrange(1, 40), torn=True)
        if self._chance.random() < 0.4:
            self.rotate()

    def grow(self, count: int, *, torn: bool) -> None:
        """Write so many entries more; if `torn`, of the last one maybe only a part."""
        made = entries(self._form, self._chance, count, self._number)
        self._number += count
        data = self._rest + b"".join(made)
        keep = self._chance.randrange(len(made[-1]) + 1) if torn else 0
        self._rest = data[len(data) - keep :]
        with self.path.open("ab") as file:
            file.write(data[: len(data) - keep])

    def rotate(self) -> None:
        """Rename or copy and truncate it; older ones are compressed."""
        with self.path.open("ab") as file:  # a file gets whole entries, as the server closes it
            file.write(self._rest)
        self._rest = b""
        self.shift()
        first = self.path.with_name("app.log.1")
        if self._chance.random() < 0.4:
            shutil.copy(self.path, first)
            self.path.open("wb").close()
        else:
            self.path.rename(first)
            if self._chance.random() < 0.5:
                self.path.touch()

    def shift(self) -> None:
        """Rename app.log.1 and its like, and compress what is plain."""
        rotated = {int(one.name.split(".")[2]) for one in self.path.parent.glob("app.log.*")}
        for number in sorted(rotated, reverse=True):
            for ending in ("", ".gz"):
                old = self.path.with_name(f"app.log.{number}{ending}")
                if not old.exists():
                    continue
                new = self.path.with_name(f"app.log.{number + 1}{ending}")
                old.rename(new)
                if not ending and self._chance.random() < 0.7:
                    packed = gzip.compress(new.read_bytes(), mtime=0)
                    new.with_name(new.name + ".gz").write_bytes(packed)
                    new.unlink()

    def finish(self) -> None:
        """Write what is missing of the last entry."""
        with self.path.open("ab") as file:
            file.write(self._rest)
        self._rest = b""
