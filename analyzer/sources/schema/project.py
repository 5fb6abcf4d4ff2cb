"""The files of a Prisma project: the schema (one file, or a folder of them) and its migrations."""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from analyzer.errors import InputError
from analyzer.model.catalog import Catalog
from analyzer.model.migration import MigrationFile
from analyzer.patterns import regex
from analyzer.records import record
from analyzer.sources.schema import prisma, sql
from analyzer.sources.schema.builder import SchemaBuilder
from analyzer.sources.schema.prisma_config import config_above, find_config
from analyzer.sources.schema.script import statements
from analyzer.sql.ddl import definitions
from analyzer.sql.definitions import Step

_USUAL = ("prisma/schema.prisma", "prisma/schema", "schema.prisma", "prisma")
_CONCURRENTLY = regex(
    r"(?:CREATE\s+(?:UNIQUE\s+)?INDEX|DROP\s+INDEX)\s+CONCURRENTLY\b", re.IGNORECASE
)
_LARGEST_BYTES = 16 * 2**20  # of one file: a schema or a migration is text that people write


@record
class PrismaProject:
    """`schema` as a catalog, `files` it was read from, `migrations` beside it by name.

    `texts` are the files' texts by their paths. `migrations_folder` is None where the project has none and
    prisma.config.ts names none; one that it names may still have to be made. `notes` say what could not be told.
    """

    schema: Catalog
    texts: Mapping[str, str]
    migrations: tuple[MigrationFile, ...]
    migrations_folder: str | None
    notes: tuple[str, ...] = ()

    @property
    def files(self) -> tuple[str, ...]:
        """The paths of the schema's files."""
        return tuple(self.texts)


def find_schema(start: Path) -> Path:
    """The schema of a project's folder, or the file or folder of .prisma files itself.

    It is where prisma.config.ts says, in package.json `prisma.schema`, or at the usual places.

    Raises:
        InputError: there is none, or its place is computed.
    """
    if start.is_file():
        return start
    named = _configured(start)
    if named is not None:
        return named
    for name in _USUAL:
        path = start / name
        if path.is_file() or (path.is_dir() and any(path.glob("*.prisma"))):
            return path
    if start.is_dir() and any(start.glob("*.prisma")):
        return start
    raise InputError(
        f"{start}: no schema.prisma at the usual places ({', '.join(_USUAL)}). Give its path."
    )


def _configured(folder: Path) -> Path | None:
    """Where a project's own files say that its schema is, None where they do not."""
    config = find_config(folder)
    if config is not None and "schema" in config.computed:
        raise InputError(f"{config.why_not('schema')}. Give the schema's own path.")
    if config is not None and config.schema is not None:
        return _there(config.schema, str(config.path))
    package = folder / "package.json"
    try:
        told = json.loads(package.read_bytes()) if package.is_file() else {}
    except (ValueError, OSError, RecursionError):
        return None  # not ours to judge; the usual places are left
    part = told.get("prisma") if isinstance(told, dict) else None
    name = part.get("schema") if isinstance(part, dict) else None
    return _there(folder / name, str(package)) if isinstance(name, str) else None


def _there(schema: Path, who: str) -> Path:
    if schema.is_file() or (schema.is_dir() and any(schema.rglob("*.prisma"))):
        return schema
    raise InputError(f"{who}: names {schema} as the schema, and no .prisma file is there.")


def read_project(schema: Path, migrations: Path | None = None) -> PrismaProject:
    """Read a schema, and its migrations where there are some.

    Args:
        schema: schema.prisma, or a folder with .prisma files in it and below.
        migrations: the folder of the migrations; None takes what prisma.config.ts says, else `migrations` beside
            the schema.

    Raises:
        InputError: a file cannot be read, is no schema, or the folder named is none.
    """
    paths = sorted(schema.rglob("*.prisma")) if schema.is_dir() else [schema]
    paths = [path for path in paths if "node_modules" not in path.parts]
    if not paths:
        raise InputError(f"{schema}: no .prisma file in it.")
    texts = {str(path): _text(path) for path in paths}
    catalog = prisma.read_schemas(texts, str(schema))
    if not catalog.tables:
        raise InputError(f"{schema}: no model in it.")
    folder, notes = (migrations, ()) if migrations else _migrations_of(schema)
    if migrations is not None and not migrations.is_dir():
        raise InputError(f"{migrations}: no folder of migrations.")
    files = tuple(read_migrations(folder)) if folder else ()
    return PrismaProject(catalog, texts, files, str(folder) if folder else None, notes)


