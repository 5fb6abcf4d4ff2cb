"""What pg95 remembers from night to night: an SQLite file, or a schema of a PostgreSQL server.

    with open_store("/var/lib/pg95/history.db") as store, store.lock():
        with store.transaction() as night:
            known = night.positions("web")           # {file identity: JSON value}
            ...                                       # read what is new, analyse
            night.add_hours(hours)                    # model.history.HourFigures
            run = night.add_run(Run(...))             # its number
            seen = night.update_findings(document, run, at_us)   # [Seen]: new, ongoing, gone …
            night.add_snapshot(snapshot)              # model.snapshot.Snapshot
            night.set_positions("web", positions)
            night.retain(now_us)
        store.vacuum()

What a transaction wrote is there when it ended well, and nothing of it else: positions and figures
can never disagree. A transaction holds off other writers, so read first and write at the end where
that takes long. `store.reading()` gives a `Reader` (`night` is one too): `trend`, `window`, `named`,
`findings`, `runs`, `sightings`, `latest_snapshot`, `positions`. All errors are StoreError.

`findings.py` says what is new, ongoing and gone, `changes.py` what got slower: both work on
documents and figures, without a store. A store holds normalised SQL and no value of the team's
data. Statements are told by shape, and everything that has to survive a deploy hangs on lineage.

Only this room knows SQLAlchemy and Alembic; they are imported when a store is opened.
"""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from analyzer.history.store import Store


def open_store(where: str | None = None, *, make: bool = True) -> "Store":
    """Open a history, and make it or bring it up to date where needed.

    Args:
        where: a path, postgresql://…, or None for the user's own (a file in the data folder of the
            platform).
        make: whether to make one that is not there; else that is an error.

    Raises:
        StoreError: it cannot be opened, is no history, or a newer pg95 wrote it.
    """
    from analyzer.history.opening import default_path  # noqa: PLC0415 - few commands pay for SQLAlchemy
    from analyzer.history.store import Store  # noqa: PLC0415 - as above

    return Store(where if where is not None else str(default_path()), make=make)
