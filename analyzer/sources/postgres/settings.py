"""The server's settings that say what its logs can show, and how they are written."""

from dataclasses import dataclass

from analyzer.model.sampling import LoggingSettings
from analyzer.sources.postgres.connection import Connection
from analyzer.sources.postgres.sqlfiles import query


@dataclass(frozen=True, slots=True)
class ServerSettings:
    """Settings as the server has them; None where it does not know the setting or hides it.

    `version` is server_version_num (150018 = 15.18). Milliseconds: 0 logs everything, -1 nothing.
    Rates are 0..1. `time_zone` is the server's default for sessions, `log_time_zone` the one that
    its log is written in.
    """

    version: int
    log_min_duration_statement_ms: float | None = None
    log_min_duration_sample_ms: float | None = None
    log_statement_sample_rate: float | None = None
    log_transaction_sample_rate: float | None = None
    log_duration: bool | None = None
    log_statement: str | None = None
    log_line_prefix: str | None = None
    log_destination: str | None = None
    log_time_zone: str | None = None
    time_zone: str | None = None
    compute_query_id: str | None = None
    track_io_timing: bool | None = None
    shared_preload_libraries: str | None = None

    @property
    def logged(self) -> LoggingSettings:
        """What the server logs of its statements."""
        return LoggingSettings(
            self.log_min_duration_statement_ms,
            self.log_min_duration_sample_ms,
            self.log_statement_sample_rate,
            self.log_transaction_sample_rate,
        )


def read_settings(connection: Connection) -> ServerSettings:
    """Read the settings that this role may see."""
    found: dict[str, str] = {}
    for name, setting in connection.execute(query("settings").encode()):
        found[str(name)] = str(setting)
    return ServerSettings(
        version=int(found["server_version_num"]),
        log_min_duration_statement_ms=_number(found.get("log_min_duration_statement")),
        log_min_duration_sample_ms=_number(found.get("log_min_duration_sample")),
        log_statement_sample_rate=_number(found.get("log_statement_sample_rate")),
        log_transaction_sample_rate=_number(found.get("log_transaction_sample_rate")),
        log_duration=_switch(found.get("log_duration")),
        log_statement=found.get("log_statement"),
        log_line_prefix=found.get("log_line_prefix"),
        log_destination=found.get("log_destination"),
        log_time_zone=found.get("log_timezone"),
        time_zone=found.get("TimeZone"),
        compute_query_id=found.get("compute_query_id"),
        track_io_timing=_switch(found.get("track_io_timing")),
        shared_preload_libraries=found.get("shared_preload_libraries"),
    )


def _number(setting: str | None) -> float | None:
    return None if setting is None else float(setting)


def _switch(setting: str | None) -> bool | None:
    return None if setting is None else setting == "on"
