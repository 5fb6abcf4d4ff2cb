"""Names that PostgreSQL gives what has none, and indexes by their names."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace

from analyzer.model.catalog import Column, Index

MAX_NAME_BYTES = 63


def object_name(first: str, second: str, label: str) -> str:
    """The name that PostgreSQL gives an object: `first_second_label`, cut to 63 bytes.

    The longer of the first two parts is cut first (makeObjectName in src/backend/commands/
    indexcmds.c); bytes that would be half a character are left out.
    """
    long, other = first.encode(), second.encode()
    room = MAX_NAME_BYTES - len(label.encode()) - 1 - bool(second)
    while len(long) + len(other) > room:
        if len(long) > len(other):
            long = long[:-1]
        else:
            other = other[:-1]
    parts = (long.decode(errors="ignore"), other.decode(errors="ignore"), label)
    return "_".join(part for part in parts if part)


def index_labels(index: Index, columns: Mapping[str, Column]) -> Iterator[str]:
    """What an index's name says of its columns: of an expression its function, or `expr`."""
    for column in index.columns + index.include:
        function, bracket, _ = column.partition("(")
        if column in columns:
            yield column
        else:
            yield function if bracket and function.isidentifier() else "expr"


def changed_indexes(
    indexes: Iterable[Index], name: str, change: Callable[[Index], Index | None]
) -> Iterator[Index]:
    """The indexes, those of a name as `change` makes them (None: they are gone)."""
    for index in indexes:
        changed = change(index) if index.name == name else index
        if changed is not None:
            yield changed


def rename_index(indexes: list[Index], old: str, new: str) -> None:
    """Give the index of a name another."""
    indexes[:] = [replace(index, name=new) if index.name == old else index for index in indexes]


def identify_rows(indexes: list[Index], name: str | None) -> None:
    """Make the index of a name the replica identity, and no other."""
    indexes[:] = [replace(index, replica_identity=index.name == name) for index in indexes]
