"""Candidates beside the btree: hash, GIN, GiST, BRIN, and those for nearest neighbours."""

from collections.abc import Iterator
from dataclasses import replace

from analyzer.indexes.making import Maker
from analyzer.model.access import Compared, TableAccess, Use
from analyzer.model.catalog import Table
from analyzer.model.index_candidate import IndexCandidate, IndexKey
from analyzer.model.vectors import (
    DISTANCES,
    HNSW_PARAMETERS,
    LARGEST_GRAPH_BYTES,
    MOST_DIMENSIONS,
    lists_for,
)

_BRIN_ROWS = 100_000  # below it a btree is small as well
# Elsewhere it reads nearly every page, and the planner, which takes it for the cheaper of two indexes of
# one condition when it combines bitmaps, may drop the btree that would serve (choose_bitmap_and).
_BRIN_CORRELATION = 0.9
_SETS = frozenset({"@>", "<@", "&&"})
_SIDES = frozenset({"<<", ">>", "-|-"})  # of ranges: left of, right of, beside
_SUBNETS = frozenset({"<<", ">>", "<<=", ">>="})
_JSON = frozenset({"@>", "?", "?|", "?&", "@?", "@@"})
_TRIGRAMS = frozenset({"like", "ilike", "~", "~*"})
_TEXT = ("text", "character varying", "varchar", "character")
_GEOMETRIC = ("point", "box", "polygon", "circle", "geometry", "geography")
_IN_GIST = (
    "integer", "bigint", "smallint", "text", "character", "uuid", "date", "timestamp", "numeric",
)  # fmt: skip
_HASH_WIDTH = 64  # bytes of a value, which a btree keeps whole and a hash index as 4 bytes
_HASH_DISTINCT = 0.5  # of the rows: entries with one hash stand in one chain of pages
_HASHED = ("text", "character varying", "varchar", "bytea")
_BRIN_TYPES = ("timestamp", "date", "bigint", "integer", "smallint", "numeric")


def special_candidates(access: TableAccess, table: Table, maker: Maker) -> Iterator[IndexCandidate]:
    """Candidates that are no btree."""
    for one in access.compared:
        if one.expression is not None and not one.immutable:
            continue
        found = _by_search(one, table)
        if found is not None:
            method, operator_class = found
            role = "distance" if one.use is Use.DISTANCE else "contains"
            made = maker.make(
                [IndexKey(one.column, role, one.expression, operator_class)],
                method=method,
                parameters=HNSW_PARAMETERS if method == "hnsw" else (),
            )
            yield _in_lists(made, maker) if _too_large_a_graph(made) else made
            if method == "gist" and one.use is Use.SEARCH:
                yield from _with_scalars(made, access, maker)
        if one.use is Use.EQUALITY and one.expression is None and _suits_hash(table, one.column):
            yield maker.make([IndexKey(one.column, "equality")], method="hash")
        if one.use is Use.RANGE and one.expression is None and _suits_brin(table, one.column):
            yield maker.make([IndexKey(one.column, "range")], method="brin")


def _with_scalars(
    made: IndexCandidate, access: TableAccess, maker: Maker
) -> Iterator[IndexCandidate]:
    """What an exclusion constraint has: who or what it is about in front of the range (`room, during`)."""
    for other in access.compared:
        known = maker.table.column(other.column)
        plain = other.use is Use.EQUALITY and other.expression is None and other.required
        if plain and known is not None and known.type.lower().startswith(_IN_GIST):
            yield maker.make([IndexKey(other.column, "equality"), *made.keys], method="gist")


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
    elif operator in _SETS | _SIDES and kind.endswith("range"):
        found = ("gist", None)
    elif operator in _SETS | _SUBNETS and kind in ("inet", "cidr"):
        found = ("gist", "inet_ops")
    elif operator in _SETS and kind.startswith(_GEOMETRIC):
        found = ("gist", None)
    return found


def _nearest(operator: str, kind: str) -> tuple[str, str | None] | None:
    base, _, size = kind.partition("(")
    dimensions = size.rstrip(")")
    if base in MOST_DIMENSIONS and dimensions.isdigit() and int(dimensions) > MOST_DIMENSIONS[base]:
        return None  # pgvector refuses it; the findings in plans tell of halfvec
    if base in ("vector", "halfvec", "sparsevec") and operator in DISTANCES:
        return "hnsw", f"{base}_{DISTANCES[operator]}_ops"
    if operator == "<->" and base in ("point", "geometry", "geography", "box", "circle", "polygon"):
        return "gist", None
    return None


def _too_large_a_graph(made: IndexCandidate) -> bool:
    return made.method == "hnsw" and (made.bytes or 0) > LARGEST_GRAPH_BYTES


def _in_lists(graph: IndexCandidate, maker: Maker) -> IndexCandidate:
    """The ivfflat index in place of an hnsw one that takes too much memory to be built."""
    lists = lists_for(maker.table.rows or 0)
    made = maker.make(graph.keys, method="ivfflat", parameters=(("lists", str(lists)),))
    size = (graph.bytes or 0) / (1 << 30)
    return replace(
        made,
        rule=f"{made.rule}; ivfflat, because hnsw's graph of about {size:.1f} GB would not fit "
        "maintenance_work_mem while it is built: where it does, hnsw finds more. Build it when the rows are there, "
        "and set ivfflat.probes",
    )


def _suits_hash(table: Table, column: str) -> bool:
    """Whether values are so long and different that a hash index is a fraction of a btree."""
    known = table.column(column)
    if known is None or not table.rows or not known.type.lower().startswith(_HASHED):
        return False
    distinct = known.distinct or 0.0
    share = -distinct if distinct < 0 else distinct / table.rows
    return (known.width_bytes or 0) >= _HASH_WIDTH and share >= _HASH_DISTINCT


def _suits_brin(table: Table, column: str) -> bool:
    known = table.column(column)
    large = table.rows is not None and table.rows >= _BRIN_ROWS
    if not large or known is None or not known.type.lower().startswith(_BRIN_TYPES):
        return False
    return known.correlation is not None and abs(known.correlation) >= _BRIN_CORRELATION
