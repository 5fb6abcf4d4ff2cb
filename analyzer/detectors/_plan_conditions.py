"""Which columns a node's condition compares, and whether an index could take a comparison over."""

from collections.abc import Sequence
from functools import lru_cache

from analyzer.model.catalog import Catalog
from analyzer.model.evidence_parts import ColumnCondition
from analyzer.model.plan import PlanNode
from analyzer.records import record
from analyzer.sql.conditions import Condition, ParsedFilter, parse_condition

_RANGES = frozenset({"<", "<=", ">", ">=", "between", "is not null"})
_CONTAINS = frozenset({"@>", "<@", "&&", "@@", "?", "?|", "?&", "~", "~*", "ilike"})
_EQUALITIES = frozenset({"=", "is null", "is true", "is false"})


@record
class Compared:
    """The columns of a condition; `certain` is False where a cast was judged without its type."""

    conditions: tuple[ColumnCondition, ...] = ()
    certain: bool = True

    @property
    def columns(self) -> tuple[str, ...]:
        """Their names, sorted, each once."""
        return tuple(sorted({condition.column for condition in self.conditions}))

    @property
    def sargable(self) -> bool:
        """Whether an index on one of the columns themselves would serve."""
        return any(condition.sargable for condition in self.conditions)


def compared(node: PlanNode, text: str | None, catalog: Catalog | None) -> Compared:
    """The conditions of a node's Filter (or Index Cond …) as evidence.

    None at all where no index could take one over: an OR over different columns, no column that is
    compared with a value, a text that cannot be read.
    """
    table = catalog.table(node.relation) if catalog is not None else None
    if table is None:
        return _compared_untyped(text or "", node.alias)

    def column_type(name: str) -> str | None:
        column = table.column(name)
        return column.type if column is not None else None

    return _of_parsed(parse_condition(text or "", alias=node.alias, column_type=column_type))


@lru_cache(maxsize=512)
def _compared_untyped(text: str, alias: str | None) -> Compared:
    """Without a catalog the text alone decides, and plans of one statement often have the same."""
    return _of_parsed(parse_condition(text, alias=alias))


def _of_parsed(parsed: ParsedFilter | None) -> Compared:
    if parsed is None or parsed.disjunctive:
        return Compared(certain=False)
    return Compared(
        tuple(_condition(condition) for condition in parsed.conditions),
        all(condition.certain for condition in parsed.conditions),
    )


def equal_columns(conditions: Sequence[ColumnCondition]) -> tuple[str, ...]:
    """Columns compared for equality, in their order."""
    return tuple(dict.fromkeys(c.column for c in conditions if c.kind == "equality"))


def is_system(relation: str | None) -> bool:
    """Whether a table is PostgreSQL's own, or none at all."""
    name = relation or "pg_"
    return name.startswith(("pg_", "information_schema."))


def _condition(condition: Condition) -> ColumnCondition:
    kind, sargable = "other", False
    if condition.operator in _EQUALITIES:
        kind, sargable = "equality", True
    elif condition.operator in _RANGES:
        kind, sargable = "range", True
    elif condition.operator == "like":
        sargable = condition.pattern == "prefix"
        kind = "range" if sargable else "other"
    elif condition.operator in _CONTAINS:
        sargable = condition.operator not in ("~", "~*", "ilike")
    wrapped = condition.wrapped
    return ColumnCondition(
        column=condition.column,
        operator=condition.operator,
        kind=kind,
        sargable=sargable and wrapped is None,
        expression=wrapped.text if wrapped else None,
        immutable=wrapped is not None and wrapped.immutable,
        pattern=condition.pattern,
        value_type=condition.value_type,
    )
