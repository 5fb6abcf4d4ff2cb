"""Indexes for nearest neighbours by the workload's texts and the catalog alone: no plan is needed.

A search is `ORDER BY column <distance> value LIMIT n` on a column of pgvector's types. It gets hnsw, or ivfflat where
hnsw's graph would take more than 2 GB to build, with the operator class of its operator, unless an index of that
class is there. Above 2,000 dimensions the index is one of halfvec, for which the search has to ask. What a filter
beside it needs, _filters_ says (vector_filters.py): an index applies a filter to the candidates that it found, and gives
fewer rows than the LIMIT where few of them pass.
"""

from collections.abc import Iterator, Sequence
from dataclasses import replace

from analyzer.indexes.building import created_index, search_settings
from analyzer.indexes.making import Maker
from analyzer.indexes.vector_filters import FilterAdvice, Searched, filter_advice
from analyzer.model.access import Compared, TableAccess, Use
from analyzer.model.catalog import Catalog, Index, Table
from analyzer.model.index_advice import CreatedIndex, IndexNote, StatementGain
from analyzer.model.index_candidate import IndexCandidate, IndexKey
from analyzer.model.statement import Role, Statement
from analyzer.model.vectors import (
    DISTANCES,
    HNSW_PARAMETERS,
    LARGEST_GRAPH_BYTES,
    MOST_DIMENSIONS,
    build_time_s,
    graph_bytes,
    lists_for,
    vector_type,
)
from analyzer.model.workload import Workload
from analyzer.sql.access import statement_access
from analyzer.sql.quoting import quote_identifier

_METHODS = ("hnsw", "ivfflat")
_TINY_ROWS = 1_000  # below, comparing all is as fast
_APPROXIMATE = (
    "Answers become approximate: compare some with the exact ones (SET enable_indexscan = off), and raise "
    "hnsw.ef_search, then m (24 to 32) and ef_construction (4 · m and more), or ivfflat.probes, until enough are found. "
    "INSERT becomes slower; CONCURRENTLY does not block writers and cannot run inside a transaction."
)


def vector_advice(
    workload: Workload, *, show_values: bool
) -> tuple[list[CreatedIndex], list[IndexNote]]:
    """Indexes that the workload's searches by distance lack, and what is to be decided about them.

    `show_values`: values of the data may be in statements. Without a catalog nothing is known of columns.
    """
    created: list[CreatedIndex] = []
    notes: list[IndexNote] = []
    if workload.catalog is None:
        return created, notes
    for one in _searched(workload, workload.catalog):
        made = _Advising(one, workload.catalog, show_values=show_values)
        created += made.created()
        notes += made.notes()
    return created, notes


