"""Reads what is new in logs, burst by burst, and says of which findings nothing was said before."""

import os
from collections import OrderedDict
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

from analyzer import pipeline
from analyzer.errors import InputError
from analyzer.following.watch import QUIET_SECONDS
from analyzer.model.log_position import LogPosition
from analyzer.model.recording import Recording
from analyzer.records import changing
from analyzer.sources.increments.contents import LogFiles, News, find_new
from analyzer.sources.increments.gathering import NewEntries
from analyzer.sources.increments.portion import Found, tail_hash
from analyzer.sources.inputs import ExecutionStream
from analyzer.sources.opening import Progress, open_input

_NAME = "--follow"
_REMEMBERED = 5_000  # findings, and notes: those met last
_LONGEST_LINE = 1 << 20  # bytes
_PREFIX = f"[[logs]] {_NAME}: "


@changing
class Seen:
    """A finding while logs are followed: `bursts` that showed it, and what they add up to."""

    key: str
    title: str
    severity: str
    bursts: int = 0
    round_trips: int = 0
    total_ms: float = 0.0

    def add(self, finding: dict[str, Any]) -> None:
        """One more burst with it."""
        self.bursts += 1
        self.title, self.severity = finding["title"], finding["severity"]
        self.round_trips += finding["impact"]["round_trips"] or 0
        self.total_ms += finding["impact"]["total_ms"] or 0.0


@changing
class Totals:
    """All that was followed so far."""

    bursts: int = 0
    executions: int = 0
    findings: int = 0


class _New:
    """Gives the pipeline the entries that are new (pipeline.Options.more)."""

    def __init__(self, found: Sequence[Found]) -> None:
        self._found = found
        self.entries: NewEntries | None = None

    def __call__(
        self, recording: Recording, progress: Progress | None
    ) -> Sequence[ExecutionStream]:
        self.entries = NewEntries(self._found, recording, progress)
        return self.entries.streams


class Follower:
    """Goes on from what it read last, through rotation and truncation.

    Memory does not grow with time: of executions nothing is kept between bursts, and of findings and
    notes those met last, some thousand.
    """

    def __init__(self, options: pipeline.Options) -> None:
        """`options` are as for a report; its inputs are followed."""
        self._options = replace(options, inputs=())
        self._log = LogFiles(_NAME, options.inputs, options.read, QUIET_SECONDS * 0.8)
        self._positions: list[LogPosition] = []
        self._told: OrderedDict[str, None] = OrderedDict()
        self.seen: OrderedDict[str, Seen] = OrderedDict()
        self.totals = Totals()

    def skip(self, now_us: int) -> list[str]:
        """Begin behind what stands in the files now (`now_us`: µs since 1970); what is to be said of them."""
        news = find_new(self._log, self._positions, now_us)
        self._positions = [*news.kept, *(_at_end(one) for one in news.found)]
        return self._notes(news.notes)

    def read(self, now_us: int) -> tuple[dict[str, Any] | None, list[str]]:
        """Read what is new: the report of it, None where nothing is, and what is to be said.

        The report's findings are those that were not told yet, the worst first.
        """
        news = _whole_lines(find_new(self._log, self._positions, now_us))
        if not news.found:
            self._positions = news.kept
            return None, self._notes(news.notes)
        new = _New(news.found)
        try:
            document = pipeline.run(replace(self._options, more=new)).document
        except InputError as error:  # moved or cut while it was read: the next look tells
            self._positions = [*news.kept, *(one.before for one in news.found if one.before.offset)]
            return None, self._notes([*news.notes, str(error)])
        self._go_on(news, new)
        if document["coverage"]["executions"] == 0 and not document["findings"]:
            return None, self._notes([*news.notes, *document["coverage"]["warnings"]])
        self.totals.bursts += 1
        self.totals.executions += document["coverage"]["executions"]
        notes = self._notes([*news.notes, *document["coverage"]["warnings"]])
        return {**document, "findings": list(self._unseen(document))}, notes

    def _go_on(self, news: News, new: _New) -> None:
        entries = new.entries
        after = entries.positions() if entries is not None else []
        self._positions = [*news.kept, *after]

    def _unseen(self, document: dict[str, Any]) -> Iterator[dict[str, Any]]:
        """Count the findings that count; gives those that are new, or worse than when they were told."""
        for finding in document["findings"]:
            if finding["severity"] == "info" or finding["status"] == "acknowledged":
                continue
            key = finding["key"]
            known = self.seen.pop(key, None)
            is_worse = known is not None and _rank(finding["severity"]) > _rank(known.severity)
            if known is None:
                self.totals.findings += 1
            kept = known or Seen(key, "", "")
            kept.add(finding)
            self.seen[key] = kept
            if len(self.seen) > _REMEMBERED:
                self.seen.popitem(last=False)
            if known is None or is_worse:
                yield finding

    def _notes(self, texts: Sequence[str]) -> list[str]:
        """What was not said before."""
        fresh = []
        for text in texts:
            note = text.removeprefix(_PREFIX)
            if note not in self._told:
                fresh.append(note)
            self._told[note] = None
            self._told.move_to_end(note)
            if len(self._told) > _REMEMBERED:
                self._told.popitem(last=False)
        return fresh


_SEVERITIES = ("info", "low", "medium", "high", "critical")


def _rank(severity: str) -> int:
    return _SEVERITIES.index(severity) if severity in _SEVERITIES else 0


def _whole_lines(news: News) -> News:
    """The news up to the last line that is whole: a program writes in blocks, which end anywhere."""
    found = []
    for one in news.found:
        with open_input(one.path) as stream:
            file = stream.seekable_file
            limit = one.limit if file is None else _line_end(file[0].fileno(), one)
        if limit > one.before.offset:
            found.append(replace(one, limit=limit))
        elif one.before.offset:
            news.kept.append(one.before)
    news.found = found
    return news


def _line_end(descriptor: int, found: Found) -> int:
    """Where the last whole line ends; that of one longer than any entry is not waited for."""
    start = max(found.before.offset, found.limit - _LONGEST_LINE)
    data = os.pread(descriptor, found.limit - start, start)
    end = data.rfind(b"\n") + 1
    return start + end if end or len(data) < _LONGEST_LINE else found.limit


def _at_end(found: Found) -> LogPosition:
    """The position behind all that a file holds; a packed one is never written on."""
    before = found.before
    with open_input(found.path) as stream:
        file = stream.seekable_file
        if file is None:
            return replace(before, size_bytes=found.limit, is_finished=True)
        raw, _ = file
        tail = tail_hash(raw.fileno(), stream.head[: before.head_bytes], found.limit)
        return replace(
            before, offset=found.limit, tail_hash=tail, size_bytes=found.limit, is_finished=True
        )
