"""`pg95 indexes` on the captured Prisma application: its four foreign keys without an index are served."""

import json
from pathlib import Path

from click.testing import CliRunner

from analyzer.cli import cli
from analyzer.indexes.foreign_keys import uncovered
from analyzer.sources.postgres.catalog import read_catalog
from analyzer.sources.postgres.connection import connect
from analyzer.sql.index_statement import index_made
from tests.conftest import Server

DATA = Path(__file__).parents[1] / "data"


def test_the_four_foreign_keys_are_served_and_nothing_is_redundant(postgres15: Server) -> None:
    dsn = postgres15.create_database("corpus")
    postgres15.psql((DATA / "schema" / "prisma_migration.sql").read_text(), dsn)
    postgres15.psql((DATA / "prisma" / "schema" / "seed.sql").read_text(), dsn)
    postgres15.psql("CREATE EXTENSION hypopg", dsn)
    postgres15.psql("VACUUM ANALYZE", dsn)
    with connect(dsn) as connection:
        catalog = read_catalog(connection).catalog
    bare = {(one.table, one.columns) for one in uncovered(catalog)}
    assert len(bare) == 4
    log = DATA / "prisma" / "pglog" / "default_client.stderr.log"
    schema = DATA / "prisma" / "schema" / "schema.prisma"
    asked = ["indexes", str(log), "--dsn", dsn, "--schema", str(schema), "--format", "json"]
    done = CliRunner().invoke(cli, asked)
    assert done.exit_code == 0, done.output
    created = json.loads(done.stdout)["indexes"]["create"]
    made = [(one["table"], index_made(one["sql"])) for one in created]
    columns = [(table, index.columns) for table, index in made if index is not None]
    assert len(columns) == len(created)
    for table, key in bare:
        assert any(name == table and set(keys[: len(key)]) == set(key) for name, keys in columns)
    assert ("containers", ("project_id", "status")) in columns
    for table, keys in columns:  # none begins as another, or as one that is there
        own = catalog.table(table)
        assert own is not None
        others = [keys for name, keys in columns if name == table]
        others += [index.columns for index in own.indexes]
        assert [one for one in others if one[: len(keys)] == keys] == [keys]
