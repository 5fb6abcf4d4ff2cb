r"""What a filter beside a search by distance needs, which an index for distances applies to its candidates alone.

By how many rows a value of the filter has (statistics, else the values that the workload asks for):

- 10,000 or fewer: a btree on the filter, and the rows that it leaves are compared exactly;
- more, of at most 20 values: an hnsw index for each of them, partial, which gives rows of that value only;
- more, of many values: the table partitioned by the filter, with an index in each partition.

A value is one of the data (a label of an enum type, too): statements have it where `show_values` says so, or it is true,
false or NULL. Else the statement reads the frequent values from the table itself, and psql runs what it makes (`\gexec`).
"""

from collections.abc import Mapping, Sequence
from dataclasses import field, replace

from analyzer.indexes.making import Maker
from analyzer.model.access import Compared, TableAccess, Use
from analyzer.model.catalog import Column, Table
from analyzer.model.index_advice import IndexNote
from analyzer.model.index_candidate import IndexCandidate, IndexKey
from analyzer.model.statement import Statement
from analyzer.model.vectors import EXACT_ROWS, FilterValues
from analyzer.patterns import regex
from analyzer.records import record
from analyzer.sql.frequent_values import frequent_script
from analyzer.sql.quoting import quote_identifier, quote_literal, quote_table

MOST_PARTIAL = 20  # indexes of one filter
_MOST_PARTITIONS = 64
_ROWS_A_PARTITION = 100_000
_TESTS = {
    "is null": "{} IS NULL",
    "is not null": "{} IS NOT NULL",
    "is true": "{}",
    "is false": "NOT {}",
}
_EXACT = (
    "Where a value has more rows than others, comparing them takes longer in proportion; the planner chooses between "
    "this index and one for distances by its statistics."
)
_TESTED = "Serves only searches with this condition. Answers are approximate; an INSERT of such a row becomes slower."
_PARTIAL = (
    "Serves only searches that name this value (a parameter is enough where the plan is made for its value: "
    "plan_cache_mode = force_custom_plan). Answers are approximate; an INSERT of such a row becomes slower."
)


Made = tuple[
    IndexCandidate, tuple[str, ...], str
]  # with the statements that it serves and its risk
_CAST = regex(r'::(?:"[^"]*"|[a-z_][\w.]*)(?: varying)?(?:\(\d+\))?')


@record
class Searched:
    """Searches of one column by one operator: statements, the largest LIMIT, and their filters.

    `type` is the kind of vector and its dimensions. `filters` are columns with what they were called with, `tests`
    conditions without a value; `bare` are statements without either.
    """

    table: Table
    column: str
    operator: str
    type: tuple[str, int | None]
    shapes: tuple[str, ...] = ()
    wanted: int = 0
    filters: Mapping[str, tuple[tuple[str, ...], FilterValues | None]] = field(default_factory=dict)
    tests: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    bare: tuple[str, ...] = ()

    def with_search(
        self,
        statement: Statement,
        access: TableAccess,
        values: Mapping[tuple[str, str], FilterValues],
    ) -> "Searched":
        """These searches and one statement's."""
        shape = statement.shape_id
        filters, tests = dict(self.filters), dict(self.tests)
        columns = [one for one in access.compared if _is_filter(one)]
        asked = [
            one
            for one in access.compared
            if one.required and one.use is Use.TEST and one.operator in _TESTS
        ]
        for one in columns[:1]:  # an index has one filter: the first
            shapes, known = filters.get(one.column, ((), None))
            filters[one.column] = ((*shapes, shape), known or values.get((shape, one.column)))
        for one in asked[:1]:
            text = _TESTS[one.operator].format(quote_identifier(one.column))
            tests[text] = (*tests.get(text, ()), shape)
        return replace(
            self,
            shapes=(*self.shapes, shape),
            wanted=max(self.wanted, statement.facts.limit or 0),
            filters=filters,
            tests=tests,
            bare=self.bare if columns or asked else (*self.bare, shape),
        )  # fmt: skip


@record
class FilterAdvice:
    """Candidates with the statements that they serve and their risk, and what is left to be decided.

    `exact`: every search is served by comparing few rows, so that no index for distances is needed.
    """

    created: Sequence[Made] = ()
    notes: Sequence[IndexNote] = ()
    exact: bool = False


