"""How much of the real traffic the input shows: every byte of every input is accounted for."""

from collections.abc import Mapping
from dataclasses import field

from analyzer.model.sampling import LoggedSetting, Sampling
from analyzer.records import changing, record


@changing
class SourceCoverage:
    """One input's account; filled in while it is read.

    `bytes` (uncompressed) = bytes in entries + `bytes_unparsed` + `foreign_bytes`. `executions` counts execute and
    statement entries; `parse`, `bind`, `plans`, `errors`, `events` the others. `first_unparsed` is
    "line 12, byte 345: text…". `same_as` is the path of an input that shows the same executions.
    `failure` is set where the input gave nothing: why, and the remedy.
    """

    path: str
    format: str = "unknown"
    detected_by: str = ""
    bytes: int = 0
    bytes_unparsed: int = 0
    entries: int = 0
    executions: int = 0
    parse: int = 0
    bind: int = 0
    plans: int = 0
    errors: int = 0
    events: int = 0
    unparsed_lines: int = 0
    foreign_bytes: int = 0  # of other programs' records in a syslog or the like
    truncated: int = 0
    first_unparsed: str | None = None
    same_as: str | None = None
    reader: str | None = None  # who read a log: "native" (compiled) or "python"
    failure: str | None = None
    minimum_ms: float | None = None  # the fastest duration logged, of any phase


@record
class ExplainCoverage:
    """Statements that a server was asked to explain (`origin`, without the password), and what came of it.

    `analyzed` of the `explained` were run; a limit ended `timed_out`. `refused` counts the reasons why a
    statement was not explained, or not run though that was asked for.
    """

    origin: str
    asked: int
    explained: int
    analyzed: int
    timed_out: int
    refused: Mapping[str, int]


@changing
class Coverage:
    """The account of the whole run. `log_min_duration_ms`: what was left out, given or inferred.

    `sampling` says which share of executions was logged, None for all of them.
    `logged_settings` are the last values of the settings that decide that, by name, where a log
    tells of a change. `keys_checked` answers of the cache of statement texts were checked, and `keys_disagreed` of
    them were wrong. `explained` is None where no server was asked for plans.
    """

    sources: list[SourceCoverage] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    log_min_duration_ms: float | None = None
    log_min_duration_inferred: bool = False
    sampling: Sampling | None = None
    logged_settings: dict[str, LoggedSetting] = field(default_factory=dict)
    keys_checked: int = 0
    keys_disagreed: int = 0
    explained: ExplainCoverage | None = None

    def note_setting(self, name: str, setting: LoggedSetting) -> None:
        """Keep a setting's value if no later one is known."""
        known = self.logged_settings.get(name)
        if known is None or setting.at_us >= known.at_us:
            self.logged_settings[name] = setting
