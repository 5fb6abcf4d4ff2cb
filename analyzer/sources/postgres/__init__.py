"""A live PostgreSQL server: its counters, catalog and settings, read once and never written."""

from collections.abc import Sequence

from analyzer.model.coverage import SourceCoverage
from analyzer.model.recording import Recording
from analyzer.sources.postgres.catalog import read_catalog
from analyzer.sources.postgres.connection import connect, describe, dsn_has_password
from analyzer.sources.postgres.replicas import add_replicas, read_use
from analyzer.sources.postgres.settings import ServerSettings, read_settings
from analyzer.sources.postgres.statements import read_statements
from analyzer.sources.postgres.timeouts import read_timeouts

__all__ = ["ServerSettings", "connect", "dsn_has_password", "gather_server"]


def gather_server(
    dsn: str | None, recording: Recording, replicas: Sequence[str] = ()
) -> ServerSettings:
    """Read a server's counters and catalog into `recording`, in one read-only transaction.

    Appends a source (path `postgresql://user@host:port/database`, `entries` = rows of counters),
    adds to `recording.counters`, sets `recording.catalog`, `recording.timeouts` and, unless snapshots gave a window, `recording.use`,
    and puts what is missing for want of an extension or a privilege into the coverage's warnings.

    Args:
        dsn: a libpq URI or key=value string; None leaves all to libpq's PG* variables.
        recording: what is filled in.
        replicas: DSNs of its replicas, whose scans count with its own.

    Raises:
        ServerError: the server, or one of the replicas, cannot be reached or refuses; nothing is added then.
    """
    with connect(dsn) as connection:
        settings = read_settings(connection)
        source = len(recording.coverage.sources)
        reading = read_statements(connection, source)
        catalog = read_catalog(connection)
        warnings = [*reading.warnings, *catalog.warnings]
        use = read_use(connection, warnings)
        timeouts = read_timeouts(connection)
        path = describe(connection)
    if use is not None and replicas:
        use = add_replicas(dsn, use, replicas, warnings)
    recording.coverage.sources.append(
        SourceCoverage(
            path=path,
            format="pg_stat_statements",
            detected_by="connection",
            entries=len(reading.counters),
        )
    )
    recording.counters += reading.counters
    recording.catalog = catalog.catalog
    recording.timeouts = timeouts
    if use is not None and (recording.use is None or not recording.use.counted.between):
        recording.use = use
    recording.coverage.warnings += [f"{path}: {warning}" for warning in warnings]
    return settings
