"""Candidates from what statements ask of tables: keys in an order that may pay, and what they carry.

Columns compared for equality come first (a join's included), then what is sorted or grouped by, then
one range. Equalities among themselves are tried in every order, because another statement may need
only the first of them. Each list of keys is tried bare and, where that lets the statement do without
the table, with the other columns that it reads as INCLUDE.
"""

from collections.abc import Iterable, Iterator, Sequence
from itertools import permutations

from analyzer.indexes.existing import existing_indexes
from analyzer.indexes.making import Maker
from analyzer.indexes.partial import Asked, partial_accesses
from analyzer.indexes.special import special_candidates
from analyzer.model.access import Compared, TableAccess, Use
from analyzer.model.catalog import Catalog, Table
from analyzer.model.index_candidate import Constant, IndexCandidate, IndexKey

NOTHING_ASKED = Asked()
TINY_ROWS = 1000  # below this a scan is as fast as an index
MOST_INCLUDED = 10  # columns that an index carries
MOST_OF_ROW = 0.5  # of a row's bytes in an index that carries columns: beyond it is a second table
_USUAL_WIDTH = 8.0
_MOST_EQUALITIES = 5
_PARTIAL_WIDTH = 2
_NO_BTREE = ("json", "xml", "point", "polygon", "box", "circle", "path", "line", "lseg", "vector",
             "halfvec", "sparsevec", "tsvector", "tsquery")  # fmt: skip


def candidates_of(
    access: TableAccess, catalog: Catalog, max_width: int, asked: Asked = NOTHING_ASKED
) -> list[IndexCandidate]:
    """Every index that might help one mention of a table, none that exists already.

    `asked` says which values of the statement are the same at each execution, so that an index may hold
    just the rows that have them.
    """
    table = catalog.table(access.table)
    if table is None or is_tiny(table):
        return []
    maker = Maker(table, catalog)
    found: dict[str, IndexCandidate] = {}
    made = [*_variants(access, maker, max_width, None)]
    for predicate, constant, rest in partial_accesses(access, table, catalog, asked):
        width = min(max_width, _PARTIAL_WIDTH)
        made += _variants(rest, maker, width, predicate, constant)
    made += special_candidates(access, table, maker)
    for one in made:
        if not repeats(table, one):
            found.setdefault(one.sql, one)
    return list(found.values())


def _variants(
    access: TableAccess,
    maker: Maker,
    max_width: int,
    predicate: str | None,
    constant: Constant | None = None,
) -> Iterator[IndexCandidate]:
    """Each list of keys bare, and carrying the other columns that the statement reads."""
    for keys in _key_lists(access, maker.table, max_width):
        yield maker.make(keys, predicate=predicate, constant=constant)
        include = _carried(access, maker.table, keys)
        if include:
            yield maker.make(keys, include=include, predicate=predicate, constant=constant)


def is_tiny(table: Table) -> bool:
    """Whether a table is known to be too small for an index to matter."""
    return table.rows is not None and table.rows < TINY_ROWS


def repeats(table: Table, candidate: IndexCandidate) -> bool:
    """Whether an existing index begins as this one, or holds the same equalities in another order.

    One that carries more columns is no repeat: it spares the visit to the table.
    """
    wanted = [key.expression or key.column for key in candidate.keys]
    free = all(key.role == "equality" for key in candidate.keys)
    if candidate.include or candidate.method != "btree":
        return any(
            index.method == candidate.method
            and list(index.columns) == wanted
            and index.predicate == candidate.predicate
            and set(index.include) >= set(candidate.include)
            for index in table.indexes
        )
    if any(key.operator_class for key in candidate.keys):
        return False
    for index in existing_indexes(table):
        front = list(index.columns[: len(wanted)])
        same = front == wanted or (free and set(front) == set(wanted) and len(front) == len(wanted))
        if index.method == "btree" and index.predicate in (None, candidate.predicate) and same:
            return True
    return False


