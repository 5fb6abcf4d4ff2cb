"""Schemas from SQL: what a script defines is what PostgreSQL makes of it."""

import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Protocol

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analyzer.model.catalog import Catalog, Index, Table
from analyzer.sources.postgres.catalog import read_catalog
from analyzer.sources.postgres.connection import connect
from analyzer.sources.schema.builder import object_name
from analyzer.sources.schema.script import statements
from analyzer.sources.schema.sql import read_schema

DATA = Path(__file__).parents[1] / "data"


class Server(Protocol):
    """What these tests use of tests/conftest.py's server."""

    dsn: str
    bin_directory: Path

    def psql(self, sql: str, dsn: str | None = None) -> str: ...

    def create_database(self, name: str) -> str: ...


def text(name: str) -> str:
    return (DATA / name).read_text(encoding="utf-8")


def read(script: str) -> dict[str, Table]:
    return dict(read_schema(script, "script").tables)


def live(server: Server, name: str, script: str) -> tuple[Catalog, str]:
    """The catalog of a new database after a script, and its pg_dump."""
    dsn = server.create_database(name)
    server.psql(script, dsn)
    with connect(dsn) as connection:
        found = read_catalog(connection)
    assert found.warnings == []
    dumped = subprocess.run(
        [server.bin_directory / "pg_dump", "--schema-only", dsn],
        capture_output=True,
        text=True,
        check=True,
    )
    return found.catalog, dumped.stdout


def definition(index: Index, *, texts: bool) -> tuple[object, ...]:
    """What of an index a script can say; without `texts`, expressions only by their number."""
    columns = (
        index.columns if texts else tuple(c if c.isidentifier() else "?" for c in index.columns)
    )
    return (
        *(index.name, columns, index.unique, index.primary, index.method, index.include),
        *(index.predicate if texts else bool(index.predicate), index.descending),
        index.operator_classes,
    )


def shape(table: Table, *, texts: bool = True, types: bool = True) -> dict[str, object]:
    """What of a table a script can say, in an order of its own."""
    columns = [(c.name, c.type if types else "", c.nullable) for c in table.columns]
    indexes = [definition(index, texts=texts) for index in table.indexes]
    keys = [(k.name, k.columns, k.target, k.target_columns) for k in table.foreign_keys]
    return {
        "columns": columns,
        "primary key": table.primary_key,
        "unique keys": sorted(table.unique_keys),
        "foreign keys": sorted(keys, key=repr),
        "indexes": sorted(indexes, key=repr),
    }


# Not in a script: the types of a query's columns (mv) and the text of what an EXCLUDE compares
# (renamed), which a script's syntax tree does not hold.
NOT_SAID = {"mv", "renamed"}


def test_a_dump_reads_like_the_server_it_is_of(postgres15: Server) -> None:
    server, dump = live(postgres15, "schema_rich_dump", text("schema/rich.sql"))
    dumped = read(dump)
    assert set(dumped) == set(server.tables)
    assert len(dumped) == 22
    for name, table in server.tables.items():
        if name not in NOT_SAID:
            assert shape(dumped[name]) == shape(table), name
    expected = shape(server.tables["mv"], types=False)
    assert shape(dumped["mv"], types=False) == expected


def test_a_script_reads_like_the_server_that_ran_it(postgres15: Server) -> None:
    server, _ = live(postgres15, "schema_rich_script", text("schema/rich.sql"))
    written = read(text("schema/rich.sql"))
    assert set(written) == set(server.tables)
    for name, table in server.tables.items():
        # The server adds casts to expressions; `lk` has two equal indexes that LIKE copied.
        if name not in {"lk", *NOT_SAID}:
            assert shape(written[name], texts=False) == shape(table, texts=False), name


@pytest.mark.parametrize(
    "script",
    ["schema/prisma_migration.sql", "nplusone/schema.sql", "nplusone/prisma7/schema.sql"],
)
def test_scripts_of_tools_read_like_the_server(postgres15: Server, script: str) -> None:
    server, dump = live(postgres15, "schema_tools", text(script))
    for source in (text(script), dump):
        found = read(source)
        assert {name: shape(table) for name, table in found.items()} == {
            name: shape(table) for name, table in server.tables.items()
        }


def test_what_is_not_sql_is_passed_over() -> None:
    tables = read(text("schema/hostile.sql"))
    assert set(tables) == {"first", "Second; one", "after_open_tag", "last_one"}
    assert [column.name for column in tables["first"].columns] == ["id", "note"]
    second = tables["Second; one"]
    assert second.primary_key == ("id",)
    (key,) = second.foreign_keys
    assert (key.columns, key.target, key.target_columns) == (("first;id",), "missing_table", ())
    assert tables["last_one"].unique_keys == (("id",),)


@pytest.mark.parametrize(
    "script", ["", "hello", "SELECT 1;", "\\i other.sql\n", "\x00\x01", "'", "$$"]
)
def test_nothing_found_is_no_table(script: str) -> None:
    assert read(script) == {}


def test_a_catalog_says_where_it_is_from() -> None:
    assert read_schema("CREATE TABLE t (id int)", "dump.sql").origin == "dump.sql"


