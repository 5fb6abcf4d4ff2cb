"""Saved pg_stat_statements: every form and version, and nothing lost in silence."""

import csv
import io
import json
from pathlib import Path
from typing import Literal, Protocol

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analyzer.model.coverage import SourceCoverage
from analyzer.model.statement import StatementCounters
from analyzer.sources.statistics import read_counters

DATA = Path(__file__).parents[1] / "data"
Form = Literal["csv", "jsonl", "json"]
FORMS: tuple[Form, ...] = ("csv", "jsonl", "json")


class Server(Protocol):
    """What these tests use of tests/conftest.py's server."""

    dsn: str

    def psql(self, sql: str, dsn: str | None = None) -> str: ...

    def create_database(self, name: str) -> str: ...


def read(data: bytes, form: Form) -> tuple[list[StatementCounters], SourceCoverage]:
    coverage = SourceCoverage("input")
    return read_counters(io.BytesIO(data), form, 2, coverage), coverage


def read_file(path: Path) -> tuple[list[StatementCounters], SourceCoverage]:
    forms: dict[str, Form] = {".csv": "csv", ".jsonl": "jsonl", ".json": "json"}
    return read(path.read_bytes(), forms[path.suffix])


SAVED = sorted(path for path in (DATA / "statistics").iterdir() if path.suffix != ".md")


@pytest.mark.parametrize("path", SAVED, ids=lambda path: path.name)
def test_every_version_and_form_gives_the_same_statements(path: Path) -> None:
    counters, coverage = read_file(path)
    assert coverage.entries == len(counters) == 7
    assert coverage.bytes == path.stat().st_size
    assert (coverage.bytes_unparsed, coverage.unparsed_lines) == (0, 0)
    assert coverage.first_unparsed is None
    assert {counter.calls for counter in counters} == {3}
    # Of three runs: found by id 0, 1, 2; counted twice 3; inserted 900; updated 9, 18, 27; top 3.
    assert sorted(counter.rows or 0 for counter in counters) == [0, 3, 3, 3, 9, 54, 900]
    lines = next(c.query for c in counters if "Quoted" in c.query)
    assert lines.splitlines()[1:3] == [
        '       "Quoted ""name"""',
        "FROM items -- a comment, with a comma",
    ]


def test_a_row_is_read_whole() -> None:
    counters, _ = read_file(DATA / "statistics" / "psql-18.csv")
    with (DATA / "statistics" / "psql-18.csv").open(encoding="utf-8", newline="") as file:
        rows = {row["query"]: row for row in csv.DictReader(file)}
    for counter in counters:
        row = rows[counter.query]
        assert counter == StatementCounters(
            query=row["query"],
            query_id=row["queryid"],
            calls=int(row["calls"]),
            total_ms=float(row["total_exec_time"]),
            min_ms=float(row["min_exec_time"]),
            max_ms=float(row["max_exec_time"]),
            mean_ms=float(row["mean_exec_time"]),
            stddev_ms=float(row["stddev_exec_time"]),
            rows=int(row["rows"]),
            planning_ms=float(row["total_plan_time"]),
            database=row["dbid"],
            user=row["userid"],
            toplevel=row["toplevel"] == "t",
            shared_blocks_hit=int(row["shared_blks_hit"]),
            shared_blocks_read=int(row["shared_blks_read"]),
            temp_blocks_written=int(row["temp_blks_written"]),
            wal_bytes=int(row["wal_bytes"]),
            source=2,
            read_ms=float(row["shared_blk_read_time"]),
            since_us=counter.since_us,
        )
    assert {counter.toplevel for counter in counters} == {True, False}


def test_the_forms_of_one_server_agree() -> None:
    folder = DATA / "statistics"
    expected, _ = read_file(folder / "psql-18.csv")
    for name in ("row_to_json-18.jsonl", "json_agg-18.json"):
        assert read_file(folder / name)[0] == expected, name
    seventeen, _ = read_file(folder / "psql-17.csv")
    assert read_file(folder / "copy-17.csv")[0] == seventeen
    assert seventeen[0].since_us is not None


def test_old_versions_have_total_time_and_no_planning() -> None:
    counters, _ = read_file(DATA / "statistics" / "psql-12.csv")
    (do,) = [counter for counter in counters if counter.query.startswith("do $$")]
    assert (do.total_ms, do.min_ms, do.max_ms) == (4.154515, 0.253245, 3.597262)
    assert (do.planning_ms, do.wal_bytes, do.since_us) == (None, None, None)


@pytest.mark.parametrize("run", ["default_client", "sqlcommenter"])
def test_the_prisma_capture(run: str) -> None:
    path = DATA / "prisma" / "pglog" / f"{run}.pg_stat_statements.jsonl"
    counters, coverage = read_file(path)
    lines = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    assert [counter.query for counter in counters] == [line["query"] for line in lines]
    assert [counter.query_id for counter in counters] == [str(line["queryid"]) for line in lines]
    assert sum(counter.total_ms for counter in counters) == pytest.approx(
        sum(line["total_exec_time"] for line in lines)
    )
    assert coverage.unparsed_lines == 0


@pytest.mark.parametrize("stack", ["django", "prisma7", "sequelize"])
def test_the_slices_counters_lack_spread_but_not_sums(stack: str) -> None:
    paths = sorted((DATA / "nplusone" / stack).glob("*.pgss.json"))
    assert len(paths) >= 15
    for path in paths:
        rows = json.loads(path.read_bytes())
        counters, coverage = read_file(path)
        assert [counter.calls for counter in counters] == [row["calls"] for row in rows], path.name
        assert coverage.bytes == path.stat().st_size
        assert all(counter.stddev_ms is None for counter in counters)


