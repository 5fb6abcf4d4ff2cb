"""The nightly job, step by step, so that it may be killed at any instant and run again.

What a night learns and how far it read are committed together, in one transaction. Before it only
files are written that the next run writes again; alerts are part of it and are sent after it, so a
night that is killed between the two sends them when it is run again. Nothing is read twice and
nothing is left out.
"""

import gc
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager, nullcontext
from dataclasses import asdict, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from analyzer import pipeline
from analyzer.configuration import Configuration
from analyzer.errors import InputError
from analyzer.history import open_store
from analyzer.history.keeping import keep, look_back
from analyzer.history.reading import Reader
from analyzer.history.store import Store
from analyzer.model.history import Alert
from analyzer.model.log_position import LogPosition
from analyzer.model.recording import Recording
from analyzer.model.target import Target
from analyzer.nightly.alerts import events_of, message
from analyzer.nightly.delivery import channels_of, deliver
from analyzer.nightly.looking import Look, NightInputs, Tell, TornError, look_at_all
from analyzer.nightly.metrics import figures_of, has_figures, with_success
from analyzer.nightly.nights import Beside, beside, has_news, last_night, regressions
from analyzer.nightly.outputs import paths_of, read_text, write_outputs, write_whole
from analyzer.nightly.queues import add_cache, add_jobs, cache_facts
from analyzer.nightly.scoreboard import add_scoreboard
from analyzer.nightly.scoreboard_settings import HIT_TARGET
from analyzer.nightly.settings import Settings
from analyzer.records import record
from analyzer.report.formats import plural
from analyzer.sources.increments.contents import News, find_new
from analyzer.sources.inputs import ExecutionStream

Slower = Sequence[tuple[str, str]]

_TRIES = 3  # to read logs none of which is truncated meanwhile


@record
class Asked:
    """How a night is asked for.

    `dry_run` writes nothing and sends nothing. `since_us` (µs since 1970, UTC) analyses again what
    the logs hold from then on: reports are written, and neither history nor positions are touched.
    `workers` are processes (see docs/commands.md).
    """

    dry_run: bool = False
    since_us: int | None = None
    workers: int = 1
    now: Callable[[], datetime] = field(default=lambda: datetime.now(UTC))

    @property
    def keeps(self) -> bool:
        """Whether this night becomes history."""
        return not self.dry_run and self.since_us is None


@record
class Outcome:
    """A night's report, the statements that got slower, and what could not be told to people.

    `quiet`: nothing came up, and the reports, the latest ones and the figures of before still stand.
    """

    document: dict[str, Any]
    slower: Slower
    warnings: Sequence[str] = ()
    quiet: bool = False


def run_night(
    settings: Settings, configuration: Configuration, asked: Asked, tell: Tell
) -> Outcome:
    """Do the nightly job; `tell` hears of each step.

    Raises:
        StoreError: the store cannot be used, or another night is at work on it.
        InputError: nothing at all could be read, or a report cannot be written.
    """
    with ExitStack() as stack:
        store = _opened(settings, asked)
        if store is not None:
            stack.enter_context(store)
            stack.enter_context(nullcontext() if asked.dry_run else store.lock())
        return _Night(settings, configuration, asked, tell, store).run()


def _opened(settings: Settings, asked: Asked) -> Store | None:
    """The store; a dry run makes none."""
    where = settings.history
    if asked.dry_run and where is not None and "://" not in where and not Path(where).exists():
        return None
    return open_store(where)


