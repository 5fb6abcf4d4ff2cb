"""How the log was sampled: as the options say, else as the log itself tells, else as the server does."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime

from analyzer.model.sampling import By, LoggedSetting, LoggingSettings, Sampling
from analyzer.records import record

OPTIONS, LOG, SERVER = "options", "log", "server"


@record
class Logging:
    """What a server logs. `minimum_ms`: it leaves out all that is faster; None: not known."""

    sampling: Sampling | None
    minimum_ms: float | None


@record
class _Known:
    """A setting's value and who says so; None where nobody does."""

    value: float | None = None
    by: str | None = None


def of_log(settings: Mapping[str, LoggedSetting]) -> LoggingSettings:
    """What a log tells of the settings under which it was written."""
    values = {name: setting.value for name, setting in settings.items()}
    return LoggingSettings(
        values.get("log_min_duration_statement"),
        values.get("log_min_duration_sample"),
        values.get("log_statement_sample_rate"),
        values.get("log_transaction_sample_rate"),
    )


def logging_of(options: LoggingSettings, log: LoggingSettings, server: LoggingSettings) -> Logging:
    """What the server logs, as PostgreSQL's settings have it; each from whom is trusted most."""
    known = ((OPTIONS, options), (LOG, log), (SERVER, server))
    all_from = _first(known, "min_duration_ms")
    # A log that tells of this setting alone may have been written under another before.
    plain = _first((known[0], known[2]), "min_duration_ms")
    minimum_ms = plain.value if plain.value is not None and plain.value >= 0 else None
    threshold_ms = all_from.value if all_from.value is not None and all_from.value >= 0 else None
    transaction = _first(known, "transaction_rate")
    whole = transaction.value or 0.0
    if whole >= 1:
        return Logging(None, 0.0)
    statement, floor = _statement_sampling(known)
    if statement.value == 1 and floor.value is not None:  # all that takes so long is logged
        threshold_ms = floor.value if threshold_ms is None else min(threshold_ms, floor.value)
        minimum_ms = threshold_ms
    if threshold_ms == 0:
        return Logging(None, minimum_ms)
    below = threshold_ms is None or (floor.value is not None and floor.value < threshold_ms)
    if statement.value and statement.value < 1 and floor.value is not None and below:
        return _by_statement(statement, floor, transaction, threshold_ms)
    if whole:
        made = Sampling(whole, threshold_ms, by="transaction", known_from=transaction.by or OPTIONS)
        return Logging(made, 0.0)
    return Logging(None, minimum_ms)


def _statement_sampling(known: Sequence[tuple[str, LoggingSettings]]) -> tuple[_Known, _Known]:
    """The rate, and the duration from which on statements are sampled (no value: they are not).

    Whoever gives a rate by an option means that it works: without a known floor it is from 0 on.
    """
    rate, floor = _first(known, "statement_rate"), _first(known, "sample_min_duration_ms")
    if floor.value is not None and floor.value >= 0:
        return rate, floor
    assumed = rate.by == OPTIONS and floor.by != OPTIONS
    return rate, _Known(0.0 if assumed else None)


def _by_statement(
    statement: _Known, floor: _Known, transaction: _Known, threshold_ms: float | None
) -> Logging:
    """A sample of statements, and perhaps of transactions, too: either can draw an execution."""
    rate, floor_ms, whole = statement.value or 0.0, floor.value or 0.0, transaction.value or 0.0
    by: By = "both" if whole else "statement"
    names = dict.fromkeys(one.by for one in (statement, transaction) if one.value and one.by)
    sampling = Sampling(
        rate + whole - rate * whole,
        threshold_ms,
        floor_ms,
        whole if floor_ms else 0.0,
        by,
        " and ".join(names),
    )
    minimum_ms = None if floor.by is None else floor_ms  # None: the fastest entry will show it
    return Logging(sampling, 0.0 if whole else minimum_ms)


def _first(known: Sequence[tuple[str, LoggingSettings]], name: str) -> _Known:
    for by, settings in known:
        value = getattr(settings, name)
        if value is not None:
            return _Known(value, by)
    return _Known()


def doubts(options: LoggingSettings, log: LoggingSettings, sampling: Sampling | None) -> list[str]:
    """Warnings of settings that speak of sampling, but do not make the log a sample."""
    if sampling is not None:
        return []
    if any(rate and rate < 1 for rate in (options.statement_rate, options.transaction_rate)):
        warning = (
            "the rate of sampling given has no effect: under the other settings the server logs "
            "every execution that it logs at all"
        )
        return [warning]
    if log.statement_rate and log.statement_rate < 1:
        warning = (
            f"the log says that log_statement_sample_rate became {log.statement_rate:g}, but not from "
            "which duration on: if statements were sampled, say --log-sample-rate"
        )
        return [warning]
    return []


def changes(settings: Mapping[str, LoggedSetting], first_us: int | None) -> list[str]:
    """Warnings of settings that changed after the first execution: weights are those of the last."""
    if first_us is None:
        return []
    return [
        f"{name} changed to {setting.value:g} within the log, at "
        f"{datetime.fromtimestamp(setting.at_us / 1e6, UTC).isoformat(timespec='seconds')}; "
        "executions are weighted as if it had been so all the time: --since that time leaves out "
        "what was logged before"
        for name, setting in sorted(settings.items())
        if setting.at_us > first_us
    ]