def test_a_real_server_s_csv(postgres15: Server) -> None:
    dsn = postgres15.create_database("statistics_saved")
    postgres15.psql('CREATE EXTENSION pg_stat_statements; SELECT 1 AS "a,\nb"', dsn)
    saved = postgres15.psql(
        "COPY (SELECT s.*, d.datname FROM pg_stat_statements s JOIN pg_database d ON d.oid = s.dbid "
        "WHERE d.datname = current_database()) TO STDOUT (FORMAT csv, HEADER)",
        dsn,
    )
    counters, coverage = read(saved.encode(), "csv")
    assert coverage.unparsed_lines == 0
    (row,) = [counter for counter in counters if "a,\nb" in counter.query]
    assert (row.calls, row.database) == (1, "statistics_saved")


HEADER = b"queryid,query,calls,total_exec_time\n"


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        (b"1,,3,1.5\n", "no query text"),
        (b"1,select 1,,1.5\n", "no calls"),
        (b"1,select 1,-3,1.5\n", "no calls"),
        (b"1,select 1,3,\n", "no total_exec_time"),
        (b"1,select 1,3,nan\n", "total_ms is not a figure"),
        (b"1,select 1,3,x\n", "total_ms is not a figure"),
        (b"1,select 1,3\n", "3 fields where the header has 4"),
        (b"1,<insufficient privilege>,3,1.5\n", "lacks pg_read_all_stats"),
        (b'1,"select 1"x,3,1.5\n', "text after a closing quote"),
        (b'1,"select\n1,3,1.5\n', "a quote is not closed"),
    ],
)
def test_a_bad_row_is_counted_and_shown(row: bytes, reason: str) -> None:
    good = b"2,select 2,1,0.5\n"
    counters, coverage = read(HEADER + good + row, "csv")
    assert [counter.query for counter in counters] == ["select 2"]
    assert coverage.bytes_unparsed == len(row)
    assert coverage.unparsed_lines == row.count(b"\n")
    assert coverage.first_unparsed is not None
    assert coverage.first_unparsed.startswith(f"line 3, byte {len(HEADER + good)}: ")
    assert reason in coverage.first_unparsed


def test_what_people_do_to_csv() -> None:
    data = (
        b"\xef\xbb\xbfTiming is on.\r\n"
        b'"QueryId";"Query";"Calls";"mean_exec_time";"usename"\r\n'
        b'5;"select ""a;b"" from t";4;2.5;app\r\n'
        b"\r\n"
    )
    counters, coverage = read(data, "csv")
    (row,) = counters
    assert (row.query, row.query_id) == ('select "a;b" from t', "5")
    assert (row.calls, row.total_ms, row.mean_ms, row.user) == (4, 10.0, 2.5, "app")
    assert coverage.unparsed_lines == 1
    assert coverage.bytes == len(data)


def test_csv_without_a_header_is_all_unparsed() -> None:
    data = b"1,select 1,3,1.5\n2,select 2,3,1.5\n"
    counters, coverage = read(data, "csv")
    assert counters == []
    assert coverage.bytes_unparsed == len(data)
    assert coverage.unparsed_lines == 2
    assert "no header" in (coverage.first_unparsed or "")


def test_a_json_array_cut_short_gives_what_came_before() -> None:
    whole = (DATA / "statistics" / "json_agg-18.json").read_bytes()
    data = whole[: len(whole) * 2 // 3]
    counters, coverage = read(data, "json")
    assert len(counters) == 4
    assert coverage.bytes_unparsed > 0
    assert (coverage.first_unparsed or "").startswith("line 5, byte ")


@pytest.mark.parametrize(
    "data",
    [
        b"[" * 100_000,
        b'{"query":' * 50_000,
        b'[{"query": "x", "calls": ' + b"9" * 10_000 + b"}]",
        b'[{"query": "x", "calls": 1, "total_exec_time": 1e999}]',
        b"[1, null, [], {}]",
        b"\x00\xff\xfe" * 100,
    ],
)
@pytest.mark.parametrize("form", FORMS)
def test_hostile_input_is_counted(data: bytes, form: Form) -> None:
    counters, coverage = read(data, form)
    assert counters == []
    assert coverage.bytes == len(data)
    if data.strip(b"[ ]"):
        assert coverage.unparsed_lines >= 1


PIECES = st.sampled_from(
    [*'{}[]":,;\n\r\\', "query", "calls", "total_time", "1", "-2.5", "null", "select 1", '""', "é"]
)


@settings(max_examples=100, deadline=None)
@given(text=st.lists(PIECES, max_size=60).map("".join), form=st.sampled_from(FORMS))
def test_any_text_is_read_or_counted(text: str, form: Form) -> None:
    data = text.encode()
    counters, coverage = read(data, form)
    assert coverage.bytes == len(data)
    assert 0 <= coverage.bytes_unparsed <= len(data)
    assert coverage.entries == len(counters)
    assert (coverage.bytes_unparsed > 0) == (coverage.first_unparsed is not None)


@settings(max_examples=50, deadline=None)
@given(
    st.lists(
        st.tuples(
            st.text(min_size=1).filter(lambda text: "\x00" not in text),
            st.integers(0, 2**60),
            st.floats(0, 1e12),
        ),
        max_size=8,
    )
)
def test_what_python_writes_is_read_back(rows: list[tuple[str, int, float]]) -> None:
    buffer = io.StringIO(newline="")
    writer = csv.writer(buffer, quoting=csv.QUOTE_ALL, lineterminator="\n")
    writer.writerow(["query", "calls", "total_time"])
    writer.writerows(rows)
    counters, coverage = read(buffer.getvalue().encode(), "csv")
    assert [(c.query, c.calls, c.total_ms) for c in counters] == rows
    assert coverage.unparsed_lines == 0
