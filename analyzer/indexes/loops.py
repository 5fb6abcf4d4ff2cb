"""How many pages nested loops read by a plan's own estimates, where the planner counted fewer.

The planner prices an index's visits from inside a loop before it knows what stands outside of it. For how many
loops pages that are read again cost nothing, it takes the rows of the smallest other table that the index's
conditions name (`get_loop_count` in PostgreSQL's optimizer/path/indxpath.c, which calls that a "zero-order
approximation"), though that table may be joined with others before the loop, and few of its rows are left. 800
loops are then charged the share of 10,000: the more of a table all loops together read, the more is missing.

Here the pages of the loops that the plan itself expects are counted, by the same formula: of T pages, N rows at
random places are on 2TN / (2T + N), and at most on all (Mackert and Lohman, "Index Scans Using a Finite LRU Buffer: A
Validated I/O Model", ACM TODS 14(3), 1989; `index_pages_fetched` in costsize.c). In three ways this is more careful than
the planner:

- Where a table lies in the order of the column that a lookup is by, the planner takes pages for read one after the other.
  They are if the loop's rows come in that order, and not if an index on something else brings these: an index brings them
  in the order of its first key that is not the same for all.
- Rows that a lookup by several columns finds are fewer the more columns there are, as if these had nothing to do with
  each other. If they are a key of another table, there are at least as many as there are for each row of that.
- A plan is never taken for cheaper than the planner takes it.

Below a LIMIT rows are only counted as far as it wants some, and of a semijoin's or antijoin's lookups one row.

What it does not see: visits that Memoize spares, subplans, pages of the index itself, a cache that is smaller than
the table. How much a page matters is not known to a planner, either (see `IndexRequest.page_price`).
"""

from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache
from types import MappingProxyType

from analyzer.indexes.layout import PAGE_BYTES, heap_bytes
from analyzer.indexes.sizes import distinct_values
from analyzer.model.catalog import Catalog, Table
from analyzer.model.index_candidate import IndexCandidate
from analyzer.model.plan import Plan, PlanNode
from analyzer.patterns import regex

_VISITS = frozenset({"Index Scan", "Bitmap Heap Scan"})  # those that go to the table, row by row
_APART = frozenset({"SubPlan", "InitPlan"})  # how often these run, a plan does not say
_WHOLE = frozenset({"Sort", "Hash", "WindowAgg"})  # that read all before they give a row
_FIRST = frozenset({"Semi", "Anti"})  # joins that look for one row and no more
# Whose rows come in the order of what is read first.
_KEEP_ORDER = frozenset({"Hash Join", "Nested Loop", "Merge Join", "Limit", "Materialize"})
_MOST_CHARACTERS = 16_384  # of a condition that is read
_NAME = r'("(?:[^"]|""){1,300}"|[^\W\d]\w{0,63})'
_EQUAL = regex(
    rf"(?<![\w.])(?:{_NAME}\.)?{_NAME}\)?(?:::[\w ]{{1,60}})? = \(?{_NAME}\.{_NAME}(?![\w.(])"
)
_FIXED = regex(rf"(?<![\w.]){_NAME}\)?(?:::[\w ]{{1,60}})? = ")

_Column = tuple[str, str]  # what the table is called in the plan, and the column
_Pair = tuple[_Column, _Column]


def uncounted_pages(
    plan: Plan, catalog: Catalog, candidates: Mapping[str, IndexCandidate] = MappingProxyType({})
) -> float:
    """Pages at random places that the plan's nested loops will read, by its own estimates, beyond those in its cost.

    `candidates` are the indexes of the plan, by name, that the catalog does not have.
    """
    if all(node.type != "Nested Loop" for node in plan.root.walk()):
        return 0.0
    return _Loops(plan.root, catalog, candidates).uncounted()


