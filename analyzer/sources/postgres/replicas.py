"""How a server and its replicas use tables and indexes together: each counts its own scans alone."""

from collections.abc import Sequence
from dataclasses import replace

from analyzer.errors import ServerError
from analyzer.model.snapshot import IndexUse, TableUse
from analyzer.model.use import Use
from analyzer.sources.postgres.connection import Connection, connect, describe
from analyzer.sources.postgres.use import UseReader


def read_use(connection: Connection, warnings: list[str]) -> Use | None:
    """The use of the connected database's tables and indexes, None where the server does not tell."""
    reader = UseReader(connection, warnings)
    counted = reader.counted()
    if counted is None:
        return None
    if not counted.counting:
        warnings.append("track_counts is off: how tables and indexes are used is not counted")
        return None
    sizes = reader.sizes()
    return Use(
        counted,
        {row.name: row for row in reader.tables(sizes)},
        {(row.table, row.name): row for row in reader.indexes(sizes)},
    )


def add_replicas(dsn: str | None, use: Use, replicas: Sequence[str], warnings: list[str]) -> Use:
    """The use with the scans of replicas added; it is counted from when the last of all of them began.

    Args:
        dsn: the server that they are replicas of.
        use: its own use.
        replicas: their DSNs.
        warnings: what could not be read goes there.

    Raises:
        ServerError: one cannot be reached, or holds other data than the server.
    """
    with connect(dsn) as connection:
        identifier = UseReader(connection, warnings).system_identifier()
        database = connection.info.dbname
    for replica in replicas:
        with connect(replica) as connection:
            reader = UseReader(connection, warnings)
            address = describe(connection)
            other = reader.system_identifier()
            copies = other == identifier and connection.info.dbname == database
            if identifier is None or not copies:
                raise ServerError(
                    f"--replica {address}: is no copy of database {database} of the server of --dsn (its "
                    f"system identifier is {other}, not {identifier}): name a streaming replica of it, "
                    "and the same database"
                )
            found = read_use(connection, warnings)
            if found is not None and not found.counted.in_recovery:
                raise ServerError(
                    f"--replica {address}: is no replica (it is not in recovery); if it is the server of "
                    "--dsn, its scans are counted already"
                )
        if found is not None:
            use = _together(use, found, address)
    return use


def _together(use: Use, replica: Use, address: str) -> Use:
    mine, theirs = use.counted, replica.counted
    begun = [us for us in (_begun(use), _begun(replica)) if us is not None]
    counted = replace(
        mine,
        from_us=max(begun, default=None),
        to_us=min(mine.to_us, theirs.to_us),
        replicas_read=(*mine.replicas_read, address),
    )
    return Use(
        counted,
        {name: _tables(row, replica.tables.get(name)) for name, row in use.tables.items()},
        {key: _indexes(row, replica.indexes.get(key)) for key, row in use.indexes.items()},
    )


def _begun(use: Use) -> int | None:
    """From when a server counts; a replica whose counters were never reset counts since it began at least."""
    return use.counted.from_us if use.counted.from_us is not None else use.counted.started_us


def _tables(row: TableUse, other: TableUse | None) -> TableUse:
    if other is None:
        return row
    return replace(
        row,
        seq_scans=row.seq_scans + other.seq_scans,
        seq_rows=row.seq_rows + other.seq_rows,
        index_scans=row.index_scans + other.index_scans,
        index_rows=row.index_rows + other.index_rows,
    )


def _indexes(row: IndexUse, other: IndexUse | None) -> IndexUse:
    if other is None:
        return row
    last = [us for us in (row.last_scan_us, other.last_scan_us) if us is not None]
    return replace(
        row,
        scans=row.scans + other.scans,
        rows_read=row.rows_read + other.rows_read,
        rows_fetched=row.rows_fetched + other.rows_fetched,
        last_scan_us=max(last, default=None),
    )
