"""Index advice as a change of a Prisma project: edits of its schema, and migrations beside it."""

from analyzer.model.catalog import Index
from analyzer.records import record


@record
class SchemaEdit:
    """One change of a model: an attribute that is added, or the index whose declaration goes.

    `added` is the line, `index` what is to be read back from it; `removed` is the name in the database of the
    index whose `@@index` is taken out.
    """

    model: str
    table: str
    added: str | None = None
    index: Index | None = None
    removed: str | None = None


@record
class NewMigration:
    """A migration to write: `name` is its folder, `sql` the text of its migration.sql.

    `index` is the index that it makes or drops.
    """

    name: str
    sql: str
    index: str


@record
class LeftOut:
    """Advice that is no change of the project: its statement, and why."""

    sql: str
    reason: str


@record
class ProjectChange:
    """All of it; `notes` say what the schema does not say of an index, and what Prisma makes of that."""

    edits: tuple[SchemaEdit, ...] = ()
    migrations: tuple[NewMigration, ...] = ()
    left_out: tuple[LeftOut, ...] = ()
    notes: tuple[str, ...] = ()
