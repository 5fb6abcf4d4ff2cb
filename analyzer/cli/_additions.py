"""What `pg95 report` has beside the log's part: jobs and cache of a Redis, a Prisma project, the promises."""

from typing import TYPE_CHECKING, Any

from analyzer.cli._cache import CacheAsked
from analyzer.cli._prisma import project_advice
from analyzer.cli._redis import asking_queues
from analyzer.errors import AnalyzerError, UsageError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from analyzer.model.work import Observer
    from analyzer.pipeline import Options, Result


class Additions:
    """What a report is to have beside, read before the analysis so that what is wrong is said at once.

    Args:
        given: the command's options; `given` of this have the inputs that are left for the readers of logs.
    """

    def __init__(self, given: dict[str, Any]) -> None:
        self.given = dict(given)
        more = bool(given["inputs"] or given["dsn"] or given["live"])
        self._advice = project_advice(self.given)
        self._asked = CacheAsked(self.given, optional=more)
        self.given["inputs"] = tuple(self._asked.inputs)
        others = [name for name in ("inputs", "redis_url", "dsn", "live") if self.given[name]]
        if self._asked.facts.any and not others:
            raise UsageError(
                "INPUT tells of a cache alone: `pg95 cache` reads it; a report needs a log or a server beside"
            )

    def observers(self) -> "Sequence[Observer]":
        """What has to be shown all executions."""
        return [self._asked.observer()] if self._asked.facts.any else []

    def options(self, options: "Options") -> "Options":
        """The pipeline's options with the jobs of queues."""
        return asking_queues(self.given, options)

    def add(self, result: "Result") -> None:
        """Fill in `cache`, the change of the Prisma project, and `scoreboard`, as far as they were asked for."""
        facts = self._asked.facts
        result.document["coverage"]["warnings"] += facts.warnings
        if facts.any:
            self._add_cache(result)
        if self._advice is not None:
            self._advice.add(result)
        if facts.any or self._advice is not None:
            self._add_scoreboard(result)

    def _add_cache(self, result: "Result") -> None:
        from analyzer.report.values import clean

        found = self._asked.document(result.workload)
        kept = {name: found[name] for name in ("hit_rate", "simulated", "candidates")}
        result.document["cache"] = clean(kept)

    def _add_scoreboard(self, result: "Result") -> None:
        """The promises; what cannot be compared is a warning there, and unknown."""
        from analyzer.promises import compared, hit_rate
        from analyzer.report.scoreboard import scoreboard
        from analyzer.report.values import clean

        warnings: list[str] = []
        schema = None
        if self._advice is not None and (self.given["dsn"] or self.given["live"]):
            try:
                schema = compared(self._advice.project, [], self.given["dsn"])
                warnings += schema["warnings"]
            except AnalyzerError as error:
                warnings.append(f"schema and database were not compared: {error}")
        board = scoreboard(
            result.document,
            hit_rate(self._asked.facts, self._asked.target),
            schema,
            warnings,
            shows_values=result.document["redaction"] == "off",
        )
        parts = {name: board[name] for name in ("metrics", "warnings")}
        result.document["scoreboard"] = clean(parts)
