"""What is to be said of existing indexes, and for people to decide: nothing here is run as it is."""

from collections.abc import Iterator, Sequence
from itertools import combinations

from analyzer.indexes.bloat import index_bloat
from analyzer.indexes.definition import rebuild_statement
from analyzer.indexes.overlap import is_duplicate, is_permutation, keys
from analyzer.indexes.protection import why_kept
from analyzer.model.catalog import Catalog, Index, Table
from analyzer.model.index_advice import DroppedIndex, IndexNote
from analyzer.model.workload import Workload
from analyzer.sql.quoting import quote_identifier, quote_table

_MB = 2**20


def notes(workload: Workload, drops: Sequence[DroppedIndex]) -> tuple[IndexNote, ...]:
    """Indexes whose orders could be one, constraints that repeat each other, bloat; by table."""
    catalog = workload.catalog
    if catalog is None:
        return ()
    gone = {(one.table, one.index) for one in drops}
    found: list[IndexNote] = []
    for table in catalog:
        staying = [one for one in table.indexes if (table.name, one.name or "") not in gone]
        for index, other in combinations(sorted(staying, key=lambda one: one.name or ""), 2):
            found += _twin_constraints(table, index, other, catalog)
            found += _merges(table, index, other, workload)
        found += [note for index in staying for note in _bloated(table, index)]
    return tuple(sorted(found, key=lambda one: (-(one.bytes or 0), one.table, one.indexes)))


def _twin_constraints(
    table: Table, index: Index, other: Index, catalog: Catalog
) -> Iterator[IndexNote]:
    """Two constraints, each with its index, that keep the same unique."""
    needed = why_kept(table, index, catalog) and why_kept(table, other, catalog)
    if (
        not needed
        or index.part_of
        or not (is_duplicate(index, other) or is_duplicate(other, index))
    ):
        return
    spare = next((one for one in (other, index) if one.constraint == "unique"), None)
    if spare is None or spare.referenced_by or spare.replica_identity or spare.name is None:
        return
    kept = index if spare is other else other
    yield IndexNote(
        "constraints",
        table.name,
        (spare.name, kept.name or ""),
        f"{spare.name} and {kept.name} keep the same columns unique, each with an index of its own; "
        "dropping the constraint drops its index (it locks the table for a moment)",
        f"ALTER TABLE {quote_table(table.name)} DROP CONSTRAINT {quote_identifier(spare.name)};",
        spare.bytes,
    )


def _merges(table: Table, index: Index, other: Index, workload: Workload) -> Iterator[IndexNote]:
    """The same columns in another order, or one column that stands second in the other."""
    if index.unique or other.unique or index.part_of or other.part_of:
        return
    names = (index.name or "", other.name or "")
    if is_permutation(index, other):
        yield IndexNote(
            "merge",
            table.name,
            names,
            f"{names[0]} ({', '.join(index.columns)}) and {names[1]} ({', '.join(other.columns)}) have the "
            "same columns in another order: where queries compare all of them for equality, either serves; "
            "keep the one whose first column is also searched or sorted by alone",
            bytes=min(index.bytes or 0, other.bytes or 0) or None,
        )
        return
    pair, single = (index, other) if len(index.columns) > len(other.columns) else (other, index)
    if _second_is(pair, single) and not _looks_up_first_alone(table, pair.columns, workload):
        first, second = pair.columns
        yield IndexNote(
            "merge",
            table.name,
            (pair.name or "", single.name or ""),
            f"{pair.name} ({first}, {second}) and {single.name} ({second}): one index ({second}, {first}) "
            f"would serve both, as far as every query that compares {first} compares {second} for equality, "
            "too, and none sorts by the first index",
            bytes=single.bytes,
        )


def _second_is(pair: Index, single: Index) -> bool:
    """Whether `single` has the one column that stands second in `pair`, as it stands there."""
    return (
        len(pair.columns) == 2  # noqa: PLR2004 - a pair
        and len(single.columns) == 1
        and pair.method == single.method == "btree"
        and pair.predicate == single.predicate
        and pair.valid
        and single.valid
        and not (pair.include or single.include)
        and keys(pair)[1] == keys(single)[0]
    )


def _looks_up_first_alone(table: Table, columns: Sequence[str], workload: Workload) -> bool:
    """Whether some statement compares the first column without the second, or none shows how they are used."""
    first, second = columns
    shown = False
    for statement in workload.statements:
        compared = {
            predicate.column: predicate.operator
            for predicate in statement.facts.predicates
            if predicate.table == table.name and predicate.expression is None
        }
        if first in compared and compared.get(second) != "=":
            return True
        shown = shown or first in compared
    return not shown or any(set(key.columns) == {first} for key in table.foreign_keys)


def _bloated(table: Table, index: Index) -> Iterator[IndexNote]:
    bloat = index_bloat(table, index)
    if bloat is not None and index.name is not None:
        yield IndexNote(
            "bloat",
            table.name,
            (index.name,),
            f"{index.name} takes {bloat.bytes / _MB:,.0f} MB where about {bloat.expected_bytes / _MB:,.0f} MB "
            "would do (an estimate from statistics; pgstattuple's pgstatindex() counts). Rebuilding needs "
            "room for the new index beside the old one",
            rebuild_statement(table, index),
            bloat.wasted_bytes,
        )
