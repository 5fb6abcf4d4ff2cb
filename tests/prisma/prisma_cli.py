"""A Prisma project on disk, and the real `prisma` command with its real schema engine (engine/schema_engine.mjs)."""

import os
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

from tests.prisma7 import modules

HERE = Path(__file__).parent
DATA = HERE.parent / "data"
CONFIG = """import { defineConfig } from 'prisma/config';
export default defineConfig({
  schema: 'prisma/schema.prisma',
  migrations: { path: 'prisma/migrations' },
  datasource: { url: process.env.DATABASE_URL! },
});
"""


@dataclass(frozen=True, slots=True)
class PrismaProject:
    """A project's folder and the database that it is of."""

    folder: Path
    node: Path
    dsn: str

    @property
    def schema(self) -> Path:
        """Its schema.prisma."""
        return self.folder / "prisma" / "schema.prisma"

    def prisma(self, *arguments: str) -> str:
        """Run the `prisma` command; what it printed. Fails where the command does."""
        done = subprocess.run(
            [self.node, "node_modules/prisma/build/index.js", *arguments],
            cwd=self.folder,
            env=os.environ
            | {
                "PRISMA_SCHEMA_ENGINE_BINARY": str(self.folder / "schema-engine"),
                "DATABASE_URL": self.dsn,
                "CHECKPOINT_DISABLE": "1",
                "PRISMA_HIDE_UPDATE_MESSAGE": "1",
            },
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, f"prisma {' '.join(arguments)}: {done.stdout}{done.stderr}"
        return done.stdout

    def wants(self) -> str:
        """The SQL that Prisma would migrate with, from the database and from the migrations alone; "" for none."""
        said = []
        for source in (["--from-config-datasource"], ["--from-migrations", "prisma/migrations"]):
            text = self.prisma(
                "migrate", "diff", *source, "--to-schema", "prisma/schema.prisma", "--script"
            )
            assert "-- " in text, text  # an engine that fails may leave the command silent
            said.append(text.replace("-- This is an empty migration.", "").strip())
        return "\n".join(said).strip()


def make_project(
    folder: Path, schema: str, dsn: str, migration: str | None = None
) -> PrismaProject:
    """Write a project: its schema, its first migration if there is one, the configuration and the engine."""
    place = modules()
    node = place / "node" / "bin" / "node"
    (folder / "prisma" / "migrations").mkdir(parents=True)
    (folder / "prisma" / "schema.prisma").write_text(schema)
    (folder / "prisma.config.ts").write_text(CONFIG)
    (folder / "prisma" / "migrations" / "migration_lock.toml").write_text(
        'provider = "postgresql"\n'
    )
    if migration is not None:
        first = folder / "prisma" / "migrations" / "20260101000000_init"
        first.mkdir()
        (first / "migration.sql").write_text(migration)
    (folder / "node_modules").symlink_to(place / "node_modules")
    shutil.copy(HERE / "engine" / "schema_engine.mjs", folder)
    engine = folder / "schema-engine"
    engine.write_text(
        f'#!/bin/sh\nexec "{node}" "{folder}/schema_engine.mjs" "{place}/node_modules" "$@"\n'
    )
    engine.chmod(0o755)
    return PrismaProject(folder, node, dsn)
