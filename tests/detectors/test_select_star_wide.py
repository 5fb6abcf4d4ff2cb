"""select-star-wide on what ORMs write, and what leaving a column out saves on a real server."""

from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from heavy_log import Ran, analysed, found, outcome
from neighbours import write_statistics

from analyzer.model.finding import Severity
from analyzer.model.text_evidence import SelectStarEvidence
from analyzer.pipeline import Options, run

if TYPE_CHECKING:
    from tests.conftest import Server

DETECTOR = "select-star-wide"
SCHEMA = """
CREATE TABLE documents (id int PRIMARY KEY, team_id int, title text, content bytea, embedding vector(1536));
CREATE TABLE teams (id int PRIMARY KEY, name text, slug text, plan text, settings jsonb);
"""
ALL = ", ".join(f'"documents"."{c}"' for c in ("id", "team_id", "title", "content", "embedding"))
FOUND = {
    "plain SQL": "SELECT * FROM documents WHERE team_id = 5",
    "Rails": """SELECT "documents".* FROM "documents" WHERE "documents"."team_id" = 5 ORDER BY "documents"."id" ASC""",
    "Django": f"""SELECT {ALL} FROM "documents" WHERE "documents"."team_id" = 5 LIMIT 21""",
    "Knex, joined": """select "documents".* from "documents" inner join "teams" on "teams"."id" = "documents"."team_id" where "teams"."slug" = 'x'""",
}
SILENT = {
    "some columns": 'SELECT "documents"."id", "documents"."title" FROM "documents" WHERE "documents"."team_id" = 5',
    "one row by its key": f'SELECT {ALL} FROM "documents" WHERE "documents"."id" = 5',
    "LIMIT 1": "SELECT * FROM documents WHERE team_id = 5 ORDER BY id LIMIT 1",
    "a count": "SELECT count(*) FROM documents WHERE team_id = 5",
    "the other table's star": "SELECT teams.* FROM teams JOIN documents ON documents.team_id = teams.id",
    "jsonb of unknown size": "SELECT * FROM teams WHERE plan = 'pro'",
}


def evidence(finding: object) -> SelectStarEvidence:
    made = getattr(finding, "evidence", None)
    assert isinstance(made, SelectStarEvidence)
    return made


@pytest.mark.parametrize("program", FOUND)
def test_found(tmp_path: Path, program: str) -> None:
    finding = found(tmp_path, DETECTOR, FOUND[program], SCHEMA)
    assert evidence(finding).table == "documents"
    assert evidence(finding).wide_columns == ("content", "embedding")
    assert finding.severity is Severity.LOW
    assert "SELECT id, team_id, title\nFROM documents" in finding.recommendations[-1].text
    own = {"Django": ["django"], "Rails": ["rails"]}.get(program, [])
    assert [advice.language for advice in finding.recommendations] == [*own, "sql"]


@pytest.mark.parametrize("case", SILENT)
def test_near_misses(tmp_path: Path, case: str) -> None:
    assert outcome(tmp_path, DETECTOR, SILENT[case], SCHEMA).status == "clean"


def test_without_a_schema_it_cannot_tell(tmp_path: Path) -> None:
    answer = outcome(tmp_path, DETECTOR, FOUND["plain SQL"])
    assert answer.status == "not-applicable"
    assert "--schema" in (answer.reason or "")


def test_silent_below_the_floor(tmp_path: Path) -> None:
    assert outcome(tmp_path, DETECTOR, Ran(FOUND["plain SQL"], ms=2.0), SCHEMA).status == "clean"
    rare = Ran(FOUND["plain SQL"], calls=3)
    assert outcome(tmp_path, DETECTOR, rare, SCHEMA).status == "clean"


def test_many_columns_are_wide(tmp_path: Path) -> None:
    columns = ", ".join(f"c{n} text" for n in range(40))
    schema = f"CREATE TABLE settings (id int PRIMARY KEY, {columns});"
    finding = found(tmp_path, DETECTOR, "SELECT * FROM settings WHERE c1 = 'x'", schema)
    assert evidence(finding).columns == 41