class _Loops:
    """One plan: its tables by what it calls them, and which columns it compares."""

    def __init__(
        self, root: PlanNode, catalog: Catalog, candidates: Mapping[str, IndexCandidate]
    ) -> None:
        self._root = root
        self._catalog = catalog
        self._candidates = candidates
        self._scans = {node.alias: node for node in root.walk() if node.alias and node.relation}
        self._same: dict[_Column, _Column] = {}
        for node in root.walk():
            for one, other in _joined(node):
                self._same[self._class(one)] = self._class(other)

    def uncounted(self) -> float:
        """Of the whole plan."""
        return self._below(self._root, 1.0, 1.0)

    def _class(self, column: _Column) -> _Column:
        """What stands for all columns that are equal to this one."""
        while column in self._same and self._same[column] != column:
            column = self._same[column]
        return column

    def _below(
        self,
        node: PlanNode,
        loops: float,
        share: float,
        outer: PlanNode | None = None,
        *,
        first: bool = False,
    ) -> float:
        """Of a node and all below it.

        It runs so often (`loops`), once for each row of `outer`; of its rows the share is wanted that a LIMIT above it
        leaves, or just the `first`.
        """
        found = self._of_visits(node, loops, outer, first=first)
        rows = _outer(node)
        for child in node.children:
            if child.parent_relationship in _APART:
                continue
            inner = node.type == "Nested Loop" and child.parent_relationship == "Inner"
            wanted = _share_of(child, node, share)
            often = _loops_of(child, rows, loops, wanted) if inner else loops
            once = node.join_type in _FIRST and inner
            found += self._below(child, often, wanted, rows if inner else outer, first=once)
        return found

    def _of_visits(
        self, node: PlanNode, loops: float, outer: PlanNode | None, *, first: bool
    ) -> float:
        """Of visits to a table by an index, with values that a loop over `outer` brings."""
        table = self._catalog.table(node.relation)
        compared = self._brought(node) if node.type in _VISITS and loops > 1 else []
        if not compared or table is None or not table.rows:
            return 0.0
        counted_for = max(1.0, min(self._rows(alias) for _, (alias, _) in compared))
        expected = self._found_each(node, table, compared)
        rows = max(expected, self._rows_of_key(node, table, compared))
        if first and node.filter is None:
            expected = rows = 1.0
        pages = heap_bytes(table, table.rows) / PAGE_BYTES

        def beyond(counted: float, found: float) -> float:
            """Pages of all loops, beyond the share of those of the loops that the planner counts for."""
            share = _pages_of(pages, counted * counted_for) * loops / counted_for
            return max(0.0, _pages_of(pages, found * loops) - share)

        (_, column), other = compared[0]
        in_order = _in_order(table, column)
        anyhow = 1 - self._comes_in_order(outer, other) if outer is not None else 0.0
        together = max(1.0, rows * pages / table.rows)  # pages of rows that lie side by side
        apart = (1 - in_order) * beyond(expected, rows)
        return apart + in_order * anyhow * beyond(together, together)

    def _comes_in_order(self, outer: PlanNode, column: _Column) -> float:
        """How far a loop's rows come in the order of a column, 0 to 1; 1 where that cannot be said."""
        node = outer
        while node.relation is None and node.type in _KEEP_ORDER and node.children:
            node = _first_read(node)
        table = self._catalog.table(node.relation)
        if table is None:
            return 1.0
        wanted, alias = self._class(column), node.alias or ""
        same = [one.name for one in table.columns if self._class((alias, one.name)) == wanted]
        if node.type not in ("Index Scan", "Index Only Scan"):
            return max((_in_order(table, name) for name in same), default=0.0)
        keys = self._keys_of(node, table)
        fixed = {_bare(found) for found in _FIXED.findall(_cut(node.index_condition))}
        return float(not keys or next((key for key in keys if key not in fixed), "") in same)

    def _keys_of(self, node: PlanNode, table: Table) -> tuple[str, ...]:
        """The keys of the index that a node searches; none where it is not known."""
        candidate = self._candidates.get(node.index or "")
        if candidate is not None:
            return candidate.as_index().columns
        return next((one.columns for one in table.indexes if one.name == node.index), ())

    def _found_each(self, node: PlanNode, table: Table, compared: Sequence[_Pair]) -> float:
        """The rows that a lookup finds, as the planner expects: of those that a filter leaves it says so itself."""
        each = _rows_each(table, [column for (_, column), _ in compared])
        expected = max(1.0, node.rows_estimated or 1.0)
        return expected if node.filter is None else max(each, expected)

    def _brought(self, node: PlanNode) -> list[_Pair]:
        """A scan's columns that its index compares with those of other tables, and these."""
        alias = node.alias or ""
        return [
            (own, other)
            for own, other in _equal(_index_condition(node), alias)
            if own[0] == alias != other[0] and other[0] in self._scans
        ]

    def _rows(self, alias: str) -> float:
        """The rows of a table that are left by conditions on it alone, as the planner expects."""
        node = self._scans[alias]
        table = self._catalog.table(node.relation)
        brought = self._brought(node)
        expected = max(1.0, node.rows_estimated or 1.0)
        if not brought or table is None or not table.rows:
            return expected
        each = self._found_each(node, table, brought)
        return max(1.0, table.rows * min(1.0, expected / each))

    def _rows_of_key(self, node: PlanNode, table: Table, compared: Sequence[_Pair]) -> float:
        """The table's rows for each row of another one, if all that a lookup is by is a key of that; else 0."""
        if len(_index_condition(node).split(" AND ")) > len(compared):
            return 0.0
        wanted = {self._class(other) for _, other in compared}
        found = 0.0
        for alias, scan in self._scans.items():
            other = self._catalog.table(scan.relation)
            if other is None or not other.rows or other.name == table.name:
                continue
            classes = {column.name: self._class((alias, column.name)) for column in other.columns}
            key = frozenset(name for name, one in classes.items() if one in wanted)
            if {classes[name] for name in key} == wanted and other.is_unique(key):
                found = max(found, (table.rows or 0) / other.rows)
        return found


