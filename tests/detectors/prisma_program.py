"""The program of prisma_shop, made ready and run: what tests need of a real Prisma.

Prisma and the Node.js for it are where tools/prisma7 puts them. The client is generated from the
program's schema, as in every project that uses Prisma, in a folder of the test.
"""

import json
import os
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from tests.prisma7 import modules

if TYPE_CHECKING:
    from tests.conftest import Server

HERE = Path(__file__).parent
ROWS = """
INSERT INTO publishers (name) SELECT 'publisher ' || n FROM generate_series(1, 20) n;
INSERT INTO authors (publisher_id) SELECT n FROM generate_series(1, 20) n;
INSERT INTO books (author_id) SELECT n % 20 + 1 FROM generate_series(1, 60) n;
INSERT INTO reviews (book_id) SELECT n % 60 + 1 FROM generate_series(1, 120) n;
"""
TABLES = """
CREATE TABLE publishers (id serial PRIMARY KEY, name text NOT NULL);
CREATE TABLE authors (id serial PRIMARY KEY, publisher_id int NOT NULL REFERENCES publishers);
CREATE TABLE books (id serial PRIMARY KEY, author_id int NOT NULL REFERENCES authors);
CREATE TABLE reviews (id serial PRIMARY KEY, book_id int NOT NULL REFERENCES books);
"""


@dataclass(frozen=True, slots=True)
class Ran:
    """One run of the program: what it printed, and the two logs of it."""

    seen: list[object]
    log: Path  # PostgreSQL's, of the program's database alone
    events: Path  # Prisma's own


@dataclass(frozen=True, slots=True)
class Program:
    """A folder with the program, its generated client, and Node.js to run it with."""

    folder: Path
    node: Path

    @property
    def schema(self) -> Path:
        """The program's schema.prisma."""
        return self.folder / "schema.prisma"

    def run(self, server: "Server", how: str, *advice: str) -> Ran:
        """Run it in a new database, and take what was logged meanwhile."""
        name = f"{self.folder.name}_{how.replace('-', '_')}_{len(list(self.folder.iterdir()))}"
        dsn = new_shop(server, name)
        place = self.folder / name
        place.mkdir()
        events = place / "events.jsonl"
        said = run_node(self, "shop.ts", dsn, str(events), how, *advice)
        server.flush_logs()
        lines = server.log_path("stderr").read_text().splitlines(keepends=True)
        ours = [number for number, line in enumerate(lines) if f"@{name}/" in line]
        begun = next(n for n in reversed(ours) if "INSERT INTO reviews" in lines[n]) + 1
        log = place / "postgresql.log"
        log.write_text("".join(lines[begun : ours[-1] + 3]))
        return Ran(json.loads(said), log, events)


def new_shop(server: "Server", name: str) -> str:
    """A database with the program's tables and rows; its DSN."""
    dsn = server.create_database(name)
    server.psql(TABLES + ROWS, dsn)
    return dsn


def run_node(program: Program, *arguments: str) -> str:
    """Run Node.js in the program's folder; what it printed."""
    done = subprocess.run(
        [program.node, *arguments],
        cwd=program.folder,
        # `prisma generate` looks for the engine that migrations need, and downloads it otherwise; the
        # other two keep it from asking for newer versions.
        env=os.environ
        | {
            "PRISMA_SCHEMA_ENGINE_BINARY": "/bin/true",
            "CHECKPOINT_DISABLE": "1",
            "PRISMA_HIDE_UPDATE_MESSAGE": "1",
        },
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode != 0:
        raise RuntimeError(f"{' '.join(arguments)} failed: {done.stderr}{done.stdout}")
    return done.stdout


def prepare(folder: Path, *preview_features: str) -> Program:
    """Generate the client, with the preview features given."""
    place = modules()
    shutil.copytree(HERE / "prisma_shop", folder)
    (folder / "node_modules").symlink_to(place / "node_modules")
    program = Program(folder, place / "node" / "bin" / "node")
    if preview_features:
        schema = program.schema.read_text()
        features = ", ".join(f'"{name}"' for name in preview_features)
        wanted = schema.replace(
            "generator client {", f"generator client {{\n  previewFeatures = [{features}]"
        )
        assert wanted != schema
        program.schema.write_text(wanted)
    run_node(program, "node_modules/prisma/build/index.js", "generate", "--schema", "schema.prisma")
    return program