def _migrations_of(schema: Path) -> tuple[Path | None, tuple[str, ...]]:
    """A project's migrations as its configuration says, else beside its schema; and what is not sure."""
    config, beside = config_above(schema), _beside(schema)
    if config is None:
        return beside, ()
    if "migrations" in config.computed:
        taken = f"{beside} is taken" if beside else "none is taken"
        return beside, (f"{config.why_not('migrations')}: {taken}; --migrations names another",)
    return config.migrations or beside, ()


def migrations_folder(start: Path) -> Path | None:
    """The folder of migrations that the prisma.config.ts of a project's folder names, None of none.

    Raises:
        InputError: it is computed.
    """
    config = find_config(start)
    if config is not None and "migrations" in config.computed:
        raise InputError(f"{config.why_not('migrations')}. Give the folder.")
    return config.migrations if config is not None else None


def _beside(schema: Path) -> Path | None:
    """prisma/migrations, from prisma/schema.prisma, prisma or prisma/schema."""
    folder = schema if schema.is_dir() else schema.parent
    for place in (folder, folder.parent):
        if (place / "migrations").is_dir():
            return place / "migrations"
    return None


def read_migrations(folder: Path) -> Iterator[MigrationFile]:
    """The migrations of a folder by name: each is a folder with a migration.sql.

    Raises:
        InputError: a migration.sql cannot be read.
    """
    for path in sorted(folder.glob("*/migration.sql")):
        yield MigrationFile(path.parent.name, str(path), _text(path))


def history(
    migrations: Sequence[MigrationFile],
) -> Iterator[tuple[MigrationFile, tuple[Step, ...], Catalog]]:
    """Each migration with its statements, and the tables as those before it left them."""
    builder = SchemaBuilder()
    for file in migrations:
        steps = tuple(read_steps(file.sql))
        yield file, steps, builder.catalog("the migrations before it")
        for step in steps:
            for definition in step.definitions:
                builder.apply(definition)


def migrated(migrations: Sequence[MigrationFile]) -> Catalog:
    """The tables as all migrations leave them."""
    builder = SchemaBuilder()
    for file in migrations:
        for step in read_steps(file.sql):
            for definition in step.definitions:
                builder.apply(definition)
    return builder.catalog("the migrations")


def read_steps(text: str) -> Iterator[Step]:
    """The statements of a script with their lines and what each defines."""
    position = 0
    for statement in statements(text):
        position = text.find(statement, position)
        line = text.count("\n", 0, position) + 1
        concurrently = bool(_CONCURRENTLY.match(statement))
        yield Step(line, statement, tuple(definitions(statement)), concurrently)
        position += len(statement)


def read_dumps(paths: Sequence[Path]) -> Catalog:
    """A database's tables from SQL dumps, applied in order.

    Raises:
        InputError: a file cannot be read, or has no table in it.
    """
    text = "\n;\n".join(_text(path) for path in paths)
    origin = ", ".join(map(str, paths))
    catalog = sql.read_schema(text, origin)
    if not catalog.tables:
        raise InputError(f"{origin}: no CREATE TABLE in it; give a `pg_dump --schema-only`.")
    return catalog


def _text(path: Path) -> str:
    """A file's text with its own line ends: a checksum hangs on them."""
    try:
        if path.stat().st_size > _LARGEST_BYTES:
            raise InputError(f"{path}: larger than 16 MB, which no schema or migration is.")
        return path.read_bytes().decode("utf-8", "backslashreplace")
    except OSError as error:
        raise InputError(f"{path}: cannot be read ({error.strerror})") from error
