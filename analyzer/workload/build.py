"""The one way from a Recording to a Workload."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pandas as pd

from analyzer.model.coverage import Coverage
from analyzer.model.executions import Clock, ExecutionColumns
from analyzer.model.plan import Plan
from analyzer.model.recording import Event, Recording
from analyzer.model.statement import Role, Statement
from analyzer.model.target import RequestVerdict, Target, Verdict
from analyzer.model.workload import Workload
from analyzer.sql.identity import identify
from analyzer.workload import verdicts
from analyzer.workload.figures import LogContext, Sums, statement_figures
from analyzer.workload.quantiles import nearest_rank
from analyzer.workload.requests import assign_requests, summarise
from analyzer.workload.tags import Tags, read_tags
from analyzer.workload.views import merge_views

OWN_APPLICATION = "pg95"
_CENSORED_FROM_MS = 1.0  # a log whose fastest entry is slower leaves fast ones out
_FEW = 20  # with fewer entries than this only a floor of _CENSORED_FEW_FROM_MS is a sign
_CENSORED_FEW_FROM_MS = 10.0
_ROUND_FIGURES = (
    1,
    2,
    3,
    5,
    10,
    20,
    25,
    50,
    100,
    200,
    250,
    300,
    500,
    1000,
    2000,
    3000,
    5000,
    10000,
)


class _Statements:
    """Statements by shape, numbered in order of first sight; keys are identified once."""

    def __init__(self, recording: Recording) -> None:
        self._texts = recording.keys.texts
        self._by_key: dict[int, Statement] = {}
        self._numbers: dict[str, int] = {}
        self.kept: list[Statement] = []

    def of_key(self, key: int) -> Statement:
        """The statement that a key's text is an execution of."""
        statement = self._by_key.get(key)
        if statement is None:
            statement = identify(self._texts[key])
            self._by_key[key] = statement
        return statement

    def number(self, statement: Statement) -> int:
        """The statement's position in `kept`, added when new."""
        number = self._numbers.get(statement.shape_id)
        if number is None:
            number = len(self.kept)
            self._numbers[statement.shape_id] = number
            self.kept.append(statement)
        return number

    def known(self, statement: Statement) -> int | None:
        """The statement's position if it is kept already."""
        return self._numbers.get(statement.shape_id)


def build_workload(
    recording: Recording,
    plans: Sequence[Plan],
    target: Target,
    *,
    log_min_duration_ms: float | None = None,
) -> Workload:
    """Count everything once, say who each statement is, find requests, figures and the verdict.

    `log_min_duration_ms` is what the server left out, if known; otherwise it is inferred from the
    fastest entry of the log and said so in the coverage.
    """
    counted, client = merge_views(_frame(recording.executions), recording)
    coverage = recording.coverage
    _note_censoring(coverage, counted, log_min_duration_ms)
    statements = _Statements(recording)
    counted = _without_own(counted, recording, statements)
    tags = [read_tags(comment) for comment in recording.comments.texts]
    every = _numbered(counted, statements, tags)
    executions = every[every["works"]].drop(columns="works").reset_index(drop=True)
    client = client[_roles(client, statements)[0]]
    sums = _sums(recording, statements, every)
    paths = [source.path for source in coverage.sources]
    log = LogContext(paths, coverage.log_min_duration_ms)
    stats = statement_figures(every, sums, len(statements.kept), target, log)
    requests = summarise(executions, tags)
    verdict, client_verdict = _verdicts(executions, client, sums, statements, target, coverage)
    return Workload(
        executions=executions,
        requests=requests,
        statements=tuple(statements.kept),
        stats=tuple(stats),
        parameters=recording.parameters.texts,
        comments=recording.comments.texts,
        sessions=recording.sessions.texts,
        names=recording.names.texts,
        coverage=coverage,
        target=target,
        verdict=verdict,
        request_verdict=_request_verdict(requests, target, coverage.log_min_duration_ms),
        client_verdict=client_verdict,
        catalog=recording.catalog,
        plans=_linked_plans(plans),
        counters=tuple(recording.counters),
        events=_events(recording),
        key_facts={
            key: statements.of_key(key).facts for key in executions["key"].unique().tolist()
        },
    )


def _frame(columns: ExecutionColumns) -> pd.DataFrame:
    return pd.DataFrame({name: np.array(getattr(columns, name)) for name in ExecutionColumns.NAMES})


def _note_censoring(coverage: Coverage, counted: pd.DataFrame, given: float | None) -> None:
    """Fill `log_min_duration_ms`: given, or inferred from the fastest entry of each log."""
    if given is not None:
        coverage.log_min_duration_ms = given if given > 0 else None
        return
    floors = []
    for number in counted.loc[counted["clock"] == Clock.SERVER, "source"].unique().tolist():
        source = coverage.sources[number]
        floor = source.minimum_ms or 0.0
        needed = _CENSORED_FROM_MS if source.executions >= _FEW else _CENSORED_FEW_FROM_MS
        if floor >= needed:
            floors.append(max(figure for figure in _ROUND_FIGURES if figure <= floor))
    if floors:
        coverage.log_min_duration_ms = float(max(floors))
        coverage.log_min_duration_inferred = True
        coverage.warnings.append(
            f"no entry of the log is faster than {max(floors)} ms: it seems that the server logs slow statements only "
            f"(log_min_duration_statement = {max(floors)}). N+1 patterns and the exact P95 need every statement; "
            "if the log is complete, say --log-min-duration-ms 0"
        )