def filter_advice(
    searched: Searched, maker: Maker, whole: IndexCandidate | None, *, show_values: bool
) -> FilterAdvice:
    """What the filters of searches need; `whole` is the index of all rows, None where there can be none."""
    created: list[Made] = []
    notes: list[IndexNote] = []
    exact = set[str]()
    for column, (shapes, values) in searched.filters.items():
        known = searched.table.column(column)
        each = _rows_of_value(searched.table, known, values)
        asked = (column, shapes, values)
        few = each is None or each <= EXACT_ROWS
        if few and not _begins(searched.table, column):
            created.append(_compared_exactly(maker, column, shapes, each))
        if each is not None and few:
            exact.update(shapes)
        heavy = not few or bool(_large_values(searched.table, known))
        if heavy and whole is not None:
            some, left = _frequent(searched, maker, whole, asked, show_values=show_values)
            created += some
            notes += left
    for test, shapes in searched.tests.items():
        if whole is not None:
            created.append((_partial(maker, whole, test), shapes, _TESTED))
    created = [one for one in created if not _there(searched.table, one[0])]
    alone = not searched.bare and not searched.tests and exact >= set(searched.shapes)
    return FilterAdvice(created, notes, alone)


def _compared_exactly(
    maker: Maker, column: str, shapes: tuple[str, ...], each: float | None
) -> Made:
    """A btree on the filter: the rows that it leaves are compared."""
    made = maker.make([IndexKey(column, "equality")])
    told = (
        "" if each is None else f" A value has about {each:,.0f} rows, which are compared exactly."
    )
    return (
        replace(made, rule=f"{made.rule}, beside an order by distance"),
        shapes,
        f"{_EXACT}{told}",
    )


def _there(table: Table, made: IndexCandidate) -> bool:
    """Whether an index for the same distances and rows exists; casts and brackets of its condition do not count."""
    wanted = _plain(made.predicate or "")
    return bool(wanted) and any(
        index.method == made.method
        and made.columns[0] in index.columns[0]
        and _plain(index.predicate or "") == wanted
        for index in table.indexes
        if index.columns and index.valid
    )


def _plain(predicate: str) -> str:
    return _CAST.sub("", predicate).replace("(", "").replace(")", "").replace(" ", "")


def _is_filter(one: Compared) -> bool:
    plain = one.expression is None and not one.joined
    return one.required and plain and one.use is Use.EQUALITY


def _rows_of_value(
    table: Table, column: Column | None, values: FilterValues | None
) -> float | None:
    """How many rows a value has in the mean, None where neither statistics nor the workload tell."""
    if table.rows is None:
        return None
    if column is not None and column.distinct:
        distinct = column.distinct if column.distinct > 0 else -column.distinct * table.rows
        return table.rows / max(1.0, distinct)
    if values is not None and values.distinct:
        return table.rows / values.distinct
    return None


def _begins(table: Table, column: str) -> bool:
    keys = [
        index.columns for index in table.indexes if index.method == "btree" and not index.predicate
    ]
    return any(one[:1] == (column,) for one in (*keys, table.primary_key))


def _frequent(
    searched: Searched,
    maker: Maker,
    whole: IndexCandidate,
    asked: tuple[str, tuple[str, ...], FilterValues | None],
    *,
    show_values: bool,
) -> tuple[list[Made], list[IndexNote]]:
    """Partial indexes for values of which there are few, a partitioned table for many."""
    column, shapes, values = asked
    known = searched.table.column(column)
    number = _values(searched.table, known, values)
    if number is not None and number > MOST_PARTIAL:
        return [], [_partitioned(searched, whole, column, number)]
    shown = ["true", "false"] if known is not None and known.type == "boolean" else []
    if show_values:
        shown = shown or _labels(maker, known)
    if not shown and show_values and values is not None:
        shown = [_literal(value) for value, _ in values.values[:MOST_PARTIAL]]
    name = quote_identifier(column)
    made = [(_partial(maker, whole, f"{name} = {value}"), shapes, _PARTIAL) for value in shown]
    begun = any(
        one.method == whole.method and column in (one.predicate or "")
        for one in searched.table.indexes
    )  # which values are left cannot be told then
    return made, [] if made or begun else [_by_table(searched, whole, column, values)]


def _values(table: Table, column: Column | None, values: FilterValues | None) -> float | None:
    """How many values have enough rows for an index of their own."""
    large = _large_values(table, column)
    if large is not None:
        return large
    if column is not None and column.distinct and column.distinct > 0:
        return column.distinct
    return values.distinct if values is not None else None


