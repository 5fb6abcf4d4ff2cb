"""What the catalog's indexes already do, so that nothing is suggested twice."""

from collections.abc import Iterator, Sequence

from analyzer.model.catalog import Table
from analyzer.model.index_candidate import IndexKey
from analyzer.records import record

_NOISE = str.maketrans("", "", ' ()"')


@record
class Existing:
    """An index, primary key or unique key: `label` is what to call it."""

    label: str
    columns: tuple[str, ...]
    method: str = "btree"
    predicate: str | None = None


def existing_indexes(table: Table) -> Iterator[Existing]:
    """All valid indexes; keys whose index is not listed count by themselves."""
    listed = set()
    for index in table.indexes:
        if index.valid:
            listed.add(index.columns)
            label = index.name or f"the index on ({', '.join(index.columns)})"
            yield Existing(label, index.columns, index.method, index.predicate)
    if table.primary_key and table.primary_key not in listed:
        yield Existing("the primary key", table.primary_key)
    for key in table.unique_keys:
        if key not in listed:
            yield Existing(f"the unique key ({', '.join(key)})", key)


def serving(
    table: Table, keys: Sequence[IndexKey], method: str, predicate: str | None
) -> Existing | None:
    """The existing index that does what one with these keys would do, if there is one.

    The equality keys may stand in any order at its front; the others follow in theirs.
    """
    equal = {_normal(key) for key in keys if key.role == "equality"}
    rest = [_normal(key) for key in keys if key.role != "equality"]
    for index in existing_indexes(table):
        if index.method != method or not _covers_predicate(index.predicate, predicate):
            continue
        columns = [_plain(column) for column in index.columns]
        front, behind = columns[: len(equal)], columns[len(equal) : len(keys)]
        if set(front) == equal and behind == rest:
            return index
    return None


def made_superfluous(table: Table, keys: Sequence[IndexKey]) -> tuple[str, ...]:
    """Names of plain btree indexes (none that backs a key) that these keys begin with."""
    wanted = [_normal(key) for key in keys]
    names = []
    for index in table.indexes:
        columns = [_plain(column) for column in index.columns]
        backs_key = index.primary or index.unique
        is_plain = index.method == "btree" and not index.predicate and not index.include
        if is_plain and not backs_key and index.name and columns == wanted[: len(columns)]:
            names.append(index.name)
    return tuple(names)


def _covers_predicate(existing: str | None, wanted: str | None) -> bool:
    return existing is None or (wanted is not None and _plain(existing) == _plain(wanted))


def _normal(key: IndexKey) -> str:
    text = _plain(key.expression or key.column)
    return text + key.operator_class if key.operator_class else text


def _plain(text: str) -> str:
    """Text of a column or expression without spaces, parentheses, quotes and text casts."""
    return text.replace("::text", "").translate(_NOISE)
