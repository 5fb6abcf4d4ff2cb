"""Candidates beside the plain btree: partial ones, GIN, GiST, BRIN, and those for nearest neighbours."""

from collections.abc import Iterator

from analyzer.indexes.making import Maker
from analyzer.model.access import Compared, TableAccess, Use
from analyzer.model.catalog import Table
from analyzer.model.index_candidate import IndexCandidate, IndexKey
from analyzer.sql.quoting import quote_identifier

_BRIN_ROWS = 100_000  # below it a btree is small as well
_TESTS = {
    "is null": "{} IS NULL",
    "is not null": "{} IS NOT NULL",
    "is true": "{}",
    "is false": "NOT {}",
}
_SETS = frozenset({"@>", "<@", "&&"})
_JSON = frozenset({"@>", "?", "?|", "?&", "@?", "@@"})
_TRIGRAMS = frozenset({"like", "ilike", "~", "~*"})
_TEXT = ("text", "character varying", "varchar", "character")
_GEOMETRIC = ("point", "box", "polygon", "circle", "inet", "cidr", "geometry", "geography")
_DISTANCES = {"<->": "l2", "<#>": "ip", "<=>": "cosine", "<+>": "l1"}
_BRIN_TYPES = ("timestamp", "date", "bigint", "integer", "smallint", "numeric")


def special_candidates(
    access: TableAccess, table: Table, maker: Maker, max_width: int
) -> Iterator[IndexCandidate]:
    """Candidates that are no plain btree."""
    yield from _partial(access, table, maker, max_width)
    for one in access.compared:
        if one.expression is not None and not one.immutable:
            continue
        found = _by_search(one, table)
        if found is not None:
            method, operator_class = found
            role = "distance" if one.use is Use.DISTANCE else "contains"
            yield maker.make(
                [IndexKey(one.column, role, one.expression, operator_class)], method=method
            )
        if one.use is Use.RANGE and one.expression is None and _suits_brin(table, one.column):
            yield maker.make([IndexKey(one.column, "range")], method="brin")


def _partial(
    access: TableAccess, table: Table, maker: Maker, max_width: int
) -> Iterator[IndexCandidate]:
    """Indexes of only those rows that IS NULL or a boolean keeps, by what else is asked of them."""
    tests = [one for one in access.compared if one.use is Use.TEST and one.required]
    predicates = [
        _TESTS[one.operator].format(quote_identifier(one.column))
        for one in tests
        if one.operator in _TESTS
    ]
    if not predicates:
        return
    tested = {one.column for one in tests}
    keys = _keys(access, table, tested)[:max_width]
    predicate = " AND ".join(dict.fromkeys(predicates))
    if keys:
        yield maker.make(keys, predicate=predicate)
    else:
        column = tests[0].column
        yield maker.make([IndexKey(column, "equality")], predicate=predicate)


def _keys(access: TableAccess, table: Table, tested: set[str]) -> list[IndexKey]:
    """Equality, then the order, then one range, of columns that are not tested."""
    equal = [
        IndexKey(one.column, "equality", one.expression)
        for one in access.compared
        if one.use is Use.EQUALITY and one.immutable
    ]
    order = [IndexKey(one.column, "sort", descending=one.descending) for one in access.sorted_by]
    if order and order[0].descending:
        order = [IndexKey(key.column, "sort", descending=not key.descending) for key in order]
    ranges = [
        IndexKey(one.column, "range", one.expression)
        for one in access.compared
        if one.use is Use.RANGE and one.immutable and not one.prefix
    ][:1]
    found: dict[tuple[str, str | None], IndexKey] = {}
    for key in [*equal, *order, *ranges]:
        if key.column not in tested and table.column(key.column) is not None:
            found.setdefault((key.column, key.expression), key)
    return list(found.values())


def _by_search(one: Compared, table: Table) -> tuple[str, str | None] | None:
    """Method and operator class by operator and type, None where none is known to serve."""
    known = table.column(one.column)
    kind = known.type.lower() if known is not None and one.expression is None else ""
    operator = one.operator
    if one.use is Use.DISTANCE:
        return _nearest(operator, kind)
    if one.use is not Use.SEARCH:
        return None
    found: tuple[str, str | None] | None = None
    if operator in _TRIGRAMS and (kind.startswith(_TEXT) or one.expression):
        found = ("gin", "gin_trgm_ops")
    elif operator == "@@" and kind in ("tsvector", ""):
        found = ("gin", None)
    elif kind == "jsonb" and operator in _JSON:
        found = ("gin", "jsonb_path_ops" if operator in ("@>", "@?", "@@") else None)
    elif operator in _SETS and kind.endswith("[]"):
        found = ("gin", None)
    elif (operator in _SETS or operator == "-|-") and kind.endswith("range"):
        found = ("gist", None)
    elif operator in _SETS and kind.startswith(_GEOMETRIC):
        found = ("gist", "inet_ops" if kind in ("inet", "cidr") else None)
    return found


def _nearest(operator: str, kind: str) -> tuple[str, str | None] | None:
    base = kind.partition("(")[0]
    if base in ("vector", "halfvec", "sparsevec") and operator in _DISTANCES:
        return "hnsw", f"{base}_{_DISTANCES[operator]}_ops"
    if operator == "<->" and base in ("point", "geometry", "geography", "box", "circle", "polygon"):
        return "gist", None
    return None


def _suits_brin(table: Table, column: str) -> bool:
    known = table.column(column)
    large = table.rows is not None and table.rows >= _BRIN_ROWS
    return large and known is not None and known.type.lower().startswith(_BRIN_TYPES)