class _Advising:
    """What one column's searches by one distance need."""

    def __init__(self, searched: Searched, catalog: Catalog, *, show_values: bool) -> None:
        self._searched = searched
        self._catalog = catalog
        self._maker = Maker(searched.table, catalog)
        kind, dimensions = searched.type
        self._too_wide = dimensions is not None and dimensions > _most(kind)
        self._candidate = None if self._too_wide else self._index()
        self._filters: FilterAdvice = filter_advice(
            searched, self._maker, self._candidate, show_values=show_values
        )

    def created(self) -> Iterator[CreatedIndex]:
        """The index of all rows where some search needs it, then those of filters."""
        searched, candidate = self._searched, self._candidate
        if candidate is not None and not self._there() and not self._filters.exact:
            asks = self._asks()
            yield self._written(candidate, searched.shapes, f"{_APPROXIMATE}{asks}")
        for made, shapes, risk in self._filters.created:
            yield self._written(made, shapes, risk)

    def notes(self) -> Iterator[IndexNote]:
        """The other method, and what filters leave to be decided."""
        searched, candidate = self._searched, self._candidate
        table = searched.table
        if self._too_wide:
            yield IndexNote(
                "vectors", table.name, (),
                f"{table.name}.{searched.column} has {searched.type[1]:,} dimensions: no index of pgvector takes more than "
                "4,000 (halfvec); index their signs (binary_quantize) and order the candidates again, or use a smaller model",
            )  # fmt: skip
        elif candidate is not None and not self._there() and not self._filters.exact:
            other = self._other(candidate)
            if other is not None:
                yield other
        yield from self._filters.notes

    def _written(self, made: IndexCandidate, shapes: Sequence[str], risk: str) -> CreatedIndex:
        searched = self._searched
        filtered = made.predicate is None and bool(searched.filters)
        return created_index(
            made,
            self._catalog,
            size=made.bytes,
            statements=[StatementGain(shape) for shape in shapes],
            write_cost={"rows_written": searched.table.writes, "hot_ratio": searched.table.hot_ratio},
            verified_by="rule",
            risk=risk,
            settings=search_settings(made, searched.table, searched.wanted, filtered=filtered),
        )  # fmt: skip

    def _index(self) -> IndexCandidate:
        kind, dimensions = self._searched.type
        rows = self._searched.table.rows or 0
        graph = graph_bytes(rows, dimensions, kind) if dimensions else 0
        return self._made("ivfflat" if graph > LARGEST_GRAPH_BYTES else "hnsw")

    def _made(self, method: str) -> IndexCandidate:
        searched = self._searched
        kind, dimensions = searched.type
        expression = None
        if dimensions is not None and dimensions > MOST_DIMENSIONS.get(kind, dimensions):
            kind = "halfvec"
            expression = f"{quote_identifier(searched.column)}::halfvec({dimensions})"
        key = IndexKey(
            searched.column, "distance", expression, f"{kind}_{DISTANCES[searched.operator]}_ops"
        )
        lists = (("lists", str(lists_for(searched.table.rows or 0))),)
        parameters = HNSW_PARAMETERS if method == "hnsw" else lists
        made = self._maker.make([key], method=method, parameters=parameters)
        if method == "ivfflat":
            return replace(made, rule=f"{made.rule}; build it when the rows are there")
        return made

    def _asks(self) -> str:
        """What a search has to say for an index of halfvec."""
        candidate = self._candidate
        expression = candidate.keys[0].expression if candidate is not None else None
        if expression is None:
            return ""
        half = expression.partition("::")[2]
        return (
            f" It serves only searches that ask for it: ORDER BY {expression} {self._searched.operator} $1::{half} LIMIT …; "
            "halfvec has half of the precision."
        )

    def _other(self, chosen: IndexCandidate) -> IndexNote | None:
        """The other method beside the one that is advised, where both take the column."""
        operator_class = chosen.keys[0].operator_class or ""
        rows, dimensions = self._searched.table.rows, self._searched.type[1]
        if (
            rows is None
            or not operator_class.startswith(("vector", "halfvec"))
            or "l1" in operator_class
        ):
            return None
        other = self._made("ivfflat" if chosen.method == "hnsw" else "hnsw")
        took, takes = (build_time_s(one, rows, dimensions) for one in (chosen.method, other.method))
        better = "finds less" if other.method == "ivfflat" else "finds more"
        return IndexNote(
            "vectors", self._searched.table.name, (other.name,),
            f"{other.method} instead of {chosen.method}: built in about {takes:,.0f} s instead of {took:,.0f} s on one core, "
            f"and {better}; " + "; ".join(search_settings(other, self._searched.table, self._searched.wanted, filtered=False)),
            other.sql,
            other.bytes,
            own=True,
        )  # fmt: skip

    def _there(self) -> bool:
        return self._candidate is not None and any(
            _serves(index, self._candidate) for index in self._searched.table.indexes
        )


def _serves(index: Index, candidate: IndexCandidate) -> bool:
    """Whether an existing index orders all rows by the candidate's distance."""
    key = candidate.keys[0]
    named = index.operator_classes[0] if index.operator_classes else None
    same = (named or "vector_l2_ops") == key.operator_class
    column = bool(index.columns) and key.column in index.columns[0]
    return index.method in _METHODS and index.valid and column and same and index.predicate is None


def _most(kind: str) -> int:
    """The most dimensions that some index takes: vector is indexed as halfvec where it has too many."""
    return MOST_DIMENSIONS["halfvec" if kind == "vector" else kind]


def _searched(workload: Workload, catalog: Catalog) -> list[Searched]:
    """The workload's searches by table, column and operator, those of most time first."""
    found: dict[tuple[str, str, str], Searched] = {}
    order = sorted(
        range(len(workload.statements)), key=lambda number: -workload.stats[number].total_ms
    )
    for number in order:
        statement = workload.statements[number]
        for access, nearest in _distances(statement, catalog):
            table = catalog.table(access.table)
            known = _vector_of(table, nearest.column)
            if table is None or known is None or (table.rows or _TINY_ROWS) < _TINY_ROWS:
                continue
            key = (table.name, nearest.column, nearest.operator)
            before = found.get(key) or Searched(table, nearest.column, nearest.operator, known)
            found[key] = before.with_search(statement, access, workload.filter_values)
    return list(found.values())


def _vector_of(table: Table | None, column: str) -> tuple[str, int | None] | None:
    known = table.column(column) if table is not None else None
    found = vector_type(known.type.lower()) if known is not None else None
    return found if found is not None and found[0] in ("vector", "halfvec") else None


def _distances(statement: Statement, catalog: Catalog) -> Iterator[tuple[TableAccess, Compared]]:
    if statement.facts.role is not Role.WORKLOAD or not any(
        one in statement.sql for one in DISTANCES
    ):
        return
    access = statement_access(statement.sql, catalog)
    for one in access.accesses if access is not None else ():
        for compared in one.compared:
            if compared.use is Use.DISTANCE and compared.operator in DISTANCES:
                yield one, compared
