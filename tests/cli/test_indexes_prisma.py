"""`pg95 indexes --prisma`: the files that it writes, and what it refuses."""

import html
import json
import re
import shutil
import subprocess
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from analyzer.cli import cli
from analyzer.errors import InputError, UsageError
from tests.conftest import Server

DATA = Path(__file__).parents[1] / "data"
LOG = str(DATA / "prisma" / "prisma" / "query_events_default_client.jsonl")
NAME = "20260201000000_add_containers_project_id_idx"


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A project with the captured schema in two files, and one migration."""
    folder = tmp_path / "app" / "prisma"
    (folder / "schema").mkdir(parents=True)
    text = (DATA / "prisma" / "schema" / "schema.prisma").read_text()
    head, found, rest = text.partition("model Container {")
    (folder / "schema" / "base.prisma").write_text(head)
    (folder / "schema" / "rest.prisma").write_text(found + rest)
    (folder / "migrations" / "20260101000000_init").mkdir(parents=True)
    shutil.copy(
        DATA / "schema" / "prisma_migration.sql",
        folder / "migrations" / "20260101000000_init" / "migration.sql",
    )
    return folder.parent


def run(*arguments: str) -> Result:
    return CliRunner().invoke(cli, ["indexes", LOG, *arguments])


def refusal(kind: type[Exception], *arguments: str) -> str:
    error = run(*arguments).exception
    assert isinstance(error, kind), error
    return str(error)


def contents(folder: Path) -> dict[str, bytes]:
    return {str(path): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_files_are_written_where_they_are_wanted_and_over_nothing(
    project: Path, tmp_path: Path
) -> None:
    before = contents(project)
    out = tmp_path / "out"
    asked = ("--prisma", str(project), "--migration-time", "20260201000000", "-o", str(out))
    done = run(*asked)
    assert done.exit_code == 0, done.output
    assert contents(project) == before
    patch, migration = sorted(path for path in out.rglob("*") if path.is_file())[::-1]
    assert migration == out / "prisma" / "migrations" / NAME / "migration.sql"
    assert migration.read_text().endswith(
        "CREATE INDEX CONCURRENTLY containers_project_id_idx ON containers (project_id);\n"
    )
    subprocess.run(["git", "apply", patch], cwd=project, check=True)
    changed = {name for name, text in contents(project).items() if before[name] != text}
    assert changed == {str(project / "prisma" / "schema" / "rest.prisma")}
    assert "  @@index([projectId])\n" in (project / "prisma/schema/rest.prisma").read_text()
    again = run(*asked)
    assert again.exit_code == 0  # the schema declares it now: nothing is left to write
    assert "For the Prisma project: no change." in again.output
    subprocess.run(["git", "apply", "-R", patch], cwd=project, check=True)
    assert "is there already" in refusal(InputError, *asked)


def test_the_terminal_shows_the_patch_and_what_was_not_checked(project: Path) -> None:
    done = run("--prisma", str(project / "prisma" / "schema"))
    assert done.exit_code == 0, done.output
    assert "+  @@index([projectId])" in done.output
    assert "not compared with a database" in done.output


def test_every_view_shows_the_patch_and_the_migration_as_they_are(
    project: Path, tmp_path: Path
) -> None:
    schema = project / "prisma" / "schema" / "rest.prisma"
    hostile = "  // <script>alert(1)</script> ``` @everyone\n"
    schema.write_text(
        schema.read_text().replace("  @@index([createdAt", hostile + "  @@index([createdAt", 1)
    )
    out = [tmp_path / name for name in ("r.json", "r.html", "r.md")]
    written = [part for path in out for part in ("-o", str(path))]
    asked = ("--prisma", str(project), "--migration-time", "20260201000000")
    done = CliRunner().invoke(cli, ["report", LOG, *asked, *written])
    assert done.exit_code == 0, done.output
    made = json.loads(out[0].read_text())["indexes"]["prisma"]
    assert "+  @@index([projectId])" in made["schema_patch"]
    assert hostile.strip() in made["schema_patch"]
    page, text = out[1].read_text(), out[2].read_text()
    assert "<script>alert" not in page
    blocks = [html.unescape(one) for one in re.findall(r"<pre[^>]*><code[^>]*>(.*?)</code>", page, re.DOTALL)]  # fmt: skip
    (migration,) = made["migrations"]
    for whole in (made["schema_patch"], made["patch"], migration["sql"]):
        assert whole in blocks
    assert migration["path"] in page
    assert f"````diff\n{made['schema_patch'].rstrip()}" in text
    assert f"```sql\n{migration['sql'].rstrip()}\n```" in text
    shown = run(*asked, "--format", "markdown").stdout
    assert "### As a change of the Prisma project" in shown


def test_what_makes_no_sense_is_refused(project: Path, tmp_path: Path, postgres15: Server) -> None:
    assert "--format patch is for --prisma" in refusal(UsageError, "--format", "patch")
    assert "--output is for --prisma" in refusal(UsageError, "-o", "x")
    assert "no schema.prisma" in refusal(InputError, "--prisma", str(tmp_path / "nowhere"))
    dsn = postgres15.create_database("another_app")
    postgres15.psql("CREATE TABLE other (id int PRIMARY KEY)", dsn)
    said = refusal(InputError, "--prisma", str(project), "--dsn", dsn)
    assert "has none of its tables" in said
    postgres15.psql("DROP DATABASE another_app WITH (FORCE)")
    (project / "prisma" / "schema" / "latin.prisma").write_bytes(b"// caf\xe9\n")
    assert "latin.prisma: is not UTF-8" in refusal(
        InputError, "--prisma", str(project / "prisma" / "schema")
    )


def test_a_search_by_distance_becomes_a_declared_index_and_a_migration_where_the_config_says(
    tmp_path: Path,
) -> None:
    (tmp_path / "prisma.config.ts").write_text(
        'export default { schema: "db/schema.prisma", migrations: { path: "db/steps" } }'
    )
    (tmp_path / "db").mkdir()
    (tmp_path / "db" / "schema.prisma").write_text(
        'datasource db {\n  provider = "postgresql"\n}\n\nmodel Doc {\n  id        Int                          @id\n'
        '  embedding Unsupported("vector(1536)")?\n}\n'
    )
    text = 'SELECT id FROM "Doc" ORDER BY embedding <=> $1::vector LIMIT 20'
    event = {"timestamp": "2026-11-22T08:00:00.000Z", "duration": 9.5, "query": text, "params": '["[1]"]', "target": "x"}  # fmt: skip
    (tmp_path / "events.jsonl").write_text(json.dumps(event) + "\n")
    asked = ["--prisma", str(tmp_path), "--migration-time", "20260201000000", "--format", "json"]
    done = CliRunner().invoke(cli, ["indexes", str(tmp_path / "events.jsonl"), *asked])
    assert done.exit_code == 0, done.output
    made = json.loads(done.stdout)["indexes"]["prisma"]
    (migration,) = made["migrations"]
    name = migration["index"]
    assert f'+  @@index([embedding], map: "{name}")' in made["schema_patch"]
    assert migration["path"] == f"db/steps/20260201000000_add_{name}/migration.sql"
    lines = migration["sql"].splitlines()
    assert lines[-1] == f'CREATE INDEX CONCURRENTLY {name} ON "Doc" USING hnsw (embedding vector_cosine_ops) WITH (m = 16, ef_construction = 64);'  # fmt: skip
    assert any("SET LOCAL hnsw.ef_search = 40" in line for line in lines[:-1])
    assert all(line.startswith("--") for line in lines[:-1])
