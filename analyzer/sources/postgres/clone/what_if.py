"""Index advice without the server: a `WhatIf` that asks a clone."""

import json
from collections.abc import Collection, Iterator
from contextlib import ExitStack, contextmanager
from typing import Any, Self

import psycopg

from analyzer.errors import InputError, ServerError, WhatIfError
from analyzer.model.blueprint import Blueprint
from analyzer.model.catalog import Catalog
from analyzer.model.index_candidate import IndexCandidate
from analyzer.model.plan import Plan, RecordedPlan
from analyzer.model.what_if import PlanEstimate, PlannedStatement
from analyzer.plans.reader import read_plans
from analyzer.records import record
from analyzer.sources.postgres.clone.btree import height, plant
from analyzer.sources.postgres.clone.building import (
    DATABASE,
    ROLE,
    SchemaBuilder,
    create_database,
    wanted_extensions,
)
from analyzer.sources.postgres.clone.catalog import (
    clone_catalog,
    give_files,
    key_bytes,
    relations,
)
from analyzer.sources.postgres.clone.files import extend
from analyzer.sources.postgres.clone.planner import Planner
from analyzer.sources.postgres.clone.programs import choose
from analyzer.sources.postgres.clone.restoring import restore
from analyzer.sources.postgres.clone.server import CloneServer
from analyzer.sources.postgres.clone.trials import Desk, SizeOf, Trials
from analyzer.sources.postgres.connection import Connection
from analyzer.sources.postgres.planned import ParameterCounts


def open_clone(blueprint: Blueprint, size_of: SizeOf | None = None) -> "CloneWhatIf":
    """Build a clone and start to ask it; the caller closes it.

    Args:
        blueprint: the database.
        size_of: how large a candidate will be, in bytes, of its table, itself and its rows; used where
            the candidate does not say (analyzer.indexes.sizes.index_bytes).

    Raises:
        ServerError: no fitting PostgreSQL on this machine, it does not start, or it failed on the way.
        InputError: the blueprint has no tables.
    """
    with ExitStack() as stack, _server_errors():
        programs = choose(wanted_extensions(blueprint.statements))
        server = CloneServer(programs)
        stack.callback(server.close)
        notes = create_database(server, blueprint.collation)
        owner = server.connect(ROLE, DATABASE)
        admin = server.connect(database=DATABASE)
        builder = SchemaBuilder(server, owner, admin)
        built = builder.build(blueprint.statements)
        catalog, pages, warnings = _filled(server, owner, admin, blueprint)
        if not catalog.tables:
            raise InputError(
                f"{blueprint.origin}: none of its statements makes a table, so there is nothing to "
                "clone; --schema takes what pg_dump --schema-only writes"
            )
        planner = Planner(server.connect(ROLE, DATABASE), blueprint, built.schemas)
        desk = Desk(
            server=server,
            owner=owner,
            admin=admin,
            builder=builder,
            pages=pages,
            tables=catalog.tables,
            columns={
                (one.schema, one.relation, one.column): one
                for one in blueprint.columns
                if one.column is not None
            },
            size_of=size_of,
            rows_of=planner.rows,
        )
        told = (*blueprint.warnings, *notes, *built.warnings(), *warnings, *planner.warnings)
        clone = CloneWhatIf(_Parts(server, Trials(desk), planner, catalog, tuple(told)))
        stack.pop_all()
    return clone


