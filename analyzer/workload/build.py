"""The one way from executions to a Workload, slice by slice."""

from collections.abc import Iterable, Sequence
from dataclasses import replace

import numpy as np

from analyzer.model.columns import Column, Flags, Rows, numbered_rows
from analyzer.model.executions import (
    FIRST_TIME_US,
    ByteTexts,
    Clock,
    ExecutionChunk,
    Texts,
    joined,
)
from analyzer.model.plan import Plan
from analyzer.model.recording import Recording
from analyzer.model.sampling import LoggingSettings
from analyzer.model.statement import Role, Statement
from analyzer.model.target import METHODS, PatternTarget, Target
from analyzer.model.work import Asides, WorkSlice
from analyzer.model.workload import Route, Workload
from analyzer.sql.identity import identify
from analyzer.workload.coverage import note_logging
from analyzer.workload.events import merged_events
from analyzer.workload.ignored import Ignored
from analyzer.workload.openers import Openers
from analyzer.workload.outcome import Outcome, cancelled_bounds, view_of
from analyzer.workload.own import OwnSessions
from analyzer.workload.partial import Figures
from analyzer.workload.promises import PatternFigures
from analyzer.workload.quantiles import octaves
from analyzer.workload.requests import ORDERED, Work, by_session, find_work, moments, unfinished
from analyzer.workload.routes import Routes
from analyzer.workload.savings import SavingFigures
from analyzer.workload.simulation import Simulation
from analyzer.workload.statement_stats import Context, Sums, statement_stats
from analyzer.workload.statements import StatementTable
from analyzer.workload.traffic import SummedRequests, sum_requests
from analyzer.workload.views import Views

