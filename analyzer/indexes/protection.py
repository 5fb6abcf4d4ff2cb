"""What hangs on an index beside reading: such an index is never dropped, whatever its use."""

from analyzer.indexes.foreign_keys import is_supported
from analyzer.model.catalog import Catalog, ForeignKey, Index, Table


def why_kept(table: Table, index: Index, catalog: Catalog) -> str | None:
    """Why the index must stay though nothing reads it, None where nothing hangs on it."""
    needed_by = index.referenced_by
    if needed_by is None:
        needed_by = tuple(_references(table, index, catalog))
    reasons = (
        (index.primary, "it is the primary key's"),
        (index.constraint is not None, f"it backs a constraint ({index.constraint})"),
        (index.part_of is not None, f"it is part of the partitioned index {index.part_of}"),
        (
            table.partition_of is not None and index.definition is None,
            f"it may be part of an index of {table.partition_of}",
        ),
        (index.replica_identity, "it is the table's replica identity"),
        (bool(needed_by), f"foreign keys refer to what it keeps unique ({', '.join(needed_by)})"),
        (index.name is None, "its name is not known"),
    )
    return next((reason for holds, reason in reasons if holds), None)


def supported_key(table: Table, index: Index, gone: frozenset[str]) -> ForeignKey | None:
    """A foreign key of the table that no other index would support; `gone` are names to be dropped, too."""
    names = {*gone, index.name}
    left = tuple(one for one in table.indexes if one.name not in names)
    for key in table.foreign_keys:
        if key.columns and is_supported(table, key) and not is_supported(_having(table, left), key):
            return key
    return None


def _having(table: Table, indexes: tuple[Index, ...]) -> Table:
    """The table as it were with these indexes; its keys have theirs anyway."""
    return Table(
        name=table.name,
        columns=table.columns,
        primary_key=table.primary_key,
        foreign_keys=table.foreign_keys,
        indexes=indexes,
    )


def _references(table: Table, index: Index, catalog: Catalog) -> list[str]:
    """Foreign keys that point at the index's columns, where only a schema is known."""
    if not index.unique:
        return []
    wanted = set(index.columns)
    return [
        key.name or f"{other.name} ({', '.join(key.columns)})"
        for other in catalog
        for key in other.foreign_keys
        if catalog.table(key.target) is table and set(key.target_columns) == wanted
    ]