def _filled(
    server: CloneServer, owner: Connection, admin: Connection, blueprint: Blueprint
) -> tuple[Catalog, dict[int, int], list[str]]:
    """Restore statistics and sizes: the catalog then, the pages of each relation, and warnings."""
    warnings = restore(owner, blueprint)
    sizes = {
        (one.schema, one.name): one.pages if one.file_pages is None else one.file_pages
        for one in blueprint.relations
    }
    found = relations(owner)
    pages = {
        relation.id: wanted
        for relation in found
        if (wanted := sizes.get((relation.schema, relation.name)))
    }
    keys = key_bytes(admin, [relation.id for relation in found if relation.btree])
    planted = {}
    for relation in (one for one in found if one.id in pages):
        wanted = pages[relation.id]
        if relation.btree:
            levels = height(wanted, keys.get(relation.id, 0.0))
            planted[relation.id] = plant(server, relation.path, levels, wanted)
        else:
            extend(server, relation.path, wanted)
    give_files(admin, planted)
    with owner.transaction():
        catalog = clone_catalog(owner, f"a clone by {blueprint.origin}")
    return catalog, pages, warnings


@record
class _Parts:
    server: CloneServer
    trials: Trials
    planner: Planner
    catalog: Catalog
    warnings: tuple[str, ...]


class CloneWhatIf:
    """A `WhatIf` on a clone. `catalog` is what it holds, `warnings` what it lacks."""

    method = "clone"

    def __init__(self, parts: _Parts) -> None:
        self._server = parts.server
        self._trials = parts.trials
        self._planner = parts.planner
        self.catalog = parts.catalog
        self.warnings = parts.warnings
        self._counts = ParameterCounts()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def calls(self) -> int:
        """How many statements were planned so far."""
        return self._planner.calls

    @property
    def version(self) -> str:
        """The clone's PostgreSQL, like 18.4."""
        major, minor = self._server.programs.version
        return f"{major}.{minor}"

    def estimate(
        self, statement: PlannedStatement, indexes: Collection[IndexCandidate]
    ) -> PlanEstimate:
        """Plan the statement with exactly these candidates beside what exists.

        Raises:
            WhatIfError: the statement cannot be planned there, or a candidate cannot be tried.
            ServerError: the clone is gone.
        """
        count = self._counts.of(statement)
        with _server_errors():
            self._trials.make(indexes)
            for index in indexes:
                if why_not := self._trials.refusals.get(index.sql):
                    raise WhatIfError(f"{index.name}: {why_not}")
            self._trials.show(indexes)
            found = self._planner.explain(statement.sql, count)
        names = {
            name: index.name for index in indexes for name in self._trials.made[index.sql].names
        }
        used = frozenset(_renamed(found["Plan"], names))
        return PlanEstimate(float(found["Plan"]["Total Cost"]), used, self._plan(found))

    def size_bytes(self, index: IndexCandidate) -> int | None:
        """The size that the clone reckons with; a clone cannot measure it."""
        return None if self.refused(index) else self._trials.made[index.sql].bytes

    def refused(self, index: IndexCandidate) -> str | None:
        """Why an index cannot be tried: what the clone's server says."""
        with _server_errors():
            return self._trials.refused(index)

    def prepare(self, indexes: Collection[IndexCandidate]) -> None:
        """Make many candidates at once, hidden: quicker than one after the other."""
        with _server_errors():
            self._trials.make(indexes)

    def close(self) -> None:
        """Stop the server and remove its files."""
        self._server.close()

    def _plan(self, found: dict[str, Any]) -> Plan | None:
        text = json.dumps([found])
        try:
            return read_plans(RecordedPlan(text, "json", "a clone", source=-1))[0]
        except InputError:  # a node that is not understood: the cost is known all the same
            return None


def _renamed(node: dict[str, Any], names: dict[str, str]) -> Iterator[str]:
    """Give the candidates in a plan their own names; gives the names of all its indexes."""
    waiting = [node]
    while waiting:
        one = waiting.pop()
        if "Index Name" in one:
            one["Index Name"] = names.get(one["Index Name"], one["Index Name"])
            yield one["Index Name"]
        waiting += one.get("Plans", ())


@contextmanager
def _server_errors() -> Iterator[None]:
    """What is wrong with the clone's server itself is a ServerError."""
    try:
        yield
    except (psycopg.Error, OSError) as error:
        said = " ".join(str(error).split())
        raise ServerError(
            f"the clone's server failed ({said}); run again, and report it if it stays"
        ) from error
