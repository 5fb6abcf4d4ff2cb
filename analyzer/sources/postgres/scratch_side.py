"""One session on a scratch server, in which statements that somebody else wrote are run and timed."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import psycopg

from analyzer.model.explain import Sample
from analyzer.sources.postgres.connection import Connection
from analyzer.sources.postgres.proof import why_not_read_only
from analyzer.sources.postgres.sqlfiles import query
from analyzer.sql.read_only import NotReadOnlyError, names_if_read_only, parameter_count

SAVEPOINT = "pg95"
PROOF_MS = 10_000
_MANY_TIMES = 5.0
_MANY_ROWS = 1000
# What a plan estimates; all else of it is what it does.
_ESTIMATES = frozenset({"Startup Cost", "Total Cost", "Plan Rows", "Plan Width"})


class Side:
    """A session with the search path of its role, which pg95's own queries do without."""

    def __init__(self, connection: Connection, idle_ms: float) -> None:
        """`idle_ms` is how long it may wait in its transaction for the other side."""
        self.connection = connection
        row: Any = connection.execute(query("explain_path").encode()).fetchone()
        self._path, self._schemas = row[0], row[1]
        connection.execute(query("trial_idle").encode(), {"timeout": f"{int(idle_ms)}ms"})

    @contextmanager
    def reading(self, timeout_ms: float) -> Iterator[None]:
        """A savepoint that can only read, rolled back at its end."""
        with self.connection.transaction(SAVEPOINT, force_rollback=True):
            self.only_read(timeout_ms)
            yield

    def only_read(self, timeout_ms: float) -> None:
        """From here on the savepoint can only read, and names mean what they mean to the application."""
        limits = {"timeout": f"{max(1, int(timeout_ms))}ms"}
        self.connection.execute(query("trial_statement").encode(), limits)
        self.take_path()

    def take_path(self, path: str | None = None) -> None:
        """Names mean what they mean to the application, or by another path."""
        given = {"path": self._path if path is None else path}
        self.connection.execute(query("explain_search_path").encode(), given)

    def why_not(self, text: str) -> str | None:
        """Why a statement is not proved to only read; None where it is."""
        try:
            names = names_if_read_only(text)
        except NotReadOnlyError as error:
            return str(error)
        with self.reading(PROOF_MS):
            self.take_path("pg_catalog")
            return why_not_read_only(self.connection, names, self._schemas)

    def plan(self, sample: Sample) -> dict[str, Any]:
        """The plan of a statement, which is not run."""
        found: dict[str, Any] = self._explained(sample, "FORMAT JSON")["Plan"]
        return found

    def run(self, sample: Sample) -> tuple[float, dict[str, Any]]:
        """Planning and execution time in ms, and the plan with the rows that it met."""
        document = self._explained(sample, "ANALYZE, TIMING OFF, FORMAT JSON")
        return float(document["Planning Time"] + document["Execution Time"]), document["Plan"]

    def _explained(self, sample: Sample, how: str) -> dict[str, Any]:
        values = sample.values if parameter_count(sample.text) else None
        cursor = psycopg.RawCursor(self.connection)
        explain = f"EXPLAIN ({how}) /* pg95 */ {sample.text}"
        # As in explain.py: a binary answer makes it the extended protocol, of one statement.
        row: Any = cursor.execute(explain.encode(), values or None, binary=True).fetchone()
        document: dict[str, Any] = row[0][0]
        return document


def index_names(plan: Mapping[str, Any]) -> set[str]:
    """The indexes in a plan."""
    names = {plan["Index Name"]} if "Index Name" in plan else set()
    for child in plan.get("Plans", ()):
        names |= index_names(child)
    return names


def surprise(plan: Mapping[str, Any]) -> str | None:
    """Where a plan that was run met many times the rows that it was made for; None where it nowhere did."""
    worst, said = _MANY_TIMES, None
    for node in _nodes(plan):
        loops = node["Actual Loops"]
        met, expected = node["Actual Rows"] * loops, node["Plan Rows"] * loops
        times = met / max(1.0, expected)
        if met >= _MANY_ROWS and times >= worst:
            on = f" on {node['Relation Name']}" if "Relation Name" in node else ""
            worst = times
            said = (
                f"{node['Node Type']}{on} met {met:,.0f} rows where {expected:,.0f} were expected"
            )
    return said


def _nodes(plan: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    yield plan
    for child in plan.get("Plans", ()):
        yield from _nodes(child)


def shape(plan: Mapping[str, Any]) -> str:
    """What a plan does, whatever it estimates: equal for plans that do the same."""
    return repr(_bare(plan))


def _bare(value: object) -> object:
    if isinstance(value, Mapping):
        return [(key, _bare(one)) for key, one in value.items() if key not in _ESTIMATES]
    return [_bare(one) for one in value] if isinstance(value, list) else value