def test_prisma_omits(tmp_path: Path) -> None:
    schema = tmp_path / "schema.prisma"
    schema.write_text(
        'model Document {\n  id Int @id\n  teamId Int @map("team_id")\n  title String\n  scan Bytes @map("content")\n  @@map("documents")\n}\n'
    )
    columns = ", ".join(
        f'"public"."documents"."{c}"' for c in ("id", "team_id", "title", "content")
    )
    sql = f'SELECT {columns} FROM "public"."documents" WHERE "public"."documents"."team_id" = 5'
    line = (
        "2026-03-01 10:00:0{}.000 UTC [{}] app@shop/web LOG:  duration: 40.000 ms  statement: {}\n"
    )
    log = tmp_path / "postgresql.log"
    log.write_text("".join(line.format(n, 4000 + n, sql) for n in range(6)))
    result = run(Options(inputs=[str(log)], schema=str(schema)))
    (finding,) = [f for f in result.findings if f.detector == DETECTOR]
    assert [advice.language for advice in finding.recommendations] == ["prisma", "sql"]
    assert "prisma.document.findMany" in finding.recommendations[0].text
    assert "omit: { scan: true }" in finding.recommendations[0].text


@pytest.mark.parametrize(("size", "status"), [(6000, "found"), (10, "clean")])
def test_sizes_of_a_live_server_decide(
    postgres15: "Server", tmp_path: Path, size: int, status: str
) -> None:
    """And leaving out the large column reads nothing of what lies beside the table."""
    dsn = postgres15.create_database(f"texts_wide_{size}")
    postgres15.psql(
        "CREATE TABLE notes (id int PRIMARY KEY, team_id int, title text, body jsonb);"
        "ALTER TABLE notes ALTER body SET STORAGE EXTERNAL;"
        f"INSERT INTO notes SELECT n, n % 10, 't' || n, to_jsonb(repeat('x', {size})) FROM generate_series(1, 5000) n;"
        "ANALYZE",
        dsn,
    )
    sql = "SELECT * FROM notes WHERE team_id = 5"
    line = (
        "2026-03-01 10:00:0{}.000 UTC [{}] app@shop/web LOG:  duration: 40.000 ms  statement: {}\n"
    )
    log = tmp_path / "postgresql.log"
    log.write_text("".join(line.format(n, 4000 + n, sql) for n in range(6)))
    result = run(Options(inputs=[str(log)], dsn=dsn))
    assert result.outcomes[DETECTOR].status == status
    if status == "clean":
        return
    (finding,) = [f for f in result.findings if f.detector == DETECTOR]
    assert (evidence(finding).row_bytes or 0) > 6000
    fewer = finding.recommendations[0].text.partition("\n--")[0] + " WHERE team_id = 5"
    assert toast_blocks(postgres15, dsn, fewer) == 0
    assert toast_blocks(postgres15, dsn, sql) >= 500  # rows of a team, one value each


def toast_blocks(server: "Server", dsn: str, sql: str) -> int:
    """Blocks of the TOAST table that a statement reads or finds in memory."""
    asked = "SELECT coalesce(toast_blks_hit, 0) + coalesce(toast_blks_read, 0) FROM pg_statio_user_tables WHERE relname = 'notes'"
    before = int(server.psql(asked, dsn))
    server.psql(sql, dsn)  # its session ends, and with that its figures are counted
    return int(server.psql(asked, dsn)) - before


@pytest.mark.parametrize(
    ("calls", "rows", "per_call"), [(60_000, 60_000, None), (3, 300, 100.0), (2, 6, 3.0)]
)
def test_rows_a_call_are_those_of_the_counters_own_calls(
    tmp_path: Path, calls: int, rows: int, per_call: float | None
) -> None:
    """The log shows six executions, whatever the counters counted."""
    sql = FOUND["plain SQL"]
    analysed(tmp_path, [Ran(sql, calls=6)], SCHEMA)
    counted = write_statistics(
        tmp_path / "statistics.csv", [(sql.replace("5", "$1"), calls, calls * 40.0, rows)]
    )
    inputs = [str(tmp_path / "postgresql.log"), counted]
    schema = str(tmp_path / "schema.sql")
    result = run(Options(inputs=inputs, schema=schema, log_min_duration_ms=0))
    found = [evidence(one).rows_per_call for one in result.outcomes[DETECTOR].findings]
    assert found == ([] if per_call is None else [per_call])
