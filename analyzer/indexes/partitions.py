"""Partitioned tables: which tables are their parts, and how an index comes to all of them.

CONCURRENTLY is not possible on a partitioned table. So its index is made ON ONLY it, which is quick and
leaves it invalid, each partition's is built CONCURRENTLY and attached, and with the last one the whole is valid
(PostgreSQL's manual, Table Partitioning). New partitions get theirs by themselves.
"""

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import replace

from analyzer.indexes.making import extras_of, named_predicate
from analyzer.indexes.naming import create_statement, index_name
from analyzer.model.catalog import Catalog, Index, Table
from analyzer.model.index_candidate import IndexCandidate
from analyzer.sql.quoting import quote_identifier


class Partitions:
    """The partitions of each table of a catalog."""

    def __init__(self, catalog: Catalog) -> None:
        self._parts: defaultdict[str, list[str]] = defaultdict(list)
        self._parents: dict[str, str] = {}
        for table in catalog:
            if table.partition_of is not None:
                self._parts[table.partition_of].append(table.name)
                self._parents[table.name] = table.partition_of

    def below(self, name: str) -> list[str]:
        """The names of all tables below one, those that are partitioned themselves, too."""
        names = [name]
        for parent in names:  # grows while it is walked
            names += self._parts.get(parent, ())
        return names[1:]

    def direct(self, name: str) -> list[str]:
        """The names of a table's own partitions, without those below them."""
        return list(self._parts.get(name, ()))

    def root(self, name: str) -> str:
        """The partitioned table that a table is a part of at any depth; itself where it is none."""
        seen = {name}
        while self._parents.get(name, name) not in seen:
            name = self._parents[name]
            seen.add(name)
        return name


def for_all_partitions(candidate: IndexCandidate, catalog: Catalog | None) -> IndexCandidate:
    """The candidate with the statements that build it, where its table is partitioned; else as it is."""
    if catalog is None or candidate.recipe:
        return candidate
    partitions = Partitions(catalog)
    if not partitions.direct(candidate.table):
        return candidate
    recipe = tuple(_built(candidate, candidate.table, candidate.name, (catalog, partitions)))
    return replace(candidate, recipe=recipe)


def _built(
    candidate: IndexCandidate, table: str, name: str, known: tuple[Catalog, Partitions]
) -> Iterator[str]:
    """The statements for a table and all below it."""
    catalog, partitions = known
    parts = partitions.direct(table)
    made = create_statement(
        name, table, candidate.keys, candidate.method, candidate.predicate, extras_of(candidate)
    )
    if not parts:
        yield made
        return
    yield made.replace("INDEX CONCURRENTLY ", "INDEX ", 1).replace(" ON ", " ON ONLY ", 1)
    for part in parts:
        there = _alike(candidate, catalog.table(part))
        own = there or _name(candidate, part, catalog)
        if there is None:
            yield from _built(candidate, part, own, known)
        yield f"ALTER INDEX {_qualified(table, name)} ATTACH PARTITION {_qualified(part, own)};"


def _name(candidate: IndexCandidate, table: str, catalog: Catalog) -> str:
    predicate = named_predicate(candidate.predicate, candidate.constant)
    extras = extras_of(candidate)
    return index_name(table, candidate.keys, predicate, catalog, extras, candidate.method)


def _alike(candidate: IndexCandidate, table: Table | None) -> str | None:
    """An index that a partition has already, and that only has to be attached."""
    if table is None or not candidate.plain:
        return None
    wanted = candidate.as_index()
    return next((one.name for one in table.indexes if _same(one, wanted)), None)


def _same(one: Index, wanted: Index) -> bool:
    odd = one.unique or one.predicate or one.part_of or one.partitioned or not one.valid
    odd = odd or any(one.operator_classes) or any(one.collations)
    odd = odd or any(one.descending) or any(one.nulls_first)
    alike = (one.method, one.columns, one.include) == (
        wanted.method,
        wanted.columns,
        wanted.include,
    )
    return alike and not odd


def _qualified(table: str, index: str) -> str:
    """An index's name in the schema of its table, where it always is."""
    schema = table.rpartition(".")[0]
    name = quote_identifier(index)
    return f"{quote_identifier(schema)}.{name}" if schema else name
