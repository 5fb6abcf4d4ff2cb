"""Foreign keys that no index supports.

PostgreSQL indexes the key that a foreign key points at, not the columns that point. Lookups of
children by their parent, joins, and every DELETE or key UPDATE of a parent then scan the child.
"""

from analyzer.indexes.candidates import trade_off
from analyzer.indexes.existing import existing_indexes
from analyzer.indexes.naming import create_statement, index_name
from analyzer.indexes.partitions import Partitions, for_all_partitions
from analyzer.indexes.sizes import btree_bytes
from analyzer.model.catalog import Catalog, ForeignKey, Table
from analyzer.model.index_candidate import IndexCandidate, IndexKey


def uncovered(catalog: Catalog) -> list[IndexCandidate]:
    """An index for each foreign key that has none, by table and columns; the caller chooses.

    A key is supported by an index, primary or unique key that begins with its columns, in any
    order among themselves. A partial index counts only if it leaves out nothing but NULLs. A partitioned table's
    is one key, however many partitions have it.
    """
    partitions = Partitions(catalog)
    keys = {table.name: {frozenset(key.columns) for key in table.foreign_keys} for table in catalog}
    found: dict[tuple[str, frozenset[str]], IndexCandidate] = {}
    for table in catalog:
        for key in table.foreign_keys:
            identity = (table.name, frozenset(key.columns))
            root = partitions.root(table.name)
            if root != table.name and identity[1] in keys.get(root, ()):
                continue
            if key.columns and identity not in found and not is_supported(table, key):
                found[identity] = for_all_partitions(_candidate(table, key, catalog), catalog)
    return sorted(found.values(), key=lambda candidate: (candidate.table, candidate.columns))


def is_supported(table: Table, key: ForeignKey) -> bool:
    """Whether some index of the table finds the rows of a key (`uncovered` says which do)."""
    wanted = set(key.columns)
    for index in existing_indexes(table):
        finds = index.method == "btree" or (index.method == "hash" and len(wanted) == 1)
        complete = index.predicate is None or _only_nulls_missing(index.predicate, key)
        if finds and complete and set(index.columns[: len(wanted)]) == wanted:
            return True
    return False


def _only_nulls_missing(predicate: str, key: ForeignKey) -> bool:
    plain = predicate.replace("(", "").replace(")", "").replace('"', "").strip().lower()
    return any(plain == f"{column.lower()} is not null" for column in key.columns)


def _candidate(table: Table, key: ForeignKey, catalog: Catalog) -> IndexCandidate:
    keys = tuple(IndexKey(column, "equality") for column in key.columns)
    name = index_name(table.name, keys, None, catalog)
    size = btree_bytes(table, key.columns, table.rows) if table.rows else None
    columns = ", ".join(key.columns)
    constraint = f" ({key.name})" if key.name else ""
    return IndexCandidate(
        table=table.name,
        keys=keys,
        method="btree",
        name=name,
        sql=create_statement(name, table.name, keys, "btree", None),
        rule=f"{columns} refers to {key.target}{constraint} and no index begins with it",
        trade_off=trade_off(table, keys, size),
        bytes=size,
    )
