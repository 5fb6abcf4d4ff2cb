"""The one way from executions to a Workload, slice by slice."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np

from analyzer.model.columns import Flags, Rows, distinct, numbered_rows
from analyzer.model.event import Event
from analyzer.model.executions import (
    FIRST_TIME_US,
    ExecutionChunk,
    Texts,
    joined,
)
from analyzer.model.job import JobFigures
from analyzer.model.plan import Plan
from analyzer.model.recording import Recording
from analyzer.model.sampling import LoggingSettings
from analyzer.model.statement import Role, Statement
from analyzer.model.target import METHODS, PatternTarget, Target
from analyzer.model.work import Asides, WorkSlice
from analyzer.model.workload import Route, Workload
from analyzer.sql.identity import identify
from analyzer.workload.asides import asides_of
from analyzer.workload.cancelled import Stopped, TimeoutSource, all_stopped
from analyzer.workload.coverage import note_logging
from analyzer.workload.events import merged_events
from analyzer.workload.ignored import Ignored
from analyzer.workload.job_figures import job_figures
from analyzer.workload.jobs import MOST_ROWS, JobTallies
from analyzer.workload.kept import duration_columns
from analyzer.workload.openers import Openers
from analyzer.workload.orm_calls import OrmCalls
from analyzer.workload.outcome import Outcome, view_of
from analyzer.workload.own import OwnSessions
from analyzer.workload.partial import Figures
from analyzer.workload.promises import PatternFigures
from analyzer.workload.quantiles import octaves
from analyzer.workload.requests import (
    ORDERED,
    Work,
    find_work,
    moments,
    parted,
    pools_of,
    session_order,
    unfinished,
)
from analyzer.workload.routes import Routes
from analyzer.workload.rows import Columns, standing_alone, taken
from analyzer.workload.savings import SavingFigures
from analyzer.workload.simulation import Simulation
from analyzer.workload.speakers import SPEAKERS
from analyzer.workload.statement_stats import Context, Sums, statement_stats
from analyzer.workload.statements import StatementTable
from analyzer.workload.timeouts import Timeouts
from analyzer.workload.traffic import SummedRequests, sum_requests
from analyzer.workload.views import Views

_TEAM = ("session", "start_us", "end_us", "clock", "comment", "key", "statement")
_OF_UNITS = ("request", "transaction", "trace", "unit", "whole")
_SLICED = ("database", "user", "application", "parameters", "parameters_hash")


class WorkloadBuilder:
    """Takes executions in slices; what is kept of them are figures, and rows of unfinished work."""

    def __init__(
        self,
        recording: Recording,
        target: Target,
        targets: Sequence[PatternTarget] = (),
        method: str = METHODS[0],
    ) -> None:
        """`targets` are those of parts of the traffic, `method` the one asked for (model/target.py)."""
        self._recording = recording
        self._target = target
        self._method = method
        self._statements = StatementTable(recording.keys.texts)
        self._routes = Routes(recording.comments.texts)
        self.openers = Openers()
        self._ignored = Ignored(recording.comments.texts)
        self._calls = OrmCalls(recording.comments.texts)
        self._timeouts = Timeouts(recording.keys.texts)
        self._views = Views(recording.sessions.texts)
        self._carried: ExecutionChunk | None = None
        self._front = 0  # rows of the next slice that were carried
        self._requests = 0  # numbers given so far, to requests and to transactions
        self._own_names = OwnSessions(recording.names.texts)
        self.figures = Figures()
        self._jobs = JobTallies(self._routes.jobs)
        self._patterns = PatternFigures(targets, recording.names.texts, self._statements.kept)
        self.seen = False  # whether there was any execution

    def add(self, chunk: ExecutionChunk, *, last: bool) -> WorkSlice:
        """Count a slice of executions; gives those of the team in units of work that are finished.

        Rows of units that may go on wait for the next slice, unless it is the `last`. They stand at its beginning
        already if `carried` was asked for them.
        """
        self.seen = self.seen or len(chunk) > 0
        front, self._front = self._front, 0
        # What places in tables are looked up by is of the type that NumPy looks up by: three times quicker.
        key = chunk.columns["key"].astype(np.int64, copy=False)
        self._statements.learn(key[front:])
        chunk = ExecutionChunk({**chunk.columns, "key": key}, chunk.parameters)
        chunk = self._counted_once(chunk, front)
        if self._carried is not None:
            chunk = joined([self._carried, chunk])
            self._carried = None
        at_us, columns = moments(chunk.columns), chunk.columns
        order = session_order(columns["session"], at_us, columns["line"])
        ordered = taken(chunk.columns, order, ORDERED)
        boundaries = self._statements.boundaries(ordered["key"])
        statement = self._statements.numbers(ordered["key"])
        opens = self._statements.opens(ordered["key"])
        work = find_work(ordered, boundaries, self.openers, statement, opens)
        finished = np.ones(len(order), dtype=bool)
        if not last and len(order):
            until_us = int(ordered["end_us"].max())
            open_rows = unfinished(ordered, work, boundaries, until_us)
            self._carried = standing_alone(chunk, order[open_rows])
            finished = ~open_rows
        ordered |= {"statement": statement, "boundary": boundaries}
        made = self._figured(chunk, ordered, order, finished, work)
        self._jobs.add(made)
        return made

    def carried(self) -> list[ExecutionChunk]:
        """The rows that wait for the next slice, to be put before it: that spares a copy of all others."""
        handed = [] if self._carried is None else [self._carried]
        self._carried, self._front = None, sum(len(chunk) for chunk in handed)
        return handed

    def _counted_once(self, chunk: ExecutionChunk, front: int) -> ExecutionChunk:
        """The executions without copies, those of clients that the server shows, and pg95's own.

        Those at the `front` were in a slice before: nothing of them is left out.
        """
        new = {name: column[front:] for name, column in chunk.columns.items()}
        columns, client = self._views.merge(new)
        if client is not None:
            works = self._statements.works(client["key"])
            durations = client["duration_ms"][works]
            durations = durations[~np.isnan(durations)]
            self.figures.client.add(np.zeros(len(durations), dtype=np.int64), durations)
        own = self._statements.own(columns["key"]) | self._own_names.rows(columns["application"])
        if own.any():
            columns = taken(columns, np.flatnonzero(~own), columns)
        if columns is new:
            return chunk
        before = {name: column[:front] for name, column in chunk.columns.items()}
        columns = {name: np.concatenate([before[name], columns[name]]) for name in columns}
        return ExecutionChunk(columns, chunk.parameters)

    def _figured(
        self, chunk: ExecutionChunk, ordered: Columns, order: Rows, finished: Flags, work: Work
    ) -> WorkSlice:
        """Add the figures of the rows that are `finished` of what was put in `order`, and give the team's."""
        rows, mine, places, others, before = parted(
            finished, self._statements.works(ordered["key"])
        )
        timed = duration_columns(chunk.columns["duration_ms"].take(order.take(rows)))
        self.figures.statements.add(ordered, rows, work.request, timed, (chunk.columns, order))
        self._timeouts.add(ordered, rows, work.transaction)
        asides = asides_of(ordered, others, before)
        columns = taken(timed, places, timed)
        columns |= taken(ordered, mine, _TEAM)
        logged = order.take(mine)
        columns |= taken(chunk.columns, logged, _SLICED)
        columns |= {name: getattr(work, name).take(mine) for name in _OF_UNITS}
        columns |= {"logged": logged, "octaves": octaves(columns["duration_ms"])}
        made = self._team_figures(columns, chunk.parameters, asides)
        self._requests += work.size
        return made

    def _team_figures(self, columns: Columns, texts: Texts, asides: Asides) -> WorkSlice:
        """Add the figures of the team's rows of whole units of work, and give them as a slice."""
        statement, comments = columns["statement"], columns["comment"]
        self.figures.traffic.add(columns)
        found = distinct(comments[comments >= 0])
        self._ignored.add(statement, comments, found)
        self._calls.add(statement, comments, found)
        routes = self._routes.of(comments, found)
        whole = (columns["start_us"] >= FIRST_TIME_US) | (columns["trace"] != 0)
        request, unit, took_ms = (columns[name] for name in ("request", "unit", "duration_ms"))
        requests = sum_requests(request, unit, routes, took_ms, columns["untimed"], whole)
        self.figures.requests.add(requests, statement, took_ms)
        numbered = numbered_rows(*(columns[name] for name in SPEAKERS))
        self.figures.speakers.add(columns, numbered)
        self._patterns.add(columns, statement, requests, self._routes.names)
        columns["pool"] = pools_of(columns, numbered[1])
        return self._slice(columns, requests, texts, asides)

    def _slice(
        self,
        columns: Columns,
        requests: SummedRequests,
        texts: Texts,
        asides: Asides,
    ) -> WorkSlice:
        base, opened = self._requests, columns["transaction"]
        return WorkSlice(
            statement=columns["statement"],
            key=columns["key"],
            request=columns["request"] + base,
            transaction=np.where(opened >= 0, opened + base, -1),
            trace=columns["trace"],
            whole=columns["whole"],
            pool=columns["pool"],
            session=columns["session"],
            logged=columns["logged"],
            at_us=moments(columns),
            start_us=columns["start_us"],
            end_us=columns["end_us"],
            duration_ms=columns["duration_ms"],
            clock=columns["clock"],
            untimed=columns["untimed"],
            parameters=columns["parameters"],
            parameters_hash=columns["parameters_hash"],
            routes=requests.route,
            request_ms=requests.duration_ms,
            first_request=base,
            texts=texts,
            statements=self._statements.kept,
            key_facts=self._statements.facts,
            sessions=self._recording.sessions.texts,
            route_names=self._routes.names,
            asides=asides,
            marker=self.openers.marker,
            spread=self.openers.spread.found,
            jobs=self._routes.jobs,
        )

    def simulation(self, savings: SavingFigures) -> Simulation:
        """What answers what fixes would change, when all slices were added; `savings` have their loops."""
        return Simulation(self.figures, savings, self._routes.names, self._target.quantile)

    def finish(
        self,
        plans: Sequence[Plan],
        log_min_duration_ms: float | None,
        given: LoggingSettings | None = None,
        server: LoggingSettings | None = None,
    ) -> Workload:
        """The workload, when all slices were added.

        `log_min_duration_ms` is what the server left out, if it was given; `given` are the other
        settings that were, `server` those of the server. What nobody says is inferred from the
        fastest entry of the log and said so in the coverage.
        """
        recording, target, figures = self._recording, self._target, self.figures
        coverage = recording.coverage
        self._views.note(coverage.sources)
        note_logging(
            coverage,
            self._views.server_rows,
            replace(given or LoggingSettings(), min_duration_ms=log_min_duration_ms),
            server or LoggingSettings(),
            figures.traffic.first_us,
        )
        counted = [identify(row.query) for row in recording.counters]
        events, event_statements = merged_events(recording, self._statements.of_key)
        sums = self._sums(counted)
        stopped = self._stopped(sums, (events, event_statements))
        statements = self._statements.kept
        outcome = self._outcome(sums, stopped)
        paths = [source.path for source in coverage.sources]
        context = Context(paths, target, self._patterns.targets, outcome.view)
        stats = statement_stats(outcome.seen, sums, statements, context)
        verdict, client_verdict = outcome.overall()
        return Workload(
            statements=tuple(statements),
            stats=tuple(stats),
            coverage=coverage,
            target=target,
            verdict=verdict,
            traffic=figures.traffic.finish(
                target.quantile, self._route_figures(), coverage.sampling
            ),
            request_verdict=outcome.requests(),
            client_verdict=client_verdict,
            promises=outcome.promises(self._patterns, self._routes.names),
            comments=recording.comments.texts,
            applications=self._own_names.seen(),
            ignored={
                statements[number].shape_id: names
                for number, names in self._ignored.by_statement(
                    {number: one.samples for number, one in enumerate(stats)}
                ).items()
            },
            calls={statements[n].shape_id: c for n, c in self._calls.by_statement().items()},
            catalog=recording.catalog,
            use=recording.use,
            plans=self._linked(plans),
            counters=tuple(
                replace(row, shape_id=one.shape_id, limited=one.facts.limit is not None)
                for row, one in zip(recording.counters, counted, strict=True)
            ),
            events=events,
            event_statements=event_statements,
            jobs=self._job_figures(),
        )

    def _job_figures(self) -> Sequence[JobFigures]:
        if self._jobs.left_out:
            self._recording.coverage.warnings.append(
                f"{self._jobs.left_out:,} executions of jobs are left out of the jobs' figures: "
                f"{MOST_ROWS:,} are kept"
            )
        return job_figures(
            self._recording.jobs, self._jobs.finish(), self._routes.jobs, self._statements.kept
        )

    def _outcome(self, sums: dict[int, Sums], stopped: Sequence[Stopped]) -> Outcome:
        recording, figures, statements = self._recording, self.figures, self._statements.kept
        seen = figures.statements.seen(recording.coverage.sampling)
        sources = list(self._views.server_rows)
        view = view_of(recording, sources, seen, sums, statements, figures, self._method)
        return Outcome(recording, figures, statements, seen, sums, self._target, view, stopped)

    def _stopped(
        self,
        sums: dict[int, Sums],
        events: tuple[Mapping[tuple[str, str], Event], Mapping[int, Statement]],
    ) -> list[Stopped]:
        """The team's executions that were cancelled, which also go to what belongs to their statements."""
        recording, coverage = self._recording, self._recording.coverage
        found = all_stopped(
            recording,
            events,
            self._statements.of_key,
            TimeoutSource(recording, self._timeouts),
            complete=coverage.sampling is None and not coverage.log_min_duration_ms,
        )
        for one in found:
            number = self._statements.known(one.statement)
            if number is not None:
                sums.setdefault(number, Sums()).cancelled.append(one)
        return [one for one in found if one.statement.facts.role is Role.WORKLOAD]

    def _linked(self, plans: Sequence[Plan]) -> tuple[Plan, ...]:
        """Plans with their statement's shape; one execution's plan in two inputs counts once."""
        linked: dict[tuple[object, ...], Plan] = {}
        for plan in plans:
            shape_id = None
            if plan.statement_key >= 0:
                shape_id = self._statements.of_key(plan.statement_key).shape_id
            elif plan.statement:
                shape_id = identify(plan.statement).shape_id
            identity = (plan.key, plan.duration_ms, plan.total_ms)
            linked.setdefault(identity, replace(plan, shape_id=shape_id))
        return tuple(linked.values())

    def _sums(self, counted: Sequence[Statement]) -> dict[int, Sums]:
        """Phases, counters and query ids by statement; statements seen in counters alone are added.

        `counted` are the statements of the counters' rows.
        """
        recording, statements = self._recording, self._statements
        sums: dict[int, Sums] = {}
        skipped = {n for n, source in enumerate(recording.coverage.sources) if source.same_as}
        for (source, key), phases in recording.phases.items():
            number = statements.known(statements.of_key(key))
            if number is not None and source not in skipped:
                sums.setdefault(number, Sums()).phases.add(phases)
        for row, statement in zip(recording.counters, counted, strict=True):
            # What runs inside another statement (a foreign key's check, a function's body) is part
            # of that one's time already.
            if statement.facts.role is Role.OWN or row.calls <= 0 or not row.toplevel:
                continue
            found = sums.setdefault(statements.number(statement), Sums())
            found.counters.append(row)
            if row.query_id is not None:
                found.query_ids.add(row.query_id)
        for (source, key), rows in recording.rows.items():
            number = statements.known(statements.of_key(key))
            if number is not None and source not in skipped:
                found = sums.setdefault(number, Sums())
                found.rows = rows + (found.rows or 0)
        for number, ids in self.figures.statements.query_ids().items():
            sums.setdefault(number, Sums()).query_ids.update(str(one) for one in ids)
        return sums

    def _route_figures(self) -> list[Route]:
        """Figures by route; none of a sample, which shows no whole unit of work."""
        coverage, target = self._recording.coverage, self._target
        routes = self.figures.requests.routes(self._routes.names, target.quantile)
        if routes and coverage.sampling is not None:
            coverage.warnings.append(
                "figures by route are left out: the log is a sample, which shows no whole request"
            )
            return []
        return routes
