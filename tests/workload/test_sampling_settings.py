"""What PostgreSQL's settings of sampling mean together, and how a log tells of them."""

from dataclasses import replace

import pytest

from analyzer.model.sampling import LoggedSetting, LoggingSettings, Sampling
from analyzer.sources.logs.setting_texts import logged_setting
from analyzer.workload.sampling import changes, doubts, logging_of

NOTHING = LoggingSettings()


def settings(*values: float | None) -> LoggingSettings:
    return LoggingSettings(*values)


@pytest.mark.parametrize(
    ("server", "sampling", "minimum_ms"),
    [
        # min_duration, sample_min_duration, statement_rate, transaction_rate
        (settings(-1, -1, 1, 0), None, None),
        (settings(0, -1, 1, 0), None, 0),
        (settings(500, -1, 0.1, 0), None, 500),
        (settings(500, 10, 1, 0), None, 10),
        (settings(500, 600, 0.1, 0), None, 500),
        (settings(0, 0, 0.1, 0.1), None, 0),
        (settings(500, 10, 0, 0), None, 500),
        (settings(500, 10, 0.1, 0), Sampling(0.1, 500, 10), 10),
        (settings(-1, 0, 0.1, 0), Sampling(0.1, None), 0),
        (settings(-1, -1, 1, 0.2), Sampling(0.2, None, by="transaction"), 0),
        (settings(500, -1, 1, 0.2), Sampling(0.2, 500, by="transaction"), 0),
        (settings(500, -1, 1, 1), None, 0),
        (settings(500, 10, 0.5, 0.2), Sampling(0.6, 500, 10, 0.2, "both"), 0),
        (settings(-1, 10, 1, 0.2), Sampling(0.2, 10, by="transaction"), 0),
    ],
)
def test_settings_mean_what_postgresql_does_with_them(
    server: LoggingSettings, sampling: Sampling | None, minimum_ms: float | None
) -> None:
    made = logging_of(NOTHING, NOTHING, server)
    assert made.minimum_ms == minimum_ms
    if sampling is None:
        assert made.sampling is None
        return
    assert made.sampling is not None
    assert made.sampling.rate == pytest.approx(sampling.rate)
    expected = replace(sampling, known_from=made.sampling.known_from, rate=made.sampling.rate)
    assert made.sampling == expected
    assert "server" in made.sampling.known_from


@pytest.mark.parametrize(
    ("message", "found"),
    [
        ('parameter "log_statement_sample_rate" changed to "0.1"', ("log_statement_sample_rate", 0.1)),
        ('parameter "log_min_duration_sample" changed to "2min"', ("log_min_duration_sample", 120_000)),
        ('parameter "log_min_duration_statement" changed to "250 ms"', ("log_min_duration_statement", 250)),
        ('parameter "log_min_duration_statement" changed to "-1"', ("log_min_duration_statement", -1)),
        ('parameter "log_transaction_sample_rate" removed from configuration file, reset to default', ("log_transaction_sample_rate", 0)),
        ('parameter "log_min_duration_statement" changed to "soon"', None),
        ('parameter "log_min_duration_statement" changed to "1e"', None),
        ('parameter "work_mem" changed to "64MB"', None),
        ('parameter "log_statement_sample_rate" cannot be changed now', None),
    ],
)  # fmt: skip
def test_what_a_log_says_of_settings(message: str, found: tuple[str, float] | None) -> None:
    expected = None if found is None else (found[0], LoggedSetting(7, found[1]))
    assert logged_setting(message, 7) == expected


def test_the_options_are_trusted_most_and_a_floor_need_not_be_known() -> None:
    server = settings(500, -1, 1, 0)
    made = logging_of(LoggingSettings(statement_rate=0.1), NOTHING, server)
    assert made.sampling == Sampling(0.1, 500, 0, known_from="options")
    assert made.minimum_ms is None  # the fastest entry will show the floor
    over = logging_of(settings(200, 20, 0.5, None), settings(300, 30, 0.3, 0), server)
    assert over.sampling == Sampling(0.5, 200, 20, known_from="options")
    log = logging_of(NOTHING, settings(None, 30, 0.3, None), server)
    assert log.sampling == Sampling(0.3, 500, 30, known_from="log")


def test_half_of_the_settings_is_a_doubt() -> None:
    rate_alone = LoggingSettings(statement_rate=0.1)
    made = logging_of(NOTHING, rate_alone, NOTHING)
    assert made.sampling is None
    assert "--log-sample-rate" in doubts(NOTHING, rate_alone, made.sampling)[0]
    assert doubts(NOTHING, NOTHING, None) == []
    assert "no effect" in doubts(rate_alone, NOTHING, None)[0]
    assert doubts(LoggingSettings(statement_rate=1), NOTHING, None) == []


def test_only_what_changed_after_the_first_execution_is_told() -> None:
    changed = {"log_statement_sample_rate": LoggedSetting(5_000_000, 0.1)}
    assert changes(changed, 5_000_000) == []
    assert changes(changed, None) == []
    (warning,) = changes(changed, 4_999_999)
    assert "log_statement_sample_rate changed to 0.1" in warning
    assert "1970-01-01T00:00:05" in warning