def _share_of(child: PlanNode, node: PlanNode, share: float) -> float:
    """Which share of a child's rows is wanted, where that of its parent's is."""
    if node.type in _WHOLE or (node.type == "Aggregate" and node.extra.get("Strategy") != "Sorted"):
        return 1.0
    if node.type != "Limit" or not child.rows_estimated:
        return share
    return share * min(1.0, (node.rows_estimated or 1.0) / child.rows_estimated)


def _outer(node: PlanNode) -> PlanNode | None:
    """The side of a join that is read first."""
    return next((one for one in node.children if one.parent_relationship == "Outer"), None)


def _first_read(node: PlanNode) -> PlanNode:
    """What of a node's children its rows come in the order of; beside a single outer row that is the inner side."""
    outer = _outer(node) or node.children[0]
    single = node.type == "Nested Loop" and (outer.rows_estimated or 1.0) <= 1
    return node.children[-1] if single else outer


def _loops_of(inner: PlanNode, outer: PlanNode | None, loops: float, share: float) -> float:
    """How often a join's inner side runs, where the join does so often and a share of the outer rows is wanted."""
    if inner.type == "Materialize":
        return loops
    if inner.type == "Memoize":  # how often it knows the answer, only the planner knows
        return 1.0
    return loops * max(1.0, share * ((outer.rows_estimated if outer else None) or 1.0))


def _in_order(table: Table, column: str) -> float:
    """How far a table's rows lie in the order of a column, 0 to 1, as the planner weighs it."""
    known = table.column(column)
    return (known.correlation or 0.0) ** 2 if known is not None else 0.0


def _rows_each(table: Table, columns: Sequence[str]) -> float:
    """The rows that have one value in each of the columns, as if they had nothing to do with each other."""
    rows = float(table.rows or 0)
    for name in dict.fromkeys(columns):
        rows /= distinct_values(table, name, table.rows or 0) or 1.0
    return max(1.0, rows)


def _pages_of(pages: float, rows: float) -> float:
    """On how many of so many pages so many rows at random places are."""
    return min(pages, 2 * pages * rows / (2 * pages + rows)) if pages else 0.0


def _index_condition(node: PlanNode) -> str:
    """What an index is searched for: of a bitmap, what all indexes below it are."""
    if node.type != "Bitmap Heap Scan":
        return _cut(node.index_condition)
    return " AND ".join(_cut(one.index_condition) for one in node.walk() if one.index_condition)


def _joined(node: PlanNode) -> Iterator[_Pair]:
    """Columns of different tables that a node takes for equal."""
    own = node.alias or ""
    for text in (node.hash_condition, node.merge_condition, node.join_filter, node.index_condition):
        yield from (pair for pair in _equal(_cut(text), own) if pair[0][0] and pair[1][0])


def _cut(condition: str | None) -> str:
    return (condition or "")[:_MOST_CHARACTERS]


@lru_cache(maxsize=512)
def _equal(condition: str, alias: str) -> tuple[_Pair, ...]:
    """The columns compared for equality in a condition; those that it names no table of are the alias's."""
    found = _EQUAL.findall(condition)
    return tuple(
        ((_bare(first) or alias, _bare(column)), (_bare(second), _bare(other)))
        for first, column, second, other in found
    )


def _bare(name: str) -> str:
    return name[1:-1].replace('""', '"') if name[:1] == '"' else name
