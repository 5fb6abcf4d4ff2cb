"""The schema of a clone: the statements of a blueprint, those that may be run, one after the other.

A role without any privilege runs them, in a database of its own. What the server refuses is tried again
with less: columns of types that it does not have become text, and CHECK constraints and generated columns
go where they may name functions that it does not have. What is left out is told.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import field

import psycopg
from psycopg import sql

from analyzer.model.lines import error_of
from analyzer.records import changing
from analyzer.sources.postgres.clone.server import CloneServer
from analyzer.sources.postgres.connection import Connection
from analyzer.sql.redact import redact_text
from analyzer.sql.restorable import Leniency, NotRestorableError, Restorable, restorable

ROLE = "pg95_clone"
DATABASE = "clone"
_SHOWN = 5  # of what was left out, by name
_LONGEST = 60  # characters of a statement in a message
_SERIAL = frozenset({"serial", "bigserial", "smallserial", "serial2", "serial4", "serial8"})
_LIMIT = "30s"  # for a statement

# Extensions of PostgreSQL and of others that bring types, operators and functions of the kind that a
# planner reckons with. Others are left out: a clone is to have no way to files, networks or languages.
EXTENSIONS = frozenset(
    {
        "bloom",
        "btree_gin",
        "btree_gist",
        "citext",
        "cube",
        "earthdistance",
        "fuzzystrmatch",
        "hstore",
        "intarray",
        "isn",
        "ltree",
        "pg_trgm",
        "pgcrypto",
        "plpgsql",
        "seg",
        "tablefunc",
        "unaccent",
        "uuid-ossp",
        "vector",
        "postgis",
        "postgis_raster",
        "postgis_topology",
        "h3",
        "ip4r",
        "prefix",
        "rum",
        "pg_bigm",
        "semver",
        "hll",
        "roaringbitmap",
        "pg_uuidv7",
    }
)


@changing
class Built:
    """What became of a schema: how many statements were run, and what was left out, in words."""

    made: int = 0
    schemas: list[str] = field(default_factory=list)
    left_out: list[str] = field(default_factory=list)
    plain_types: set[str] = field(default_factory=set)
    extensions: set[str] = field(default_factory=set)

    def warnings(self) -> list[str]:
        """Sentences for the coverage; none where all was built."""
        told = []
        if self.extensions:
            names = ", ".join(sorted(self.extensions))
            told.append(
                f"the clone's server has no extension {names}: what needs it was not built, and its "
                "index types cannot be tried; name a server that has it in PG95_POSTGRES"
            )
        if self.plain_types:
            names = ", ".join(sorted(self.plain_types))
            told.append(f"the clone takes columns of {names} as text: it does not have these types")
        if self.left_out:
            shown = "; ".join(self.left_out[:_SHOWN])
            more = len(self.left_out) - _SHOWN
            rest = f"; and {more} more" if more > 0 else ""
            told.append(f"left out of the clone's schema: {shown}{rest}")
        return told


def wanted_extensions(statements: Iterable[str]) -> frozenset[str]:
    """The extensions that a schema creates, as far as a clone may have them."""
    found = set()
    for statement in statements:
        if "extension" not in statement[:200].lower():
            continue
        try:
            piece = restorable(statement)
        except NotRestorableError:
            continue
        if piece is not None and piece.extension in EXTENSIONS:
            found.add(piece.extension)
    return frozenset(found)


def create_database(server: CloneServer, collation: str | None) -> list[str]:
    """Make the role and its database, which sorts texts as the real one does; gives warnings.

    Whether texts are sorted bytewise decides whether a plain btree serves `LIKE 'x%'`. Where the
    collation itself is not to be had, another one that is not bytewise is near enough to plan with.
    """
    with server.connect() as admin:
        role = sql.SQL("CREATE ROLE {} LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE")
        admin.execute(role.format(sql.Identifier(ROLE)))
        for locale in _locales(collation):
            create = sql.SQL("CREATE DATABASE {} OWNER {} TEMPLATE template0 {}")
            try:
                admin.execute(create.format(sql.Identifier(DATABASE), sql.Identifier(ROLE), locale))
            except psycopg.Error:
                if admin.closed or locale is _BYTEWISE:
                    raise
                continue
            bytewise = locale is _BYTEWISE and not _is_bytewise(collation)
            return [_SORTED_BYTEWISE] if bytewise else []
    raise AssertionError("the bytewise locale is always tried last")


_BYTEWISE = sql.SQL("LOCALE_PROVIDER libc LOCALE 'C'")
_SORTED_BYTEWISE = (
    "the clone's server has no collations but C: texts are sorted bytewise there, and a plain btree "
    "on a text serves LIKE 'x%' as it may not do on the real server"
)


def _is_bytewise(collation: str | None) -> bool:
    return collation is not None and collation.upper().partition(".")[0] in ("C", "POSIX")


def _locales(collation: str | None) -> list[sql.Composable]:
    """What to try, as options of CREATE DATABASE."""
    if _is_bytewise(collation):
        return [_BYTEWISE]
    libc = sql.SQL("LOCALE_PROVIDER libc LOCALE {}")
    named = [libc.format(sql.Literal(collation))] if collation else []
    usual = [libc.format(sql.Literal(name)) for name in ("en_US.UTF-8", "en_US.utf8")]
    return [*named, sql.SQL("LOCALE_PROVIDER icu ICU_LOCALE 'und' LOCALE 'C'"), *usual, _BYTEWISE]


class SchemaBuilder:
    """Builds a schema as `owner`, and its extensions as `admin`."""

    def __init__(self, server: CloneServer, owner: Connection, admin: Connection) -> None:
        self._available = server.programs.extensions
        self._owner = owner
        self._admin = admin
        self.built = Built(schemas=["public"])
        self._known: set[str] = set()  # types that are there
        owner.execute("SELECT set_config('statement_timeout', %s, false)", [_LIMIT])
        owner.execute("SET client_min_messages = error")
        owner.execute("SET check_function_bodies = off")

    def build(self, statements: Sequence[str]) -> Built:
        """Run what may be run of the statements, in their order.

        What needs something that only comes later (a view of a view) is tried again at the end.
        """
        waiting = []
        for statement in statements:
            try:
                piece = restorable(statement)
            except NotRestorableError as error:
                self.built.left_out.append(f"{_beginning(statement)} ({error})")
                continue
            if piece is None:
                continue
            if piece.extension is not None:
                self.extension(piece.extension, piece.schema)
            elif (refusal := self._made(statement, piece)) is not None:
                waiting.append((statement, piece, refusal))
        before = len(waiting) + 1
        while len(waiting) < before:
            before = len(waiting)
            again = [(one, piece, self._made(one, piece)) for one, piece, _ in waiting]
            waiting = [(one, piece, why) for one, piece, why in again if why is not None]
        self.built.left_out += [f"{piece.subject} ({why})" for _, piece, why in waiting]
        # The planner looks at foreign keys that hold; theirs hold on the real server.
        self._admin.execute("UPDATE pg_constraint SET convalidated = true WHERE contype = 'f'")
        return self.built

    def extension(self, name: str, schema: str | None = None) -> bool:
        """Create an extension, if a clone may have it and the server does; whether it is there."""
        if name not in EXTENSIONS:
            self.built.left_out.append(f"extension {name}")
            return False
        if name not in self._available:
            self.built.extensions.add(name)
            return False
        create = sql.SQL("CREATE EXTENSION IF NOT EXISTS {} {} CASCADE").format(
            sql.Identifier(name),
            sql.SQL("SCHEMA {}").format(sql.Identifier(schema)) if schema else sql.SQL(""),
        )
        try:
            if schema:
                self._admin.execute(
                    sql.SQL("CREATE SCHEMA IF NOT EXISTS {} AUTHORIZATION {}").format(
                        sql.Identifier(schema), sql.Identifier(ROLE)
                    )
                )
            self._admin.execute(create)
            if schema:  # types and operators of an extension may be used by everybody who sees them
                grant = sql.SQL("GRANT USAGE ON SCHEMA {} TO PUBLIC").format(sql.Identifier(schema))
                self._admin.execute(grant)
        except psycopg.Error as error:
            self.built.left_out.append(f"extension {name} ({_message(error)})")
            return False
        return True

    def _made(self, statement: str, piece: Restorable) -> str | None:
        """Run one statement, with less of it where the server refuses; why nothing of it was run."""
        missing = self._missing(piece.types)
        refusals = []
        for text in self._attempts(statement, piece, missing):
            try:
                self._owner.execute(text.encode("utf-8", "surrogateescape"))
            except psycopg.errors.DuplicateSchema:  # public, or an extension's
                pass
            except psycopg.Error as error:
                if self._owner.closed:
                    raise
                refusals.append(_message(error))
                continue
            self.built.made += 1
            self.built.plain_types |= missing
            if piece.subject.startswith("schema "):
                self.built.schemas.append(piece.subject.removeprefix("schema "))
            return None
        return refusals[0] if refusals else None

    @staticmethod
    def _attempts(statement: str, piece: Restorable, missing: frozenset[str]) -> Iterator[str]:
        """The texts to try, each with less in it than the one before."""
        if not missing:
            yield piece.sql
        tried = {piece.sql}
        for checks in (False, True):
            lenient = Leniency(without_checks=checks, plain_types=missing)
            try:
                found = restorable(statement, lenient)
            except NotRestorableError:
                continue
            if found is not None and found.sql not in tried:
                tried.add(found.sql)
                yield found.sql

    def _missing(self, types: frozenset[str]) -> frozenset[str]:
        """Those of the types that the server does not know."""
        names = sorted(name for name in types - self._known if not name.startswith("pg_catalog."))
        if not names:
            return frozenset()
        rows = self._owner.execute(
            "SELECT name FROM unnest(%s::text[]) AS name WHERE to_regtype(name) IS NULL", [names]
        ).fetchall()
        missing = frozenset(str(row[0]) for row in rows) - _SERIAL
        self._known |= set(names) - missing
        return missing


def _beginning(statement: str) -> str:
    words = " ".join(redact_text(statement[: 10 * _LONGEST], "'…'").split())
    return words if len(words) <= _LONGEST else f"{words[: _LONGEST - 1]}…"


def _message(error: psycopg.Error) -> str:
    """What the server says of names; what it quotes of defaults and conditions is left out."""
    return error_of(" ".join((error.diag.message_primary or str(error)).split()))[:120]