class _Night:
    """One night, from what is new to what is told."""

    def __init__(
        self,
        settings: Settings,
        configuration: Configuration,
        asked: Asked,
        tell: Tell,
        store: Store | None,
    ) -> None:
        self._settings = settings
        self._configuration = configuration
        self._asked = asked
        self._tell = tell
        self._store = store
        self._log_set = ",".join(one.name for one in settings.logs)
        self._began = asked.now()
        self._last_us: int | None = None  # when the last night began

    def run(self) -> Outcome:
        """All of it, in order."""
        warnings = self._deliver() if self._asked.keeps else []
        news = self._news()
        looks, notes = self._look()
        result, positions = self._read(news, looks, notes)
        document = result.document
        earlier = self._compare(document)
        self._measure(document)
        slower = regressions(document, earlier)
        quiet = not has_news(document)
        if quiet:
            self._tell("nothing new: what is there of reports and figures stays")
        written = self._write(document, quiet=quiet)
        if self._asked.dry_run:
            self._say_alerts(document, slower)
            return Outcome(document, slower, quiet=quiet)
        if self._asked.keeps:
            self._write_figures(document, slower, quiet=quiet)
            alerts = self._alerts(document, slower, written)
            self._keep(result, looks, positions, alerts)
            warnings += self._deliver()
            self._note_success()
        return Outcome(document, slower, warnings, quiet)

    def _read(
        self, news: dict[str, News], looks: Sequence[Look], notes: Sequence[str]
    ) -> tuple[pipeline.Result, dict[str, list[LogPosition]]]:
        """Analyse what is new; how far each log was read. Once more if a log was truncated meanwhile."""
        tries_left = _TRIES
        while True:
            inputs = self._inputs(looks, news, notes)
            result = self._analyse(looks, inputs)
            try:
                return result, _by_log(news, inputs.positions())
            except TornError as error:
                tries_left -= 1
                if not tries_left:
                    raise
                self._tell(f"beginning again: {error}")
                news = self._news()

    def _look(self) -> tuple[list[Look], list[str]]:
        """Right after it was found how far the logs reach, so that both are of one time."""
        if self._asked.since_us is not None:
            return [], []
        with self._reading() as reader:
            last = None if reader is None else last_night(reader, self._log_set)
            last_us = self._last_us = None if last is None else last.made_us
            logging = self._settings.logging_server
            servers = sorted(self._settings.servers, key=lambda one: one.name != logging)
            return look_at_all(servers, reader, last_us, self._tell)

    def _reading(self) -> Any:  # noqa: ANN401 - a context manager with a Reader, or with None
        return nullcontext() if self._store is None else self._store.reading()

    def _news(self) -> dict[str, News]:
        """What is new in each log, by its name."""
        if self._asked.since_us is not None:
            return {}
        now_us = _us(self._began)
        with self._reading() as reader:
            return {
                log.name: find_new(log, _positions(reader, log.name), now_us)
                for log in self._settings.logs
            }

    def _inputs(
        self, looks: Sequence[Look], news: dict[str, News], notes: Sequence[str]
    ) -> NightInputs:
        for name, one in news.items():
            new = sum(_new_bytes(found.path, found.before) for found in one.found)
            self._tell(
                f"log {name}: {plural(len(one.found), 'file')} with something new, about {new / 1e6:.1f} MB; "
                f"{len(one.kept)} without"
            )
        if news and not looks and not any(one.found or one.kept for one in news.values()):
            told = [note for one in news.values() for note in one.notes]
            raise InputError("\n".join([*told, *notes]) or "no log and no server could be read")
        since = self._asked.since_us
        again = [
            replace(log, options=replace(log.options, since_us=since))
            for log in (self._settings.logs if since is not None else ())
        ]
        found = [found for one in news.values() for found in one.found]
        told = [*notes, *(note for one in news.values() for note in one.notes)]
        is_all = not any(one.kept for one in news.values())
        server = self._settings.logging_server
        return NightInputs(looks, found, told, server, is_all=is_all, again=again)

    def _analyse(self, looks: Sequence[Look], inputs: NightInputs) -> pipeline.Result:
        self._tell("analysing")
        logging = next((one for one in looks if one.name == self._settings.logging_server), None)
        minimum = None
        if logging is not None:
            minimum = logging.snapshot.setting("log_min_duration_statement")
        return pipeline.run(
            pipeline.Options(
                target=self._configuration.target or Target(),
                targets=self._configuration.targets,
                log_min_duration_ms=None if minimum is None or minimum < 0 else minimum,
                keep_hours=self._asked.keeps,
                workers=self._asked.workers,
                more=self._asking_redis(inputs),
            )
        )

    def _asking_redis(self, inputs: NightInputs) -> pipeline.More:
        """The night's inputs, and jobs of queues beside them."""
        places = self._settings.redis

        def more(
            recording: Recording, progress: pipeline.Progress | None
        ) -> Sequence[ExecutionStream]:
            add_jobs(recording, places, self._last_us, self._tell)
            return inputs(recording, progress)

        return more if places and self._asked.since_us is None else inputs

    def _compare(self, document: dict[str, Any]) -> Beside:
        """Fill in what the history knows: statuses, the trend, changes, earlier nights."""
        document["changes"] = []
        if self._store is None:
            return Beside()
        self._tell("comparing with earlier nights")
        with _uncollected(), self._store.reading() as reader:
            look_back(reader, document, self._log_set)
            earlier = beside(reader, document, self._log_set)
        document["nights"] = list(earlier.nights)
        return earlier

    def _measure(self, document: dict[str, Any]) -> None:
        """What Redis tells of the cache; the scoreboard, if it is configured, beside earlier nights."""
        settings = self._settings.scoreboard
        facts = cache_facts(self._settings.redis if self._asked.since_us is None else ())
        if settings is not None:
            with self._reading() as reader:
                known = [] if reader is None else reader.runs()
            runs = [one for one in known if one.log_set == self._log_set]
            add_scoreboard(document, settings, self._settings.servers, runs, facts)
        add_cache(document, facts, settings.hit_target if settings is not None else HIT_TARGET)

    def _write(self, document: dict[str, Any], *, quiet: bool) -> dict[str, Path]:
        outputs = self._settings.outputs
        if self._asked.dry_run:
            for path in paths_of(outputs, self._began).values():
                if not (quiet and path.exists()):
                    self._tell(f"would write {path}")
            return {}
        written = write_outputs(document, outputs, self._began, replace=not quiet)
        for path in written.values():
            self._tell(f"wrote {path}")
        return written

    def _say_alerts(self, document: dict[str, Any], slower: Slower) -> None:
        for event in events_of(document, slower, self._settings.alerts.on):
            self._tell(f"would alert: {event.on}: {event.text}")

    def _alerts(
        self, document: dict[str, Any], slower: Slower, written: dict[str, Path]
    ) -> list[Alert]:
        """What is to be told, once for each channel."""
        events = events_of(document, slower, self._settings.alerts.on)
        if not events:
            return []
        report = next(
            (str(written[form].resolve()) for form in ("html", "md", "json") if form in written),
            None,
        )
        names = [one.name for one in self._settings.servers]
        names += [one.name for one in self._settings.logs]
        about = ", ".join(dict.fromkeys(names))
        fields = message(document, events, report, about).fields()
        made_us = _us(self._began)
        return [Alert(name, made_us, fields) for name in channels_of(self._settings.alerts)]

    def _keep(
        self,
        result: pipeline.Result,
        looks: Sequence[Look],
        positions: dict[str, list[LogPosition]],
        alerts: Sequence[Alert],
    ) -> None:
        """Commit the night: history, snapshots, alerts and positions, all or nothing."""
        if self._store is None:
            raise ValueError("a night that is kept has a store")
        now_us = _us(self._began)
        with _uncollected(), self._store.transaction() as night:
            keep(night, result.document, result.hours, now_us, "nightly", self._log_set)
            for one in looks:
                night.add_snapshot(one.snapshot)
            for name, some in positions.items():
                night.set_positions(name, {one.id: asdict(one) for one in some})
            night.add_alerts(alerts)
            night.retain(now_us)
        self._tell(f"kept in {self._store.name}")
        self._store.vacuum()

    def _deliver(self) -> list[str]:
        """Send what is to be told, of this night and of earlier ones."""
        if self._store is None:
            return []
        return deliver(self._store, self._settings.alerts, _us(self._began), self._tell)

    def _write_figures(self, document: dict[str, Any], slower: Slower, *, quiet: bool) -> None:
        """Before the commit, as reports are: a night that is killed after it has figures all the same."""
        path = self._settings.textfile
        if path is None:
            return
        before = read_text(path)
        if not quiet or not has_figures(before):
            began_s = self._began.timestamp()
            write_whole(path, figures_of(document, began_s, len(slower), before))

    def _note_success(self) -> None:
        path = self._settings.textfile
        if path is not None:
            write_whole(path, with_success(read_text(path), time.time()))
            self._tell(f"wrote {path}")


@contextmanager
def _uncollected() -> Iterator[None]:
    """Look for no cycles: a store's rows are some 100,000 small objects without any, and it takes a sixth of the time."""
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()


def _positions(reader: Reader | None, log: str) -> list[LogPosition]:
    known = {} if reader is None else reader.positions(log)
    return [LogPosition(**state) for _, state in sorted(known.items())]


def _by_log(news: dict[str, News], read: Sequence[LogPosition]) -> dict[str, list[LogPosition]]:
    """The positions of each log after a night: those that stay, and those of what was read."""
    return {
        name: [*one.kept, *(position for position in read if position.log == name)]
        for name, one in news.items()
    }


def _new_bytes(path: str, before: LogPosition) -> int:
    """About how many bytes of a file were not read yet (of a packed one: that are on the disk)."""
    size = Path(path).stat().st_size if Path(path).exists() else 0
    return max(0, size - before.offset) if size >= before.offset else size


def _us(moment: datetime) -> int:
    return int(moment.timestamp() * 1e6)