def _large_values(table: Table, column: Column | None) -> int | None:
    """How many values have more rows than are compared exactly, by statistics; None without."""
    if column is None or not column.common_frequencies or not table.rows:
        return None
    return sum(share * table.rows > EXACT_ROWS for share in column.common_frequencies)


def _labels(maker: Maker, column: Column | None) -> list[str]:
    """The labels of an enum type that has few."""
    if column is None:
        return []
    enums = maker.catalog.enums if maker.catalog is not None else {}
    labels = enums.get(column.type.replace('"', ""), ())
    return [quote_literal(one) for one in labels] if len(labels) <= MOST_PARTIAL else []


def _literal(value: str) -> str:
    return quote_literal(value[1:-1] if value[:1] == value[-1:] == "'" else value)


def _partial(maker: Maker, whole: IndexCandidate, predicate: str) -> IndexCandidate:
    return maker.make(
        whole.keys, method=whole.method, predicate=predicate, parameters=whole.parameters
    )


def _by_table(
    searched: Searched, whole: IndexCandidate, column: str, values: FilterValues | None
) -> IndexNote:
    """Partial indexes for the values that the table has most of, made by psql: no value stands in the text."""
    told = ""
    if values is not None and values.executions:
        top = sum(count for _, count in values.values[:MOST_PARTIAL])
        told = f" The workload's {len(values.values[:MOST_PARTIAL])} most frequent values are asked for in {top / values.executions:.0%} of searches."
    return IndexNote(
        "vectors", searched.table.name, (),
        f"searches of {searched.table.name} by {column} find fewer rows than they ask for where an index of all rows "
        f"finds few of that value: an index for each frequent value.{told} Values are data, so the statements are made by the server",
        frequent_script(searched.table.name, column, _using(whole), EXACT_ROWS, MOST_PARTIAL),
        own=True,
    )  # fmt: skip


def _using(whole: IndexCandidate) -> str:
    key = whole.keys[0]
    column = f"({key.expression})" if key.expression else quote_identifier(key.column)
    pairs = ", ".join(f"{name} = {value}" for name, value in whole.parameters)
    return f"USING {whole.method} ({column} {key.operator_class}) WITH ({pairs})"


def _partitioned(
    searched: Searched, whole: IndexCandidate, column: str, number: float
) -> IndexNote:
    """A table partitioned by the filter: a search looks into the index of its value's partition."""
    table, name = searched.table, quote_identifier(column)
    parts = min(_MOST_PARTITIONS, max(2, -(-(table.rows or 0) // _ROWS_A_PARTITION)))
    old = quote_table(table.name)
    schema, _, bare = table.name.rpartition(".")
    prefix = f"{quote_identifier(schema)}." if schema else ""
    new = f"{prefix}{quote_identifier(f'{bare}_by_{column}'[:50])}"
    keys = [key for key in table.primary_key if key != column]
    primary = (
        f", PRIMARY KEY ({', '.join(map(quote_identifier, (*keys, column)))})"
        if table.primary_key
        else ""
    )
    each = [
        f"CREATE TABLE {prefix}{quote_identifier(f'{bare}_by_{column}'[:50] + f'_{part}')} PARTITION OF {new} "
        f"FOR VALUES WITH (MODULUS {parts}, REMAINDER {part});"
        for part in range(parts)
    ]  # fmt: skip
    sql = [
        "BEGIN;",
        f"LOCK TABLE {old} IN SHARE MODE;",
        f"CREATE TABLE {new} (LIKE {old} INCLUDING DEFAULTS INCLUDING GENERATED INCLUDING STORAGE{primary}) PARTITION BY HASH ({name});",
        *each,
        f"INSERT INTO {new} SELECT * FROM {old};",  # noqa: S608 - names are quoted, and it is shown, never run
        f"CREATE INDEX ON {new} {_using(whole)};",
        f"ALTER TABLE {old} RENAME TO {quote_identifier(f'{bare}_before')};",
        f"ALTER TABLE {new} RENAME TO {quote_identifier(bare)};",
        "COMMIT;",
    ]
    return IndexNote(
        "vectors", table.name, (),
        f"searches of {table.name} by {column} (about {number:,.0f} values with many rows each) find fewer rows than they ask for: "
        f"partition the table by {column}, so that a search looks into the index of its partition ({parts} of them). Writers "
        "wait while rows are copied; keys that refer to the table, its other indexes, triggers and rights are to be made again, "
        "and every unique key has to hold the column",
        "\n".join(sql),
        own=True,
    )  # fmt: skip