def _key_lists(access: TableAccess, table: Table, max_width: int) -> Iterator[tuple[IndexKey, ...]]:
    """Key lists in the order that a btree can use, without repeats."""
    seen: set[tuple[IndexKey, ...]] = set()
    equal = _equalities(access, table)
    ranges = _ranges(access, table, equal)
    orders = _orders(access, table)
    for front in _fronts(equal, max_width):
        for keys in _completed(front, ranges, orders, max_width):
            if keys and keys not in seen:
                seen.add(keys)
                yield keys


def _fronts(equal: Sequence[IndexKey], max_width: int) -> Iterator[tuple[IndexKey, ...]]:
    for width in range(min(len(equal), max_width) + 1):
        yield from permutations(equal, width)


def _completed(
    front: tuple[IndexKey, ...],
    ranges: Sequence[IndexKey],
    orders: Sequence[tuple[IndexKey, ...]],
    max_width: int,
) -> Iterator[tuple[IndexKey, ...]]:
    """The equalities alone, with each order behind them, and with one range."""
    yield front
    taken = {key.column for key in front}
    for order in orders:
        rest = tuple(key for key in order if key.column not in taken)
        if rest and len(front) + len(rest) <= max(max_width, len(rest)):
            yield front + rest
    for key in ranges:
        if key.column not in taken and len(front) < max_width:
            yield (*front, key)


def _equalities(access: TableAccess, table: Table) -> list[IndexKey]:
    """Columns compared for equality, the more selective ones first."""
    usable = [c for c in access.compared if c.use is Use.EQUALITY and _fits_btree(c, table)]
    keys = list(dict.fromkeys(IndexKey(c.column, "equality", c.expression) for c in usable))
    keys.sort(key=lambda key: -_distinct(table, key.column))
    return keys[:_MOST_EQUALITIES]


def _ranges(access: TableAccess, table: Table, equal: Iterable[IndexKey]) -> list[IndexKey]:
    taken = {(key.column, key.expression) for key in equal}
    keys = []
    for one in access.compared:
        if one.use is Use.RANGE and _fits_btree(one, table):
            pattern = "text_pattern_ops" if one.prefix else None
            if (one.column, one.expression) not in taken:
                keys.append(IndexKey(one.column, "range", one.expression, pattern))
    return list(dict.fromkeys(keys))


def _orders(access: TableAccess, table: Table) -> list[tuple[IndexKey, ...]]:
    """What the statement sorts by, as it is, and what it groups by."""
    first_down = bool(access.sorted_by) and access.sorted_by[0].descending
    sort = tuple(
        # An index is read backwards as well: only directions that differ among themselves matter.
        IndexKey(one.column, "sort", descending=one.descending != first_down)
        for one in access.sorted_by
        if _has_order(table, one.column)
    )
    group = tuple(IndexKey(one, "sort") for one in access.grouped_by if _has_order(table, one))
    return [order for order in dict.fromkeys((sort, group)) if order]


def _carried(access: TableAccess, table: Table, keys: Sequence[IndexKey]) -> tuple[str, ...]:
    """The other columns that the statement reads, if the index can carry them all."""
    plain = {key.column for key in keys if key.expression is None}
    rest = tuple(name for name in access.needed if name not in plain)
    if access.target or not rest or not may_carry(table, plain, rest):
        return ()
    return rest


def may_carry(table: Table, keys: set[str], include: Sequence[str]) -> bool:
    """Whether an index with these keys and carried columns is still an index, and no second table."""
    if len(include) > MOST_INCLUDED:
        return False
    held = _width(table, keys | set(include))
    return held <= MOST_OF_ROW * _width(table, {column.name for column in table.columns})


def _width(table: Table, names: set[str]) -> float:
    """Bytes of some columns in a row, by statistics; a guess where there are none."""
    known = (column for column in table.columns if column.name in names)
    return sum(column.width_bytes or _USUAL_WIDTH for column in known)


def _fits_btree(one: Compared, table: Table) -> bool:
    if one.expression is not None:
        return one.immutable
    return _has_order(table, one.column)


def _has_order(table: Table, column: str) -> bool:
    known = table.column(column)
    return known is not None and not known.type.lower().startswith(_NO_BTREE)


def _distinct(table: Table, column: str) -> float:
    known = table.column(column)
    if known is None or known.distinct is None:
        return 0.0
    return known.distinct if known.distinct >= 0 else -known.distinct * (table.rows or 1)
