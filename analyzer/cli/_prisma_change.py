"""`pg95 indexes --prisma`: the advice as a change of a Prisma project, checked, and written where asked.

Nothing is applied, and the project's own files are never written over.
"""

import os
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from analyzer.errors import InputError
from analyzer.prisma.index_changes import IndexChanges, misread
from analyzer.prisma.patch import unified
from analyzer.sources.schema import prisma
from analyzer.sources.schema.prisma_edits import edited
from analyzer.sources.schema.project import find_schema, read_project

if TYPE_CHECKING:
    from analyzer.model.catalog import Catalog
    from analyzer.pipeline import Result

_PATCH = "schema.patch"


class ProjectAdvice:
    """A project, read before the analysis, so that what is wrong with it is said at once.

    Args:
        place: the project's folder, or its schema: a file or a folder.
        migrations: the folder of its migrations, where it is not beside the schema.
        time: when the first new migration is made, UTC; None is now.

    Raises:
        InputError: there is no schema, or it cannot be read.
    """

    def __init__(self, place: str, migrations: str | None, time: datetime | None) -> None:
        self.path = find_schema(Path(place))
        self.project = read_project(self.path, Path(migrations) if migrations else None)
        for name, text in self.project.texts.items():
            if Path(name).read_bytes() != text.encode("utf-8", "replace"):
                raise InputError(f"{name}: is not UTF-8, so no patch of it can be made.")
        self._now = (time or datetime.now(UTC)).replace(tzinfo=UTC, microsecond=0)
        base = self.path if self.path.is_dir() else self.path.parent
        home = base.parent if base.name == "schema" else base
        self._migrations = Path(self.project.migrations_folder or home / "migrations")
        root = home.absolute().parent if home.absolute().name == "prisma" else home.absolute()
        named = Path(place).absolute()
        if named.is_dir() and named.name != "prisma" and self.path.absolute() != named:
            root = named  # the project's folder, wherever its schema is in it
        self._root = Path(os.path.commonpath([root, self._migrations.absolute()]))

    def add(self, result: "Result") -> None:
        """Put the change into the document's `indexes`, as `prisma`."""
        advice = result.document["indexes"]
        catalog = result.workload.catalog
        self._same_database(catalog)
        taken = {one.name or "" for table in catalog or () for one in table.indexes}
        names = [one.name for one in self.project.migrations]
        change = IndexChanges(self.project.schema, names, self._now, taken).of(advice)
        before = dict(self.project.texts)
        after = edited(before, change.edits)
        wrong = misread(
            self.project.schema, prisma.read_schemas(after, str(self.path)), change.edits
        )
        if wrong:
            raise InputError(
                f"{self.path}: with the change it would say {wrong}. No patch is made; please report the schema."
            )
        folder = self._relative(self._migrations)
        files = {f"{folder}/{one.name}/migration.sql": one for one in change.migrations}
        old = {self._relative(Path(name)): text for name, text in before.items()}
        new = {self._relative(Path(name)): text for name, text in after.items()}
        advice["prisma"] = {
            "schema": sorted(old),
            "patch": unified(old, {**new, **{path: one.sql for path, one in files.items()}}),
            "schema_patch": unified(old, new),
            "migrations": [
                {"path": path, "index": one.index, "sql": one.sql} for path, one in files.items()
            ],
            "left_out": [{"sql": one.sql, "reason": one.reason} for one in change.left_out],
            "notes": [*change.notes, *self._notes(result, changed=bool(files))],
            "checked_by": self._checked(after),
        }

    def write(self, document: dict[str, Any], output: str) -> None:
        """Write the migrations and the schema's patch below a folder.

        Raises:
            InputError: one of them is there already, or cannot be written; then none is.
        """
        made = document["indexes"]["prisma"]
        files = {one["path"]: one["sql"] for one in made["migrations"]}
        files |= {_PATCH: made["schema_patch"]} if made["schema_patch"] else {}
        there = [name for name in files if (Path(output) / name).exists()]
        if there:
            raise InputError(f"-o {Path(output) / there[0]}: is there already.")
        for name, text in files.items():
            path = Path(output) / name
            try:
                path.parent.mkdir(parents=True, exist_ok=True)
                with path.open("x", encoding="utf-8", newline="") as out:
                    out.write(text)
            except OSError as error:
                raise InputError(f"-o {path}: cannot be written ({error.strerror})") from error
            click.echo(str(path), err=True)

    def _relative(self, path: Path) -> str:
        return path.absolute().relative_to(self._root).as_posix()

    def _same_database(self, known: "Catalog | None") -> None:
        """Refuse a server that has none of the project's tables."""
        if known is None or known.server_version is None:
            return
        models = [table.name for table in self.project.schema if table.kind == "table"]
        there = [known.table(name) for name in models]
        if not any(table is not None and table.bytes is not None for table in there):
            raise InputError(
                f"--prisma {self.path}: the database has none of its tables ({', '.join(models[:3])} …): "
                "is it the database of another project?"
            )

    def _notes(self, result: "Result", *, changed: bool) -> list[str]:
        catalog, notes = result.workload.catalog, list(self.project.notes)
        if catalog is None or catalog.server_version is None:
            notes.append(
                "not compared with a database: --dsn knows which indexes are there, and how large tables are"
            )
        if changed and not self.project.migrations:
            notes.append(
                f"{self._migrations} has no migration: a database that is not empty takes these only after a baseline "
                "(`npx prisma migrate diff --from-empty`, then `npx prisma migrate resolve --applied`)"
            )
        return notes

    def _checked(self, after: dict[str, str]) -> str | None:
        """Which Prisma found the changed schema valid; None where there is none to ask, which a note says.

        Raises:
            InputError: it is not valid, or says something else than pg95 reads.
        """
        from analyzer.prisma.datamodel import differing
        from analyzer.sources.schema.prisma_parser import PrismaParser, find_parser, prisma_version

        place = find_parser(self.path.absolute().parent)
        if place is None:
            return None
        try:
            parser = PrismaParser(place)
        except ImportError:
            click.echo(
                "pg95: the patched schema was not checked by Prisma's own parser: pip install 'pg95[prisma]'",
                err=True,
            )
            return None
        problem = parser.problems(after)
        if problem is not None:
            old = parser.problems(self.project.texts)
            whose = "as it is" if old else "with the change"
            raise InputError(
                f"{self.path}: Prisma's own parser refuses the schema {whose}:\n{old or problem}"
            )
        unlike = differing(prisma.read_schemas(after, str(self.path)), parser.datamodel(after))
        if unlike:
            raise InputError(
                f"{self.path}: Prisma reads {unlike[0]} otherwise than pg95: no patch is made; please report the schema."
            )
        return f"Prisma {prisma_version(place) or ''}".strip()