def test_later_statements_change_earlier_ones() -> None:
    tables = read(
        """
        CREATE TABLE a (id int PRIMARY KEY, x int, y int);
        CREATE INDEX a_x ON a (x); CREATE INDEX a_y ON a (y, x);
        CREATE TABLE b (a_id int REFERENCES a, PRIMARY KEY (a_id));
        ALTER TABLE a RENAME id TO key; ALTER TABLE a RENAME TO aa;
        DROP INDEX a_x; ALTER TABLE b DROP CONSTRAINT b_pkey;
        ALTER TABLE IF EXISTS ONLY aa ADD COLUMN z text NOT NULL UNIQUE;
        ALTER TABLE aa DROP COLUMN y CASCADE;
        """
    )
    assert set(tables) == {"aa", "b"}
    assert [column.name for column in tables["aa"].columns] == ["key", "x", "z"]
    assert [index.name for index in tables["aa"].indexes] == ["a_pkey", "aa_z_key"]
    assert tables["b"].primary_key == ()
    (key,) = tables["b"].foreign_keys
    assert (key.target, key.target_columns) == ("aa", ("key",))


def test_index_texts_are_as_postgresql_prints_them() -> None:
    (table,) = read(
        """
        CREATE TABLE t (a text, b jsonb, c int, d int);
        CREATE INDEX i ON t USING btree (lower((a)::text) DESC NULLS LAST, ((b ->> 'x, (')), c, (c + d), coalesce(a, 'where ('))
            INCLUDE (d) WITH (fillfactor = 70) WHERE ((c > 0) AND (a <> 'x where y'::text));
        """
    ).values()
    (index,) = table.indexes
    assert index.columns == (
        "lower(a::text)",
        "b ->> 'x, ('",
        "c",
        "c + d",
        "COALESCE(a, 'where (')",
    )
    assert index.descending == (True, False, False, False, False)
    assert index.predicate == "c > 0 AND a <> 'x where y'::text"
    assert index.include == ("d",)


def test_a_name_is_cut_as_postgresql_cuts_it(postgres15: Server) -> None:
    dsn = postgres15.create_database("schema_names")
    cases = [("t" * 40, "c" * 40), ("t" * 63, "c"), ("é" * 31, "ü" * 20), ("t", "c" * 63)]
    for table, column in cases:
        postgres15.psql(f'CREATE TABLE "{table}" ("{column}" int UNIQUE)', dsn)
        shown = postgres15.psql(
            f"SELECT conname FROM pg_constraint WHERE conrelid = '\"{table}\"'::regclass", dsn
        )
        assert object_name(table, column, "key") == shown


def test_statements_are_cut_as_psql_cuts_them() -> None:
    script = "-- a;\nSELECT ';' /* ; */ ; \\set x 1;\nSELECT $a$;$a$, E'\\';', \"a;\"\"b\";;COPY t FROM stdin;\n1;\n\\.\nEND"
    assert list(statements(script)) == [
        "SELECT ';' /* ; */",
        'SELECT $a$;$a$, E\'\\\';\', "a;""b"',
        "COPY t FROM stdin",
        "END",
    ]


@pytest.mark.parametrize(
    "piece",
    [
        "'",
        '"',
        "$a$",
        "$",
        "E'\\'",
        "/*",
        "--",
        "\\",
        "COPY a FROM stdin;",
        "(",
        "$x1$ $x2$ ",
        "E'\\\n",
    ],
)
def test_cutting_takes_time_in_proportion(piece: str) -> None:
    assert sum(map(len, statements(piece * 30_000))) <= len(piece) * 30_000


def test_many_open_dollar_quotes_cost_one_pass() -> None:
    script = "".join(f"$tag{number}$ " for number in range(100_000))
    assert list(statements(script)) == [script.rstrip()]


def test_a_deep_expression_is_passed_over() -> None:
    script = f"CREATE TABLE t (a int DEFAULT {'+'.join('1' * 50_000)}); CREATE TABLE u (a int);"
    assert set(read(script)) == {"u"}


def words() -> Iterator[str]:
    yield from (
        "CREATE TABLE ",
        "ALTER TABLE ",
        "t",
        " (",
        ")",
        "id int",
        ", ",
        ";",
        "\n",
        "'",
        '"',
    )
    yield from (
        "PRIMARY KEY",
        "REFERENCES t",
        "$$",
        "/*",
        "*/",
        "--",
        "\\",
        "PARTITION OF t DEFAULT",
    )
    yield from (
        "CREATE INDEX ON ",
        "UNIQUE",
        "ADD ",
        "DROP TABLE ",
        "RENAME TO t",
        "LIKE t",
        "IF EXISTS ",
    )


@settings(max_examples=100, deadline=None)
@given(st.lists(st.sampled_from(list(words())) | st.text(max_size=3), max_size=60).map("".join))
def test_any_text_gives_a_catalog(script: str) -> None:
    for name, table in read(script).items():
        assert table.name == name
        names = {column.name for column in table.columns}
        assert names.issuperset(*table.unique_keys) or not table.unique_keys