def _without_own(
    frame: pd.DataFrame, recording: Recording, statements: _Statements
) -> pd.DataFrame:
    """Executions that are not pg95's own, by application name or by the mark in their text."""
    own = [n for n, text in enumerate(recording.names.texts) if text == OWN_APPLICATION]
    marked = [
        key
        for key in frame["key"].unique().tolist()
        if statements.of_key(key).facts.role is Role.OWN
    ]
    return frame[~(frame["application"].isin(own) | frame["key"].isin(marked))]


def _roles(frame: pd.DataFrame, statements: _Statements) -> tuple[pd.Series, pd.Series]:
    """For each row: whether it is the team's statement, and its transaction boundary."""
    keys = frame["key"].unique().tolist()
    works = {key: statements.of_key(key).facts.role is Role.WORKLOAD for key in keys}
    boundary = {key: statements.of_key(key).facts.boundary for key in keys}
    return frame["key"].map(works).astype(bool), frame["key"].map(boundary).astype(np.int64)


def _numbered(frame: pd.DataFrame, statements: _Statements, tags: list[Tags]) -> pd.DataFrame:
    """Executions with their unit of work, statement number and `works`: the team's own or not."""
    works, boundaries = _roles(frame, statements)
    ordered = assign_requests(frame.assign(works=works), boundaries, tags).drop(columns="boundary")
    numbers = {
        key: statements.number(statements.of_key(key)) for key in ordered["key"].unique().tolist()
    }
    return ordered.assign(statement=ordered["key"].map(numbers).astype(np.int64))


def _sums(
    recording: Recording, statements: _Statements, executions: pd.DataFrame
) -> dict[int, Sums]:
    """Phases, counters and query ids by statement; statements seen in counters alone are added."""
    sums: dict[int, Sums] = {}
    skipped = {n for n, source in enumerate(recording.coverage.sources) if source.same_as}
    for (source, key), phases in recording.phases.items():
        number = statements.known(statements.of_key(key))
        if number is not None and source not in skipped:
            total = sums.setdefault(number, Sums()).phases
            total.parses += phases.parses
            total.parse_ms += phases.parse_ms
            total.binds += phases.binds
            total.bind_ms += phases.bind_ms
    for row in recording.counters:
        statement = identify(row.query)
        # What runs inside another statement (a foreign key's check, a function's body) is part of
        # that one's time already.
        if statement.facts.role is Role.OWN or row.calls <= 0 or not row.toplevel:
            continue
        found = sums.setdefault(statements.number(statement), Sums())
        found.counters.append(row)
        if row.query_id is not None:
            found.query_ids.add(row.query_id)
    known = executions.loc[executions["query_id"] != 0, ["statement", "query_id"]].drop_duplicates()
    for number, query_id in known.itertuples(index=False):
        sums.setdefault(int(number), Sums()).query_ids.add(str(query_id))
    return sums


def _verdicts(
    executions: pd.DataFrame,
    client: pd.DataFrame,
    sums: dict[int, Sums],
    statements: _Statements,
    target: Target,
    coverage: Coverage,
) -> tuple[Verdict, Verdict | None]:
    """The database's verdict, and the client's where there are client events."""
    client_verdict = None
    if len(client):
        durations = client["duration_ms"].to_numpy(dtype=np.float64)
        client_verdict = verdicts.from_durations(durations, target, None, "client calls")
    server = executions.loc[executions["clock"] == Clock.SERVER, "duration_ms"]
    counters = [
        row
        for number, found in sums.items()
        for row in found.counters
        if statements.kept[number].facts.role is Role.WORKLOAD
    ]
    if len(server):
        durations = server.to_numpy(dtype=np.float64)
        verdict = verdicts.from_durations(
            durations, target, coverage.log_min_duration_ms, "executions"
        )
        if verdict.verdict != "unknown" or not counters:
            return verdict, client_verdict
    if counters:
        return verdicts.from_counters(counters, target), client_verdict
    if client_verdict is not None:
        return verdicts.from_client(client_verdict, target), client_verdict
    return verdicts.nothing("no execution of a statement was seen"), None


def _request_verdict(
    requests: pd.DataFrame, target: Target, censored_ms: float | None
) -> RequestVerdict | None:
    if requests.empty:
        return None
    unit = str(requests["unit"].mode().iloc[0])
    durations = requests["duration_ms"].to_numpy(dtype=np.float64)
    verdict = verdicts.from_durations(durations, target, None, "requests")
    if censored_ms:
        verdict = verdicts.nothing(
            f"statements faster than {censored_ms:g} ms are not logged, so no request is whole"
        )
    trips = nearest_rank(requests["round_trips"].to_numpy(dtype=np.float64), target.quantile)
    return RequestVerdict(unit, verdict, trips or 0.0)


def _linked_plans(plans: Sequence[Plan]) -> tuple[Plan, ...]:
    """Plans with the shape of their statement; one execution's plan seen in two inputs counts once."""
    linked: dict[tuple[object, ...], Plan] = {}
    for plan in plans:
        shape_id = identify(plan.statement).shape_id if plan.statement else None
        linked.setdefault(
            (plan.key, plan.duration_ms, plan.total_ms), replace(plan, shape_id=shape_id)
        )
    return tuple(linked.values())


def _events(recording: Recording) -> dict[tuple[str, str], Event]:
    """Server events by kind and code, over inputs that are no views of others."""
    total: dict[tuple[str, str], Event] = {}
    for (source, kind, code), event in recording.events.items():
        if recording.coverage.sources[source].same_as:
            continue
        found = total.setdefault((kind, code), Event(kind, code))
        found.count += event.count
        found.total_bytes += event.total_bytes
        times = [at for at in (found.first_us, event.first_us) if at is not None]
        found.first_us = min(times, default=None)
        times = [at for at in (found.last_us, event.last_us) if at is not None]
        found.last_us = max(times, default=None)
    return total
