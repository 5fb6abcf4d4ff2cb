"""prisma.config.ts: what stands there as text is taken, what is computed is said and never run."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from analyzer.cli import cli
from analyzer.errors import InputError
from analyzer.sources.schema.prisma_config import PrismaConfig, read_config
from analyzer.sources.schema.project import find_schema, read_project

MODEL = "model a {\n  id Int @id\n}\n"
HEAD = 'import "dotenv/config";\nimport { defineConfig, env } from "prisma/config";\n'
DOCUMENTED = (
    HEAD
    + """
export default defineConfig({
  // schema: "no/this.prisma",
  schema: "db/schema.prisma",
  migrations: { path: 'db/steps', seed: `tsx ${"seed"}.ts` },
  datasource: { url: env("DATABASE_URL") },
});
"""
)


def read(folder: Path, text: str, name: str = "prisma.config.ts") -> PrismaConfig:
    path = folder / name
    path.parent.mkdir(exist_ok=True)
    path.write_text(text)
    return read_config(path)


@pytest.mark.parametrize(
    "text",
    [
        DOCUMENTED,
        'export default { schema: "db/schema.prisma", migrations: { path: "db/steps" } } satisfies PrismaConfig',
        "module.exports = { 'schema': 'db/schema.prisma', \"migrations\": { path: \"db/steps\" } }",
        'const config: PrismaConfig = { schema: "db/schema.prisma", migrations: { path: "db/steps" } };\nexport default config;',
        'const c = defineConfig({ migrations: { path: path.join("db", "steps") }, schema: path.join(__dirname, "db", "schema.prisma") });\nexport default c',
        'export default defineConfig({ ...shared, schema: `db/schema.prisma`, migrations: { ...x, path: resolve(import.meta.dirname, "db", "steps") } })',
    ],
)  # fmt: skip
def test_places_that_stand_there(tmp_path: Path, text: str) -> None:
    found = read(tmp_path, text)
    assert (found.schema, found.migrations) == (
        tmp_path / "db/schema.prisma",
        tmp_path / "db/steps",
    )
    assert not found.computed


@pytest.mark.parametrize(
    ("text", "line"),
    [
        (HEAD + "export default defineConfig({\n  schema: process.env.SCHEMA,\n})", 4),
        (HEAD + 'export default defineConfig({\n  schema: dir + "/schema.prisma" })', 4),
        (HEAD + "export default defineConfig({\n  schema: `${dir}/schema.prisma` })", 4),
        (HEAD + 'export default defineConfig({\n  schema: path.join(dir, "schema.prisma") })', 4),
        ("export default defineConfig({\n  schema })", 2),
        ("export default defineConfig({\n  get schema() { return 1 } })", 2),
        ('export default defineConfig({ schema: "a",\n  ...shared })', 2),
        ('export default defineConfig({ schema: "a",\n  [key]: "b" })', 2),
        ("\nexport default await load()", 2),
        ("export default defineConfig(config)", 1),
        ("export default config", 1),
        ('export default { schema: "unfinished', 1),
    ],
)
def test_what_is_computed_is_said_with_its_line(tmp_path: Path, text: str, line: int) -> None:
    found = read(tmp_path, text)
    assert found.schema is None
    assert found.computed["schema"] == line
    with pytest.raises(InputError, match=f"line {line}: the place of the schema is computed"):
        find_schema(tmp_path)


def test_a_configuration_without_places_leaves_the_usual_ones(tmp_path: Path) -> None:
    read(tmp_path, HEAD + 'export default defineConfig({ datasource: { url: env("A") } })')
    (tmp_path / "prisma").mkdir()
    (tmp_path / "prisma" / "schema.prisma").write_text(MODEL)
    assert find_schema(tmp_path) == tmp_path / "prisma" / "schema.prisma"


def test_schema_and_migrations_are_taken_from_there(tmp_path: Path) -> None:
    read(tmp_path, DOCUMENTED)
    with pytest.raises(InputError, match=r"prisma.config.ts: names .*schema.prisma as the schema"):
        find_schema(tmp_path)
    step = tmp_path / "db" / "steps" / "1_init"
    step.mkdir(parents=True)
    (step / "migration.sql").write_text("CREATE TABLE a (id int PRIMARY KEY);")
    (tmp_path / "db" / "schema.prisma").write_text(MODEL)
    project = read_project(find_schema(tmp_path))
    assert [one.name for one in project.migrations] == ["1_init"]
    done = CliRunner().invoke(cli, ["migrations", str(tmp_path), "--all", "--format", "json"])
    assert json.loads(done.stdout)["folder"] == str(tmp_path / "db" / "steps")


def test_migrations_whose_place_is_computed_are_a_note(tmp_path: Path) -> None:
    read(tmp_path, 'export default { schema: "schema.prisma",\n migrations: { path: steps() } }')
    (tmp_path / "schema.prisma").write_text(MODEL)
    project = read_project(find_schema(tmp_path))
    assert "line 2: the place of the migrations is computed" in project.notes[0]
    error = CliRunner().invoke(cli, ["migrations", str(tmp_path)]).exception
    assert "Give the folder" in str(error)


def test_the_folder_config_and_the_older_package_json(tmp_path: Path) -> None:
    (tmp_path / "a.prisma").write_text(MODEL)
    (tmp_path / "b").mkdir()
    (tmp_path / "b" / "b.prisma").write_text(MODEL)
    (tmp_path / "package.json").write_text('{"prisma": {"schema": "b/b.prisma"}}')
    assert find_schema(tmp_path) == tmp_path / "b" / "b.prisma"
    read(tmp_path, 'export default { schema: "../a.prisma" }', ".config/prisma.ts")
    assert find_schema(tmp_path).resolve() == tmp_path / "a.prisma"


@pytest.mark.parametrize("piece", ["/*", "'\\", "`", "(", "/* * ", 'const a = "'])
def test_hostile_texts_take_no_time(tmp_path: Path, piece: str) -> None:
    text = "export default { schema: " + piece * 50_000
    assert read(tmp_path, text).schema is None