Columns = dict[str, Column]
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
        self._views = Views(recording.sessions.texts)
        self._carried: ExecutionChunk | None = None
        self._requests = 0  # numbers given so far, to requests and to transactions
        self._own_names = OwnSessions(recording.names.texts)
        self.figures = Figures()
        self._patterns = PatternFigures(targets, recording.names.texts, self._statements.kept)
        self.savings = SavingFigures()
        self.seen = False  # whether there was any execution

    def add(self, chunk: ExecutionChunk, *, last: bool) -> WorkSlice:
        """Count a slice of executions; gives those of the team in units of work that are finished.

        Rows of units that may go on wait for the next slice, unless it is the `last`.
        """
        self.seen = self.seen or len(chunk) > 0
        self._statements.learn(chunk.columns["key"])
        chunk = self._counted_once(chunk)
        if self._carried is not None:
            chunk = joined([self._carried, chunk])
            self._carried = None
        order = by_session(chunk.columns, moments(chunk.columns))
        ordered = _taken(chunk.columns, order, ORDERED)
        boundaries = self._statements.boundaries(ordered["key"])
        statement = self._statements.numbers(ordered["key"])
        opens = self._statements.opens(ordered["key"])
        work = find_work(ordered, boundaries, self.openers, statement, opens)
        rows = np.arange(len(order))
        if not last and len(order):
            until_us = int(ordered["end_us"].max())
            open_rows = unfinished(ordered, work, boundaries, until_us)
            self._carried = _standing_alone(chunk, order[open_rows])
            rows = np.flatnonzero(~open_rows)
        return self._figured(chunk, ordered, order, rows, work)

    def _counted_once(self, chunk: ExecutionChunk) -> ExecutionChunk:
        """The executions without copies, those of clients that the server shows, and pg95's own."""
        columns, client = self._views.merge(chunk.columns)
        if client is not None:
            works = self._statements.works(client["key"])
            durations = client["duration_ms"][works]
            durations = durations[~np.isnan(durations)]
            self.figures.client.add(np.zeros(len(durations), dtype=np.int64), durations)
        own = self._statements.own(columns["key"]) | self._own_names.rows(columns["application"])
        if own.any():
            columns = _taken(columns, np.flatnonzero(~own), columns)
        return ExecutionChunk(columns, chunk.parameters)

    def _figured(
        self, chunk: ExecutionChunk, ordered: Columns, order: Rows, rows: Rows, work: Work
    ) -> WorkSlice:
        """Add the figures of some rows of what was put in `order`, and give the team's."""
        columns = _taken(ordered, rows, ORDERED)  # cheaper than from the chunk: in order already
        columns |= _taken(chunk.columns, order[rows], ("duration_ms", "source", "query_id"))
        columns |= _durations(columns["duration_ms"])
        statement = self._statements.numbers(columns["key"])
        self.figures.statements.add(statement, work.request[rows], columns)
        working = self._statements.works(columns["key"])
        works = np.flatnonzero(working)
        asides = self._asides(columns, statement, working)
        columns = _taken(columns, works, (*ORDERED, "duration_ms", "octaves", "untimed"))
        columns |= _taken(chunk.columns, order[rows[works]], _SLICED)
        work, statement = work.of(rows[works]), statement[works]
        self.figures.traffic.add(columns)
        self._ignored.add(statement, columns["comment"])
        routes = self._routes.of(columns["comment"])
        whole = (columns["start_us"] >= FIRST_TIME_US) | (work.trace != 0)
        requests = sum_requests(
            work.request, work.unit, routes, columns["duration_ms"], columns["untimed"], whole
        )
        self.figures.requests.add(requests, statement, columns["duration_ms"])
        self.figures.speakers.add(columns)
        self._patterns.add(columns, statement, requests, self._routes.names)
        return self._slice(columns, work, statement, requests, chunk.parameters, asides)

    def _asides(self, columns: Columns, statement: Rows, working: Flags) -> Asides:
        """The rows that are not the team's work, and where they stand among those that are."""
        others = np.flatnonzero(~working)
        return Asides(
            place=others - np.arange(len(others)),
            session=columns["session"][others],
            start_us=columns["start_us"][others],
            end_us=columns["end_us"][others],
            statement=statement[others],
            boundary=self._statements.boundaries(columns["key"][others]),
        )

    def _slice(
        self,
        columns: Columns,
        work: Work,
        statement: Rows,
        requests: SummedRequests,
        texts: Texts,
        asides: Asides,
    ) -> WorkSlice:
        base = self._requests
        self._requests += work.size
        return WorkSlice(
            statement=statement,
            key=columns["key"],
            request=work.request + base,
            transaction=np.where(work.transaction >= 0, work.transaction + base, -1),
            trace=work.trace,
            whole=work.whole,
            pool=_pools(columns, work),
            session=columns["session"],
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
        )

    def simulation(self) -> Simulation:
        """What answers what fixes would change, when all slices and their loops were added."""
        return Simulation(self.figures, self.savings, self._routes.names, self._target.quantile)

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
        never_done = self._note_cancelled(sums, cancelled_bounds(events, event_statements))
        statements = self._statements.kept
        outcome = self._outcome(sums, never_done)
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
            catalog=recording.catalog,
            use=recording.use,
            plans=self._linked(plans),
            counters=tuple(
                replace(row, shape_id=one.shape_id, limited=one.facts.limit is not None)
                for row, one in zip(recording.counters, counted, strict=True)
            ),
            events=events,
            event_statements=event_statements,
        )

    def _outcome(self, sums: dict[int, Sums], never_done_ms: Sequence[float]) -> Outcome:
        recording, figures, statements = self._recording, self.figures, self._statements.kept
        seen = figures.statements.seen(recording.coverage.sampling)
        sources = list(self._views.server_rows)
        view = view_of(recording, sources, seen, sums, statements, figures, self._method)
        return Outcome(
            recording, figures, statements, seen, sums, self._target, view, never_done_ms
        )

    def _note_cancelled(
        self, sums: dict[int, Sums], cancelled: Iterable[tuple[Statement, float]]
    ) -> list[float]:
        """Add executions that were cancelled to what belongs to their statements.

        Gives what those (of the team) took at least whose statement never came to an end.
        """
        others = []
        for statement, ms in cancelled:
            number = self._statements.known(statement)
            if number is not None:
                sums.setdefault(number, Sums()).cancelled_ms.append(ms)
            elif statement.facts.role is Role.WORKLOAD:
                others.append(ms)
        return others

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


def _durations(values: Column) -> Columns:
    """Durations, 0 where they are not known, which `untimed` marks; `octaves` are their logarithms."""
    untimed = np.isnan(values)
    known = np.where(untimed, 0.0, values) if untimed.any() else values
    return {"duration_ms": known, "untimed": untimed, "octaves": octaves(known)}


def _taken(columns: Columns, rows: Rows, names: Iterable[str]) -> Columns:
    return {name: columns[name][rows] for name in names}


def _standing_alone(chunk: ExecutionChunk, rows: Rows) -> ExecutionChunk | None:
    """Some rows with their own copies of their parameters (the slice's may go); None of none."""
    if len(rows) == 0:
        return None
    taken = _taken(chunk.columns, rows, ExecutionChunk.NAMES)
    numbers = taken["parameters"]
    known = np.flatnonzero(numbers >= 0)
    texts = ByteTexts.some_of(chunk.parameters, numbers[known].tolist())
    taken["parameters"] = np.full(len(numbers), -1, dtype="i4")
    taken["parameters"][known] = np.arange(len(texts))
    return ExecutionChunk(taken, texts)


def _pools(columns: Columns, work: Work) -> Rows:
    """A number for each (database, user, application); -1 for traced rows and clients."""
    if len(work.trace) == 0:
        return np.zeros(0, dtype=np.int64)
    pool = numbered_rows(*(columns[name] for name in ("database", "user", "application")))[1]
    shared = ~work.whole & (columns["clock"] == Clock.SERVER)
    return np.where(shared, pool, -1)
