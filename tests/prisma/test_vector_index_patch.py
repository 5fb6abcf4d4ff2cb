"""hnsw and ivfflat in a real Prisma project, on a server with pgvector: declared, they are kept."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.conftest import Server, running
from tests.prisma.prisma_cli import make_project
from tests.prisma.test_index_patch import applied, create, drift
from tests.sources.clones import pg_dump18

SCHEMA = """generator client {
  provider = "prisma-client"
  output   = "../generated"
}

datasource db {
  provider = "postgresql"
}

model Doc {
  id        Int                       @id @default(autoincrement())
  embedding Unsupported("vector(3)")?
  small     Unsupported("halfvec(3)")

  @@map("docs")
}
"""
MIGRATION = """CREATE EXTENSION IF NOT EXISTS vector;
CREATE TABLE docs (id serial NOT NULL, embedding vector(3), small halfvec(3) NOT NULL,
  CONSTRAINT docs_pkey PRIMARY KEY (id));
"""
KINDS = [
    ("CREATE INDEX CONCURRENTLY near ON docs USING hnsw (embedding vector_cosine_ops) WITH (m = 16);", '@@index([embedding], map: "near")'),
    ("CREATE INDEX CONCURRENTLY lists ON docs USING ivfflat (small halfvec_l2_ops) WITH (lists = 10);", '@@index([small], map: "lists")'),
]  # fmt: skip


@pytest.fixture(scope="module")
def vectors() -> Iterator[Server]:
    """PostgreSQL 18 with pgvector, of the wheel, which has no other extension."""
    programs = pg_dump18().parent
    with running(programs, programs, "shared_preload_libraries = ''\n") as server:
        yield server


def test_prisma_keeps_declared_vector_indexes(vectors: Server, tmp_path: Path) -> None:
    dsn = vectors.create_database("docs")
    project = make_project(tmp_path / "app", SCHEMA, dsn, MIGRATION)
    project.prisma("migrate", "deploy")
    lines = applied(project, {"create": [create(sql, "docs") for sql, _ in KINDS]})
    assert lines == [line for _, line in KINDS]
    assert project.wants() == ""
    assert drift(project) == []
    methods = vectors.psql(
        "SELECT string_agg(amname, ' ' ORDER BY amname) FROM pg_class c JOIN pg_am a ON a.oid = c.relam "
        "WHERE relname IN ('near', 'lists')",
        dsn,
    )
    assert methods == "hnsw ivfflat"
    undeclared = project.schema.read_text()
    for line in lines:
        undeclared = undeclared.replace(line, "")
    project.schema.write_text(undeclared)
    assert 'DROP INDEX "near"' in project.wants()  # what the declaration is for
